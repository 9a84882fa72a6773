//! Function calls: arguments to parameters, kinds checked, literals compiled.

use std::ops::Range;
use std::sync::Arc;

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
use crate::expr::compile::Typed;
use crate::expr::program::CallNode;
use crate::expr::program::Extra;
use crate::expr::program::Id;
use crate::expr::program::Node;
use crate::expr::syntax::Argument;
use crate::expr::syntax::ArgumentValue;
use crate::expr::syntax::Call;
use crate::expr::syntax::Form;
use crate::expr::syntax::Syntax;
use crate::value::Kind;

/// Deepest nesting of lambdas: more is a program, not a mapping.
const LAMBDAS_MAX: usize = 3;

/// Largest compiled regular expression, in bytes of automaton.
const REGEX_BYTES_MAX: usize = 1 << 20;

impl Compiler<'_> {
    pub(super) fn call(&mut self, call: &Call, at: &Range<usize>) -> Typed {
        let Some(builtin) = builtins::find(&call.name) else {
            return self.unknown_function(call, at);
        };
        let Some(matched) = self.matched(builtin, call) else {
            return self.unknown(at);
        };
        let mut made = Made {
            arguments: Vec::new(),
            extra: Extra::None,
            fails: false,
            absent: Kinds::NONE,
        };
        let subject = builtin.subject();
        for (place, (parameter, argument)) in matched.iter().enumerate() {
            let typed = argument.and_then(|it| self.argument(builtin, parameter, it, &mut made));
            if let Some(typed) = typed {
                made.fails |= typed.fails;
                if builtin.lifted && subject == Some(place) {
                    made.absent = typed.kinds.and(ABSENT);
                }
            }
            made.arguments.push(typed.map(|typed| typed.id));
        }
        let node = CallNode {
            builtin,
            arguments: made.arguments.into(),
            extra: made.extra,
        };
        // Of a pipe only this step: what stands before it did not fail.
        let id = self.add(Node::Call(Box::new(node)), &(call.name_at.start..at.end));
        let fails = made.fails || builtin.fails.is_some();
        Typed {
            id,
            kinds: builtin.returns | made.absent,
            fails,
        }
    }

    fn unknown_function(&mut self, call: &Call, at: &Range<usize>) -> Typed {
        let span = self.span(&call.name_at);
        let message = format!("unknown function `{}`", call.name);
        let diagnostic = Diagnostic::error(Code::UnknownFunction, span, message);
        let near = builtins::ours_for(&call.name)
            .or_else(|| suggest::nearest(&call.name, builtins::names()));
        let diagnostic = match near {
            Some(near) => diagnostic.fix(format!("did you mean `{near}`?"), span, near),
            None => diagnostic.help("`trackway explain` lists all functions"),
        };
        self.report(diagnostic);
        // The arguments may hold mistakes of their own.
        for argument in &call.arguments {
            if let ArgumentValue::Value(value) = &argument.value {
                self.compile(value);
            }
        }
        self.unknown(at)
    }

    /// For each place of the function the parameter and the argument; `None` after a mistake.
    #[expect(clippy::too_many_lines, reason = "one pass over the arguments")]
    fn matched<'c>(
        &mut self,
        builtin: &'static Builtin,
        call: &'c Call,
    ) -> Option<Vec<(&'static Parameter, Option<&'c Argument>)>> {
        let parameters = builtin.parameters;
        let repeats = parameters
            .last()
            .filter(|it| matches!(it.presence, Presence::Repeated | Presence::AnyNumber));
        let mut places: Vec<(&'static Parameter, Option<&Argument>)> = parameters
            .iter()
            .filter(|it| repeats.is_none_or(|last| !std::ptr::eq(*it, last)))
            .map(|it| (it, None))
            .collect();
        let mut next = 0;
        let mut fine = true;
        for argument in &call.arguments {
            // A pipe feeds the parameter that takes a value: of `lookup` the second.
            if argument.piped
                && let Some(subject) = builtin.subject()
                && let Some((_, place)) = places.get_mut(subject)
            {
                *place = Some(argument);
                continue;
            }
            if let Some((name, name_at)) = &argument.name {
                match places
                    .iter_mut()
                    .find(|(parameter, _)| parameter.name == name)
                {
                    Some((_, place @ None)) => *place = Some(argument),
                    Some(_) => {
                        fine = self.argument_mistake(
                            name_at,
                            format!("`{name}` is given twice"),
                            builtin,
                        );
                    }
                    None => {
                        fine = self.argument_mistake(
                            name_at,
                            format!("`{}` has no parameter `{name}`", builtin.name),
                            builtin,
                        );
                    }
                }
                continue;
            }
            while places.get(next).is_some_and(|(_, place)| place.is_some()) {
                next += 1;
            }
            match (places.get_mut(next), repeats) {
                (Some((_, place)), _) => *place = Some(argument),
                (None, Some(parameter)) => {
                    places.push((parameter, Some(argument)));
                }
                (None, None) => {
                    let at = argument.at.clone();
                    self.count_mistake(&at, builtin, call);
                    return None;
                }
            }
            next += 1;
        }
        let lacking = places.iter().any(|(parameter, argument)| {
            argument.is_none() && parameter.presence == Presence::Required
        });
        let none_of_many = repeats.is_some_and(|last| {
            last.presence == Presence::Repeated
                && !places.iter().any(|(it, _)| std::ptr::eq(*it, last))
        });
        if lacking || none_of_many {
            let at = if call.arguments_at.is_empty() {
                &call.name_at
            } else {
                &call.arguments_at
            };
            self.count_mistake(&at.clone(), builtin, call);
            return None;
        }
        fine.then_some(places)
    }

    fn argument_mistake(&mut self, at: &Range<usize>, message: String, builtin: &Builtin) -> bool {
        let span = self.span(at);
        let names: Vec<_> = builtin.parameters.iter().map(|it| it.name).collect();
        let given = self.source.text().get(at.clone()).unwrap_or("");
        let near = suggest::nearest(given, names.iter().copied()).filter(|near| *near != given);
        let diagnostic = Diagnostic::error(Code::UnknownArgument, span, message);
        self.report(match near {
            Some(near) => diagnostic.fix(format!("did you mean `{near}`?"), span, near),
            None => diagnostic.help(format!("its parameters are {}", names.join(", "))),
        });
        false
    }

    fn count_mistake(&mut self, at: &Range<usize>, builtin: &Builtin, call: &Call) {
        let required = builtin
            .parameters
            .iter()
            .filter(|it| matches!(it.presence, Presence::Required | Presence::Repeated))
            .count();
        let several = builtin
            .parameters
            .iter()
            .any(|it| matches!(it.presence, Presence::Repeated | Presence::AnyNumber));
        let all = builtin.parameters.len();
        let wanted = match (required, several) {
            (n, true) => format!("at least {n}"),
            (n, false) if n == all => n.to_string(),
            (n, false) => format!("{n} to {all}"),
        };
        let given = call.arguments.len();
        let plural = if wanted.ends_with('1') { "" } else { "s" };
        let message = format!(
            "`{}` takes {wanted} argument{plural}, {given} given",
            builtin.name
        );
        let names: Vec<_> = builtin.parameters.iter().map(|it| it.name).collect();
        let diagnostic =
            Diagnostic::error(Code::WrongArgumentCount, self.span(at), message).help(format!(
                "`{}({})`; a pipe gives the first",
                builtin.name,
                names.join(", ")
            ));
        self.report(diagnostic);
    }

    fn argument(
        &mut self,
        builtin: &'static Builtin,
        parameter: &Parameter,
        argument: &Argument,
        made: &mut Made,
    ) -> Option<Typed> {
        match (parameter.accepts, &argument.value) {
            (
                Accepts::Lambda,
                ArgumentValue::Lambda {
                    parameter: name,
                    body,
                },
            ) => {
                let body = self.lambda(name, body, &argument.at)?;
                made.fails |= body.fails;
                made.extra = Extra::Lambda(body.id);
                None
            }
            (Accepts::Lambda, ArgumentValue::Value(_)) => {
                self.kind_mistake(&argument.at, builtin, "a lambda such as `x => x.price`");
                None
            }
            (_, ArgumentValue::Lambda { .. }) => {
                let message = format!("`{}` of `{}` is no lambda", parameter.name, builtin.name);
                let span = self.span(&argument.at);
                self.report(Diagnostic::error(Code::LambdaNotAllowed, span, message));
                None
            }
            (Accepts::Kinds(kinds), ArgumentValue::Value(value)) => {
                Some(self.value_argument((builtin, parameter), kinds, value))
            }
            (Accepts::Word(words), ArgumentValue::Value(value)) => {
                let near = match &value.form {
                    Form::Text(text) if words.contains(&text.as_str()) => {
                        return Some(self.compile(value));
                    }
                    Form::Text(text) => suggest::nearest(text, words.iter().copied()),
                    _ => None,
                };
                let list: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                let span = self.span(&value.at);
                let message = format!("`{}` must be one of {}", parameter.name, list.join(", "));
                let diagnostic = Diagnostic::error(Code::NotConstant, span, message);
                self.report(match near {
                    Some(near) => diagnostic.fix(
                        format!("did you mean \"{near}\"?"),
                        span,
                        format!("\"{near}\""),
                    ),
                    None => diagnostic,
                });
                None
            }
            (Accepts::Literal(literal), ArgumentValue::Value(value)) => {
                self.literal(literal, value, made)
            }
        }
    }

    fn value_argument(
        &mut self,
        (builtin, parameter): (&'static Builtin, &Parameter),
        kinds: Kinds,
        value: &Syntax,
    ) -> Typed {
        let typed = self.compile(value);
        let passes = if builtin.lifted || parameter.presence == Presence::Optional {
            ABSENT
        } else {
            Kinds::NONE
        };
        let number = Kinds::of(Kind::Int) | Kinds::of(Kind::Float);
        // Where a whole number is wanted any number may turn out to be one.
        let wanted = if kinds.has(Kind::Int) {
            kinds | number
        } else {
            kinds
        };
        // That it may also be absent does not help what is never right when it is there.
        let present = typed.kinds.without(ABSENT);
        let never_right = !present.is_none() && present.and(wanted).is_none();
        if never_right || typed.kinds.and(wanted | passes).is_none() {
            let span = self.span(&value.at);
            let known = if never_right { present } else { typed.kinds };
            let message = format!(
                "`{}` needs {}, this is {}",
                builtin.name,
                kinds.words(),
                known.words()
            );
            self.report(
                Diagnostic::error(Code::WrongArgumentKind, span, message)
                    .here(format!("expects {}", kinds.words())),
            );
        }
        let wrong = !typed.kinds.without(kinds | passes).is_none();
        Typed {
            fails: typed.fails || wrong,
            ..typed
        }
    }

    fn lambda(&mut self, name: &str, body: &Syntax, at: &Range<usize>) -> Option<Typed> {
        if LAMBDAS_MAX <= self.parameters.len() {
            let span = self.span(at);
            let message = format!("lambdas nested deeper than {LAMBDAS_MAX}");
            self.report(
                Diagnostic::error(Code::ExpressionTooLarge, span, message)
                    .help("take the inner lists out first, with `flat_map` or `flatten`"),
            );
            return None;
        }
        self.parameters.push(name.to_owned());
        let body = self.compile(body);
        self.parameters.pop();
        Some(body)
    }

    fn literal(&mut self, literal: LiteralUse, value: &Syntax, made: &mut Made) -> Option<Typed> {
        let span = self.span(&value.at);
        let refuse = |code, message: String| Diagnostic::error(code, span, message);
        match (literal, &value.form) {
            (LiteralUse::Regex, Form::Regex(pattern) | Form::Text(pattern)) => {
                match RegexBuilder::new(pattern)
                    .size_limit(REGEX_BYTES_MAX)
                    .build()
                {
                    Ok(regex) => made.extra = Extra::Regex(Arc::new(regex)),
                    Err(error) => {
                        let text = error.to_string();
                        let last = text.lines().last().unwrap_or("").trim();
                        let last = last.strip_prefix("error: ").unwrap_or(last);
                        self.report(refuse(
                            Code::InvalidPattern,
                            format!("not a regular expression: {last}"),
                        ));
                    }
                }
            }
            (LiteralUse::Table, Form::Text(name)) => {
                if let Some(table) = self.vocabulary.tables.get(name) {
                    made.extra = Extra::Table(Arc::new(table.clone()));
                } else {
                    let diagnostic =
                        refuse(Code::UnknownReference, format!("unknown table `{name}`"));
                    let names = self.vocabulary.tables.keys().map(String::as_str);
                    let diagnostic = match suggest::nearest(name, names) {
                        Some(near) => diagnostic.fix(
                            format!("did you mean `{near}`?"),
                            span,
                            format!("\"{near}\""),
                        ),
                        None => diagnostic.help("tables are defined under `tables:`"),
                    };
                    self.report(diagnostic);
                }
            }
            (LiteralUse::TimeFormat, Form::Text(format)) => {
                if let Err(error) = builtins::check_time_format(format) {
                    self.report(refuse(
                        Code::InvalidLiteral,
                        format!("not a time format: {error}"),
                    ));
                }
                return Some(self.compile(value));
            }
            (LiteralUse::Regex, _) => {
                self.report(refuse(
                    Code::NotConstant,
                    "a regular expression must be written out, r\"…\"".to_owned(),
                ));
            }
            _ => self.report(refuse(
                Code::NotConstant,
                "this must be a text written out".to_owned(),
            )),
        }
        None
    }

    fn kind_mistake(&mut self, at: &Range<usize>, builtin: &Builtin, wanted: &str) {
        let span = self.span(at);
        let message = format!("`{}` needs {wanted}", builtin.name);
        self.report(Diagnostic::error(Code::WrongArgumentKind, span, message));
    }
}

/// What the arguments of a call were compiled to.
struct Made {
    arguments: Vec<Option<Id>>,
    extra: Extra,
    fails: bool,
    absent: Kinds,
}
