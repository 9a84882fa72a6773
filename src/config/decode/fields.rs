//! Reading the keys of a mapping: which are known, which must be there, which mean nothing.

use crate::config::decode::Cx;
use crate::config::yaml::Data;
use crate::config::yaml::Entry;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::suggest;
use crate::text::Span;

/// The keys of one mapping. Every key that is asked for is known; [`Fields::close`] reports the rest.
#[derive(Debug)]
pub(in crate::config) struct Fields<'n> {
    what: &'static str,
    owner: Span,
    entries: &'n [Entry],
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The keys of `node`, which is `what`, "a source"; `owner` is where to say that one is missing.
    pub(in crate::config) fn open(
        node: &'n Node,
        owner: Span,
        what: &'static str,
        cx: &mut Cx<'_>,
    ) -> Option<Self> {
        match &node.data {
            Data::Map(entries) => Some(Self::of(entries, owner, what)),
            Data::Null => Some(Self::of(&[], owner, what)),
            _ => {
                let message = format!("{what} is a mapping, this is {}", node.kind());
                cx.refuse(Code::WrongType, node.head(), message)
            }
        }
    }

    /// The keys of a mapping that was put together from several files.
    pub(in crate::config) fn of(entries: &'n [Entry], owner: Span, what: &'static str) -> Self {
        Self {
            what,
            owner,
            entries,
            known: Vec::new(),
        }
    }

    /// Where to say what is missing.
    pub(in crate::config) fn owner(&self) -> Span {
        self.owner
    }

    /// The value of a key, if it is there.
    pub(in crate::config) fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// A key and its value, if it is there.
    pub(in crate::config) fn entry(&mut self, key: &'static str) -> Option<&'n Entry> {
        self.known.push(key);
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of a key that must be there.
    pub(in crate::config) fn require(
        &mut self,
        key: &'static str,
        cx: &mut Cx<'_>,
    ) -> Option<&'n Node> {
        let found = self.take(key);
        if found.is_none() {
            let message = format!("{} needs `{key}`", self.what);
            cx.diagnostics.push(
                Diagnostic::error(Code::MissingKey, self.owner, message)
                    .here(format!("`{key}` is missing")),
            );
        }
        found
    }

    /// The one of `keys` that is there; none or several is an error.
    pub(in crate::config) fn one_of(
        &mut self,
        keys: &[&'static str],
        cx: &mut Cx<'_>,
    ) -> Option<(&'static str, &'n Node)> {
        let found: Vec<_> = keys
            .iter()
            .filter_map(|key| Some((*key, self.entry(key)?)))
            .collect();
        match found.as_slice() {
            [(key, entry)] => Some((key, &entry.value)),
            [] => {
                let message = format!(
                    "{} needs one of {}",
                    self.what,
                    suggest::list(keys.iter().copied())
                );
                cx.refuse(Code::MissingKey, self.owner, message)
            }
            [(first, one), (second, other), ..] => {
                let message = format!("`{first}` and `{second}` exclude each other");
                cx.diagnostics.push(
                    Diagnostic::error(Code::InvalidValue, other.key_span, message)
                        .also(one.key_span, "the other one"),
                );
                None
            }
        }
    }

    /// Reports every key that nobody asked for.
    pub(in crate::config) fn close(self, cx: &mut Cx<'_>) {
        let unknown = self
            .entries
            .iter()
            .filter(|entry| !self.known.contains(&entry.key.as_str()));
        for entry in unknown {
            let message = format!("unknown key `{}`", entry.key);
            let diagnostic = Diagnostic::error(Code::UnknownKey, entry.key_span, message)
                .here(format!("{} has no such key", self.what));
            let known = self.known.iter().copied();
            cx.diagnostics
                .push(match suggest::nearest(&entry.key, known.clone()) {
                    Some(near) => {
                        diagnostic.fix(format!("did you mean `{near}`?"), entry.key_span, near)
                    }
                    None => diagnostic.help(format!("its keys are {}", suggest::list(known))),
                });
        }
    }
}
