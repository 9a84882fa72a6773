//! Time. Functions that read a moment take a timestamp or text in RFC 3339, never a bare number:
//! whether that is seconds or milliseconds is said by the name of the function that converts it.

use crate::clock::Timestamp;
use crate::expr::builtins::arguments::argument;
use crate::expr::builtins::arguments::number_of;
use crate::expr::builtins::arguments::unreadable;
use crate::expr::builtins::call::Call;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::expr::builtins::moment;
use crate::expr::builtins::number::parse;
use crate::expr::builtins::signature::BOOL;
use crate::expr::builtins::signature::Builtin;
use crate::expr::builtins::signature::Family;
use crate::expr::builtins::signature::INT;
use crate::expr::builtins::signature::MISSING;
use crate::expr::builtins::signature::MOMENT;
use crate::expr::builtins::signature::NUMBER;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::signature::TEXT;
use crate::expr::builtins::signature::TIME;
use crate::expr::scope::Kinds;
use crate::value::Number;
use crate::value::Value;

const SUBJECT: Parameter = Parameter::new("time", MOMENT);
const READ: Parameter = Parameter::new("value", NUMBER.or(TEXT));
const NOT_A_MOMENT: &str = "a text is no RFC 3339 timestamp";

const fn function(
    name: &'static str,
    call: for<'a> fn(&Cx<'a, '_>, &[Value<'a>]) -> Outcome<'a>,
) -> Builtin {
    Builtin::new(Family::Time, name, Call::Plain(call))
        .takes(&[SUBJECT])
        .fails_if(NOT_A_MOMENT)
}

pub(super) const TABLE: &[Builtin] = &[
    function("unix_time", unix_time)
        .about(
            "The moment that an unchecked value stands for, if it is unix seconds: a number from 0 to \
             the end of year 9999, fractions to the millisecond, or a string of digits for one. \
             Missing for everything else: null, dates in text, negative numbers, milliseconds.",
        )
        .takes(&[Parameter::new("value", Kinds::ANY)])
        .gives(TIME.or(MISSING))
        .sees_missing()
        .never_fails()
        .shows(&[
            ("$.created_at | unix_time", r#""2026-01-02T03:04:05.000Z""#),
            (r#""1514764800" | unix_time"#, r#""2018-01-01T00:00:00.000Z""#),
            ("1613063089.25 | unix_time", r#""2021-02-11T17:04:49.250Z""#),
            ("1767323045678 | unix_time", "missing"),
            (r#""yesterday" | unix_time ?? now"#, r#""2026-01-02T03:04:05.678Z""#),
        ]),
    function("from_unix", from_unix)
        .about(
            "The moment of a unix time in seconds: a number or decimal text, fractions to the \
             millisecond.",
        )
        .takes(&[READ])
        .gives(TIME)
        .fails_if("the text is no number or the moment is outside the years 0001 to 9999")
        .shows(&[
            ("$.created_at | from_unix", r#""2026-01-02T03:04:05.000Z""#),
            (r#""1613063089.25" | from_unix"#, r#""2021-02-11T17:04:49.250Z""#),
            ("1767323045678 | from_unix", "error"),
            ("$.nothing | from_unix", "null"),
        ]),
    function("from_unix_ms", from_unix_ms)
        .about("The moment of a unix time in milliseconds: a number or decimal text.")
        .takes(&[READ])
        .gives(TIME)
        .fails_if("the text is no number or the moment is outside the years 0001 to 9999")
        .shows(&[
            ("1767323045678 | from_unix_ms", r#""2026-01-02T03:04:05.678Z""#),
            (r#""soon" | from_unix_ms"#, "error"),
        ]),
    function("unix", unix)
        .about("Unix time in whole seconds, rounded down.")
        .gives(INT)
        .shows(&[("$.timestamp | unix", "1767323045"), ("now | unix", "1767323045"), ("$.event | unix", "error")]),
    function("unix_ms", unix_ms)
        .about("Unix time in milliseconds.")
        .gives(INT)
        .shows(&[("$.timestamp | unix_ms", "1767323045678"), ("$.absent | unix_ms", "missing")]),
    function("unix_us", unix_us)
        .about("Unix time in microseconds.")
        .gives(INT)
        .shows(&[("$.timestamp | unix_us", "1767323045678000"), (r#""2026-01-02" | unix_us"#, "error")]),
    function("iso8601", iso8601)
        .about(
            "The moment as text: RFC 3339 in UTC with milliseconds, the form timestamps are \
             written in.",
        )
        .shows(&[
            ("$.created_at | from_unix | iso8601", r#""2026-01-02T03:04:05.000Z""#),
            (r#""2026-01-02T05:04:05+02:00" | iso8601"#, r#""2026-01-02T03:04:05.000Z""#),
        ]),
    function("date", date)
        .about("The date of the moment in UTC.")
        .shows(&[("$.timestamp | date", r#""2026-01-02""#), (r#""2026-01-02T00:30:00+02:00" | date"#, r#""2026-01-01""#)]),
    function("age_seconds", age_seconds)
        .about(
            "How many whole seconds the moment lies before `at`, rounded down; negative if it lies \
             behind.",
        )
        .takes(&[SUBJECT, Parameter::new("at", MOMENT)])
        .gives(INT)
        .shows(&[
            (r#""2026-01-02T03:00:00Z" | age_seconds(now)"#, "245"),
            ("$.timestamp | age_seconds(now) < 7 * 86400", "true"),
        ]),
    function("is_iso8601", is_iso8601)
        .about("Whether it is a timestamp, or text that is a date or a timestamp in RFC 3339.")
        .takes(&[Parameter::new("value", Kinds::ANY)])
        .gives(BOOL)
        .sees_missing()
        .never_fails()
        .shows(&[("$.timestamp | is_iso8601", "true"), ("$.created_at | is_iso8601", "false"), ("$.absent | is_iso8601", "false")]),

];

/// The milliseconds of a number in another unit, rounded to the nearest if it is no whole number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, far beyond every moment"
)]
pub(super) fn millis(number: Number, times: u32, divided_by: u32) -> i64 {
    let millis = match number.as_int() {
        Some(int) => (int * i128::from(times)).div_euclid(divided_by.into()),
        None => (number.as_f64() * f64::from(times) / f64::from(divided_by)).round() as i128,
    };
    i64::try_from(millis).unwrap_or(i64::MAX)
}

fn unix_time<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let value = argument(args, 0);
    let number = match cx.read(value)? {
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => parse(text),
        Some(_) => None,
        None => value.as_number(),
    };
    let number = number.filter(|number| number.order(Number::Int(0)).is_ge());
    Ok(number
        .and_then(|number| moment::at(millis(number, 1000, 1)))
        .map_or(Value::Missing, Value::Time))
}

fn from_unix<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    of_number(cx, argument(args, 0), 1000)
}

fn from_unix_ms<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    of_number(cx, argument(args, 0), 1)
}

fn of_number<'a>(cx: &Cx<'a, '_>, value: Value<'a>, times: u32) -> Outcome<'a> {
    let number = match cx.read(value)? {
        Some(text) => parse(text).ok_or_else(|| unreadable("a unix time", value))?,
        None => number_of(value)?,
    };
    in_range(moment::at(millis(number, times, 1)), value)
}

pub(super) fn in_range(time: Option<Timestamp>, value: Value<'_>) -> Outcome<'_> {
    time.map(Value::Time).ok_or_else(|| {
        let mut error = unreadable("a moment in the years 0001 to 9999", value);
        if let (CallError::Own { message, .. }, true) = (&mut error, 1e11 <= size_of(value)) {
            message.push_str("; is it in another unit, then `from_unix_ms` or `detect_time`?");
        }
        error
    })
}

fn size_of(value: Value<'_>) -> f64 {
    let number = match value.to_text() {
        Some(text) => parse(&text),
        None => value.as_number(),
    };
    number.map_or(0.0, |number| number.as_f64().abs())
}

fn int(int: i64) -> Value<'static> {
    Value::Number(Number::Int(int))
}

fn unix<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    Ok(int(cx.moment_at(args, 0)?.as_millis().div_euclid(1000)))
}

fn unix_ms<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    Ok(int(cx.moment_at(args, 0)?.as_millis()))
}

fn unix_us<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    // A moment of year 9999 has 3 * 10^17 microseconds; one that was computed cannot be later.
    Ok(int(cx.moment_at(args, 0)?.as_millis().saturating_mul(1000)))
}

fn iso8601<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut out = cx.text();
    out.print(cx.moment_at(args, 0)?)?;
    out.value()
}

fn date<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut out = cx.text();
    out.print(cx.moment_at(args, 0)?)?;
    let text = out.finish()?;
    Ok(Value::Text(
        text.split_once('T').map_or(text, |(date, _)| date),
    ))
}

fn age_seconds<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let (time, at) = (cx.moment_at(args, 0)?, cx.moment_at(args, 1)?);
    let age = at.as_millis().saturating_sub(time.as_millis());
    Ok(int(age.div_euclid(1000)))
}

fn is_iso8601<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let value = argument(args, 0);
    let reads = |text| {
        moment::rfc_3339(text)
            .or_else(|| moment::midnight(text))
            .is_some()
    };
    let is_time = value.as_time().is_some() || cx.read(value)?.is_some_and(reads);
    Ok(Value::Bool(is_time))
}
