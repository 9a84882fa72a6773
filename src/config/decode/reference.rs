//! Names of other things: that they exist is checked where they are used.

use std::sync::Arc;

use crate::config::decode::Cx;
use crate::config::yaml::Data;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::suggest;
use crate::text::Span;

/// What is defined, by name.
#[derive(Clone, Debug, Default)]
pub(in crate::config) struct Defined {
    /// The keys of `sources`.
    pub(in crate::config) sources: Vec<String>,
    /// The keys of `destinations`.
    pub(in crate::config) destinations: Vec<String>,
}

/// What a rule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) enum Chosen {
    /// `"*"`.
    Every,
    /// These, in order.
    These(Vec<Arc<str>>),
}

impl Chosen {
    /// The names; `None` is every one.
    pub(in crate::config) fn names(self) -> Option<Vec<Arc<str>>> {
        match self {
            Self::Every => None,
            Self::These(names) => Some(names),
        }
    }
}

impl Cx<'_> {
    /// A source by its key.
    pub(super) fn source_name(&mut self, node: &Node, code: Code) -> Option<Arc<str>> {
        let defined = self.defined;
        self.defined_name(node, ("source", &defined.sources), code)
    }

    /// Sources: a name, a list of names, or `"*"`.
    pub(super) fn source_names(&mut self, node: &Node) -> Option<Chosen> {
        let defined = self.defined;
        self.defined_names(node, ("source", &defined.sources))
    }

    /// Destinations: a name, a list of names, or `"*"`.
    pub(super) fn destination_names(&mut self, node: &Node) -> Option<Chosen> {
        let defined = self.defined;
        self.defined_names(node, ("destination", &defined.destinations))
    }

    fn defined_names(&mut self, node: &Node, (what, known): (&str, &[String])) -> Option<Chosen> {
        let items = match &node.data {
            Data::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let is_star = |node: &Node| node.text().is_some_and(|text| text.text() == "*");
        match items {
            [] => {
                let message = "this names nothing; `\"*\"` is everything";
                self.refuse(Code::InvalidValue, node.span, message)
            }
            [one] if is_star(one) => Some(Chosen::Every),
            _ => {
                let names: Vec<_> = items
                    .iter()
                    .map(|item| self.defined_name(item, (what, known), Code::UnknownReference))
                    .collect();
                names.into_iter().collect::<Option<_>>().map(Chosen::These)
            }
        }
    }

    fn defined_name(
        &mut self,
        node: &Node,
        (what, known): (&str, &[String]),
        code: Code,
    ) -> Option<Arc<str>> {
        let name = self.text(node)?;
        if name == "*" {
            let message = "`\"*\"` is everything, so it stands alone";
            return self.refuse(Code::InvalidValue, node.span, message);
        }
        if known.contains(&name) {
            return Some(name.into());
        }
        let known = known.iter().map(String::as_str);
        self.unknown_reference(node.span, (what, code), &name, known)
    }

    /// Reports a name that nothing has.
    pub(super) fn unknown_reference<'k, T>(
        &mut self,
        span: Span,
        (what, code): (&str, Code),
        name: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) -> Option<T> {
        let message = format!("there is no {what} `{name}`");
        let diagnostic = Diagnostic::error(code, span, message);
        let names = suggest::list(known.clone());
        self.diagnostics.push(match suggest::nearest(name, known) {
            Some(near) => diagnostic.fix(format!("did you mean `{near}`?"), span, near),
            None if names.is_empty() => diagnostic.help(format!("no {what} is defined")),
            None => diagnostic.help(format!("the {what}s are {names}")),
        });
        None
    }
}
