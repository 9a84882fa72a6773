//! Text: case, parts, tests and joins. Positions and lengths count Unicode scalars; where a
//! function counts bytes its name says so, and it never cuts a character.

use crate::expr::builtins::arguments::argument;
use crate::expr::builtins::arguments::bounds;
use crate::expr::builtins::arguments::count_at;
use crate::expr::builtins::arguments::given;
use crate::expr::builtins::arguments::int_at;
use crate::expr::builtins::arguments::optional_int_at;
use crate::expr::builtins::arguments::rest;
use crate::expr::builtins::call::Call;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::expr::builtins::signature::BOOL;
use crate::expr::builtins::signature::Builtin;
use crate::expr::builtins::signature::Family;
use crate::expr::builtins::signature::INT;
use crate::expr::builtins::signature::LIST;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::signature::Presence;
use crate::expr::builtins::signature::TEXT;
use crate::expr::builtins::sorting::comparison_cost;
use crate::expr::scope::Kinds;
use crate::value::Number;
use crate::value::Value;
use crate::value::order;

const SUBJECT: Parameter = Parameter::new("text", TEXT);

const fn function(
    name: &'static str,
    call: for<'a> fn(&Cx<'a, '_>, &[Value<'a>]) -> Outcome<'a>,
) -> Builtin {
    Builtin::new(Family::Text, name, Call::Plain(call)).takes(&[SUBJECT])
}

pub(super) const TABLE: &[Builtin] = &[
    function("upper", upper)
        .about("The text in upper case.")
        .shows(&[(r#""Straße" | upper"#, r#""STRASSE""#), ("$.nothing | upper", "null")]),
    function("lower", lower)
        .about("The text in lower case.")
        .shows(&[("$.email | trim | lower", r#""ann@example.com""#), (r#""ÉTÉ" | lower"#, r#""été""#)]),
    function("trim", trim)
        .about("The text without white space at its start and end, or without any of `characters`.")
        .takes(&[SUBJECT, Parameter::new("characters", TEXT).optional()])
        .shows(&[("$.email | trim", r#""Ann@Example.com""#), (r#""/a/b/" | trim("/")"#, r#""a/b""#)]),
    function("squish", squish)
        .about("The text trimmed, every run of white space inside it made one blank.")
        .shows(&[
            (r#""  Viewed  Shoes \n page " | squish"#, r#""Viewed Shoes page""#),
            (r#""" | squish"#, r#""""#),
        ]),
    function("length", length)
        .about("How many characters the text has. For lists and objects there is `count`.")
        .gives(INT)
        .shows(&[(r#""Zoë" | length"#, "3"), (r#""" | length"#, "0")]),
    function("byte_length", byte_length)
        .about("How many bytes the text takes in UTF-8.")
        .gives(INT)
        .shows(&[(r#""Zoë" | byte_length"#, "4"), ("$.event | byte_length", "15")]),
    function("contains", contains)
        .about(
            "Whether the text has one of the given texts in it, or the list one of the given \
             items.",
        )
        .takes(&[
            Parameter::new("in", TEXT.or(LIST)),
            Parameter::new("what", Kinds::PRESENT).given(Presence::Repeated),
        ])
        .gives(BOOL)
        .fails_if("a text is searched for something that is no string")
        .shows(&[
            (r#"$.event | contains("order")"#, "true"),
            (r#"$.tags | contains("vip", "gold")"#, "true"),
            (r#"$.tags | contains("VIP")"#, "false"),
            (r#"$.absent | contains("x")"#, "missing"),
        ]),
    function("starts_with", starts_with)
        .about("Whether the text starts with one of the given ones.")
        .takes(&[SUBJECT, Parameter::new("start", TEXT).given(Presence::Repeated)])
        .gives(BOOL)
        .shows(&[
            (r#"$.event | starts_with("order_")"#, "true"),
            (r#"$.event | starts_with("user_", "account_")"#, "false"),
        ]),
    function("ends_with", ends_with)
        .about("Whether the text ends with one of the given ones.")
        .takes(&[SUBJECT, Parameter::new("end", TEXT).given(Presence::Repeated)])
        .gives(BOOL)
        .shows(&[
            (r#"$.email | trim | lower | ends_with("@example.com", "@example.org")"#, "true"),
            (r#""" | ends_with("x")"#, "false"),
        ]),
    function("prefix", prefix)
        .about("The first `count` characters; all of them if there are fewer.")
        .takes(&[SUBJECT, Parameter::new("count", INT)])
        .fails_if("`count` is negative")
        .shows(&[(r#""Zoë Müller" | prefix(3)"#, r#""Zoë""#), (r#""ab" | prefix(-1)"#, "error")]),
    function("suffix", suffix)
        .about("The last `count` characters; all of them if there are fewer.")
        .takes(&[SUBJECT, Parameter::new("count", INT)])
        .fails_if("`count` is negative")
        .shows(&[(r#""order-12345" | suffix(5)"#, r#""12345""#), (r#""ab" | suffix(5)"#, r#""ab""#)]),
    function("substring", substring)
        .about(
            "The characters from number `start` up to and without number `end`. Numbers start at 0; \
             negative ones count from the end of the text.",
        )
        .takes(&[SUBJECT, Parameter::new("start", INT), Parameter::new("end", INT).optional()])
        .shows(&[
            (r#""2026-01-02" | substring(5, 7)"#, r#""01""#),
            (r#""2026-01-02" | substring(-2)"#, r#""02""#),
            (r#""ab" | substring(1, 0)"#, r#""""#),
        ]),
    function("truncate_bytes", truncate_bytes)
        .about("As many whole characters from the start as fit into `bytes` bytes of UTF-8.")
        .takes(&[SUBJECT, Parameter::new("bytes", INT)])
        .fails_if("`bytes` is negative")
        .shows(&[(r#""Zoë!" | truncate_bytes(3)"#, r#""Zo""#), (r#""Zoë!" | truncate_bytes(4)"#, r#""Zoë""#)]),
    function("pad", pad)
        .about(
            "The text made at least `length` characters long by repeating `with`, a blank unless \
             given, in front or behind.",
        )
        .takes(&[
            SUBJECT,
            Parameter::new("length", INT),
            Parameter::new("with", TEXT).optional(),
            Parameter::word("side", &["front", "behind"]),
        ])
        .fails_if("`length` is negative or `with` is empty")
        .shows(&[
            (r#""7" | pad(3, "0")"#, r#""007""#),
            (r#""7" | pad(3, ".", "behind")"#, r#""7..""#),
            (r#""1234" | pad(3)"#, r#""1234""#),
        ]),
    function("replace", replace)
        .about(
            "The text with every occurrence of `what` replaced by `with`. For patterns there is \
             `replace_pattern`.",
        )
        .takes(&[SUBJECT, Parameter::new("what", TEXT), Parameter::new("with", TEXT)])
        .fails_if("`what` is empty")
        .shows(&[
            (r#"$.event | replace("_", " ")"#, r#""order completed""#),
            (r#""a" | replace("", "x")"#, "error"),
        ]),
    function("split", split)
        .about(
            "The parts between occurrences of `at`, at most `parts` of them, the last with all \
             that is left.",
        )
        .takes(&[SUBJECT, Parameter::new("at", TEXT), Parameter::new("parts", INT).optional()])
        .gives(LIST)
        .fails_if("`at` is empty or `parts` is less than 1")
        .shows(&[
            (r#""a,b,,c" | split(",")"#, r#"["a","b","","c"]"#),
            (r#""a/b/c" | split("/", 2)"#, r#"["a","b/c"]"#),
        ]),
    function("join", join)
        .about(
            "The items of a list as text, with `with` between them, or nothing. Items that are \
             null are left out.",
        )
        .takes(&[Parameter::new("list", LIST), Parameter::new("with", TEXT).optional()])
        .fails_if("an item is a list or an object")
        .shows(&[
            (r#"$.tags | join(", ")"#, r#""vip, beta, vip""#),
            (r#"[1, null, true] | join("/")"#, r#""1/true""#),
            ("$.items | join", "error"),
        ]),
    function("digits", digits)
        .about("The digits 0 to 9 of the text, for telephone numbers.")
        .shows(&[(r#""+41 (0)44 668-18.00" | digits"#, r#""410446681800""#), (r#""none" | digits"#, r#""""#)]),
];

fn upper<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut out = cx.text();
    for char in cx.text_at(args, 0)?.chars().flat_map(char::to_uppercase) {
        out.push(char)?;
    }
    out.value()
}

fn lower<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut out = cx.text();
    for char in cx.text_at(args, 0)?.chars().flat_map(char::to_lowercase) {
        out.push(char)?;
    }
    out.value()
}

fn trim<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let text = cx.text_at(args, 0)?;
    if given(args, 1).is_none() {
        return Ok(Value::Text(text.trim()));
    }
    let characters = cx.text_at(args, 1)?;
    // Both factors count: each character is looked for among all of `characters`.
    cx.spend_bytes(text.len().saturating_mul(characters.len()))?;
    Ok(Value::Text(
        text.trim_matches(|char| characters.contains(char)),
    ))
}

fn squish<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut out = cx.text();
    for word in cx.text_at(args, 0)?.split_whitespace() {
        if !out.is_empty() {
            out.push(' ')?;
        }
        out.push_str(word)?;
    }
    out.value()
}

fn length<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let text = cx.text_at(args, 0)?;
    Ok(count(text.chars().count()))
}

fn byte_length<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    Ok(count(cx.text_at(args, 0)?.len()))
}

/// A number of things as a value.
pub(super) fn count<'a>(things: usize) -> Value<'a> {
    Value::Number(Number::Int(i64::try_from(things).unwrap_or(i64::MAX)))
}

fn contains<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let (within, wanted) = (argument(args, 0), rest(args, 1));
    let Some(text) = cx.read(within)? else {
        for item in within.items() {
            cx.spend(
                wanted
                    .iter()
                    .map(|wanted| comparison_cost(item, *wanted))
                    .sum(),
            )?;
            if wanted.iter().any(|wanted| order::equal(item, *wanted)) {
                return Ok(Value::Bool(true));
            }
        }
        return Ok(Value::Bool(false));
    };
    any_text(cx, wanted, text, |text, wanted| text.contains(wanted))
}

fn starts_with<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    any_text(cx, rest(args, 1), cx.text_at(args, 0)?, |text, start| {
        text.starts_with(start)
    })
}

fn ends_with<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    any_text(cx, rest(args, 1), cx.text_at(args, 0)?, |text, end| {
        text.ends_with(end)
    })
}

fn any_text<'a>(
    cx: &Cx<'a, '_>,
    candidates: &[Value<'a>],
    text: &str,
    holds: fn(&str, &str) -> bool,
) -> Outcome<'a> {
    for candidate in candidates {
        cx.spend_bytes(text.len())?;
        if holds(text, cx.text_of(*candidate)?) {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn prefix<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let characters = count_at(args, 1)?;
    let text = cx.text_at(args, 0)?;
    Ok(Value::Text(characters_of(text, (0, characters))))
}

fn suffix<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let characters = count_at(args, 1)?;
    let text = cx.text_at(args, 0)?;
    let length = text.chars().count();
    Ok(Value::Text(characters_of(
        text,
        (length.saturating_sub(characters), length),
    )))
}

fn substring<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let text = cx.text_at(args, 0)?;
    let (start, end) = (int_at(args, 1)?, optional_int_at(args, 2)?);
    Ok(Value::Text(characters_of(
        text,
        bounds(text.chars().count(), start, end),
    )))
}

/// The characters from one number up to another.
fn characters_of(text: &str, (start, end): (usize, usize)) -> &str {
    let byte = |text: &str, character| {
        text.char_indices()
            .nth(character)
            .map_or(text.len(), |(byte, _)| byte)
    };
    let from = text.get(byte(text, start)..).unwrap_or_default();
    from.get(..byte(from, end.saturating_sub(start)))
        .unwrap_or_default()
}

fn truncate_bytes<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let text = cx.text_at(args, 0)?;
    let mut end = count_at(args, 1)?.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Ok(Value::Text(text.get(..end).unwrap_or_default()))
}

fn pad<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let text = cx.text_at(args, 0)?;
    let (wanted, with) = (count_at(args, 1)?, cx.text_or(args, 2, " ")?);
    let behind = cx.text_or(args, 3, "front")? == "behind";
    if with.is_empty() {
        return Err(CallError::conversion(
            "needs something to fill with, `with` is empty",
        ));
    }
    let missing = wanted.saturating_sub(text.chars().count());
    let mut out = cx.text();
    if behind {
        out.push_str(text)?;
    }
    // The limit of the output ends this loop long before a large `length` does.
    for char in with.chars().cycle().take(missing) {
        out.push(char)?;
    }
    if !behind {
        out.push_str(text)?;
    }
    out.value()
}

fn replace<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let (text, what, with) = (
        cx.text_at(args, 0)?,
        cx.text_at(args, 1)?,
        cx.text_at(args, 2)?,
    );
    if what.is_empty() {
        return Err(CallError::conversion(
            "needs something to look for, `what` is empty",
        ));
    }
    let mut out = cx.text();
    for (n, part) in text.split(what).enumerate() {
        if 0 < n {
            out.push_str(with)?;
        }
        out.push_str(part)?;
    }
    out.value()
}

fn split<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let (text, at) = (cx.text_at(args, 0)?, cx.text_at(args, 1)?);
    let parts = optional_int_at(args, 2)?.unwrap_or(i64::MAX);
    if at.is_empty() || parts < 1 {
        return Err(CallError::conversion(
            "needs a text to split at and at least one part",
        ));
    }
    let mut list = cx.arena.vec();
    for part in text.splitn(usize::try_from(parts).unwrap_or(usize::MAX), at) {
        cx.spend(1)?;
        list.push(Value::Text(part));
    }
    Ok(Value::List(list.into_bump_slice()))
}

fn join<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let with = cx.text_or(args, 1, "")?;
    let mut out = cx.text();
    let items = argument(args, 0).items().filter(|item| !item.is_null());
    for (n, item) in items.enumerate() {
        cx.spend(1)?;
        if 0 < n {
            out.push_str(with)?;
        }
        out.push_scalar(item)?;
    }
    out.value()
}

fn digits<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut out = cx.text();
    for char in cx.text_at(args, 0)?.chars().filter(char::is_ascii_digit) {
        out.push(char)?;
    }
    out.value()
}
