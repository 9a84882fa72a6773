//! Arguments: values of the right kinds, lambdas, and literals that are looked at now.

use std::ops::Range;

use regex::RegexBuilder;

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::suggest;
use crate::expr::Kinds;
use crate::expr::builtins;
use crate::expr::builtins::Accepts;
use crate::expr::builtins::Builtin;
use crate::expr::builtins::LiteralUse;
use crate::expr::builtins::Parameter;
use crate::expr::builtins::Presence;
use crate::expr::compile::ABSENT;
use crate::expr::compile::Compiler;
use crate::expr::compile::MISSING;
use crate::expr::compile::NUMBER;
use crate::expr::compile::TEXT;
use crate::expr::compile::TIME;
use crate::expr::compile::Typed;
use crate::expr::program::Extra;
use crate::expr::syntax::Argument;
use crate::expr::syntax::ArgumentValue;
use crate::expr::syntax::Form;
use crate::expr::syntax::Syntax;
use crate::value::Kind;

/// Deepest nesting of lambdas: more is a program, not a mapping.
pub(in crate::expr) const LAMBDAS_MAX: usize = 3;

/// Largest compiled regular expression, in bytes of automaton.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// What became of an argument.
pub(super) enum Made {
    /// It was left out, or there was a mistake in it.
    Nothing,
    /// A value, and what it must turn out to be.
    Value(Typed, Kinds),
    /// Something that is handed over beside the values; of a lambda also its body.
    Extra(Extra, Option<Typed>),
}

impl Compiler<'_> {
    pub(super) fn argument(
        &mut self,
        builtin: &'static Builtin,
        parameter: &Parameter,
        passes: Kinds,
        argument: &Argument,
    ) -> Made {
        match (&argument.value, parameter.accepts) {
            (ArgumentValue::Value(value), _) => self.value(builtin, parameter, passes, value),
            (ArgumentValue::Lambda { parameter, body }, Accepts::Lambda) => {
                self.lambda(parameter, body, &argument.at)
            }
            (ArgumentValue::Lambda { body, .. }, _) => {
                let name = parameter.name;
                let message = format!("`{name}` of `{}` takes no lambda", builtin.name);
                let span = self.span(&argument.at);
                let value = self.span(&body.at);
                self.report(
                    Diagnostic::error(Code::LambdaNotAllowed, span, message)
                        .also(value, "a value is expected"),
                );
                Made::Nothing
            }
        }
    }

    pub(super) fn value(
        &mut self,
        builtin: &'static Builtin,
        parameter: &Parameter,
        passes: Kinds,
        value: &Syntax,
    ) -> Made {
        match parameter.accepts {
            Accepts::Kinds(kinds) => {
                let optional = parameter.presence == Presence::Optional;
                let passes = if optional { ABSENT } else { passes };
                let typed = self.of_kinds(builtin, kinds, passes, value);
                // Null for an optional one is turned into missing when the call runs.
                let settled = kinds | if optional { MISSING } else { passes };
                let settled = typed.kinds.without(settled).is_none();
                Made::Value(typed, if settled { Kinds::ANY } else { kinds })
            }
            Accepts::Word(words) => self.word(parameter, words, value),
            Accepts::Literal(literal) => self.literal_argument(literal, value),
            Accepts::Lambda => {
                let span = self.span(&value.at);
                let message = format!("`{}` needs a lambda", builtin.name);
                let text = self.text(&value.at).to_owned();
                let diagnostic = Diagnostic::error(Code::WrongArgumentKind, span, message);
                let text = text.strip_prefix('@').map(|rest| format!("x => x{rest}"));
                self.report(match text {
                    Some(lambda) => diagnostic.fix("give the item a name", span, lambda),
                    None => diagnostic.help("such as `x => x.price`"),
                });
                Made::Nothing
            }
        }
    }

    fn of_kinds(
        &mut self,
        builtin: &'static Builtin,
        kinds: Kinds,
        passes: Kinds,
        value: &Syntax,
    ) -> Typed {
        let typed = self.compile(value);
        // Where a whole number is wanted any number may turn out to be one.
        let possible = if kinds.has(Kind::Int) {
            kinds | NUMBER
        } else {
            kinds
        };
        let never_there = typed.kinds.without(ABSENT).is_none() && !typed.kinds.is_none();
        let refused = never_there && typed.kinds.and(kinds | passes).is_none();
        if refused || !typed.can_be(possible) {
            let span = self.span(&value.at);
            let (wanted, found) = (kinds.words(), typed.kinds.words());
            let message = format!("`{}` needs {wanted}, this is {found}", builtin.name);
            let diagnostic = Diagnostic::error(Code::WrongArgumentKind, span, message).here(found);
            let end = self.span(&(value.at.end..value.at.end));
            let convert = convert(typed.kinds, kinds).filter(|_| is_tight(value));
            self.report(match convert {
                Some(name) => diagnostic.fix("convert it first", end, format!(" | {name}")),
                None => diagnostic,
            });
        }
        let sure = typed.kinds.without(kinds | passes).is_none();
        Typed {
            fails: typed.fails || !sure,
            ..typed
        }
    }

    fn word(&mut self, parameter: &Parameter, words: &[&'static str], value: &Syntax) -> Made {
        let near = match &value.form {
            Form::Text(text) if words.contains(&text.as_str()) => {
                return Made::Value(self.compile(value), Kinds::ANY);
            }
            Form::Text(text) => suggest::nearest(text, words.iter().copied()),
            Form::Name(name) => suggest::nearest(name, words.iter().copied()),
            _ => None,
        };
        let list: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let span = self.span(&value.at);
        let message = format!("`{}` must be one of {}", parameter.name, list.join(", "));
        let diagnostic = Diagnostic::error(Code::NotConstant, span, message);
        self.report(match near {
            Some(near) => {
                let near = format!("\"{near}\"");
                diagnostic.fix(format!("did you mean {near}?"), span, near)
            }
            None => diagnostic,
        });
        Made::Nothing
    }

    fn lambda(&mut self, name: &str, body: &Syntax, at: &Range<usize>) -> Made {
        if LAMBDAS_MAX <= self.parameters.len() {
            let span = self.span(at);
            let message = format!("lambdas nested deeper than {LAMBDAS_MAX}");
            self.report(Diagnostic::error(Code::ExpressionTooLarge, span, message));
            return Made::Nothing;
        }
        let inside = self.facts_for_lambda();
        let outside = std::mem::replace(&mut self.facts, inside);
        self.parameters.push(name.to_owned());
        let body = self.compile(body);
        self.parameters.pop();
        self.facts = outside;
        // It may still depend on the item even if it does not look at it: it is not called for none.
        Made::Extra(Extra::Lambda(body.id), Some(body))
    }

    fn literal_argument(&mut self, literal: LiteralUse, value: &Syntax) -> Made {
        let span = self.span(&value.at);
        let refuse = |code, message: String| Diagnostic::error(code, span, message);
        match (literal, &value.form) {
            (LiteralUse::Regex, Form::Regex(pattern) | Form::Text(pattern)) => {
                match RegexBuilder::new(pattern)
                    .size_limit(REGEX_BYTES_MAX)
                    .build()
                {
                    Ok(regex) => return Made::Extra(Extra::Regex(regex), None),
                    Err(error) => {
                        let message = format!("not a regular expression: {}", summary(&error));
                        self.report(refuse(Code::InvalidPattern, message));
                    }
                }
            }
            (LiteralUse::Table, Form::Text(name)) => {
                let tables = &self.vocabulary.tables;
                if tables.contains_key(name) {
                    let extra = Extra::Table(tables.clone(), name.as_str().into());
                    return Made::Extra(extra, None);
                }
                let near = suggest::nearest(name, tables.keys().map(String::as_str));
                let diagnostic = refuse(Code::UnknownReference, format!("unknown table `{name}`"));
                self.report(match near {
                    Some(near) => {
                        let quoted = format!("\"{near}\"");
                        diagnostic.fix(format!("did you mean `{near}`?"), span, quoted)
                    }
                    None => diagnostic.help("tables are defined under `tables:`"),
                });
            }
            (LiteralUse::TimeFormat, Form::Text(format)) => {
                match builtins::check_time_format(format) {
                    Ok(()) => return Made::Value(self.compile(value), Kinds::ANY),
                    Err(error) => {
                        let message = format!("not a time format: {error}");
                        self.report(refuse(Code::InvalidLiteral, message));
                    }
                }
            }
            (LiteralUse::Regex, _) => self.report(
                refuse(
                    Code::NotConstant,
                    "a regular expression must be written out".to_owned(),
                )
                .help("write it as r\"…\""),
            ),
            (_, Form::Name(name)) => self.report(
                refuse(
                    Code::NotConstant,
                    "this must be a text written out".to_owned(),
                )
                .fix("write it in quotes", span, format!("\"{name}\"")),
            ),
            _ => self.report(refuse(
                Code::NotConstant,
                "this must be a text written out".to_owned(),
            )),
        }
        Made::Nothing
    }
}

/// The function that makes one of the wanted kinds of what was found.
fn convert(found: Kinds, wanted: Kinds) -> Option<&'static str> {
    let found = found.without(ABSENT);
    let is = |kinds: Kinds| !found.is_none() && found.without(kinds).is_none();
    if !wanted.and(TEXT).is_none() && is(NUMBER | Kinds::of(Kind::Bool) | TIME) {
        return Some("string");
    }
    if !wanted.and(NUMBER).is_none() && is(TEXT) {
        return Some(if wanted.has(Kind::Float) {
            "number"
        } else {
            "int"
        });
    }
    (!wanted.and(TIME).is_none() && is(TEXT)).then_some("parse_time")
}

/// Whether a pipe behind it takes all of it.
fn is_tight(value: &Syntax) -> bool {
    !matches!(
        value.form,
        Form::All(_)
            | Form::Any(_)
            | Form::Not(_)
            | Form::Compare(..)
            | Form::In { .. }
            | Form::Is { .. }
            | Form::Glob { .. }
            | Form::Choice { .. }
    )
}

/// The last line of the many that an error of `regex` has.
fn summary(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or("").trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
