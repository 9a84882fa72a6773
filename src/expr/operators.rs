//! Comparisons, globs and fallbacks: which kinds they take, and when they can never act.

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::expr::Kinds;
use crate::expr::compile::ABSENT;
use crate::expr::compile::BOOL;
use crate::expr::compile::Compiler;
use crate::expr::compile::LIST;
use crate::expr::compile::MISSING;
use crate::expr::compile::NUMBER;
use crate::expr::compile::TEXT;
use crate::expr::compile::Typed;
use crate::expr::mistake::Mistake;
use crate::expr::program::Node;
use crate::expr::syntax::Comparison;
use crate::expr::syntax::Fallback;
use crate::expr::syntax::Form;
use crate::expr::syntax::Syntax;
use crate::value::Kind;
use globset::GlobBuilder;
use globset::GlobSetBuilder;
use std::ops::Range;
use std::sync::Arc;

impl Compiler<'_> {
    pub(super) fn comparison(
        &mut self,
        comparison: Comparison,
        left: &Syntax,
        right: &Syntax,
        at: &Range<usize>,
    ) -> Typed {
        let (left_at, right_at) = (left.at.clone(), right.at.clone());
        let (left, right) = (self.compile(left), self.compile(right));
        let id = self.add(Node::Compare(comparison, left.id, right.id), at);
        let comparable = [
            NUMBER,
            TEXT,
            BOOL,
            LIST,
            Kinds::of(Kind::Object),
            Kinds::of(Kind::Time),
        ]
        .into_iter()
        .chain([MISSING, Kinds::of(Kind::Null)])
        .any(|kinds| !left.kinds.and(kinds).is_none() && !right.kinds.and(kinds).is_none());
        if !comparable && !self.failed {
            let always = if comparison == Comparison::NotEqual {
                "true"
            } else {
                "false"
            };
            let message = format!("this comparison is always {always}");
            let span = self.span(at);
            let diagnostic = Diagnostic::error(Code::AlwaysFalse, span, message)
                .here("the two sides are of different kinds")
                .also(self.span(&left_at), left.kinds.words())
                .also(self.span(&right_at), right.kinds.words());
            self.report(diagnostic);
        }
        let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        // Two present values of different kinds have no order.
        let unordered = |typed: &Typed| {
            let present = typed.kinds.without(ABSENT);
            present
                .without(NUMBER)
                .and(present.without(TEXT))
                .and(present.without(Kinds::of(Kind::Time)))
                != Kinds::NONE
                || present == Kinds::PRESENT.without(ABSENT)
        };
        let fails = left.fails || right.fails || ordered && (unordered(&left) || unordered(&right));
        Typed {
            id,
            kinds: BOOL,
            fails,
        }
    }

    #[expect(clippy::fn_params_excessive_bools, reason = "a flag of the form")]
    pub(super) fn glob(
        &mut self,
        value: &Syntax,
        glob: &Syntax,
        negated: bool,
        at: &Range<usize>,
    ) -> Typed {
        let value = self.operand(value, TEXT, "`~`");
        let patterns: Vec<(&str, &Range<usize>)> = match &glob.form {
            Form::Text(text) => vec![(text, &glob.at)],
            Form::List(items) => items
                .iter()
                .filter_map(|item| match &item.form {
                    Form::Text(text) => Some((text.as_str(), &item.at)),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        let wanted = if let Form::List(items) = &glob.form {
            items.len()
        } else {
            1
        };
        if patterns.len() != wanted || patterns.is_empty() {
            let message = "`~` needs a glob written as text, or a list of them";
            let mistake = Mistake::new(Code::NotConstant, glob.at.clone(), message)
                .help("for `==` with a computed text use `==`, `starts_with` or `in`");
            return self.mistake(mistake, at);
        }
        let mut set = GlobSetBuilder::new();
        for (pattern, pattern_at) in patterns {
            match GlobBuilder::new(pattern)
                .literal_separator(false)
                .backslash_escape(true)
                .build()
            {
                Ok(glob) => {
                    set.add(glob);
                }
                Err(error) => {
                    let message = format!("not a glob: {}", error.kind());
                    let mistake = Mistake::new(Code::InvalidPattern, pattern_at.clone(), message);
                    return self.mistake(mistake, at);
                }
            }
        }
        match set.build() {
            Ok(set) => {
                let id = self.add(Node::Glob(value.id, Arc::new(set), negated), at);
                let fails = value.fails || !value.kinds.without(TEXT | ABSENT).is_none();
                Typed {
                    id,
                    kinds: BOOL,
                    fails,
                }
            }
            Err(error) => {
                let mistake =
                    Mistake::new(Code::InvalidPattern, glob.at.clone(), error.to_string());
                self.mistake(mistake, at)
            }
        }
    }

    pub(super) fn fallback(
        &mut self,
        fallback: Fallback,
        left: &Syntax,
        right: &Syntax,
        at: &Range<usize>,
    ) -> Typed {
        let (left_at, right_at) = (left.at.clone(), right.at.clone());
        let (left, right) = (self.compile(left), self.compile(right));
        let id = self.add(Node::Fallback(fallback, left.id, right.id), at);
        let (word, caught, code, why) = match fallback {
            Fallback::MissingOrNull => (
                "??",
                ABSENT,
                Code::DefaultNeverActs,
                "this is never missing or null",
            ),
            Fallback::Missing => (
                "?!",
                MISSING,
                Code::DefaultNeverActs,
                "this is never missing",
            ),
            Fallback::Error => (
                "catch",
                Kinds::NONE,
                Code::CatchNeverActs,
                "this cannot fail",
            ),
        };
        let never = match fallback {
            Fallback::Error => !left.fails,
            _ => left.kinds.and(caught).is_none(),
        };
        if never && !self.failed {
            let span = self.span(&(left_at.end..right_at.end));
            let left_span = self.span(&left_at);
            let diagnostic = Diagnostic::warning(code, span, format!("this `{word}` never acts"))
                .also(left_span, why)
                .fix("remove it", span, "");
            self.report(diagnostic);
        }
        let kinds = left.kinds.without(caught) | right.kinds;
        let fails = if fallback == Fallback::Error {
            right.fails
        } else {
            left.fails || right.fails
        };
        Typed { id, kinds, fails }
    }
}
