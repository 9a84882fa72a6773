//! Moments: the arithmetic behind the functions of time. Years 0001 to 9999, UTC, milliseconds.

use std::ops::RangeInclusive;

use jiff::civil;

use crate::clock::Timestamp;

/// The milliseconds a moment can have: years 0001 to 9999, what RFC 3339 can write.
pub(super) const RANGE: RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// The moment with that many milliseconds, if it is in [`RANGE`].
pub(super) fn at(millis: i64) -> Option<Timestamp> {
    RANGE
        .contains(&millis)
        .then(|| Timestamp::from_millis(millis))
}

/// The date and time of day in UTC.
pub(super) fn to_civil(time: Timestamp) -> Option<civil::DateTime> {
    let millis = time.as_millis();
    let days = i32::try_from(millis.div_euclid(DAY)).ok()?;
    let date = epoch()
        .checked_add(jiff::Span::new().try_days(days).ok()?)
        .ok()?;
    let of_day = millis.rem_euclid(DAY);
    let part = |unit: i64, modulus: i64| i8::try_from(of_day / unit % modulus).ok();
    let nanos = i32::try_from(of_day % SECOND).ok()? * 1_000_000;
    let time =
        civil::Time::new(part(HOUR, 24)?, part(MINUTE, 60)?, part(SECOND, 60)?, nanos).ok()?;
    Some(date.to_datetime(time))
}

/// The moment of a date and time of day in UTC; what is finer than a millisecond is cut off.
pub(super) fn from_civil(civil: civil::DateTime) -> Option<Timestamp> {
    let days = civil
        .date()
        .duration_since(epoch())
        .as_secs()
        .div_euclid(DAY / SECOND);
    let time = civil.time();
    let of_day = i64::from(time.hour()) * HOUR
        + i64::from(time.minute()) * MINUTE
        + i64::from(time.second()) * SECOND
        + i64::from(time.subsec_nanosecond()) / 1_000_000;
    at(days * DAY + of_day)
}

fn epoch() -> civil::Date {
    civil::date(1970, 1, 1)
}

/// A date and time with offset as in RFC 3339, section 5.6; nothing looser. A leap second counts as
/// the second before it, digits finer than milliseconds are cut off.
pub(super) fn rfc_3339(text: &str) -> Option<Timestamp> {
    let (date, behind) = text.split_at_checked(10)?;
    let (time, offset) = behind.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let [hour, minute, second] = fields(time, ":")?;
    if 23 < hour || 59 < minute || 60 < second {
        return None;
    }
    let (millis, offset) = fraction(offset)?;
    let of_day = hour * HOUR + minute * MINUTE + second.min(59) * SECOND + millis;
    at(midnight(date)?.as_millis() + of_day - offset_millis(offset)?)
}

/// The first moment of a date `2026-01-02`.
pub(super) fn midnight(date: &str) -> Option<Timestamp> {
    let (year, behind) = date.split_at_checked(4)?;
    let [month, day] = fields(behind.strip_prefix('-')?, "-")?;
    let date = civil::Date::new(
        i16::try_from(digits(year)?).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    );
    from_civil(date.ok()?.at(0, 0, 0, 0))
}

/// Reads fields of two digits each with a separator between them.
fn fields<const N: usize>(text: &str, between: &str) -> Option<[i64; N]> {
    let mut parts = text.split(between);
    let mut fields = [0; N];
    for field in &mut fields {
        *field = parts
            .next()
            .filter(|part| part.len() == 2)
            .and_then(digits)?;
    }
    parts.next().is_none().then_some(fields)
}

fn digits(text: &str) -> Option<i64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// Splits `.123456Z` into milliseconds and `Z`.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(behind) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let end = behind.find(|char: char| !char.is_ascii_digit())?;
    let (digits, offset) = behind.split_at_checked(end)?;
    if digits.is_empty() {
        return None;
    }
    let places = digits.bytes().chain(std::iter::repeat(b'0')).take(3);
    Some((
        places.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')),
        offset,
    ))
}

/// The milliseconds of `Z`, `+02:00` or `-09:30`.
fn offset_millis(text: &str) -> Option<i64> {
    if let "Z" | "z" = text {
        return Some(0);
    }
    let (sign, behind) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(behind), _) => (1, behind),
        (_, Some(behind)) => (-1, behind),
        _ => return None,
    };
    let [hours, minutes] = fields(behind, ":")?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * HOUR + minutes * MINUTE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_rfc_3339_and_nothing_looser() {
        let read = |text| rfc_3339(text).map(|time| time.to_string());
        for (text, expected) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
            ("2026-01-02t03:04:05.6789z", "2026-01-02T03:04:05.678Z"),
            ("2026-01-02 03:04:05+02:00", "2026-01-02T01:04:05.000Z"),
            ("2026-01-02T03:04:05.5-09:30", "2026-01-02T12:34:05.500Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04Z",
            "2026-1-2T03:04:05Z",
            "2026-02-29T00:00:00Z",
            "2026-01-02T24:00:00Z",
            "2026-01-02T03:04:61Z",
            "20260102T030405Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05+0200",
            "2026-01-02T03:04:05+2:00",
            "2026-01-02T03:04:05Z ",
            "+2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05Z[UTC]",
            "é026-01-02T03:04:05Z",
            "9999-12-31T23:59:59-00:01",
            "0000-12-31T23:59:59Z",
            "2026-01-02T03:04:05+24:00",
            "-026-01-02T03:04:05Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_a_moment_prints_reads_back(millis in RANGE) {
            let time = Timestamp::from_millis(millis);
            prop_assert_eq!(rfc_3339(&time.to_string()), Some(time));
            prop_assert_eq!(to_civil(time).and_then(from_civil), Some(time));
        }

        #[test]
        fn no_text_makes_reading_panic(text in "[0-9TZtz:. é+-]{0,30}") {
            let _ = rfc_3339(&text);
        }
    }
}
