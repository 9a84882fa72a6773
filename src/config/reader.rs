//! Reading the files of a configuration: the main one, what it includes, what the catalogue holds.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use crate::config::decode::Cx;
use crate::config::decode::Defined;
use crate::config::decode::Fields;
use crate::config::decode::join;
use crate::config::document::Document;
use crate::config::interpolate;
use crate::config::interpolate::Environment;
use crate::config::load::Files;
use crate::config::load::Loaded;
use crate::config::settings::Tables;
use crate::config::yaml;
use crate::config::yaml::Data;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::text::FileId;
use crate::text::SourceFile;
use crate::text::Sources;
use crate::text::Span;

/// Most files of one configuration: more is a pattern that went wrong.
const FILES_MAX: usize = 1_000;
/// Deepest includes: a file that is included by a file that is included …
const INCLUDES_DEEP_MAX: usize = 16;
/// The sections in which `${env:…}` is filled in.
const INTERPOLATED: [&str; 4] = ["server", "storage", "sources", "destinations"];

/// What was read so far.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    files: &'a dyn Files,
    environment: Environment<'a>,
    // The files that are being read, each included by the one before.
    open: Vec<PathBuf>,
    directories: BTreeMap<FileId, PathBuf>,
    /// Every text.
    pub(super) sources: Sources,
    /// Every file that was asked for, main file first.
    pub(super) inputs: Vec<PathBuf>,
    /// What the files say.
    pub(super) document: Document,
    /// What was found.
    pub(super) diagnostics: Diagnostics,
}

impl<'a> Reader<'a> {
    /// Reads from `files`.
    pub(super) fn new(files: &'a dyn Files, environment: Environment<'a>) -> Self {
        Self {
            files,
            environment,
            open: Vec::new(),
            directories: BTreeMap::new(),
            sources: Sources::default(),
            inputs: Vec::new(),
            document: Document::default(),
            diagnostics: Diagnostics::default(),
        }
    }

    /// What decoding needs.
    pub(super) fn cx<'c>(&'c mut self, defined: &'c Defined) -> Cx<'c> {
        Cx {
            sources: &self.sources,
            directories: &self.directories,
            tables: Tables::default(),
            defined,
            diagnostics: &mut self.diagnostics,
        }
    }

    /// Ends without settings.
    pub(super) fn refused(self) -> Loaded {
        let Self {
            sources,
            diagnostics,
            ..
        } = self;
        Loaded {
            sources,
            settings: None,
            definition: None,
            diagnostics,
        }
    }

    /// Reads a file into nodes; `from` is where it is named.
    pub(super) fn parse(&mut self, path: &Path, from: Option<Span>) -> Option<Node> {
        self.inputs.push(path.to_owned());
        let name = path.display().to_string();
        let bytes = match self.files.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("cannot read `{name}`: {error}");
                self.diagnostics.push(match from {
                    Some(span) => Diagnostic::error(Code::Unreadable, span, message)
                        .help("a path is relative to the file it stands in"),
                    None => Diagnostic::global(Code::Unreadable, message),
                });
                return None;
            }
        };
        let directory = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        match String::from_utf8(bytes) {
            Ok(text) => self.parse_text(name, text, directory),
            Err(error) => {
                let at = u32::try_from(error.utf8_error().valid_up_to()).unwrap_or(u32::MAX);
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let file = self.sources.add(SourceFile::new(name, text));
                let place = Span::new(file, at, at);
                self.diagnostics.push(
                    Diagnostic::error(Code::NotUtf8, place, "the file is not valid UTF-8")
                        .here("the first byte that is not")
                        .help("save it as UTF-8"),
                );
                None
            }
        }
    }

    /// Reads a file that is part of the program.
    pub(super) fn parse_built_in(&mut self, name: &str, text: &str) -> Option<Node> {
        self.parse_text(
            format!("catalog/{name}.yaml"),
            text.to_owned(),
            PathBuf::new(),
        )
    }

    fn parse_text(&mut self, name: String, text: String, directory: PathBuf) -> Option<Node> {
        let source = SourceFile::new(name, text);
        let file = self.sources.add(source.clone());
        self.directories.insert(file, directory);
        yaml::parse(file, &source, &mut self.diagnostics)
    }

    /// Adds the main file and everything it includes.
    pub(super) fn main(&mut self, path: &Path, root: &Node) {
        if root.get("trackway").is_none() {
            let start = Span::new(root.span.file, 0, 0);
            self.diagnostics.push(
                Diagnostic::error(Code::MissingKey, start, "the file does not say its version")
                    .fix(
                        "start it with the version of the format",
                        start,
                        "trackway: 1\n",
                    ),
            );
        }
        self.open.push(path.to_owned());
        self.add(root.clone());
        self.open.pop();
    }

    /// Adds the content of a file, what it includes first.
    fn add(&mut self, mut root: Node) {
        if let Data::Map(entries) = &mut root.data {
            for entry in entries {
                if INTERPOLATED.contains(&entry.key.as_str()) {
                    let environment = self.environment;
                    interpolate::interpolate(&mut entry.value, environment, &mut self.diagnostics);
                } else {
                    interpolate::forbid(&entry.value, &mut self.diagnostics);
                }
            }
        }
        let span = root.head();
        let none = Defined::default();
        let opened = Fields::open(&root, span, "a configuration", &mut self.cx(&none));
        let Some(mut fields) = opened else { return };
        let version = fields.take("trackway");
        self.cx(&none).version(version, "trackway");
        if let Some(node) = fields.take("include") {
            self.include(node);
        }
        let mut document = std::mem::take(&mut self.document);
        let mut cx = self.cx(&none);
        document.add(&mut fields, &mut cx);
        fields.close(&mut cx);
        self.document = document;
    }

    fn include(&mut self, node: &Node) {
        let patterns = match &node.data {
            Data::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for pattern in patterns {
            let Some(text) = self.cx(&Defined::default()).text(pattern) else {
                continue;
            };
            for path in self.matching(pattern, &text) {
                self.include_file(&path, pattern.span);
            }
        }
    }

    /// The files of a pattern, or the one file it names, in the order of their bytes.
    fn matching(&mut self, node: &Node, pattern: &str) -> Vec<PathBuf> {
        let directory = self
            .directories
            .get(&node.span.file)
            .cloned()
            .unwrap_or_default();
        if !pattern.contains(['*', '?', '[', '{']) {
            return vec![join(&directory, pattern)];
        }
        match self.files.glob(&directory, pattern) {
            Ok(mut found) => {
                if found.is_empty() {
                    let message = format!("no file matches `{pattern}`");
                    let warning =
                        Diagnostic::warning(Code::IncludeMatchesNothing, node.span, message);
                    self.diagnostics.push(warning);
                }
                found.sort();
                found
            }
            Err(error) => {
                let message = format!("cannot look for `{pattern}`: {error}");
                self.diagnostics
                    .push(Diagnostic::error(Code::Unreadable, node.span, message));
                Vec::new()
            }
        }
    }

    fn include_file(&mut self, path: &Path, from: Span) {
        if self.open.iter().any(|open| open == path) {
            let message = format!("`{}` includes itself", path.display());
            self.diagnostics
                .push(Diagnostic::error(Code::IncludeCycle, from, message));
            return;
        }
        if self.inputs.iter().any(|read| read == path) {
            // Two patterns may match one file; it is still one file.
            return;
        }
        if FILES_MAX <= self.inputs.len() || INCLUDES_DEEP_MAX <= self.open.len() {
            let message = format!(
                "at most {FILES_MAX} files can be included, at most {INCLUDES_DEEP_MAX} deep"
            );
            self.diagnostics
                .push(Diagnostic::error(Code::ConfigTooLarge, from, message));
            return;
        }
        if let Some(root) = self.parse(path, Some(from)) {
            self.open.push(path.to_owned());
            self.add(root);
            self.open.pop();
        }
    }
}
