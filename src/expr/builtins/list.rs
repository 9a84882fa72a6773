//! Lists: their parts, order and joins. Positions start at 0, negative ones count from the end.

#![expect(
    clippy::unnecessary_wraps,
    reason = "every function has the type of a call"
)]

use bumpalo::collections::Vec as BumpVec;

use crate::expr::builtins::arguments::argument;
use crate::expr::builtins::arguments::bounds;
use crate::expr::builtins::arguments::int_at;
use crate::expr::builtins::arguments::optional_int_at;
use crate::expr::builtins::arguments::rest;
use crate::expr::builtins::call::Call;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::expr::builtins::signature::ABSENT;
use crate::expr::builtins::signature::Builtin;
use crate::expr::builtins::signature::Family;
use crate::expr::builtins::signature::INT;
use crate::expr::builtins::signature::LIST;
use crate::expr::builtins::signature::MISSING;
use crate::expr::builtins::signature::OBJECT;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::signature::Presence;
use crate::expr::builtins::sorting::Direction;
use crate::expr::builtins::sorting::Sorter;
use crate::expr::builtins::sorting::comparison_cost;
use crate::expr::builtins::text::count as count_of;
use crate::expr::scope::Kinds;
use crate::value::Kind;
use crate::value::Value;
use crate::value::order;

const SUBJECT: Parameter = Parameter::new("list", LIST);
const START: Parameter = Parameter::new("list", LIST.or(ABSENT));

const fn function(
    name: &'static str,
    call: for<'a> fn(&Cx<'a, '_>, &[Value<'a>]) -> Outcome<'a>,
) -> Builtin {
    Builtin::new(Family::List, name, Call::Plain(call))
        .takes(&[SUBJECT])
        .gives(LIST)
}

pub(super) const TABLE: &[Builtin] = &[
    function("first", first)
        .about("The first item; missing if there is none.")
        .gives(Kinds::ANY)
        .shows(&[("$.tags | first", r#""vip""#), ("[] | first", "missing")]),
    function("last", last)
        .about("The last item; missing if there is none.")
        .gives(Kinds::ANY)
        .shows(&[("$.items[*].sku | last", r#""B-2""#), ("[] | last ?? 0", "0")]),
    function("count", count)
        .about("How many items a list or members an object has. For text there is `length`.")
        .takes(&[Parameter::new("of", LIST.or(OBJECT))])
        .gives(INT)
        .shows(&[
            ("$.items | count", "2"),
            ("$.traits | count", "3"),
            ("$.absent | count ?? 0", "0"),
        ]),
    function("unique", unique)
        .about("The items without those that equal an earlier one.")
        .shows(&[("$.tags | unique", r#"["vip","beta"]"#), (r#"[1, 1.0, "1"] | unique"#, r#"[1,"1"]"#)]),
    function("sort", sort)
        .about(
            "The items in order: bools, numbers, timestamps, strings by Unicode scalars, lists, objects. \
             Equal items, lists and objects keep their order; null comes last in either direction.",
        )
        .takes(&[SUBJECT, Parameter::word("direction", Direction::WORDS)])
        .shows(&[
            ("$.tags | sort", r#"["beta","vip","vip"]"#),
            (r#"["b", 10, null, 9, "a"] | sort"#, r#"[9,10,"a","b",null]"#),
            (r#"[1, 3, null, 2] | sort("descending")"#, "[3,2,1,null]"),
        ]),
    function("reverse", reverse)
        .about("The items from last to first.")
        .shows(&[("[1, 2, 3] | reverse", "[3,2,1]"), ("[] | reverse", "[]")]),
    function("flatten", flatten)
        .about(
            "The list with items that are lists replaced by their items, `depth` levels deep, one \
             unless given.",
        )
        .takes(&[SUBJECT, Parameter::new("depth", INT).optional()])
        .fails_if("`depth` is not between 0 and 64")
        .shows(&[
            ("[1, [2, [3]]] | flatten", "[1,2,[3]]"),
            ("[1, [2, [3]]] | flatten(2)", "[1,2,3]"),
            ("[1] | flatten(-1)", "error"),
        ]),
    function("slice", slice)
        .about("The items from number `start` up to and without number `end`.")
        .takes(&[SUBJECT, Parameter::new("start", INT), Parameter::new("end", INT).optional()])
        .shows(&[
            ("[1, 2, 3, 4] | slice(1, 3)", "[2,3]"),
            ("[1, 2, 3, 4] | slice(-2)", "[3,4]"),
            ("[1, 2] | slice(5)", "[]"),
        ]),
    function("index_of", index_of)
        .about("The position of the first item that equals `item`; missing if there is none.")
        .takes(&[SUBJECT, Parameter::new("item", Kinds::PRESENT)])
        .gives(INT.or(MISSING))
        .shows(&[(r#"$.tags | index_of("beta")"#, "1"), (r#"$.tags | index_of("gold")"#, "missing")]),
    function("append", append)
        .about(
            "The list with more items behind it. A list that is missing or null is an empty one; \
             missing items are skipped.",
        )
        .takes(&[START, Parameter::new("items", Kinds::ANY).given(Presence::Repeated)])
        .sees_missing()
        .shows(&[
            ("$.tags | append($.event, $.absent)", r#"["vip","beta","vip","order_completed"]"#),
            ("$.absent | append(1)", "[1]"),
        ]),
    function("concat", concat)
        .about(
            "The items of all the lists. Lists that are missing or null are skipped; missing if \
             all are.",
        )
        .takes(&[START, Parameter::new("lists", LIST.or(ABSENT)).given(Presence::AnyNumber)])
        .gives(LIST.or(MISSING))
        .sees_missing()
        .shows(&[
            ("[1, 2] | concat([3], $.absent)", "[1,2,3]"),
            ("concat($.absent, $.nothing)", "missing"),
        ]),
];

fn first<'a>(_: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    Ok(argument(args, 0).at(0))
}

fn last<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let list = argument(args, 0);
    cx.spend(list.len() as u64 / 16)?;
    Ok(list.at(-1))
}

fn count<'a>(_: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    Ok(count_of(argument(args, 0).len()))
}

fn unique<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    keyed_by_itself(cx, argument(args, 0))?.distinct()
}

fn sort<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let direction = Direction::named(cx.text_or(args, 1, "")?);
    keyed_by_itself(cx, argument(args, 0))?.sorted(direction)
}

fn keyed_by_itself<'a, 'b>(cx: &Cx<'a, 'b>, list: Value<'a>) -> Result<Sorter<'a, 'b>, CallError> {
    let mut sorter = Sorter::new(cx);
    for item in list.items() {
        cx.spend(1)?;
        sorter.push(item, item)?;
    }
    Ok(sorter)
}

/// The items of a list in the arena, charged for.
pub(super) fn copied<'a>(
    cx: &Cx<'a, '_>,
    list: Value<'a>,
) -> Result<BumpVec<'a, Value<'a>>, CallError> {
    let mut items = cx.arena.vec_with_capacity(list.len());
    extend(cx, &mut items, list)?;
    Ok(items)
}

fn extend<'a>(
    cx: &Cx<'a, '_>,
    items: &mut BumpVec<'a, Value<'a>>,
    list: Value<'a>,
) -> Result<(), CallError> {
    cx.spend(list.len() as u64)?;
    items.extend(list.items());
    Ok(())
}

fn reverse<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut items = copied(cx, argument(args, 0))?;
    items.reverse();
    Ok(Value::List(items.into_bump_slice()))
}

fn flatten<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    const DEPTH_MAX: i64 = 64;
    let depth = optional_int_at(args, 1)?.unwrap_or(1);
    if !(0..=DEPTH_MAX).contains(&depth) {
        return Err(CallError::arithmetic(format!(
            "needs a `depth` from 0 to {DEPTH_MAX}"
        )));
    }
    let mut items = cx.arena.vec();
    flatten_into(cx, argument(args, 0), depth, &mut items)?;
    Ok(Value::List(items.into_bump_slice()))
}

fn flatten_into<'a>(
    cx: &Cx<'a, '_>,
    list: Value<'a>,
    depth: i64,
    items: &mut BumpVec<'a, Value<'a>>,
) -> Result<(), CallError> {
    for item in list.items() {
        cx.spend(1)?;
        if 0 < depth && item.kind() == Kind::List {
            flatten_into(cx, item, depth - 1, items)?;
        } else {
            items.push(item);
        }
    }
    Ok(())
}

fn slice<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let list = argument(args, 0);
    let (start, end) = bounds(list.len(), int_at(args, 1)?, optional_int_at(args, 2)?);
    if let Value::List(items) = list {
        return Ok(Value::List(items.get(start..end).unwrap_or_default()));
    }
    cx.spend(end as u64)?;
    Ok(cx.arena.list(list.items().take(end).skip(start)))
}

fn index_of<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let wanted = argument(args, 1);
    for (n, item) in argument(args, 0).items().enumerate() {
        cx.spend(comparison_cost(item, wanted))?;
        if order::equal(item, wanted) {
            return Ok(count_of(n));
        }
    }
    Ok(Value::Missing)
}

fn append<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut items = copied(cx, argument(args, 0))?;
    items.extend(rest(args, 1).iter().filter(|item| !item.is_missing()));
    Ok(Value::List(items.into_bump_slice()))
}

fn concat<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut lists = args
        .iter()
        .filter(|list| list.kind() == Kind::List)
        .peekable();
    if lists.peek().is_none() {
        return Ok(Value::Missing);
    }
    let mut items = cx.arena.vec();
    for list in lists {
        extend(cx, &mut items, *list)?;
    }
    Ok(Value::List(items.into_bump_slice()))
}
