//! Objects: their keys, values, parts and unions. Keys keep their order.

use crate::expr::builtins::arguments::argument;
use crate::expr::builtins::arguments::count_at;
use crate::expr::builtins::arguments::rest;
use crate::expr::builtins::arguments::wanted;
use crate::expr::builtins::call::Call;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::expr::builtins::members::Members;
use crate::expr::builtins::signature::ABSENT;
use crate::expr::builtins::signature::Builtin;
use crate::expr::builtins::signature::Family;
use crate::expr::builtins::signature::INT;
use crate::expr::builtins::signature::LIST;
use crate::expr::builtins::signature::MISSING;
use crate::expr::builtins::signature::OBJECT;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::signature::Presence;
use crate::expr::builtins::signature::TEXT;
use crate::expr::scope::Kinds;
use crate::value::Kind;
use crate::value::Number;
use crate::value::Value;

const SUBJECT: Parameter = Parameter::new("object", OBJECT);
const MAYBE: Parameter = Parameter::new("object", OBJECT.or(ABSENT));
const KEYS: Parameter = Parameter::new("keys", TEXT.or(LIST)).given(Presence::Repeated);

const fn function(
    name: &'static str,
    call: for<'a> fn(&Cx<'a, '_>, &[Value<'a>]) -> Outcome<'a>,
) -> Builtin {
    Builtin::new(Family::Object, name, Call::Plain(call))
        .takes(&[SUBJECT])
        .gives(OBJECT)
}

pub(super) const TABLE: &[Builtin] = &[
    function("keys", keys)
        .about("The keys, in order.")
        .gives(LIST)
        .shows(&[("$.traits | keys", r#"["plan","seats","address"]"#), ("parse_json('{}') | keys", "[]")]),
    function("values", values)
        .about("The values, in order.")
        .gives(LIST)
        .shows(&[("$.items[0] | values", r#"["A-1",10,2]"#), ("$.absent | values", "missing")]),
    function("entries", entries)
        .about("A list with an object of `key` and `value` for each member.")
        .gives(LIST)
        .shows(&[
            (r#"$.traits | pick("plan") | entries"#, r#"[{"key":"plan","value":"pro"}]"#),
            ("$.traits | entries | map(e => e.key)", r#"["plan","seats","address"]"#),
        ]),
    function("from_entries", from_entries)
        .about(
            "The object that a list of objects with `key` and `value`, or of pairs `[key, value]`, \
             describes. Of two with one key the later counts.",
        )
        .takes(&[Parameter::new("list", LIST)])
        .fails_if("an item is neither, or a key is no text, number or bool")
        .shows(&[
            ("$.traits | entries | filter(e => e.value is string) | from_entries", r#"{"plan":"pro"}"#),
            (r#"[["a", 1], ["b", 2], ["a", 3]] | from_entries"#, r#"{"a":3,"b":2}"#),
            ("[1] | from_entries", "error"),
        ]),
    function("merge", merge)
        .about(
            "The members of all the objects; of two with one key the later counts. Objects that are \
             missing or null are skipped; missing if all are.",
        )
        .takes(&[MAYBE, Parameter::new("others", OBJECT.or(ABSENT)).given(Presence::AnyNumber)])
        .gives(OBJECT.or(MISSING))
        .sees_missing()
        .shows(&[
            (r#"$.items[0] | merge($.items[1] | pick("price"), $.absent)"#, r#"{"sku":"A-1","price":2.5,"qty":2}"#),
            ("merge($.absent, $.nothing)", "missing"),
        ]),
    function("pick", pick)
        .about("The object with only the members of these keys, which are texts or lists of them.")
        .takes(&[SUBJECT, KEYS])
        .fails_if("an item of a list is no text")
        .shows(&[
            (r#"$.traits | pick("seats", "plan", "absent")"#, r#"{"plan":"pro","seats":3}"#),
            (r#"$.traits | pick(["plan"])"#, r#"{"plan":"pro"}"#),
        ]),
    function("omit", omit)
        .about("The object without the members of these keys, which are texts or lists of them.")
        .takes(&[SUBJECT, KEYS])
        .fails_if("an item of a list is no text")
        .shows(&[
            (r#"$.traits | omit("address")"#, r#"{"plan":"pro","seats":3}"#),
            (r#"$.items[0] | omit(["sku", "qty"])"#, r#"{"price":10}"#),
        ]),
    function("get", get)
        .about(
            "The member of an object or the item of a list that a computed key or index names; several \
             lead down from one to the next. Missing if there is none. Where the key is known, write a path.",
        )
        .takes(&[
            Parameter::new("in", OBJECT.or(LIST)),
            Parameter::new("keys", TEXT.or(INT)).given(Presence::Repeated),
        ])
        .gives(Kinds::ANY)
        .shows(&[
            (r#"$.traits | get("address", "city")"#, r#""Bern""#),
            (r#"$ | get("items", -1, "sku")"#, r#""B-2""#),
            (r#"$.traits | get("absent", "city")"#, "missing"),
        ]),
    function("set", set)
        .about(
            "The object with the member of a computed key set, in its place or at the end; a missing \
             value takes the member out. An object that is missing or null is an empty one.",
        )
        .takes(&[MAYBE, Parameter::new("key", TEXT), Parameter::new("value", Kinds::ANY)])
        .sees_missing()
        .shows(&[
            (r#"$.items[0] | set("qty", 3)"#, r#"{"sku":"A-1","price":10,"qty":3}"#),
            ("$.absent | set($.event, $.plan_id)", r#"{"order_completed":2}"#),
            (r#"$.items[0] | set("qty", $.absent)"#, r#"{"sku":"A-1","price":10}"#),
        ]),
    function("cap", cap)
        .about("The first `count` items of a list or members of an object.")
        .takes(&[Parameter::new("of", LIST.or(OBJECT)), Parameter::new("count", INT)])
        .gives(LIST.or(OBJECT))
        .fails_if("`count` is negative")
        .shows(&[("$.tags | cap(2)", r#"["vip","beta"]"#), ("$.traits | cap(1)", r#"{"plan":"pro"}"#), ("[1] | cap(-1)", "error")]),
];

fn keys<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let object = argument(args, 0);
    cx.spend(object.len() as u64)?;
    Ok(cx
        .arena
        .list(object.entries(cx.arena).map(|(key, _)| Value::Text(key))))
}

fn values<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let object = argument(args, 0);
    cx.spend(object.len() as u64)?;
    Ok(cx
        .arena
        .list(object.entries(cx.arena).map(|(_, value)| value)))
}

fn entries<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let object = argument(args, 0);
    cx.spend(2 * object.len() as u64)?;
    Ok(cx.arena.list(object.entries(cx.arena).map(|(key, value)| {
        cx.arena
            .object([("key", Value::Text(key)), ("value", value)])
    })))
}

fn from_entries<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut members = Members::new(cx);
    for item in argument(args, 0).items() {
        let (key, value) = match item.kind() {
            Kind::Object => (item.get("key"), item.get("value")),
            Kind::List => (item.at(0), item.at(1)),
            _ => return Err(wanted("an object with `key` and `value` or a pair", item)),
        };
        members.push(cx.scalar(key)?, value)?;
    }
    members.into_object()
}

fn merge<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    match objects(args) {
        [] => Ok(Value::Missing),
        [only] => Ok(*only),
        _ => {
            let mut members = Members::new(cx);
            args.iter().try_for_each(|object| members.extend(*object))?;
            members.into_object()
        }
    }
}

/// The arguments from the first to the last that is an object.
pub(super) fn objects<'s, 'a>(args: &'s [Value<'a>]) -> &'s [Value<'a>] {
    let is_object = |value: &Value<'_>| value.kind() == Kind::Object;
    let start = args.iter().position(is_object).unwrap_or(args.len());
    let end = args
        .iter()
        .rposition(is_object)
        .map_or(start, |last| last + 1);
    args.get(start..end).unwrap_or_default()
}

fn pick<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    kept(cx, args, |is_named| is_named)
}

fn omit<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    kept(cx, args, |is_named| !is_named)
}

/// The members for which `keep` holds, given whether the arguments name the key.
fn kept<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], keep: fn(bool) -> bool) -> Outcome<'a> {
    let mut named = cx.arena.vec();
    for keys in rest(args, 1) {
        let alone = std::iter::once(*keys).filter(|keys| keys.kind() != Kind::List);
        for key in keys.items().chain(alone) {
            cx.spend(1)?;
            named.push(cx.text_of(key)?);
        }
    }
    named.sort_unstable();
    let object = argument(args, 0);
    cx.spend(object.len() as u64)?;
    Ok(cx.arena.object(
        object
            .entries(cx.arena)
            .filter(|(key, _)| keep(named.binary_search(key).is_ok())),
    ))
}

fn get<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut value = argument(args, 0);
    for key in rest(args, 1) {
        cx.spend(1 + value.len() as u64 / 16)?;
        value = match (value.kind(), key.as_number().and_then(Number::as_int)) {
            (Kind::List, Some(index)) => {
                i64::try_from(index).map_or(Value::Missing, |index| value.at(index))
            }
            _ => value.get(cx.scalar(*key)?),
        };
    }
    Ok(value)
}

fn set<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let (object, key, value) = (argument(args, 0), cx.text_at(args, 1)?, argument(args, 2));
    cx.spend(1 + object.len() as u64)?;
    let mut members = cx.arena.vec_with_capacity(object.len() + 1);
    members.extend(object.entries(cx.arena));
    match members.iter_mut().find(|(name, _)| *name == key) {
        Some(member) => member.1 = value,
        None => members.push((key, value)),
    }
    Ok(cx.arena.object(members))
}

fn cap<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let (value, count) = (argument(args, 0), count_at(args, 1)?);
    if value.len() <= count {
        return Ok(value);
    }
    cx.spend(count as u64)?;
    Ok(match value.kind() {
        Kind::List => cx.arena.list(value.items().take(count)),
        _ => cx.arena.object(value.entries(cx.arena).take(count)),
    })
}

/// The members of an object that some other file computed, none of them missing, keys distinct.
pub(super) fn built<'a>(
    cx: &Cx<'a, '_>,
    object: Value<'a>,
    mut each: impl FnMut(&'a str, Value<'a>) -> Outcome<'a>,
) -> Outcome<'a> {
    let mut members = cx.arena.vec_with_capacity(object.len());
    for (key, value) in object.entries(cx.arena) {
        cx.spend(1)?;
        let value = each(key, value)?;
        if !value.is_missing() {
            members.push((key, value));
        }
    }
    Ok(Value::Object(members.into_bump_slice()))
}

/// Refuses what is nested deeper than any text that is read can be.
pub(super) fn deeper(depth: u32) -> Result<u32, CallError> {
    const DEPTH_MAX: u32 = 128;
    if depth < DEPTH_MAX {
        return Ok(depth + 1);
    }
    Err(CallError::size(format!(
        "cannot follow what is nested deeper than {DEPTH_MAX} levels"
    )))
}
