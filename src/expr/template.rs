//! Templates: the structure of an object to build, with expressions at its leaves.
//!
//! `config` makes them from YAML; evaluated, one builds a value in the arena or writes JSON straight
//! to the output.

use crate::diagnostic::Code;
use crate::expr::EvalError;
use crate::expr::Program;
use crate::expr::Scope;
use crate::text::Span;
use crate::value::Arena;
use crate::value::Kind;
use crate::value::Number;
use crate::value::ParseLimits;
use crate::value::Value;
use crate::value::parse;
use crate::value::write;
use crate::value::write_text;

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
        key: String,
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
                for_members(members, scope, on_error, |key, content| {
                    let value = match content {
                        Content::Value(value) => value,
                        Content::Template(template) => template.build(scope, on_error)?,
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
                write(value, out);
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
                    Ok(())
                })?;
                out.push(b']');
                Ok(true)
            }
            Self::Object(members) => {
                out.push(b'{');
                for_members(members, scope, on_error, |key, content| {
                    separated(out, b'{', |out| {
                        write_text(key, out);
                        out.push(b':');
                        match content {
                            Content::Template(template) => template.append(scope, on_error, out),
                            Content::Value(value) => {
                                write(value, out);
                                Ok(!value.is_missing())
                            }
                        }
                    })
                })?;
                out.push(b'}');
                Ok(true)
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

/// What a member is made of.
enum Content<'a> {
    Template(&'a Template),
    Value(Value<'a>),
}

/// Calls `visit` for every member in order: fields, and what the spreads copy. A key that stands as
/// a field is never copied; of two spread objects with one key the later is.
fn for_members<'a>(
    members: &'a [Member],
    scope: &Scope<'a>,
    on_error: OnError,
    mut visit: impl FnMut(&'a str, Content<'a>) -> Result<(), EvalError>,
) -> Result<(), EvalError> {
    for member in members {
        let (objects, keys) = match member {
            Member::Field { key, value, .. } => {
                visit(key, Content::Template(value))?;
                continue;
            }
            Member::Spread { objects, keys } => (objects, keys),
        };
        let mut spread = scope.arena.vec_with_capacity(objects.len());
        for program in objects {
            let object = leaf(program, scope, on_error)?;
            if !matches!(object.kind(), Kind::Object | Kind::Missing | Kind::Null) {
                return Err(wrong_kind(program, "`=spread` needs an object", object));
            }
            spread.push(object);
        }
        let is_field = |wanted: &str| {
            members
                .iter()
                .any(|member| matches!(member, Member::Field { key, .. } if key == wanted))
        };
        for (at, object) in spread.iter().enumerate() {
            let later = spread.get(at + 1..).unwrap_or(&[]);
            for (key, value) in object.entries(scope.arena) {
                let replaced = later.iter().any(|object| !object.get(key).is_missing());
                if keys.copies(key) && !is_field(key) && !replaced {
                    visit(key, Content::Value(value))?;
                }
            }
        }
    }
    Ok(())
}

fn wrong_kind(program: &Program, what: &str, found: Value<'_>) -> EvalError {
    EvalError {
        code: Code::WrongKindAtRunTime,
        span: program.source().whole_span(),
        message: format!("{what}, this is {}", found.kind().word()),
    }
}

impl SpreadKeys {
    fn copies(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Except(keys) => !keys.iter().any(|except| except == key),
            Self::Only(keys) => keys.iter().any(|only| only == key),
        }
    }
}
