//! Function calls: which argument is for which parameter.

use std::ops::Range;

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::suggest;
use crate::expr::Kinds;
use crate::expr::builtins;
use crate::expr::builtins::Builtin;
use crate::expr::builtins::Parameter;
use crate::expr::builtins::Presence;
use crate::expr::compile::ABSENT;
use crate::expr::compile::Compiler;
use crate::expr::compile::Typed;
use crate::expr::compile::argument::Made;
use crate::expr::program::CallNode;
use crate::expr::program::Extra;
use crate::expr::program::Given;
use crate::expr::program::Node;
use crate::expr::syntax::Argument;
use crate::expr::syntax::ArgumentValue;
use crate::expr::syntax::Call;
use crate::expr::syntax::Syntax;

/// What is given for a parameter.
#[derive(Clone, Copy)]
pub(super) enum Taken<'c> {
    Nothing,
    Piped(&'c Syntax),
    Argument(&'c Argument),
}

type Places<'c> = Vec<(&'static Parameter, Taken<'c>)>;

impl Compiler<'_> {
    pub(super) fn call(&mut self, call: &Call, at: &Range<usize>) -> Typed {
        let Some(builtin) = builtins::find(&call.name) else {
            self.unknown_function(call);
            return self.with_mistake(call, at);
        };
        let Some(places) = self.places(builtin, call) else {
            return self.with_mistake(call, at);
        };
        let subject = builtin.subject();
        let mut absent = Kinds::NONE;
        let mut extra = Extra::None;
        let mut operands = Vec::with_capacity(places.len());
        let mut arguments = Vec::with_capacity(places.len());
        for (nth, (parameter, taken)) in places.iter().enumerate() {
            let is_subject = subject == Some(nth);
            let passes = if builtin.lifted && is_subject {
                ABSENT
            } else {
                Kinds::NONE
            };
            let made = match taken {
                Taken::Nothing => Made::Nothing,
                Taken::Piped(value) => self.value(builtin, parameter, passes, value),
                Taken::Argument(argument) => self.argument(builtin, parameter, passes, argument),
            };
            let optional = parameter.presence == Presence::Optional;
            let (id, must_be) = match made {
                Made::Nothing => (None, Kinds::ANY),
                Made::Value(typed, must_be) => {
                    if is_subject && builtin.lifted {
                        absent = typed.kinds.and(ABSENT);
                    }
                    operands.push(typed);
                    (Some(typed.id), must_be)
                }
                Made::Extra(made, typed) => {
                    extra = made;
                    operands.extend(typed);
                    (None, Kinds::ANY)
                }
            };
            arguments.push(Given {
                id,
                must_be,
                optional,
            });
        }
        let subject = subject
            .filter(|_| builtin.lifted)
            .and_then(|nth| u16::try_from(nth).ok());
        let node = CallNode {
            builtin,
            arguments: arguments.into(),
            subject,
            extra,
        };
        // What fails is the call, not what is piped into it.
        let call_at = call.name_at.start..call.arguments_at.end;
        let kinds = builtin.returns | absent;
        let typed = self.joined(Node::Call(Box::new(node)), kinds, &operands, &call_at);
        Typed {
            fails: typed.fails || builtin.fails.is_some(),
            ..typed
        }
    }

    /// Checks the arguments of a call that cannot be made: they may hold mistakes of their own.
    fn with_mistake(&mut self, call: &Call, at: &Range<usize>) -> Typed {
        if let Some(piped) = &call.piped {
            self.compile(piped);
        }
        for argument in &call.arguments {
            if let ArgumentValue::Value(value) = &argument.value
                && !matches!(value.form, crate::expr::syntax::Form::Regex(_))
            {
                self.compile(value);
            }
        }
        self.unknown(at)
    }

    fn unknown_function(&mut self, call: &Call) {
        let span = self.span(&call.name_at);
        let message = format!("unknown function `{}`", call.name);
        let diagnostic = Diagnostic::error(Code::UnknownFunction, span, message);
        let near = builtins::ours_for(&call.name)
            .or_else(|| suggest::nearest(&call.name, builtins::names()));
        let is_variable = self
            .vocabulary
            .variables
            .iter()
            .any(|it| it.name == call.name);
        self.report(match near {
            _ if is_variable => diagnostic.help(format!("`{}` is a variable", call.name)),
            Some(near) => diagnostic.fix(format!("did you mean `{near}`?"), span, near),
            None => diagnostic.help("`trackway explain --functions` lists all functions"),
        });
    }

    /// For each place of the function the parameter and what is given for it; `None` after a
    /// mistake. A repeated parameter has as many places as arguments.
    fn places<'c>(&mut self, builtin: &'static Builtin, call: &'c Call) -> Option<Places<'c>> {
        let repeated = repeated(builtin);
        let single = builtin.parameters.len() - usize::from(repeated.is_some());
        let single = builtin.parameters.iter().take(single);
        let mut places: Places<'c> = single.map(|it| (it, Taken::Nothing)).collect();
        let mut fine = true;
        if let Some(piped) = &call.piped {
            // A pipe feeds the parameter that takes a value: of `lookup` the second.
            let subject = builtin.subject();
            match (
                subject.and_then(|subject| places.get_mut(subject)),
                repeated,
            ) {
                (Some((_, taken)), _) => *taken = Taken::Piped(piped),
                (None, Some(repeated)) if subject.is_some() => {
                    places.push((repeated, Taken::Piped(piped)));
                }
                _ => {
                    self.count_mistake(&call.name_at, builtin, call);
                    return None;
                }
            }
        }
        for argument in &call.arguments {
            if let Some(name) = &argument.name {
                fine &= self
                    .take_named(builtin, &mut places, name, argument)
                    .is_some();
                continue;
            }
            let free = places
                .iter_mut()
                .find(|(_, taken)| matches!(taken, Taken::Nothing));
            match (free, repeated) {
                (Some((_, taken)), _) => *taken = Taken::Argument(argument),
                (None, Some(repeated)) => places.push((repeated, Taken::Argument(argument))),
                (None, None) => {
                    self.count_mistake(&argument.at, builtin, call);
                    return None;
                }
            }
        }
        let lacks = places.iter().any(|(parameter, taken)| {
            matches!(taken, Taken::Nothing) && parameter.presence == Presence::Required
        });
        let none = repeated.is_some_and(|it| {
            it.presence == Presence::Repeated && places.len() < builtin.parameters.len()
        });
        if fine && (lacks || none) {
            let bare = call.arguments_at.is_empty();
            let at = if bare {
                &call.name_at
            } else {
                &call.arguments_at
            };
            self.count_mistake(at, builtin, call);
            return None;
        }
        fine.then_some(places)
    }

    fn take_named<'c>(
        &mut self,
        builtin: &Builtin,
        places: &mut Places<'c>,
        (name, at): &(String, Range<usize>),
        argument: &'c Argument,
    ) -> Option<()> {
        match places
            .iter_mut()
            .find(|(parameter, _)| parameter.name == name)
        {
            Some((_, taken @ Taken::Nothing)) => {
                *taken = Taken::Argument(argument);
                return Some(());
            }
            Some(_) => self.name_mistake(at, format!("`{name}` is given twice"), builtin),
            None => {
                let message = format!("`{}` has no parameter `{name}`", builtin.name);
                self.name_mistake(at, message, builtin);
            }
        }
        None
    }

    fn name_mistake(&mut self, at: &Range<usize>, message: String, builtin: &Builtin) {
        let span = self.span(at);
        let wrong = self.text(at).to_owned();
        let names = || builtin.parameters.iter().map(|it| it.name);
        let diagnostic = Diagnostic::error(Code::UnknownArgument, span, message);
        let near = suggest::nearest(&wrong, names()).filter(|near| *near != wrong);
        self.report(match near {
            Some(near) => diagnostic.fix(format!("did you mean `{near}`?"), span, near),
            None => diagnostic.help(format!("its parameters are {}", suggest::list(names()))),
        });
    }

    fn count_mistake(&mut self, at: &Range<usize>, builtin: &Builtin, call: &Call) {
        let is = |wanted: &[Presence]| {
            builtin
                .parameters
                .iter()
                .filter(|it| wanted.contains(&it.presence))
                .count()
        };
        let required = is(&[Presence::Required, Presence::Repeated]);
        let all = builtin.parameters.len();
        let wanted = if 0 < is(&[Presence::Repeated, Presence::AnyNumber]) {
            format!("at least {required}")
        } else if required == all {
            all.to_string()
        } else {
            format!("{required} to {all}")
        };
        let plural = if wanted == "1" { "" } else { "s" };
        let given = call.arguments.len() + usize::from(call.piped.is_some());
        let message = format!(
            "`{}` takes {wanted} argument{plural}, {given} given",
            builtin.name
        );
        let names: Vec<_> = builtin.parameters.iter().map(|it| it.name).collect();
        let usage = format!("{}({})", builtin.name, names.join(", "));
        let help = if call.piped.is_some() {
            format!("`{usage}`; what is piped in counts")
        } else {
            format!("`{usage}`")
        };
        let span = self.span(at);
        self.report(Diagnostic::error(Code::WrongArgumentCount, span, message).help(help));
    }
}

/// The parameter that can be given more than once: the last or none.
fn repeated(builtin: &'static Builtin) -> Option<&'static Parameter> {
    let many = |it: &&Parameter| matches!(it.presence, Presence::Repeated | Presence::AnyNumber);
    builtin.parameters.last().filter(many)
}
