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

#[cfg(test)]
mod tests {
    use crate::diagnostic::Diagnostics;
    use crate::expr::Kinds;
    use crate::expr::Program;
    use crate::expr::Variable;
    use crate::expr::Vocabulary;
    use crate::text::Excerpt;
    use crate::text::SourceFile;
    use crate::text::Sources;

    fn required(condition: &str, subject: &str) -> Option<Vec<String>> {
        let variable = |name: &str| Variable {
            name: name.to_owned(),
            kinds: Kinds::ANY,
            about: String::new(),
        };
        let vocabulary = Vocabulary {
            variables: vec![variable("op"), variable("api")],
            root: Some("the event".to_owned()),
            ..Vocabulary::default()
        };
        let file = Sources::default().add(SourceFile::new("when", condition));
        let source = Excerpt::contiguous(condition, file, 0);
        let program = Program::compile(&source, &vocabulary, &mut Diagnostics::default());
        program.unwrap().equals_literal_on(subject, &vocabulary)
    }

    #[test]
    fn reads_what_a_variable_must_be() {
        for (condition, texts) in [
            ("op == \"a\"", vec!["a"]),
            ("\"a\" == op", vec!["a"]),
            ("op in [\"b\", \"a\"]", vec!["a", "b"]),
            ("op ~ [\"a\", \"b\"]", vec!["a", "b"]),
            ("op == \"a\" and $.x > 1", vec!["a"]),
            ("$.x > 1 and (op == \"a\" or op == \"b\")", vec!["a", "b"]),
            ("op == \"a\" or false", vec!["a"]),
        ] {
            let texts = texts.into_iter().map(str::to_owned).collect();
            assert_eq!(required(condition, "op"), Some(texts), "{condition}");
        }
    }

    #[test]
    fn claims_nothing_it_does_not_know() {
        for condition in [
            "true",
            "op != \"a\"",
            "not (op == \"a\")",
            "op not in [\"a\"]",
            "op in [\"a\", null]",
            "op ~ \"a*\"",
            "op == $.x",
            "op == \"a\" or $.x",
            "api == \"a\"",
            "$.op == \"a\"",
        ] {
            assert_eq!(required(condition, "op"), None, "{condition}");
        }
    }

    #[test]
    fn a_path_can_be_asked_for_too() {
        let texts = Some(vec!["track".to_owned()]);
        assert_eq!(required("$.type == \"track\" and $.a", "$.type"), texts);
        assert_eq!(required("$['type'] == \"track\"", "$.type"), texts);
        assert_eq!(required("$.a.type == \"track\"", "$.type"), None);
    }
}
