//! What a condition requires: reading `op == "person.event" and …` without running it, so that rules
//! can be looked up by what they ask for.

use std::fmt::Write as _;

use crate::expr::compile::Compiled;
use crate::expr::path::Step;
use crate::expr::path::Subject;
use crate::expr::program::Constant;
use crate::expr::program::Id;
use crate::expr::program::Node;
use crate::expr::scope::Vocabulary;
use crate::expr::syntax::Comparison;
use crate::expr::syntax::Sense;

/// The texts that a variable or path must be one of for a condition to hold; `None`: any.
pub(super) fn texts(
    compiled: &Compiled,
    subject: &str,
    vocabulary: &Vocabulary,
) -> Option<Vec<String>> {
    let place = vocabulary
        .variables
        .iter()
        .rposition(|variable| variable.name == subject);
    let asked = Asked {
        compiled,
        subject,
        place: place.and_then(|place| u16::try_from(place).ok()),
    };
    let mut texts = asked.texts(compiled.root.id)?;
    texts.sort_unstable();
    texts.dedup();
    Some(texts)
}

struct Asked<'a> {
    compiled: &'a Compiled,
    subject: &'a str,
    place: Option<u16>,
}

impl Asked<'_> {
    fn texts(&self, id: Id) -> Option<Vec<String>> {
        match self.compiled.node(id)? {
            Node::Compare(Comparison::Equal, left, right) => self
                .equal(*left, *right)
                .or_else(|| self.equal(*right, *left)),
            Node::Among {
                item,
                constants,
                sense: Sense::Plain,
            } if self.is_asked(*item) => constants
                .others
                .is_empty()
                .then(|| constants.texts.iter().map(ToString::to_string).collect()),
            Node::Glob {
                value,
                globs,
                sense: Sense::Plain,
            } if self.is_asked(*value) => globs.texts(),
            Node::All(parts) => parts.iter().find_map(|part| self.texts(*part)),
            Node::Any(parts) => {
                let texts: Option<Vec<_>> = parts.iter().map(|part| self.texts(*part)).collect();
                texts.map(|texts| texts.concat())
            }
            Node::Constant(Constant::Bool(false)) => Some(Vec::new()),
            _ => None,
        }
    }

    fn equal(&self, asked: Id, text: Id) -> Option<Vec<String>> {
        match self.compiled.node(text)? {
            Node::Constant(Constant::Text(text)) if self.is_asked(asked) => {
                Some(vec![text.to_string()])
            }
            _ => None,
        }
    }

    fn is_asked(&self, id: Id) -> bool {
        match self.compiled.node(id) {
            Some(Node::Variable(place)) => self.place == Some(*place),
            Some(Node::Path(Subject::Root, steps)) => written(steps) == self.subject,
            _ => false,
        }
    }
}

/// The path of those steps as people write it.
fn written(steps: &[Step]) -> String {
    let mut text = String::from("$");
    for step in steps {
        // Writing to a String cannot fail.
        let _ = match step {
            Step::Member(name) => write!(text, ".{name}"),
            Step::At(index) => write!(text, "[{index}]"),
        };
    }
    text
}
