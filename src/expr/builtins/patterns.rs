//! Regular expressions. They are compiled with the configuration and take time in proportion to the
//! text, whatever the pattern.

use regex::Captures;
use regex::Regex;

use crate::expr::builtins::call::Call;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::expr::builtins::call::TextOut;
use crate::expr::builtins::signature::BOOL;
use crate::expr::builtins::signature::Builtin;
use crate::expr::builtins::signature::Family;
use crate::expr::builtins::signature::LIST;
use crate::expr::builtins::signature::LiteralUse;
use crate::expr::builtins::signature::MISSING;
use crate::expr::builtins::signature::OBJECT;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::signature::TEXT;
use crate::value::Value;

const SUBJECT: Parameter = Parameter::new("text", TEXT);
const PATTERN: Parameter = Parameter::literal("pattern", LiteralUse::Regex);

const fn function(
    name: &'static str,
    call: for<'a> fn(&Cx<'a, '_>, &[Value<'a>], &Regex) -> Outcome<'a>,
) -> Builtin {
    Builtin::new(Family::Text, name, Call::Regex(call)).takes(&[SUBJECT, PATTERN])
}

pub(super) const TABLE: &[Builtin] = &[
    function("matches", matches)
        .about("Whether the pattern occurs in the text. `^` and `$` in it tie it to start and end.")
        .gives(BOOL)
        .shows(&[
            (r#"$.event | matches(r"^order_\w+$")"#, "true"),
            (r#"$.event | matches(r"^Order")"#, "false"),
        ]),
    function("find", find)
        .about("The first part of the text that the pattern matches; missing if there is none.")
        .gives(TEXT.or(MISSING))
        .shows(&[
            (r#""order 4711, order 12" | find(r"\d+")"#, r#""4711""#),
            (r#""no number" | find(r"\d+")"#, "missing"),
        ]),
    function("find_all", find_all)
        .about(
            "All parts of the text that the pattern matches, from left to right, without overlap.",
        )
        .gives(LIST)
        .shows(&[
            (r#""order 4711, order 12" | find_all(r"\d+")"#, r#"["4711","12"]"#),
            (r#""no number" | find_all(r"\d+")"#, "[]"),
        ]),
    function("extract", extract)
        .about(
            "What the groups of the pattern match at its first occurrence, as an object: by name for \
             `(?P<name>…)`, else by number from 1. Groups that take no part are left out. Missing if \
             the pattern does not occur.",
        )
        .gives(OBJECT.or(MISSING))
        .shows(&[
            (
                r#"$.event | extract(r"^(?P<object>\w+?)_(?P<action>\w+)$")"#,
                r#"{"object":"order","action":"completed"}"#,
            ),
            (r#""v12" | extract(r"v(\d+)(-\w+)?")"#, r#"{"1":"12"}"#),
            (r#""none" | extract(r"v(\d+)")"#, "missing"),
        ]),
    function("replace_pattern", replace_pattern)
        .about(
            "The text with every part that the pattern matches replaced by `with`, in which `$1` and \
             `${name}` stand for what a group matched and `$$` for `$`.",
        )
        .takes(&[SUBJECT, PATTERN, Parameter::new("with", TEXT)])
        .shows(&[
            (r#"$.email | trim | replace_pattern(r"@.*$", "@…")"#, r#""Ann@…""#),
            (r#""2026-01-02" | replace_pattern(r"(\d+)-(\d+)-(\d+)", '$3.$2.$1')"#, r#""02.01.2026""#),
        ]),
];

/// Searching costs a step for each 16 bytes: about what an evaluated node takes.
fn subject<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Result<&'a str, CallError> {
    let text = cx.text_at(args, 0)?;
    cx.spend(text.len() as u64 / 16)?;
    Ok(text)
}

fn matches<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], pattern: &Regex) -> Outcome<'a> {
    Ok(Value::Bool(pattern.is_match(subject(cx, args)?)))
}

fn find<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], pattern: &Regex) -> Outcome<'a> {
    let found = pattern.find(subject(cx, args)?);
    Ok(found.map_or(Value::Missing, |found| Value::Text(found.as_str())))
}

fn find_all<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], pattern: &Regex) -> Outcome<'a> {
    let mut list = cx.arena.vec();
    for found in pattern.find_iter(subject(cx, args)?) {
        cx.spend(1)?;
        list.push(Value::Text(found.as_str()));
    }
    Ok(Value::List(list.into_bump_slice()))
}

fn extract<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], pattern: &Regex) -> Outcome<'a> {
    let Some(captures) = pattern.captures(subject(cx, args)?) else {
        return Ok(Value::Missing);
    };
    let mut object = cx.arena.vec();
    for (n, name) in pattern.capture_names().enumerate().skip(1) {
        cx.spend(1)?;
        let Some(found) = captures.get(n) else {
            continue;
        };
        let key = match name {
            Some(name) => cx.arena.text(name),
            None => cx.scalar(super::text::count(n))?,
        };
        object.push((key, Value::Text(found.as_str())));
    }
    Ok(Value::Object(object.into_bump_slice()))
}

fn replace_pattern<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], pattern: &Regex) -> Outcome<'a> {
    let (text, with) = (subject(cx, args)?, cx.text_at(args, 2)?);
    let mut out = cx.text();
    let mut end = 0;
    for captures in pattern.captures_iter(text) {
        cx.spend(1)?;
        let Some(found) = captures.get(0) else { break };
        out.push_str(text.get(end..found.start()).unwrap_or_default())?;
        expand(&captures, with, &mut out)?;
        end = found.end();
    }
    out.push_str(text.get(end..).unwrap_or_default())?;
    out.value()
}

/// Appends a replacement, its `$1`, `${name}` and `$$` filled in. A `$` before anything else stands
/// for itself, and a group that does not exist for nothing.
fn expand(captures: &Captures<'_>, with: &str, out: &mut TextOut<'_, '_>) -> Result<(), CallError> {
    let mut left = with;
    while let Some((plain, from)) = left.split_once('$') {
        out.push_str(plain)?;
        let word = |text: &str| {
            text.find(|char: char| !char.is_ascii_alphanumeric() && char != '_')
                .unwrap_or(text.len())
        };
        if let Some(behind) = from.strip_prefix('$') {
            out.push('$')?;
            left = behind;
        } else if let Some((name, behind)) = from
            .strip_prefix('{')
            .and_then(|braced| braced.split_once('}'))
        {
            out.push_str(group(captures, name))?;
            left = behind;
        } else if let Some((name, behind)) = from.split_at_checked(word(from))
            && !name.is_empty()
        {
            out.push_str(group(captures, name))?;
            left = behind;
        } else {
            out.push('$')?;
            left = from;
        }
    }
    out.push_str(left)
}

fn group<'t>(captures: &Captures<'t>, name: &str) -> &'t str {
    let found = match name.parse() {
        Ok(n) => captures.get(n),
        Err(_) => captures.name(name),
    };
    found.map_or("", |found| found.as_str())
}
