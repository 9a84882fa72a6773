//! YAML with positions: values and types from one reader, places and styles from another.
//!
//! `serde_yaml` alone says what a document means; `granit-parser` says where everything stands. The
//! two readings are joined node by node, and where they disagree the file is refused rather than
//! guessed at. What comes out is a tree of [`Node`]s in which each text knows, byte by byte, where
//! in the file it was written.

mod cut;
mod events;
mod excerpt;
mod join;
mod node;
mod syntax;
#[cfg(test)]
mod tests;
mod typed;

pub(crate) use node::Data;
pub(crate) use node::Entry;
pub(crate) use node::Node;
pub(crate) use node::Provenance;

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::text::FileId;
use crate::text::SourceFile;
use crate::text::Span;

/// Largest file, in bytes: 4 MiB is some 100,000 lines, far beyond what a person maintains.
pub(crate) const FILE_BYTES_MAX: usize = 4 << 20;
/// Most nodes in one file, aliases expanded. Keeps every later stage within a second.
pub(crate) const NODES_MAX: usize = 200_000;
/// Most nodes that aliases may add: they are for sharing a block, not for multiplying it.
pub(crate) const ALIAS_NODES_MAX: usize = 10_000;
/// Deepest nesting, aliases expanded; the same as that of a request body.
pub(crate) const DEPTH_MAX: usize = 64;

/// Reads one file into nodes. Reports what is wrong with it as YAML; `None` when nothing can be
/// made of it.
pub(crate) fn parse(
    file: FileId,
    source: &SourceFile,
    diagnostics: &mut Diagnostics,
) -> Option<Node> {
    let text = source.text();
    let start = Span::new(file, 0, 0);
    if FILE_BYTES_MAX < text.len() {
        let message = format!("`{}` is larger than {FILE_BYTES_MAX} bytes", source.name());
        diagnostics.push(
            Diagnostic::error(Code::ConfigTooLarge, start, message)
                .help("split it and name the parts in `include`"),
        );
        return None;
    }
    let raw = events::read(file, text, diagnostics)?;
    let typed = match typed::read(text) {
        Ok(typed) => typed,
        Err(error) => {
            diagnostics.push(syntax::typed_error(file, source, &error));
            return None;
        }
    };
    join::join(file, text, &raw, &typed, diagnostics)
}
