//! Templates from YAML: its structure is the structure that is built, its `=` texts are expressions.
//!
//! The directives are keys that start with `=`: `=spread` with `=except` or `=only`, `=each` with
//! `=value`, `=if` with `=then` and `=else`. `==` stands for a literal `=`, in keys as in texts.

use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::decode::behind_sigil;
use crate::config::decode::is_behind_space;
use crate::config::vocabulary::with_item;
use crate::config::yaml::Data;
use crate::config::yaml::Entry;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::suggest;
use crate::expr::Program;
use crate::expr::Template;
use crate::expr::Vocabulary;
use crate::expr::template::Member;
use crate::expr::template::SpreadKeys;
use crate::text::Span;
use crate::value;

const DIRECTIVES: [&str; 8] = [
    "=spread", "=except", "=only", "=each", "=value", "=if", "=then", "=else",
];

/// What becomes of a mapping without expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Literals {
    /// It is JSON text.
    Folded,
    /// It stays a mapping.
    Open,
}

/// The JSON text of a value without expressions; `None` if there is one in it.
pub(super) fn literal(node: &Node) -> Option<String> {
    let mut json = Vec::new();
    write_literal(node, &mut json)?;
    String::from_utf8(json).ok()
}

impl Cx<'_> {
    /// The JSON text of a value that must not hold an expression.
    pub(super) fn json(&mut self, node: &Node) -> Option<String> {
        if let Some(json) = literal(node) {
            return Some(json);
        }
        let span = first_expression(node).unwrap_or(node.span);
        self.diagnostics.push(
            Diagnostic::error(Code::InvalidValue, span, "an expression cannot stand here")
                .here("text that starts with `=` is an expression")
                .help("write `==` if the text itself starts with `=`"),
        );
        None
    }

    /// A template. What holds no expression is JSON text already.
    pub(super) fn template(&mut self, node: &Node, vocabulary: &Vocabulary) -> Option<Template> {
        self.build(node, vocabulary, Literals::Folded)
    }

    /// A template of an object that another is laid over: each of its mappings stays one, whatever
    /// it holds, so that they can be merged key by key.
    pub(super) fn open_template(
        &mut self,
        node: &Node,
        vocabulary: &Vocabulary,
    ) -> Option<Template> {
        let is_plain = matches!(node.data, Data::Map(_))
            && node.get("=if").is_none()
            && node.get("=each").is_none();
        if !is_plain {
            self.diagnostics.push(
                Diagnostic::error(
                    Code::InvalidTemplate,
                    node.head(),
                    "a mapping is expected here",
                )
                .here("this cannot be merged with the envelope")
                .help("copy the keys of an object with `=spread`"),
            );
            return None;
        }
        self.build(node, vocabulary, Literals::Open)
    }

    fn build(
        &mut self,
        node: &Node,
        vocabulary: &Vocabulary,
        literals: Literals,
    ) -> Option<Template> {
        let stays_open = literals == Literals::Open && matches!(node.data, Data::Map(_));
        if let Some(json) = literal(node).filter(|_| !stays_open) {
            self.check_literal(node);
            return Some(Template::Literal(json));
        }
        match &node.data {
            Data::List(items) => {
                let items: Vec<_> = items
                    .iter()
                    .map(|item| self.template(item, vocabulary))
                    .collect();
                items.into_iter().collect::<Option<_>>().map(Template::List)
            }
            Data::Map(entries) => self.mapping(node, entries, vocabulary, literals),
            _ => self.program(node, vocabulary).map(Template::Expression),
        }
    }

    /// A template that builds an object.
    pub(super) fn object_template(
        &mut self,
        node: &Node,
        vocabulary: &Vocabulary,
    ) -> Option<Template> {
        match &node.data {
            Data::Map(_) => {}
            // An expression may give the object.
            Data::Text(text) if behind_sigil(text).is_some() => {}
            _ => return self.wrong_type(node, "a mapping"),
        }
        self.template(node, vocabulary)
    }

    /// Looks for texts that were hardly meant to be taken literally.
    fn check_literal(&mut self, node: &Node) {
        match &node.data {
            Data::List(items) => items.iter().for_each(|item| self.check_literal(item)),
            Data::Map(entries) => {
                for entry in entries {
                    self.check_literal(&entry.value);
                }
            }
            Data::Text(text) if text.text().starts_with("secret://") => {
                let message = "a secret cannot stand here";
                self.diagnostics.push(
                    Diagnostic::error(Code::SecretNotAllowed, node.span, message).help(
                        "give it to the destination as a setting; its definition puts it into requests",
                    ),
                );
            }
            Data::Text(text) if is_behind_space(text) => {
                let message = "this is text, because white space stands before the `=`";
                self.diagnostics
                    .push(Diagnostic::warning(Code::MissingSigil, node.span, message));
            }
            _ => {}
        }
    }

    fn mapping(
        &mut self,
        node: &Node,
        entries: &[Entry],
        vocabulary: &Vocabulary,
        literals: Literals,
    ) -> Option<Template> {
        let has = |key: &str| entries.iter().any(|entry| entry.key == key);
        if has("=if") {
            return self.choice(node, vocabulary);
        }
        if has("=each") {
            return self.each(node, vocabulary);
        }
        let mut members = Vec::with_capacity(entries.len());
        let mut complete = true;
        for entry in entries {
            let member = match entry.key.as_str() {
                "=spread" => self.spread(node, entry, vocabulary),
                "=except" | "=only" if has("=spread") => continue,
                key if key.starts_with('=') && !key.starts_with("==") => {
                    self.stray_directive(entry);
                    None
                }
                key => self
                    .build(&entry.value, vocabulary, literals)
                    .map(|value| Member::Field {
                        key: unescaped(key).to_owned(),
                        span: entry.key_span,
                        value,
                    }),
            };
            complete = complete && member.is_some();
            members.extend(member);
        }
        complete.then_some(Template::Object(members))
    }

    fn stray_directive(&mut self, entry: &Entry) {
        let key = entry.key.as_str();
        let owner = match key {
            "=except" | "=only" => Some("=spread"),
            "=value" => Some("=each"),
            "=then" | "=else" => Some("=if"),
            _ => None,
        };
        let message = match owner {
            Some(owner) => format!("`{key}` belongs to `{owner}`, which is not there"),
            None => format!("`{key}` is no directive"),
        };
        let diagnostic = Diagnostic::error(Code::InvalidTemplate, entry.key_span, message);
        let near = suggest::nearest(key, DIRECTIVES).filter(|_| owner.is_none());
        self.diagnostics.push(match near {
            Some(near) => diagnostic.fix(format!("did you mean `{near}`?"), entry.key_span, near),
            None if owner.is_none() => {
                diagnostic.help("write `==` for a key that starts with `=` itself")
            }
            None => diagnostic,
        });
    }

    fn spread(&mut self, node: &Node, entry: &Entry, vocabulary: &Vocabulary) -> Option<Member> {
        let objects: Option<Vec<Program>> = match &entry.value.data {
            Data::List(items) => {
                let programs: Vec<_> = items
                    .iter()
                    .map(|item| self.program(item, vocabulary))
                    .collect();
                programs.into_iter().collect()
            }
            _ => self
                .program(&entry.value, vocabulary)
                .map(|program| vec![program]),
        };
        let keys = match (node.get("=except"), node.get("=only")) {
            (Some(except), Some(only)) => {
                self.diagnostics.push(
                    Diagnostic::error(
                        Code::InvalidTemplate,
                        only.key_span,
                        "`=except` and `=only` exclude each other",
                    )
                    .also(except.key_span, "the other one"),
                );
                return None;
            }
            (Some(except), None) => SpreadKeys::Except(self.texts(&except.value)?),
            (None, Some(only)) => SpreadKeys::Only(self.texts(&only.value)?),
            (None, None) => SpreadKeys::All,
        };
        Some(Member::Spread {
            objects: objects?,
            keys,
        })
    }

    /// A list of texts, or one.
    pub(super) fn texts(&mut self, node: &Node) -> Option<Vec<String>> {
        match &node.data {
            Data::List(items) => {
                let texts: Vec<_> = items.iter().map(|item| self.text(item)).collect();
                texts.into_iter().collect()
            }
            _ => self.text(node).map(|text| vec![text]),
        }
    }

    fn choice(&mut self, node: &Node, vocabulary: &Vocabulary) -> Option<Template> {
        let mut fields = Fields::open(node, node.head(), "`=if`", self)?;
        let when = fields
            .require("=if", self)
            .map(|node| self.program(node, vocabulary));
        let then = fields
            .require("=then", self)
            .map(|node| self.template(node, vocabulary));
        let otherwise = fields
            .take("=else")
            .map(|node| self.template(node, vocabulary));
        fields.close(self);
        let otherwise = match otherwise {
            Some(template) => Some(Box::new(template?)),
            None => None,
        };
        Some(Template::Choice {
            when: when??,
            then: Box::new(then??),
            otherwise,
        })
    }

    fn each(&mut self, node: &Node, vocabulary: &Vocabulary) -> Option<Template> {
        let mut fields = Fields::open(node, node.head(), "`=each`", self)?;
        let list = fields
            .require("=each", self)
            .map(|node| self.program(node, vocabulary));
        let inside = with_item(vocabulary.clone(), "the item");
        let value = fields
            .require("=value", self)
            .map(|node| self.template(node, &inside));
        fields.close(self);
        Some(Template::Each {
            list: list??,
            value: Box::new(value??),
        })
    }
}

/// What a text or key stands for when it is no expression and no directive.
fn unescaped(text: &str) -> &str {
    if text.starts_with("==") {
        text.get(1..).unwrap_or(text)
    } else {
        text
    }
}

fn write_literal(node: &Node, out: &mut Vec<u8>) -> Option<()> {
    match &node.data {
        Data::Text(text) if behind_sigil(text).is_some() => return None,
        Data::Text(text) => value::write_text(unescaped(text.text()), out),
        Data::List(items) => {
            out.push(b'[');
            for (nth, item) in items.iter().enumerate() {
                separate(nth, out);
                write_literal(item, out)?;
            }
            out.push(b']');
        }
        Data::Map(entries) => {
            out.push(b'{');
            for (nth, entry) in entries.iter().enumerate() {
                if entry.key.starts_with('=') && !entry.key.starts_with("==") {
                    return None;
                }
                separate(nth, out);
                value::write_text(unescaped(&entry.key), out);
                out.push(b':');
                write_literal(&entry.value, out)?;
            }
            out.push(b'}');
        }
        Data::Null => out.extend_from_slice(b"null"),
        Data::Bool(true) => out.extend_from_slice(b"true"),
        Data::Bool(false) => out.extend_from_slice(b"false"),
        Data::Number(text) => out.extend_from_slice(text.as_bytes()),
    }
    Some(())
}

/// Where the first expression or directive below `node` stands.
fn first_expression(node: &Node) -> Option<Span> {
    match &node.data {
        Data::Text(text) => behind_sigil(text).map(|_| node.span),
        Data::List(items) => items.iter().find_map(first_expression),
        Data::Map(entries) => entries.iter().find_map(|entry| {
            let directive = entry.key.starts_with('=') && !entry.key.starts_with("==");
            if directive {
                Some(entry.key_span)
            } else {
                first_expression(&entry.value)
            }
        }),
        Data::Null | Data::Bool(_) | Data::Number(_) => None,
    }
}

fn separate(nth: usize, out: &mut Vec<u8>) {
    if 0 < nth {
        out.push(b',');
    }
}
