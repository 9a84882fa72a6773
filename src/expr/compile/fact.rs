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
use crate::expr::syntax::Syntax;
use crate::value::Kind;

/// What is known about a path or a variable, by its text.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    text: String,
    kinds: Kinds,
}

impl Compiler<'_> {
    /// Keeps what follows from a condition that holds, or does not, until the caller forgets it.
    pub(super) fn learn(&mut self, condition: &Syntax, holds: bool) {
        match &condition.form {
            Form::Is { value, kind, negated } => {
                if let Some(kinds) = kinds_of_word(&kind.word) {
                    let is = holds != *negated;
                    let kinds = if is { kinds } else { Kinds::ANY.without(kinds) };
                    self.learn_kinds(value, kinds);
                }
            }
            Form::Not(inner) => self.learn(inner, !holds),
            Form::All(parts) if holds => parts.iter().for_each(|part| self.learn(part, true)),
            Form::Any(parts) if !holds => parts.iter().for_each(|part| self.learn(part, false)),
            Form::Glob { value, negated, .. } if holds != *negated => self.learn_kinds(value, TEXT),
            Form::Compare(comparison, left, right) => {
                self.learn_comparison(*comparison, (left, right), holds);
                self.learn_comparison(*comparison, (right, left), holds);
            }
            _ if holds => self.learn_kinds(condition, BOOL),
            _ => {}
        }
    }

    fn learn_comparison(
        &mut self,
        comparison: Comparison,
        (value, other): (&Syntax, &Syntax),
        holds: bool,
    ) {
        let literal = literal_kinds(other);
        match comparison {
            Comparison::Equal | Comparison::NotEqual => {
                if holds == (comparison == Comparison::Equal) {
                    self.learn_kinds(value, literal);
                } else if !literal.is_none() && literal.without(ABSENT).is_none() {
                    self.learn_kinds(value, Kinds::ANY.without(literal));
                }
            }
            _ if holds => {
                self.learn_kinds(value, literal.and(NUMBER | TEXT | TIME));
            }
            _ => {}
        }
    }

    fn learn_kinds(&mut self, value: &Syntax, kinds: Kinds) {
        let named = matches!(&value.form, Form::Path(_) | Form::Name(_) | Form::Member(..));
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
        self.facts.iter().filter(|fact| fact.text.starts_with('$')).cloned().collect()
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
