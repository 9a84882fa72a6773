//! What is done to each item of a list: the functions that take a lambda `x => …`. Inside it `index`
//! is the number of the item, from 0.

use crate::expr::builtins::arguments::argument;
use crate::expr::builtins::arguments::wanted;
use crate::expr::builtins::call::Apply;
use crate::expr::builtins::call::Call;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::expr::builtins::members::Members;
use crate::expr::builtins::number::Sum;
use crate::expr::builtins::signature::BOOL;
use crate::expr::builtins::signature::Builtin;
use crate::expr::builtins::signature::Family;
use crate::expr::builtins::signature::LIST;
use crate::expr::builtins::signature::NUMBER;
use crate::expr::builtins::signature::OBJECT;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::sorting::Direction;
use crate::expr::builtins::sorting::Sorter;
use crate::value::Kind;
use crate::value::Value;

const SUBJECT: Parameter = Parameter::new("list", LIST);
const EACH: Parameter = Parameter::lambda("each");
const NO_BOOL: &str = "the lambda gives something else than a bool, missing or null";

const fn function(
    name: &'static str,
    call: for<'a> fn(&Cx<'a, '_>, &[Value<'a>], Apply<'_, 'a>) -> Outcome<'a>,
) -> Builtin {
    Builtin::new(Family::List, name, Call::Lambda(call))
        .takes(&[SUBJECT, EACH])
        .gives(LIST)
}

pub(super) const TABLE: &[Builtin] = &[
    function("map", map)
        .about(
            "The list of what the lambda gives for each item; where it gives missing there is no \
             item.",
        )
        .shows(&[
            ("$.items | map(i => i.price * i.qty)", "[20,2.5]"),
            ("[1, null, 3] | map(x => x ?? $.absent)", "[1,3]"),
            ("$.tags | map(t => index)", "[0,1,2]"),
        ]),
    function("filter", filter)
        .about("The items for which the lambda is true.")
        .fails_if(NO_BOOL)
        .shows(&[
            ("$.items | filter(i => i.qty > 1) | count", "1"),
            ("[1, 2, 3] | filter(x => x != 2)", "[1,3]"),
            ("[1, 2] | filter(x => x)", "error"),
        ]),
    function("flat_map", flat_map)
        .about(
            "The items of all the lists that the lambda gives; what is no list is an item itself, \
             missing is none.",
        )
        .shows(&[
            (r#"["a b", "c"] | flat_map(x => x | split(" "))"#, r#"["a","b","c"]"#),
            ("[1, 2] | flat_map(x => x)", "[1,2]"),
        ]),
    function("any", any)
        .about("Whether the lambda is true for at least one item.")
        .gives(BOOL)
        .fails_if(NO_BOOL)
        .shows(&[("$.items | any(i => i.price > 5)", "true"), ("[] | any(i => true)", "false")]),
    function("all", all)
        .about("Whether the lambda is true for every item.")
        .gives(BOOL)
        .fails_if(NO_BOOL)
        .shows(&[("$.items | all(i => i.price > 5)", "false"), ("[] | all(i => false)", "true")]),
    function("sum_by", sum_by)
        .about("The sum of the numbers that the lambda gives; missing and null add nothing.")
        .gives(NUMBER)
        .fails_if("the lambda gives something else than a number or the sum is out of range")
        .shows(&[
            ("$.items | sum_by(i => i.price * (i.qty ?? 1))", "22.5"),
            ("$.items | sum_by(i => i.discount)", "0"),
        ]),
    function("sort_by", sort_by)
        .about(
            "The items in the order of what the lambda gives for them, which is that of `sort`; \
             where it is missing or null, last.",
        )
        .takes(&[SUBJECT, EACH, Parameter::word("direction", Direction::WORDS)])
        .shows(&[
            ("$.items | sort_by(i => i.price) | map(i => i.sku)", r#"["B-2","A-1"]"#),
            (r#"["bb", "a", "cc"] | sort_by(x => x | length, "descending")"#, r#"["bb","cc","a"]"#),
        ]),
    function("group_by", group_by)
        .about(
            "An object with a list of items for each text, number or bool that the lambda gives, in \
             the order they first appear. Items for which it is missing or null are left out.",
        )
        .gives(OBJECT)
        .fails_if("the lambda gives a list or an object")
        .shows(&[
            (r#"["ab", "c", "de"] | group_by(x => x | length)"#, r#"{"2":["ab","de"],"1":["c"]}"#),
            ("[] | group_by(x => x)", "{}"),
        ]),
];

/// Whether what a lambda gave holds: missing and null do not.
pub(super) fn holds(value: Value<'_>) -> Result<bool, CallError> {
    match (value.kind(), value.as_bool()) {
        (_, Some(truth)) => Ok(truth),
        (Kind::Missing | Kind::Null, None) => Ok(false),
        _ => Err(wanted("a bool from the lambda", value)),
    }
}

fn map<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], each: Apply<'_, 'a>) -> Outcome<'a> {
    let list = argument(args, 0);
    let mut mapped = cx.arena.vec_with_capacity(list.len());
    for (n, item) in list.items().enumerate() {
        cx.spend(1)?;
        let item = each(item, n)?;
        if !item.is_missing() {
            mapped.push(item);
        }
    }
    Ok(Value::List(mapped.into_bump_slice()))
}

fn filter<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], each: Apply<'_, 'a>) -> Outcome<'a> {
    let mut kept = cx.arena.vec();
    for (n, item) in argument(args, 0).items().enumerate() {
        cx.spend(1)?;
        if holds(each(item, n)?)? {
            kept.push(item);
        }
    }
    Ok(Value::List(kept.into_bump_slice()))
}

fn flat_map<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], each: Apply<'_, 'a>) -> Outcome<'a> {
    let mut items = cx.arena.vec();
    for (n, item) in argument(args, 0).items().enumerate() {
        let given = each(item, n)?;
        cx.spend(1 + given.len() as u64)?;
        match given.kind() {
            Kind::Missing => {}
            Kind::List => items.extend(given.items()),
            _ => items.push(given),
        }
    }
    Ok(Value::List(items.into_bump_slice()))
}

fn any<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], each: Apply<'_, 'a>) -> Outcome<'a> {
    for (n, item) in argument(args, 0).items().enumerate() {
        cx.spend(1)?;
        if holds(each(item, n)?)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn all<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], each: Apply<'_, 'a>) -> Outcome<'a> {
    for (n, item) in argument(args, 0).items().enumerate() {
        cx.spend(1)?;
        if !holds(each(item, n)?)? {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

fn sum_by<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], each: Apply<'_, 'a>) -> Outcome<'a> {
    let mut sum = Sum::ZERO;
    for (n, item) in argument(args, 0).items().enumerate() {
        cx.spend(1)?;
        sum = sum.add(each(item, n)?)?;
    }
    sum.value()
}

fn sort_by<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], each: Apply<'_, 'a>) -> Outcome<'a> {
    let mut sorter = Sorter::new(cx);
    for (n, item) in argument(args, 0).items().enumerate() {
        cx.spend(1)?;
        sorter.push(item, each(item, n)?)?;
    }
    sorter.sorted(Direction::named(cx.text_or(args, 2, "")?))
}

fn group_by<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], each: Apply<'_, 'a>) -> Outcome<'a> {
    let mut groups = Members::new(cx);
    for (n, item) in argument(args, 0).items().enumerate() {
        let key = each(item, n)?;
        if !key.is_missing() && !key.is_null() {
            groups.push(cx.scalar(key)?, item)?;
        }
    }
    groups.into_lists()
}
