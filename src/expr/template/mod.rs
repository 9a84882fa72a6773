//! Templates: the structure of an object to build, with expressions at its leaves.
//!
//! `config` makes them from YAML; evaluated, one builds a value in the arena or writes JSON straight
//! to the output.

mod spread;

use crate::diagnostic::Code;
use crate::expr::EvalError;
use crate::expr::Program;
use crate::expr::Scope;
use crate::expr::template::spread::Content;
use crate::expr::template::spread::for_members;
use crate::text::Span;
use crate::value::Arena;
use crate::value::Kind;
use crate::value::Number;
use crate::value::ParseLimits;
use crate::value::Value;
use crate::value::parse;
use crate::value::write;
use crate::value::write_text;

/// How many bytes are written for one step of fuel.
const STEP_BYTES: usize = 64;

/// What to build.
#[derive(Clone, Debug)]
pub enum Template {
    /// Fixed JSON text, one line.
    Literal(String),
    /// The value of an expression. Missing omits the key or the item it stands for.
    Expression(Program),
    /// An object.
    Object(Vec<Member>),
    /// A list; what is missing is left out.
    List(Vec<Self>),
    /// `=if`, `=then`, `=else`.
    Choice {
        /// The condition.
        when: Program,
        /// Built when it holds.
        then: Box<Self>,
        /// Built when it does not; missing if absent.
        otherwise: Option<Box<Self>>,
    },
    /// `=each`, `=value`: a list with one item for each of another list's. `@` is the item and the
    /// variable `index` its number.
    Each {
        /// The list.
        list: Program,
        /// What is built for each item.
        value: Box<Self>,
    },
}

/// A member of a [`Template::Object`].
#[derive(Clone, Debug)]
pub enum Member {
    /// A key that is written; wins over the same key of every spread.
    Field {
        /// The key.
        key: Key,
        /// Where the key stands.
        span: Span,
        /// Its value.
        value: Template,
    },
    /// `=spread`: the members of one or more objects; of two with one key the later wins. Missing
    /// and null spread nothing, any other kind is an error.
    Spread {
        /// The objects.
        objects: Vec<Program>,
        /// Which keys are copied.
        keys: SpreadKeys,
    },
}

/// A key, with the text that begins its member in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    text: Box<str>,
    /// `"key":`
    json: Box<[u8]>,
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        let mut json = Vec::with_capacity(text.len() + 3);
        write_text(text, &mut json);
        json.push(b':');
        Self {
            text: text.into(),
            json: json.into(),
        }
    }
}

impl std::ops::Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl PartialEq<str> for Key {
    fn eq(&self, other: &str) -> bool {
        *self.text == *other
    }
}

/// Which keys a spread copies.
#[derive(Clone, Debug)]
pub enum SpreadKeys {
    /// Every one.
    All,
    /// All but these.
    Except(Vec<String>),
    /// Only these.
    Only(Vec<String>),
}

/// What happens when an expression at a leaf fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The whole fails; the event becomes a dead letter.
    #[default]
    DeadLetter,
    /// The whole fails; the event is dropped and counted.
    Drop,
    /// The field is left out.
    OmitField,
}

impl Template {
    /// Builds the value in the scope's arena. With [`OnError::OmitField`] a failing leaf is missing.
    pub fn build<'a>(
        &'a self,
        scope: &Scope<'a>,
        on_error: OnError,
    ) -> Result<Value<'a>, EvalError> {
        match self {
            Self::Literal(json) => Ok(constant(json, scope.arena)),
            Self::Expression(program) => leaf(program, scope, on_error),
            Self::Choice {
                when,
                then,
                otherwise,
            } => match chosen((when, then, otherwise.as_deref()), scope)? {
                Some(template) => template.build(scope, on_error),
                None => Ok(Value::Missing),
            },
            Self::List(items) => {
                let mut list = scope.arena.vec_with_capacity(items.len());
                for item in items {
                    push_present(item.build(scope, on_error)?, &mut list);
                }
                Ok(Value::List(list.into_bump_slice()))
            }
            Self::Each { list, value } => {
                let mut built = scope.arena.vec();
                for_each(list, scope, on_error, |scope| {
                    push_present(value.build(scope, on_error)?, &mut built);
                    Ok(())
                })?;
                Ok(Value::List(built.into_bump_slice()))
            }
            Self::Object(members) => {
                let mut entries = scope.arena.vec_with_capacity(members.len());
                for_members(members, scope, on_error, |content| {
                    let (key, value) = match content {
                        Content::Field(key, template) => (&**key, template.build(scope, on_error)?),
                        Content::Copied { key, value, .. } => (key, value),
                    };
                    if !value.is_missing() {
                        entries.push((key, value));
                    }
                    Ok(())
                })?;
                Ok(Value::Object(entries.into_bump_slice()))
            }
        }
    }

    /// Appends the value to `out` as JSON in one line; says whether there was one. After an error
    /// `out` is as it was before.
    pub fn write<'a>(
        &'a self,
        scope: &Scope<'a>,
        on_error: OnError,
        out: &mut Vec<u8>,
    ) -> Result<bool, EvalError> {
        let mark = out.len();
        let written = self.append(scope, on_error, out);
        if !matches!(written, Ok(true)) {
            out.truncate(mark);
        }
        written
    }

    fn append<'a>(
        &'a self,
        scope: &Scope<'a>,
        on_error: OnError,
        out: &mut Vec<u8>,
    ) -> Result<bool, EvalError> {
        match self {
            Self::Literal(json) => {
                out.extend_from_slice(json.as_bytes());
                Ok(true)
            }
            Self::Expression(program) => {
                let value = leaf(program, scope, on_error)?;
                let start = out.len();
                write(value, out);
                spend(scope, (out.len() - start) / STEP_BYTES, program.place())?;
                Ok(!value.is_missing())
            }
            Self::Choice {
                when,
                then,
                otherwise,
            } => match chosen((when, then, otherwise.as_deref()), scope)? {
                Some(template) => template.append(scope, on_error, out),
                None => Ok(false),
            },
            Self::List(items) => {
                out.push(b'[');
                for item in items {
                    separated(out, b'[', |out| item.append(scope, on_error, out))?;
                }
                out.push(b']');
                Ok(true)
            }
            Self::Each { list, value } => {
                out.push(b'[');
                let start = out.len();
                for_each(list, scope, on_error, |scope| {
                    let mark = out.len();
                    if start < mark {
                        out.push(b',');
                    }
                    if !value.append(scope, on_error, out)? {
                        out.truncate(mark);
                    }
                    spend(scope, (out.len() - mark) / STEP_BYTES, list.place())
                })?;
                out.push(b']');
                Ok(true)
            }
            Self::Object(members) => {
                out.push(b'{');
                for_members(members, scope, on_error, |content| {
                    separated(out, b'{', |out| content.append(scope, on_error, out))
                })?;
                out.push(b'}');
                Ok(true)
            }
        }
    }
}

impl<'a> Content<'a> {
    fn append(
        self,
        scope: &Scope<'a>,
        on_error: OnError,
        out: &mut Vec<u8>,
    ) -> Result<bool, EvalError> {
        match self {
            Content::Field(key, template) => {
                out.extend_from_slice(&key.json);
                template.append(scope, on_error, out)
            }
            Content::Copied {
                json: Some(json), ..
            } => {
                out.extend_from_slice(json.as_bytes());
                Ok(true)
            }
            Content::Copied {
                key,
                value,
                json: None,
            } => {
                write_text(key, out);
                out.push(b':');
                write(value, out);
                Ok(!value.is_missing())
            }
        }
    }
}

/// Writes one member or item behind a comma; what turns out to be missing is taken back.
fn separated(
    out: &mut Vec<u8>,
    opening: u8,
    append: impl FnOnce(&mut Vec<u8>) -> Result<bool, EvalError>,
) -> Result<(), EvalError> {
    let mark = out.len();
    if out.last() != Some(&opening) {
        out.push(b',');
    }
    if !append(out)? {
        out.truncate(mark);
    }
    Ok(())
}

fn push_present<'a>(value: Value<'a>, list: &mut bumpalo::collections::Vec<'a, Value<'a>>) {
    if !value.is_missing() {
        list.push(value);
    }
}

/// The value of a literal. Scalars need no parse.
fn constant<'a>(json: &'a str, arena: &'a Arena) -> Value<'a> {
    let inner = json
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    match (json, inner) {
        (_, Some(text)) if !text.contains('\\') => Value::Text(text),
        ("null", _) => Value::Null,
        ("true", _) => Value::Bool(true),
        ("false", _) => Value::Bool(false),
        _ => parse(json.as_bytes(), ParseLimits::default(), arena).unwrap_or_default(),
    }
}

fn leaf<'a>(
    program: &'a Program,
    scope: &Scope<'a>,
    on_error: OnError,
) -> Result<Value<'a>, EvalError> {
    match program.eval(scope) {
        // Out of fuel is the end of the whole, not of a field.
        Err(error) if on_error == OnError::OmitField && error.code != Code::OutOfFuel => {
            Ok(Value::Missing)
        }
        outcome => outcome,
    }
}

fn chosen<'a>(
    (when, then, otherwise): (&'a Program, &'a Template, Option<&'a Template>),
    scope: &Scope<'a>,
) -> Result<Option<&'a Template>, EvalError> {
    Ok(if when.holds(scope)? {
        Some(then)
    } else {
        otherwise
    })
}

fn for_each<'a>(
    list: &'a Program,
    scope: &Scope<'a>,
    on_error: OnError,
    mut visit: impl FnMut(&Scope<'a>) -> Result<(), EvalError>,
) -> Result<(), EvalError> {
    let items = leaf(list, scope, on_error)?;
    if !matches!(items.kind(), Kind::List | Kind::Missing | Kind::Null) {
        return Err(wrong_kind(list, "`=each` needs a list", items));
    }
    spend(scope, items.len(), list.place())?;
    for (index, item) in items.items().enumerate() {
        let index = Value::Number(Number::Int(i64::try_from(index).unwrap_or(i64::MAX)));
        visit(&Scope {
            item,
            index,
            ..*scope
        })?;
    }
    Ok(())
}

/// Charges what is written and looked at beside the steps of the expressions.
fn spend(scope: &Scope<'_>, steps: usize, span: Span) -> Result<(), EvalError> {
    let fuel = &scope.budget.fuel;
    if let Some(left) = fuel.get().checked_sub(steps as u64) {
        fuel.set(left);
        return Ok(());
    }
    fuel.set(0);
    let message = "the evaluation takes too many steps".to_owned();
    Err(EvalError {
        code: Code::OutOfFuel,
        span,
        message,
    })
}

fn wrong_kind(program: &Program, what: &str, found: Value<'_>) -> EvalError {
    EvalError {
        code: Code::WrongKindAtRunTime,
        span: program.place(),
        message: format!("{what}, this is {}", found.kind().word()),
    }
}
