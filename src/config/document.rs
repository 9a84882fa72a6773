//! The files of one configuration put together: mappings by name, lists one behind the other.

use std::collections::BTreeMap;

use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::decode::translation::list;
use crate::config::yaml::Data;
use crate::config::yaml::Entry;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::text::Span;

/// Everything the files say, section by section.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// `server`.
    pub(super) server: Section,
    /// `storage`.
    pub(super) storage: Section,
    /// `reload`.
    pub(super) reload: Section,
    /// `sources`.
    pub(super) sources: Section,
    /// `destinations`.
    pub(super) destinations: Section,
    /// `tables`.
    pub(super) tables: Section,
    /// `translate`.
    pub(super) translate: Vec<Node>,
    /// `connections`.
    pub(super) connections: Vec<Node>,
    /// `tests`.
    pub(super) tests: Vec<Node>,
}

/// The entries of one section, from however many files.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// In the order they were read.
    pub(super) entries: Vec<Entry>,
    /// The section's key where it was first seen.
    pub(super) key: Option<Span>,
    // Where each entry stands.
    seen: BTreeMap<String, Span>,
}

impl Section {
    /// Its keys, to be decoded; `otherwise` is its place when no file has it.
    pub(super) fn fields(&self, what: &'static str, otherwise: Span) -> Fields<'_> {
        Fields::of(&self.entries, self.key.unwrap_or(otherwise), what)
    }

    /// The names of its entries.
    pub(super) fn names(&self) -> Vec<String> {
        self.entries.iter().map(|entry| entry.key.clone()).collect()
    }

    fn add(&mut self, section: &Entry, cx: &mut Cx<'_>) {
        self.key.get_or_insert(section.key_span);
        let entries = match &section.value.data {
            Data::Map(entries) => entries.as_slice(),
            Data::Null => &[],
            _ => {
                let message = format!(
                    "`{}` is a mapping, this is {}",
                    section.key,
                    section.value.kind()
                );
                cx.refuse::<()>(Code::WrongType, section.value.head(), message);
                return;
            }
        };
        for entry in entries {
            if let Some(first) = self.seen.get(&entry.key) {
                let message = format!("`{}` of `{}` is defined twice", entry.key, section.key);
                cx.diagnostics.push(
                    Diagnostic::error(Code::DefinedTwice, entry.key_span, message)
                        .here("the second time")
                        .also(*first, "the first time"),
                );
                continue;
            }
            self.seen.insert(entry.key.clone(), entry.key_span);
            self.entries.push(entry.clone());
        }
    }
}

impl Document {
    /// Adds the content of a file. The files it includes have been added before.
    pub(super) fn add(&mut self, fields: &mut Fields<'_>, cx: &mut Cx<'_>) {
        for (key, section) in [
            ("server", &mut self.server),
            ("storage", &mut self.storage),
            ("reload", &mut self.reload),
            ("sources", &mut self.sources),
            ("destinations", &mut self.destinations),
            ("tables", &mut self.tables),
        ] {
            if let Some(entry) = fields.entry(key) {
                section.add(entry, cx);
            }
        }
        for (key, what, nodes) in [
            ("translate", "a list of rules", &mut self.translate),
            (
                "connections",
                "a list of connections",
                &mut self.connections,
            ),
            ("tests", "a list of tests", &mut self.tests),
        ] {
            if let Some(node) = fields.take(key) {
                nodes.extend_from_slice(list(node, what, cx));
            }
        }
    }
}
