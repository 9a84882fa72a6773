//! Time as calendars write it: formats, durations, the starts of days and months. All in UTC.

use jiff::civil::Time;
use jiff::fmt::StdFmtWrite;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::Offset;

use crate::clock::Timestamp;
use crate::expr::builtins::arguments::argument;
use crate::expr::builtins::arguments::given;
use crate::expr::builtins::arguments::number_of;
use crate::expr::builtins::arguments::shown;
use crate::expr::builtins::arguments::unreadable;
use crate::expr::builtins::call::Call;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::expr::builtins::moment;
use crate::expr::builtins::number::parse;
use crate::expr::builtins::signature::Builtin;
use crate::expr::builtins::signature::Family;
use crate::expr::builtins::signature::LiteralUse;
use crate::expr::builtins::signature::MOMENT;
use crate::expr::builtins::signature::NUMBER;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::signature::Presence;
use crate::expr::builtins::signature::TEXT;
use crate::expr::builtins::signature::TIME;
use crate::expr::builtins::time::in_range;
use crate::expr::builtins::time::millis;
use crate::value::Kind;
use crate::value::Value;

const SUBJECT: Parameter = Parameter::new("time", MOMENT);
const FORMAT: Parameter = Parameter::literal("format", LiteralUse::TimeFormat);
const UNIT: Parameter =
    Parameter::word("unit", &["minute", "hour", "day", "week", "month", "year"])
        .given(Presence::Required);

const fn function(
    name: &'static str,
    call: for<'a> fn(&Cx<'a, '_>, &[Value<'a>]) -> Outcome<'a>,
) -> Builtin {
    Builtin::new(Family::Time, name, Call::Plain(call)).takes(&[SUBJECT])
}

pub(super) const TABLE: &[Builtin] = &[
    function("parse_time", parse_time)
        .about(
            "The moment that a text says: RFC 3339 or a date, which means its midnight in UTC; with \
             `format`, exactly what that says, in UTC unless it names an offset.",
        )
        .takes(&[Parameter::new("text", TEXT), FORMAT.optional()])
        .gives(TIME)
        .fails_if("the text does not read so or the moment is outside the years 0001 to 9999")
        .shows(&[
            (r#""2026-01-02" | parse_time"#, r#""2026-01-02T00:00:00.000Z""#),
            (r#""02.01.2026 03:04" | parse_time("%d.%m.%Y %H:%M")"#, r#""2026-01-02T03:04:00.000Z""#),
            (r#""2 Jan 2026 03:04:05 +0200" | parse_time("%d %b %Y %T %z")"#, r#""2026-01-02T01:04:05.000Z""#),
            (r#""01/02/2026" | parse_time"#, "error"),
        ]),
    function("detect_time", detect_time)
        .about(
            "The moment that a text or a number most likely means: RFC 3339, a date, or unix time, in \
             seconds below 10^11, milliseconds below 10^14, microseconds below 10^17 and nanoseconds \
             above. A guess: where the form is known, say it with another function.",
        )
        .takes(&[Parameter::new("value", NUMBER.or(MOMENT))])
        .gives(TIME)
        .fails_if("it is none of these or the moment is outside the years 0001 to 9999")
        .shows(&[
            ("1767323045 | detect_time", r#""2026-01-02T03:04:05.000Z""#),
            (r#""1767323045678" | detect_time"#, r#""2026-01-02T03:04:05.678Z""#),
            (r#""2026-01-02" | detect_time"#, r#""2026-01-02T00:00:00.000Z""#),
            (r#""soon" | detect_time"#, "error"),
        ]),
    function("format_time", format_time)
        .about(
            "The moment as `format` says, in UTC. Directives are those of strftime: `%Y-%m-%d \
             %H:%M:%S`.",
        )
        .takes(&[SUBJECT, FORMAT])
        .fails_if("a text is no RFC 3339 timestamp")
        .shows(&[
            (r#"$.timestamp | format_time("%Y%m%d")"#, r#""20260102""#),
            (r#"$.timestamp | format_time("%A, %-d %B %Y, %T.%3f %:z")"#, r#""Friday, 2 January 2026, 03:04:05.678 +00:00""#),
        ]),
    function("add_time", add_time)
        .about(
            "The moment later by a duration, earlier by a negative one: seconds as a number, or text \
             such as `90s`, `-7d`, `1h 30m`, `2mo`, `1y` or the ISO 8601 `P1DT12H`. Months and years \
             are those of the calendar.",
        )
        .takes(&[SUBJECT, Parameter::new("duration", NUMBER.or(TEXT))])
        .gives(TIME)
        .fails_if("a text does not read so or the result is outside the years 0001 to 9999")
        .shows(&[
            (r#"$.timestamp | add_time("-7d")"#, r#""2025-12-26T03:04:05.678Z""#),
            (r#""2026-01-31T00:00:00Z" | add_time("1mo")"#, r#""2026-02-28T00:00:00.000Z""#),
            ("$.timestamp | add_time(0.5)", r#""2026-01-02T03:04:06.178Z""#),
            (r#"$.timestamp | add_time("soon")"#, "error"),
        ]),
    function("start_of", start_of)
        .about(
            "The first moment of the minute, hour, day, week (from Monday), month or year it is \
             in, in UTC.",
        )
        .takes(&[SUBJECT, UNIT])
        .fails_if("a text is no RFC 3339 timestamp")
        .gives(TIME)
        .shows(&[
            (r#"$.timestamp | start_of("day") | unix_ms"#, "1767312000000"),
            (r#"$.timestamp | start_of("week") | date"#, r#""2025-12-29""#),
        ]),
];

fn parse_time<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let (value, text) = (argument(args, 0), cx.text_at(args, 0)?);
    if given(args, 1).is_none() {
        let time = moment::rfc_3339(text).or_else(|| moment::midnight(text));
        return time
            .map(Value::Time)
            .ok_or_else(|| unreadable("an RFC 3339 timestamp or date", value));
    }
    let format = cx.text_at(args, 1)?;
    let time = BrokenDownTime::parse(format, text).map_err(|error| {
        CallError::conversion(format!(
            "cannot read {} as `{format}`: {error}",
            shown(value)
        ))
    })?;
    in_range(of_broken_down(&time), value)
}

fn of_broken_down(time: &BrokenDownTime) -> Option<Timestamp> {
    if let Some(exact) = time.timestamp() {
        return moment::at(exact.as_millisecond());
    }
    let date = time.to_date().ok()?;
    let time_of_day = time
        .hour()
        .map_or(Ok(Time::midnight()), |_| time.to_time())
        .ok()?;
    let utc = moment::from_civil(date.to_datetime(time_of_day))?;
    let offset = i64::from(time.offset().unwrap_or(Offset::UTC).seconds());
    moment::at(utc.as_millis() - offset * 1000)
}

fn detect_time<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let value = argument(args, 0);
    let text = cx.read(value)?;
    let number = match text {
        Some(text) => parse(text),
        None => value.as_number(),
    };
    let time = match number {
        Some(number) => {
            let (numerator, denominator) = match number.as_f64().abs() {
                size if size < 1e11 => (1000, 1),
                size if size < 1e14 => (1, 1),
                size if size < 1e17 => (1, 1000),
                _ => (1, 1_000_000),
            };
            moment::at(millis(number, numerator, denominator))
        }
        None => text.map_or(value.as_time(), |text| {
            moment::rfc_3339(text).or_else(|| moment::midnight(text))
        }),
    };
    time.map(Value::Time)
        .ok_or_else(|| unreadable("a time", value))
}

/// Checks a time format.
///
/// # Errors
///
/// What is wrong with it, in words.
pub(super) fn check_format(format: &str) -> Result<(), String> {
    let time = broken_down(Timestamp::from_millis(0)).ok_or("there is no such time")?;
    time.to_string(format)
        .map(drop)
        .map_err(|error| error.to_string())
}

fn broken_down(time: Timestamp) -> Option<BrokenDownTime> {
    let mut broken_down = BrokenDownTime::from(moment::to_civil(time)?);
    broken_down.set_offset(Some(Offset::UTC));
    broken_down.set_timestamp(jiff::Timestamp::from_millisecond(time.as_millis()).ok());
    Some(broken_down)
}

fn format_time<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let (time, format) = (cx.moment_at(args, 0)?, cx.text_at(args, 1)?);
    let broken_down = broken_down(time).ok_or_else(|| unreadable("a time", argument(args, 0)))?;
    let mut out = cx.text();
    broken_down
        .format(format, StdFmtWrite(&mut out))
        .map_err(|error| CallError::conversion(error.to_string()))?;
    out.value()
}

fn add_time<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let (time, duration) = (cx.moment_at(args, 0)?, argument(args, 1));
    let later = match duration.kind() {
        Kind::Int | Kind::Float => {
            let added = millis(number_of(duration)?, 1000, 1);
            time.as_millis().checked_add(added).and_then(moment::at)
        }
        _ => {
            let span: jiff::Span = cx
                .text_at(args, 1)?
                .parse()
                .map_err(|_| unreadable("a duration such as 7d or 1h 30m", duration))?;
            let later = moment::to_civil(time).and_then(|civil| civil.checked_add(span).ok());
            later.and_then(moment::from_civil)
        }
    };
    in_years(later)
}

fn in_years<'a>(time: Option<Timestamp>) -> Outcome<'a> {
    time.map(Value::Time)
        .ok_or_else(|| CallError::arithmetic("leads out of the years 0001 to 9999"))
}

fn start_of<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let (time, unit) = (cx.moment_at(args, 0)?, cx.text_at(args, 1)?);
    let millis = time.as_millis();
    let fixed = |unit: i64| moment::at(millis - millis.rem_euclid(unit));
    let start = match unit {
        "minute" => fixed(60_000),
        "hour" => fixed(3_600_000),
        "day" => fixed(moment::DAY),
        // 1970-01-05 was a Monday, the fifth day of the epoch.
        "week" => moment::at(millis - (millis - 4 * moment::DAY).rem_euclid(7 * moment::DAY)),
        _ => moment::to_civil(time).and_then(|civil| {
            let date = if unit == "year" {
                civil.date().first_of_year()
            } else {
                civil.date().first_of_month()
            };
            moment::from_civil(date.at(0, 0, 0, 0))
        }),
    };
    in_years(start)
}
