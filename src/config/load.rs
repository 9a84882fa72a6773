//! From a main file to settings: includes, the catalogue, every section, all findings of one run.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::catalog;
use crate::config::decode::Defined;
use crate::config::decode::case;
use crate::config::decode::connection;
use crate::config::decode::definition;
use crate::config::decode::destination;
use crate::config::decode::server;
use crate::config::decode::source;
use crate::config::decode::translation;
use crate::config::decode::translation::Scope;
use crate::config::decode::translation::Translation;
use crate::config::interpolate::Environment;
use crate::config::reader::Reader;
use crate::config::settings::Definition;
use crate::config::settings::Settings;
use crate::config::settings::Tables;
use crate::config::yaml::Data;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::diagnostic::suggest;
use crate::expr::Vocabulary;
use crate::text::Sources;
use crate::text::Span;

/// Where the files of a configuration are. Whoever calls [`load`] knows; this layer opens nothing.
pub trait Files: fmt::Debug {
    /// The content of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The files that match `pattern` below `directory`.
    fn glob(&self, directory: &Path, pattern: &str) -> io::Result<Vec<PathBuf>>;
}

/// What came of loading.
#[derive(Debug)]
pub struct Loaded {
    /// Every text that was read, catalogue files included: what diagnostics and errors point into.
    pub sources: Sources,
    /// The settings; `None` if an error was found, or the file is one of the catalogue.
    pub settings: Option<Settings>,
    /// The definition, if the main file is one and holds no error.
    pub definition: Option<Arc<Definition>>,
    /// Everything that was found.
    pub diagnostics: Diagnostics,
}

/// Loads the configuration whose main file is `path`. A file of the catalogue (`destination: 1` or
/// `translation: 1`) is checked as what it is.
pub fn load(path: &Path, files: &dyn Files, environment: Environment<'_>) -> Loaded {
    let mut reader = Reader::new(files, environment);
    let Some(root) = reader.parse(path, None) else {
        return reader.refused();
    };
    // A definition may say `trackway: keep`; a configuration says which version it is.
    let is_main = root
        .get("trackway")
        .is_some_and(|it| matches!(it.value.data, Data::Number(_)));
    let is = |key: &str| root.get(key).is_some() && !is_main;
    if is("destination") || is("translation") {
        return catalogue_file(reader, &root);
    }
    reader.main(path, &root);
    let mut loading = Loading {
        reader,
        defined: Defined::default(),
    };
    let settings = loading.settings(root.span);
    let Reader {
        sources,
        diagnostics,
        ..
    } = loading.reader;
    let settings = settings.filter(|_| !diagnostics.has_errors());
    Loaded {
        sources,
        settings,
        definition: None,
        diagnostics,
    }
}

/// Loads the built-in definition `name`; `None` if there is none of that name.
pub fn load_built_in(name: &str) -> Option<Loaded> {
    #[derive(Debug)]
    struct NoFiles;

    impl Files for NoFiles {
        fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
            Err(io::ErrorKind::NotFound.into())
        }

        fn glob(&self, _: &Path, _: &str) -> io::Result<Vec<PathBuf>> {
            Ok(Vec::new())
        }
    }

    let text = catalog::definition(name)?;
    let variables = BTreeMap::new();
    let unset = crate::config::Unset::Warning;
    let mut reader = Reader::new(
        &NoFiles,
        Environment {
            variables: &variables,
            unset,
        },
    );
    let Some(root) = reader.parse_built_in(name, text) else {
        return Some(reader.refused());
    };
    Some(catalogue_file(reader, &root))
}

fn catalogue_file(mut reader: Reader<'_>, root: &Node) -> Loaded {
    let defined = Defined::default();
    let mut cx = reader.cx(&defined);
    let definition = if root.get("destination").is_some() {
        definition::definition(root, &mut cx).map(Arc::new)
    } else {
        translation::translation(root, &mut cx);
        None
    };
    let Reader {
        sources,
        diagnostics,
        ..
    } = reader;
    let definition = definition.filter(|_| !diagnostics.has_errors());
    Loaded {
        sources,
        settings: None,
        definition,
        diagnostics,
    }
}

/// A configuration whose files were read.
struct Loading<'a> {
    reader: Reader<'a>,
    defined: Defined,
}

impl Loading<'_> {
    fn settings(&mut self, root: Span) -> Option<Settings> {
        let definitions = self.definitions();
        let translation = self.translation();
        let document = std::mem::take(&mut self.reader.document);
        self.defined.sources = document.sources.names();
        self.defined.destinations = document.destinations.names();
        let mut cx = self.reader.cx(&self.defined);
        let start = Span::new(root.file, 0, 0);
        cx.tables = cx.tables_of(&document.tables.entries);
        let server = server::server(document.server.fields("`server`", start), &mut cx);
        let storage = server::storage(document.storage.fields("`storage`", start), &mut cx);
        let reload = server::reload(document.reload.fields("`reload`", start), &mut cx);
        let default = server.default_source.as_deref();
        let sources = source::sources(&document.sources.entries, default, &mut cx);
        let destinations =
            destination::destinations(&document.destinations.entries, &definitions, &mut cx);
        let names = translation
            .as_ref()
            .map(|built_in| names_of(built_in, &cx.tables));
        let names = names.unwrap_or_else(|| crate::config::vocabulary::translation(&cx.tables));
        let mut rules = translation::rules(&document.translate, Scope::BySource, &names, &mut cx);
        let connections = connection::connections(&document.connections, &mut cx);
        let cases = case::cases(&document.tests, &mut cx);
        let translation = translation?;
        rules.extend(translation.rules);
        Some(Settings {
            server,
            storage,
            reload,
            sources,
            destinations,
            envelope: translation.envelope,
            translation: rules,
            connections,
            cases,
            inputs: std::mem::take(&mut self.reader.inputs),
        })
    }

    fn translation(&mut self) -> Option<Translation> {
        let root = self
            .reader
            .parse_built_in("translation", catalog::TRANSLATION)?;
        translation::translation(&root, &mut self.reader.cx(&self.defined))
    }

    /// The definition of each destination, by the destination's name. Each file is read once.
    fn definitions(&mut self) -> BTreeMap<String, Arc<Definition>> {
        let mut read: BTreeMap<String, Option<Arc<Definition>>> = BTreeMap::new();
        let mut definitions = BTreeMap::new();
        let entries = self.reader.document.destinations.entries.clone();
        for entry in &entries {
            let Some(node) = entry.value.get("type").map(|entry| &entry.value) else {
                continue;
            };
            let Some(name) = self.reader.cx(&self.defined).text(node) else {
                continue;
            };
            let is_path = name.contains(['/', '.']);
            let place = if is_path {
                let path = self.reader.cx(&self.defined).resolve(node.span, &name);
                path.to_string_lossy().into_owned()
            } else {
                name
            };
            let definition = read.entry(place.clone()).or_insert_with(|| {
                let root = if is_path {
                    self.reader.parse(Path::new(&place), Some(node.span))?
                } else {
                    let Some(text) = catalog::definition(&place) else {
                        self.unknown_type(node, &place);
                        return None;
                    };
                    self.reader.parse_built_in(&place, text)?
                };
                definition::definition(&root, &mut self.reader.cx(&self.defined)).map(Arc::new)
            });
            if let Some(definition) = definition {
                definitions.insert(entry.key.clone(), definition.clone());
            }
        }
        definitions
    }

    fn unknown_type(&mut self, node: &Node, name: &str) {
        let message = format!("there is no destination type `{name}`");
        let diagnostic = Diagnostic::error(Code::UnknownDestinationType, node.span, message);
        self.reader
            .diagnostics
            .push(match suggest::nearest(name, catalog::names()) {
                Some(near) => diagnostic.fix(format!("did you mean `{near}`?"), node.span, near),
                None => diagnostic.help(format!(
                    "there are {}, and files of your own, as in `./catalog/acme.yaml`",
                    suggest::list(catalog::names())
                )),
            });
    }
}

/// What rules of routing.yaml can name: what the envelope computed, and tables of their own.
fn names_of(built_in: &Translation, tables: &Tables) -> Vocabulary {
    Vocabulary {
        tables: tables.clone(),
        ..built_in.vocabulary.clone()
    }
}
