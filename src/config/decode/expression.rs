//! Expressions in YAML: conditions, loops, and what a failure means.

use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::settings::ForEach;
use crate::config::vocabulary;
use crate::config::yaml::Data;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::expr::Program;
use crate::expr::Vocabulary;
use crate::expr::template::OnError;
use crate::text::Excerpt;
use crate::text::Span;

/// Most items one loop takes, and its default: as many as one call may make events.
const ITEMS_MAX: u32 = 1_000;

/// The expression a text holds: what stands behind its `=`. `==…` is literal text.
pub(in crate::config) fn behind_sigil(text: &Excerpt) -> Option<Excerpt> {
    let rest = text.text().strip_prefix('=')?;
    (!rest.starts_with('=')).then(|| text.tail(1))
}

/// Whether the `=` of a text stands behind white space, where it means nothing.
pub(in crate::config) fn is_behind_space(text: &Excerpt) -> bool {
    let trimmed = text.text().trim_start();
    trimmed.len() < text.text().len() && trimmed.starts_with('=') && !trimmed.starts_with("==")
}

impl Cx<'_> {
    /// An expression. Text without the leading `=` is an error with the `=` as its fix.
    pub(in crate::config) fn program(
        &mut self,
        node: &Node,
        vocabulary: &Vocabulary,
    ) -> Option<Program> {
        let first = match &node.data {
            Data::Text(text) => match behind_sigil(text) {
                Some(source) => return Program::compile(&source, vocabulary, self.diagnostics),
                None if is_behind_space(text) => {
                    let message = "white space stands before the `=` of this expression";
                    return self.refuse(Code::MissingSigil, node.span, message);
                }
                None => text.span(0, 0),
            },
            Data::Bool(_) | Data::Number(_) => node.span,
            _ => return self.wrong_type(node, "an expression"),
        };
        let insert = Span::new(first.file, first.start, first.start);
        self.diagnostics.push(
            Diagnostic::error(
                Code::MissingSigil,
                node.span,
                "an expression is expected here",
            )
            .here("without a leading `=` this is plain text")
            .fix("start it with `=`", insert, "="),
        );
        None
    }

    /// `when`, if there is one.
    pub(in crate::config) fn when(
        &mut self,
        fields: &mut Fields<'_>,
        vocabulary: &Vocabulary,
    ) -> Option<Program> {
        let node = fields.take("when")?;
        self.program(node, vocabulary)
    }

    /// `for_each` and `max`, and the names that the rest of the rule sees.
    pub(in crate::config) fn for_each(
        &mut self,
        fields: &mut Fields<'_>,
        vocabulary: &Vocabulary,
    ) -> (Option<ForEach>, Vocabulary) {
        let list = fields.entry("for_each");
        let max = fields.entry("max");
        let limit = max
            .and_then(|max| self.count(&max.value, 1..=ITEMS_MAX))
            .unwrap_or(ITEMS_MAX);
        let Some(list) = list else {
            if let Some(max) = max {
                let message = "`max` is the limit of `for_each`, which is not there";
                self.refuse::<()>(Code::InvalidValue, max.key_span, message);
            }
            return (None, vocabulary.clone());
        };
        let inside = vocabulary::with_item(vocabulary.clone(), "the item");
        let list = self.program(&list.value, vocabulary);
        (list.map(|list| ForEach { list, max: limit }), inside)
    }

    /// `on_error`, if there is one.
    pub(in crate::config) fn on_error(&mut self, fields: &mut Fields<'_>) -> Option<OnError> {
        const WORDS: [(&str, OnError); 3] = [
            ("dead_letter", OnError::DeadLetter),
            ("drop", OnError::Drop),
            ("omit_field", OnError::OmitField),
        ];
        let node = fields.take("on_error")?;
        self.word(node, &WORDS)
    }
}
