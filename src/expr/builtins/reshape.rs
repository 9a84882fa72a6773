//! Objects rebuilt: renamed, mapped, flattened, merged all the way down.

use bumpalo::collections::Vec as BumpVec;

use crate::expr::builtins::arguments::argument;
use crate::expr::builtins::call::Apply;
use crate::expr::builtins::call::Call;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::expr::builtins::each::holds;
use crate::expr::builtins::encoding::json_text;
use crate::expr::builtins::general::row;
use crate::expr::builtins::list::copied;
use crate::expr::builtins::members::Members;
use crate::expr::builtins::object::built;
use crate::expr::builtins::object::deeper;
use crate::expr::builtins::object::objects;
use crate::expr::builtins::signature::ABSENT;
use crate::expr::builtins::signature::Builtin;
use crate::expr::builtins::signature::Family;
use crate::expr::builtins::signature::LIST;
use crate::expr::builtins::signature::LiteralUse;
use crate::expr::builtins::signature::MISSING;
use crate::expr::builtins::signature::OBJECT;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::signature::Presence;
use crate::expr::builtins::signature::TEXT;
use crate::expr::scope::Kinds;
use crate::expr::scope::Table;
use crate::value::Kind;
use crate::value::Value;

const SUBJECT: Parameter = Parameter::new("object", OBJECT);
const MAYBE: Parameter = Parameter::new("object", OBJECT.or(ABSENT));
const EACH: Parameter = Parameter::lambda("each");
const DEPTHS: &[&str] = &["shallow", "deep"];
const LISTS: &[&str] = &["keep", "index", "json", "drop"];

const fn function(name: &'static str, call: Call) -> Builtin {
    Builtin::new(Family::Object, name, call)
        .takes(&[SUBJECT, EACH])
        .gives(OBJECT)
}

pub(super) const TABLE: &[Builtin] = &[
    function("deep_merge", Call::Plain(deep_merge))
        .about(
            "Like `merge`, but where one key holds objects on both sides these are merged in turn. \
             Lists are not merged, the later counts.",
        )
        .takes(&[MAYBE, Parameter::new("others", OBJECT.or(ABSENT)).given(Presence::AnyNumber)])
        .gives(OBJECT.or(MISSING))
        .sees_missing()
        .shows(&[
            (
                r#"parse_json('{"a":{"x":1,"y":2},"b":1}') | deep_merge(parse_json('{"a":{"y":3}}'))"#,
                r#"{"a":{"x":1,"y":3},"b":1}"#,
            ),
            ("$.absent | deep_merge($.items[1])", r#"{"sku":"B-2","price":2.5,"qty":1}"#),
        ]),
    function("compact", Call::Plain(compact))
        .about(
            "The object or list without what is null in it; with `deep`, also inside of what it \
             holds.",
        )
        .takes(&[Parameter::new("of", OBJECT.or(LIST)), Parameter::word("depth", DEPTHS)])
        .gives(OBJECT.or(LIST))
        .shows(&[
            ("[1, null, 2] | compact", "[1,2]"),
            ("$.traits.address | compact", r#"{"city":"Bern"}"#),
            (r#"$.traits | compact("deep")"#, r#"{"plan":"pro","seats":3,"address":{"city":"Bern"}}"#),
        ]),
    function("flatten_object", Call::Plain(flatten_object))
        .about(
            "The object with objects inside it replaced by their members, keys joined with `separator`, \
             a dot unless given. Lists are kept, or treated as objects with their indexes as keys, or \
             become JSON text, or are dropped. Of two members with one key the later counts.",
        )
        .takes(&[
            SUBJECT,
            Parameter::new("separator", TEXT).optional(),
            Parameter::word("lists", LISTS),
        ])
        .shows(&[
            (
                "$.traits | flatten_object",
                r#"{"plan":"pro","seats":3,"address.city":"Bern","address.zip":null}"#,
            ),
            (
                r#"parse_json('{"a":{"b":[1,{"c":2}]}}') | flatten_object("_", "index")"#,
                r#"{"a_b_0":1,"a_b_1_c":2}"#,
            ),
            (r#"parse_json('{"a":[1,2]}') | flatten_object(lists="json")"#, r#"{"a":"[1,2]"}"#),
        ]),
    function("rename", Call::Table(rename))
        .about(
            "The object with its keys replaced by what a table says for them; keys that are not in the \
             table stay. Of two members with one key the later counts.",
        )
        .takes(&[SUBJECT, Parameter::literal("table", LiteralUse::Table)])
        .fails_if("the table says something else than a text, number or bool")
        .shows(&[
            (
                r#"$.traits | rename("names")"#,
                r#"{"Plan":"pro","$seats":3,"address":{"city":"Bern","zip":null}}"#,
            ),
            (r#"$.absent | rename("names")"#, "missing"),
        ]),
    function("map_keys", Call::Lambda(map_keys))
        .about(
            "The object with its keys replaced by what the lambda gives for them; where that is missing \
             there is no member. Of two members with one key the later counts.",
        )
        .fails_if("the lambda gives null, a list or an object")
        .shows(&[
            (r#"$.items[0] | map_keys(k => "item_{k}")"#, r#"{"item_sku":"A-1","item_price":10,"item_qty":2}"#),
            (r#"$.traits.address | map_keys(k => "same")"#, r#"{"same":null}"#),
        ]),
    function("map_values", Call::Lambda(map_values))
        .about(
            "The object with its values replaced by what the lambda gives for them; where that is \
             missing there is no member.",
        )
        .shows(&[
            ("$.items[0] | map_values(v => v | string)", r#"{"sku":"A-1","price":"10","qty":"2"}"#),
            ("$.traits.address | map_values(v => v ?? $.absent)", r#"{"city":"Bern"}"#),
        ]),
    function("filter_keys", Call::Lambda(filter_keys))
        .about("The object with only the members for whose key the lambda is true.")
        .fails_if("the lambda gives something else than a bool, missing or null")
        .shows(&[
            (r#"$.traits | filter_keys(k => k ~ "s*")"#, r#"{"seats":3}"#),
            (r#"$.items[0] | filter_keys(k => k in ["sku", "qty"])"#, r#"{"sku":"A-1","qty":2}"#),
        ]),
    function("filter_values", Call::Lambda(filter_values))
        .about("The object with only the members for whose value the lambda is true.")
        .fails_if("the lambda gives something else than a bool, missing or null")
        .shows(&[
            ("$.items[0] | filter_values(v => v is number)", r#"{"price":10,"qty":2}"#),
            ("$.traits | filter_values(v => v is list)", "{}"),
        ]),
    function("map_leaves", Call::Lambda(map_leaves))
        .about(
            "The value with everything in it that is neither list nor object replaced, at any depth, by \
             what the lambda gives for it; where that is missing nothing is left.",
        )
        .takes(&[Parameter::new("value", Kinds::PRESENT), EACH])
        .gives(Kinds::ANY)
        .shows(&[
            (
                r#"$.traits | map_leaves(v => v ?? "none")"#,
                r#"{"plan":"pro","seats":3,"address":{"city":"Bern","zip":"none"}}"#,
            ),
            (
                "$ | pick(\"timestamp\", \"tags\") | map_leaves(v => if v | is_iso8601 then v | unix else v)",
                r#"{"timestamp":1767323045,"tags":["vip","beta","vip"]}"#,
            ),
        ]),
];

fn deep_merge<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    match objects(args) {
        [] => Ok(Value::Missing),
        [only] => Ok(*only),
        several => merged(cx, several, 0),
    }
}

fn merged<'a>(cx: &Cx<'a, '_>, objects: &[Value<'a>], depth: u32) -> Outcome<'a> {
    let depth = deeper(depth)?;
    let mut members = Members::new(cx);
    objects
        .iter()
        .try_for_each(|object| members.extend(*object))?;
    members.combined(|cx, values| {
        // What stands before a value that is no object is covered by it.
        let is_object = |value: &Value<'_>| value.kind() == Kind::Object;
        let start = values
            .iter()
            .rposition(|value| !is_object(value))
            .map_or(0, |other| other + 1);
        match values.get(start..).unwrap_or_default() {
            [] => Ok(values.last().copied().unwrap_or_default()),
            [only] => Ok(*only),
            several => merged(cx, several, depth),
        }
    })
}

fn compact<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let value = argument(args, 0);
    if cx.text_or(args, 1, "shallow")? == "deep" {
        return leaves(cx, value, 0, &mut |leaf| {
            Ok(if leaf.is_null() { Value::Missing } else { leaf })
        });
    }
    cx.spend(value.len() as u64)?;
    Ok(match value.kind() {
        Kind::List => cx.arena.list(value.items().filter(|item| !item.is_null())),
        _ => cx.arena.object(
            value
                .entries(cx.arena)
                .filter(|(_, value)| !value.is_null()),
        ),
    })
}

/// Rebuilds a value with each of its leaves replaced.
fn leaves<'a>(
    cx: &Cx<'a, '_>,
    value: Value<'a>,
    depth: u32,
    each: &mut dyn FnMut(Value<'a>) -> Outcome<'a>,
) -> Outcome<'a> {
    let depth = deeper(depth)?;
    match value.kind() {
        Kind::List => {
            let mut items = copied(cx, value)?;
            for item in &mut items {
                *item = leaves(cx, *item, depth, each)?;
            }
            items.retain(|item| !item.is_missing());
            Ok(Value::List(items.into_bump_slice()))
        }
        Kind::Object => built(cx, value, |_, value| leaves(cx, value, depth, each)),
        _ => each(value),
    }
}

/// What becomes of lists in a flattened object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lists {
    Keep,
    Index,
    Json,
    Drop,
}

struct Flattener<'a, 'b> {
    members: Members<'a, 'b>,
    cx: Cx<'a, 'b>,
    separator: &'a str,
    lists: Lists,
}

fn flatten_object<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let lists = match cx.text_or(args, 2, "keep")? {
        "index" => Lists::Index,
        "json" => Lists::Json,
        "drop" => Lists::Drop,
        _ => Lists::Keep,
    };
    let separator = cx.text_or(args, 1, ".")?;
    let mut flattener = Flattener {
        members: Members::new(cx),
        cx: *cx,
        separator,
        lists,
    };
    let mut path = cx.arena.vec();
    flattener.object(argument(args, 0), &mut path)?;
    flattener.members.into_object()
}

impl<'a> Flattener<'a, '_> {
    fn object(
        &mut self,
        object: Value<'a>,
        path: &mut BumpVec<'a, &'a str>,
    ) -> Result<(), CallError> {
        deeper(u32::try_from(path.len()).unwrap_or(u32::MAX))?;
        for (key, value) in object.entries(self.cx.arena) {
            path.push(key);
            self.value(value, path)?;
            path.pop();
        }
        Ok(())
    }

    fn value(
        &mut self,
        value: Value<'a>,
        path: &mut BumpVec<'a, &'a str>,
    ) -> Result<(), CallError> {
        match (value.kind(), self.lists) {
            (Kind::Object, _) => return self.object(value, path),
            (Kind::List, Lists::Index) => {
                deeper(u32::try_from(path.len()).unwrap_or(u32::MAX))?;
                for (n, item) in value.items().enumerate() {
                    path.push(self.cx.scalar(super::text::count(n))?);
                    self.value(item, path)?;
                    path.pop();
                }
                return Ok(());
            }
            (Kind::List, Lists::Drop) => return Ok(()),
            _ => {}
        }
        let mut key = self.cx.text();
        for (n, part) in path.iter().enumerate() {
            if 0 < n {
                key.push_str(self.separator)?;
            }
            key.push_str(part)?;
        }
        let value = match value.kind() {
            Kind::List if self.lists == Lists::Json => Value::Text(json_text(&self.cx, value)?),
            _ => value,
        };
        self.members.push(key.finish()?, value)
    }
}

fn rename<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], table: &Table) -> Outcome<'a> {
    let mut members = Members::new(cx);
    for (key, value) in argument(args, 0).entries(cx.arena) {
        let key = match row(cx, table, key)? {
            Value::Missing => key,
            name => cx.scalar(name)?,
        };
        members.push(key, value)?;
    }
    members.into_object()
}

fn map_keys<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], each: Apply<'_, 'a>) -> Outcome<'a> {
    let mut members = Members::new(cx);
    for (n, (key, value)) in argument(args, 0).entries(cx.arena).enumerate() {
        let key = each(Value::Text(key), n)?;
        if !key.is_missing() {
            members.push(cx.scalar(key)?, value)?;
        }
    }
    members.into_object()
}

fn map_values<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], each: Apply<'_, 'a>) -> Outcome<'a> {
    let mut n = 0;
    built(cx, argument(args, 0), |_, value| {
        n += 1;
        Ok(each(value, n - 1)?)
    })
}

fn filter_keys<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], each: Apply<'_, 'a>) -> Outcome<'a> {
    let mut n = 0;
    built(cx, argument(args, 0), |key, value| {
        n += 1;
        Ok(if holds(each(Value::Text(key), n - 1)?)? {
            value
        } else {
            Value::Missing
        })
    })
}

fn filter_values<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], each: Apply<'_, 'a>) -> Outcome<'a> {
    let mut n = 0;
    built(cx, argument(args, 0), |_, value| {
        n += 1;
        Ok(if holds(each(value, n - 1)?)? {
            value
        } else {
            Value::Missing
        })
    })
}

fn map_leaves<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], each: Apply<'_, 'a>) -> Outcome<'a> {
    let mut n = 0;
    leaves(cx, argument(args, 0), 0, &mut |leaf| {
        n += 1;
        Ok(each(leaf, n - 1)?)
    })
}
