//! Kinds, defaults, tables and tests.

// The standard library's name for this module is kept for what opens sockets; this only parses.
#![expect(
    clippy::unnecessary_wraps,
    reason = "every function has the type of a call"
)]

use core::net::IpAddr;

use crate::diagnostic::Code;
use crate::expr::builtins::arguments::argument;
use crate::expr::builtins::arguments::unreadable;
use crate::expr::builtins::call::Call;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::expr::builtins::hash::parse_uuid;
use crate::expr::builtins::signature::BOOL;
use crate::expr::builtins::signature::Builtin;
use crate::expr::builtins::signature::Family;
use crate::expr::builtins::signature::LiteralUse;
use crate::expr::builtins::signature::NUMBER;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::signature::TEXT;
use crate::expr::builtins::signature::TIME;
use crate::expr::scope::Kinds;
use crate::expr::scope::Table;
use crate::value;
use crate::value::Kind;
use crate::value::ParseLimits;
use crate::value::Value;

const ANYTHING: Parameter = Parameter::new("value", Kinds::ANY);

const fn function(
    name: &'static str,
    call: for<'a> fn(&Cx<'a, '_>, &[Value<'a>]) -> Outcome<'a>,
) -> Builtin {
    Builtin::new(Family::General, name, Call::Plain(call))
        .takes(&[ANYTHING])
        .sees_missing()
}

pub(super) const TABLE: &[Builtin] = &[
    Builtin::new(Family::General, "lookup", Call::Table(lookup))
        .about(
            "What a table of the configuration has for a key; missing if it has nothing. Keys \
             compare as text: `2` is `\"2\"`. Missing, null, lists and objects are in no table.",
        )
        .takes(&[
            Parameter::literal("table", LiteralUse::Table),
            Parameter::new("key", Kinds::ANY),
        ])
        .gives(Kinds::ANY)
        .sees_missing()
        .shows(&[
            (r#"lookup("plans", $.plan_id) ?? "free""#, r#""pro""#),
            (r#"$.plan_id | lookup("plans")"#, r#""pro""#),
            (r#"lookup("plans", "9")"#, "missing"),
            (r#"lookup("plans", $.absent)"#, "missing"),
        ]),
    function("type_of", type_of)
        .about(
            "The word for its kind: `missing`, `null`, `bool`, `int`, `number`, `timestamp`, \
             `string`, `list`, `object`.",
        )
        .shows(&[
            ("$.created_at | type_of", r#""int""#),
            ("2.5 | type_of", r#""number""#),
            ("$.absent | type_of", r#""missing""#),
        ]),
    function("string", string)
        .about(
            "The text for a number, a bool or a timestamp; text stays as it is. Digits stay as \
             they arrived. Lists and objects need `json`.",
        )
        .takes(&[Parameter::new("value", TEXT.or(NUMBER).or(BOOL).or(TIME))])
        .lifts()
        .shows(&[
            ("$.created_at | string", r#""1767323045""#),
            ("parse_json(\"99.50\") | string", r#""99.50""#),
            ("true | string", r#""true""#),
            ("$.absent | string", "missing"),
        ]),
    function("bool", bool)
        .about(
            "The bool that a text or a number says: `true`, `yes` and 1, `false`, `no` and 0, in \
             any case.",
        )
        .takes(&[Parameter::new("value", TEXT.or(NUMBER).or(BOOL))])
        .gives(BOOL)
        .lifts()
        .fails_if("it says neither")
        .shows(&[
            (r#""Yes" | bool"#, "true"),
            ("0 | bool", "false"),
            (r#""maybe" | bool"#, "error"),
        ]),
    function("default", default)
        .about("The value, or the other one if it is missing or null: `??` as a function.")
        .takes(&[ANYTHING, Parameter::new("other", Kinds::ANY)])
        .gives(Kinds::ANY)
        .shows(&[
            (r#"$.nothing | default("USD")"#, r#""USD""#),
            (r#"$.note | default("none")"#, r#""""#),
        ]),
    function("is_blank", is_blank)
        .about(
            "Whether there is nothing in it: missing, null, text of white space or none, an empty \
             list or object.",
        )
        .gives(BOOL)
        .shows(&[
            ("$.note | is_blank", "true"),
            ("$.absent | is_blank", "true"),
            ("0 | is_blank", "false"),
            ("$.tags | is_blank", "false"),
        ]),
    function("nonempty", nonempty)
        .about("The value, or missing if it is blank, so that `??` takes the next.")
        .gives(Kinds::ANY)
        .shows(&[
            ("$.note | nonempty ?? $.event", r#""order_completed""#),
            ("0 | nonempty", "0"),
        ]),
    function("is_email", is_email)
        .about(
            "Whether it is text in the form of an e-mail address: one `@`, no white space, a dot \
             in the domain.",
        )
        .gives(BOOL)
        .shows(&[
            ("$.email | trim | is_email", "true"),
            ("$.email | is_email", "false"),
            (r#""ann@localhost" | is_email"#, "false"),
        ]),
    function("is_uuid", is_uuid)
        .about("Whether it is text in the form of a UUID: 32 hex digits in five groups.")
        .gives(BOOL)
        .shows(&[
            (
                r#""2ed6657d-e927-568b-95e1-2665a8aea6a2" | is_uuid"#,
                "true",
            ),
            (r#""2ed6657de927568b95e12665a8aea6a2" | is_uuid"#, "false"),
        ]),
    function("is_ip", is_ip)
        .about("Whether it is text in the form of an IPv4 or IPv6 address.")
        .gives(BOOL)
        .shows(&[
            (r#""192.0.2.1" | is_ip"#, "true"),
            (r#""2001:db8::1" | is_ip"#, "true"),
            (r#""192.0.2" | is_ip"#, "false"),
        ]),
    function("error", error)
        .about(
            "Nothing: it fails with the message, and the `on_error` of the rule decides what \
             follows.",
        )
        .takes(&[Parameter::new("message", TEXT)])
        .gives(Kinds::NONE)
        .fails_if("it is evaluated")
        .shows(&[
            (r#"$.userId ?? error("an order needs a user")"#, "error"),
            (r#"$.event ?? error("no name")"#, r#""order_completed""#),
        ]),
];

/// What a table has for a key.
pub(super) fn row<'a>(cx: &Cx<'a, '_>, table: &Table, key: &str) -> Outcome<'a> {
    let Some(json) = table.rows.get(key) else {
        return Ok(Value::Missing);
    };
    cx.spend_bytes(json.len())?;
    value::parse(
        cx.arena.text(json).as_bytes(),
        ParseLimits::default(),
        cx.arena,
    )
    .map_err(|error| CallError::conversion(format!("finds a row that is not valid JSON: {error}")))
}

fn lookup<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], table: &Table) -> Outcome<'a> {
    let key = argument(args, 1);
    match key.kind() {
        Kind::Missing | Kind::Null | Kind::List | Kind::Object => Ok(Value::Missing),
        _ => row(cx, table, cx.scalar(key)?),
    }
}

fn type_of<'a>(_: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Text(argument(args, 0).kind().word()))
}

fn string<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    cx.scalar(argument(args, 0)).map(Value::Text)
}

fn bool<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let value = argument(args, 0);
    let text = cx.scalar(value)?.trim();
    let says = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match (says(["true", "yes", "1"]), says(["false", "no", "0"])) {
        (true, _) => Ok(Value::Bool(true)),
        (_, true) => Ok(Value::Bool(false)),
        _ => Err(unreadable("true or false", value)),
    }
}

fn default<'a>(_: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let value = argument(args, 0);
    Ok(if value.is_missing() || value.is_null() {
        argument(args, 1)
    } else {
        value
    })
}

fn blank<'a>(cx: &Cx<'a, '_>, value: Value<'a>) -> Result<bool, CallError> {
    Ok(match value.kind() {
        Kind::Missing | Kind::Null => true,
        Kind::List | Kind::Object => value.is_empty(),
        Kind::Text => cx.read(value)?.is_some_and(|text| text.trim().is_empty()),
        Kind::Bool | Kind::Int | Kind::Float | Kind::Time => false,
    })
}

fn is_blank<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    blank(cx, argument(args, 0)).map(Value::Bool)
}

fn nonempty<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let value = argument(args, 0);
    Ok(if blank(cx, value)? {
        Value::Missing
    } else {
        value
    })
}

fn holds_for_text<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], holds: fn(&str) -> bool) -> Outcome<'a> {
    Ok(Value::Bool(cx.read(argument(args, 0))?.is_some_and(holds)))
}

fn is_email<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    holds_for_text(cx, args, |text| {
        // RFC 5321, section 4.5.3.1: 64 bytes before the `@`, 254 for the whole.
        const LOCAL_MAX: usize = 64;
        const WHOLE_MAX: usize = 254;
        let Some((local, domain)) = text.split_once('@') else {
            return false;
        };
        let printable = !text.contains(|char: char| char.is_whitespace() || char.is_control());
        let sized = (1..=LOCAL_MAX).contains(&local.len()) && text.len() <= WHOLE_MAX;
        let labels = domain.contains('.') && domain.split('.').all(|label| !label.is_empty());
        printable && sized && labels && !domain.contains('@')
    })
}

fn is_uuid<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    holds_for_text(cx, args, |text| parse_uuid(text).is_some())
}

fn is_ip<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    holds_for_text(cx, args, |text| text.parse::<IpAddr>().is_ok())
}

fn error<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let message = cx.text_at(args, 0)?.to_owned();
    Err(CallError::Own {
        code: Code::Raised,
        message,
    })
}
