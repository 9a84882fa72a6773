//! What a condition says about the values it asks about: `$.x is string and $.x ~ "a*"` cannot fail.

use crate::expr::Kinds;
use crate::expr::compile::ABSENT;
use crate::expr::compile::BOOL;
use crate::expr::compile::Compiler;
use crate::expr::compile::NUMBER;
use crate::expr::compile::TEXT;
use crate::expr::compile::TIME;
use crate::expr::compile::operator::kinds_of_word;
use crate::expr::syntax::Comparison;
use crate::expr::syntax::Form;
use crate::expr::syntax::Sense;
use crate::expr::syntax::Syntax;
use crate::value::Kind;

/// What is known about a path or a variable, by its text.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    text: String,
    kinds: Kinds,
}

/// What came of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Held,
    Failed,
}

impl Outcome {
    fn opposite(self) -> Self {
        match self {
            Self::Held => Self::Failed,
            Self::Failed => Self::Held,
        }
    }

    /// That of the same question without a `not` in it.
    fn of_plain(self, sense: Sense) -> Self {
        match sense {
            Sense::Plain => self,
            Sense::Negated => self.opposite(),
        }
    }
}

impl Compiler<'_> {
    /// Keeps what follows from the outcome of a condition, until the caller forgets it.
    pub(super) fn learn(&mut self, condition: &Syntax, outcome: Outcome) {
        match (&condition.form, outcome) {
            (Form::Is { value, kind, sense }, _) => {
                if let Some(kinds) = kinds_of_word(&kind.word) {
                    let held = outcome.of_plain(*sense) == Outcome::Held;
                    let kinds = if held {
                        kinds
                    } else {
                        Kinds::ANY.without(kinds)
                    };
                    self.learn_kinds(value, kinds);
                }
            }
            (Form::Not(inner), _) => self.learn(inner, outcome.opposite()),
            (Form::All(parts), Outcome::Held) | (Form::Any(parts), Outcome::Failed) => {
                for part in parts {
                    self.learn(part, outcome);
                }
            }
            (Form::Glob { value, sense, .. }, _) => {
                if outcome.of_plain(*sense) == Outcome::Held {
                    self.learn_kinds(value, TEXT);
                }
            }
            (Form::Compare(comparison, left, right), _) => {
                self.learn_comparison(*comparison, (left, right), outcome);
                self.learn_comparison(*comparison, (right, left), outcome);
            }
            (_, Outcome::Held) => self.learn_kinds(condition, BOOL),
            (_, Outcome::Failed) => {}
        }
    }

    fn learn_comparison(
        &mut self,
        comparison: Comparison,
        (value, other): (&Syntax, &Syntax),
        outcome: Outcome,
    ) {
        let literal = literal_kinds(other);
        match (comparison, outcome) {
            (Comparison::Equal, Outcome::Held) | (Comparison::NotEqual, Outcome::Failed) => {
                self.learn_kinds(value, literal);
            }
            (Comparison::Equal | Comparison::NotEqual, _) => {
                if literal.without(ABSENT).is_none() {
                    self.learn_kinds(value, Kinds::ANY.without(literal));
                }
            }
            // Only like kinds have an order.
            (_, Outcome::Held) => self.learn_kinds(value, literal.and(NUMBER | TEXT | TIME)),
            (_, Outcome::Failed) => {}
        }
    }

    fn learn_kinds(&mut self, value: &Syntax, kinds: Kinds) {
        let named = matches!(
            &value.form,
            Form::Path(_) | Form::Name(_) | Form::Member(..)
        );
        if named {
            let text = self.text(&value.at).to_owned();
            self.facts.push(Fact { text, kinds });
        }
    }

    /// What the conditions around leave of the kinds of a path or variable.
    pub(super) fn narrowed(&self, text: &str, kinds: Kinds) -> Kinds {
        let facts = self.facts.iter().filter(|fact| fact.text == text);
        let narrowed = facts.fold(kinds, |kinds, fact| kinds.and(fact.kinds));
        // Conditions that exclude each other are the business of whoever wrote them.
        if narrowed.is_none() { kinds } else { narrowed }
    }

    /// Inside a lambda `@`, `index` and its parameter are something else than outside.
    pub(super) fn facts_for_lambda(&self) -> Vec<Fact> {
        self.facts
            .iter()
            .filter(|fact| fact.text.starts_with('$'))
            .cloned()
            .collect()
    }
}

/// The kinds that what equals a literal must have; anything for what is no literal.
fn literal_kinds(syntax: &Syntax) -> Kinds {
    match &syntax.form {
        Form::Missing => Kinds::of(Kind::Missing),
        Form::Null => Kinds::of(Kind::Null),
        Form::Bool(_) => BOOL,
        Form::Number(_) => NUMBER,
        Form::Text(_) | Form::Interpolation(_) => TEXT,
        _ => Kinds::ANY,
    }
}
