//! From nodes to settings, section by section. Reports everything that is wrong, not the first.
//!
//! A function that returns `None` has said why; its caller goes on with the rest. Whether the whole
//! can be used is decided once, at the end, by whether an error was reported.

pub(super) mod case;
pub(super) mod connection;
pub(super) mod definition;
mod delivery;
pub(super) mod destination;
mod expression;
mod fields;
mod lane;
mod reference;
mod response;
mod scalar;
pub(super) mod server;
mod setting;
pub(super) mod source;
mod table;
pub(super) mod translation;

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use crate::config::settings::Tables;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::text::FileId;
use crate::text::Sources;
use crate::text::Span;

pub(super) use expression::behind_sigil;
pub(super) use expression::is_behind_space;
pub(super) use fields::Fields;
pub(super) use reference::Defined;
pub(super) use scalar::is_variable_name;

/// What every section needs besides its nodes.
#[derive(Debug)]
pub(super) struct Cx<'a> {
    /// The texts, for patches that quote them.
    pub(super) sources: &'a Sources,
    /// The directory each file stands in: paths in a file are relative to it.
    pub(super) directories: &'a BTreeMap<FileId, PathBuf>,
    /// The lookup tables its expressions can name.
    pub(super) tables: Tables,
    /// What names can refer to.
    pub(super) defined: &'a Defined,
    /// What was found.
    pub(super) diagnostics: &'a mut Diagnostics,
}

impl Cx<'_> {
    /// Reports an error and gives nothing.
    pub(super) fn refuse<T>(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
    ) -> Option<T> {
        self.diagnostics
            .push(Diagnostic::error(code, span, message));
        None
    }

    /// Reports that `node` is not what belongs here.
    pub(super) fn wrong_type<T>(&mut self, node: &Node, wanted: &str) -> Option<T> {
        let message = format!("{wanted} is expected here, this is {}", node.kind());
        self.refuse(Code::WrongType, node.head(), message)
    }

    /// A path as written in the file of `span`.
    pub(super) fn resolve(&self, span: Span, path: &str) -> PathBuf {
        let directory = self
            .directories
            .get(&span.file)
            .map_or_else(|| Path::new(""), PathBuf::as_path);
        join(directory, path)
    }
}

/// `path` seen from `directory`, without `.` in between.
pub(super) fn join(directory: &Path, path: &str) -> PathBuf {
    let joined = directory.join(path);
    let plain: PathBuf = joined
        .components()
        .filter(|part| *part != std::path::Component::CurDir)
        .collect();
    if plain.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        plain
    }
}
