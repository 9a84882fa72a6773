//! Quantities with their unit in the text: `30s`, `20GiB`, `100/s`, `5xx`.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::config::settings::Rate;

/// Longest duration: ten years. A larger one is a mistake, and would overflow somewhere.
const DURATION_MAX: Duration = Duration::from_secs(3_650 * 86_400);

/// `500ms`, `30s`, `5m`, `2h`, `7d`; zero may stand without a unit.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let advice = || {
        format!("`{text}` is no duration: write a whole number and ms, s, m, h or d, as in `30s`")
    };
    let (number, unit) = split(text).ok_or_else(advice)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "" if number == 0 => 0,
        _ => return Err(advice()),
    };
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .filter(|duration| *duration <= DURATION_MAX)
        .ok_or_else(|| format!("`{text}` is longer than ten years"))
}

/// `512B`, `64KiB`, `1MB`, `20GiB`, `1TiB`; zero may stand without a unit.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let advice = || {
        format!(
            "`{text}` is no size: write a whole number and B, KB, KiB, MB, MiB, GB, GiB or TiB, as in `64MiB`"
        )
    };
    let (number, unit) = split(text).ok_or_else(advice)?;
    let factor = match unit {
        "B" => 1,
        "KB" | "kB" => 1_000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "TiB" => 1 << 40,
        "" if number == 0 => 0,
        _ => return Err(advice()),
    };
    number
        .checked_mul(factor)
        .ok_or_else(|| format!("`{text}` is larger than can be counted"))
}

/// `100/s`, `600/m`, `5000/h`.
pub(super) fn rate(text: &str) -> Result<Rate, String> {
    let advice = || {
        format!("`{text}` is no rate: write requests by time, as in `100/s`, `600/m` or `5000/h`")
    };
    let (requests, per) = text.split_once('/').ok_or_else(advice)?;
    let requests: NonZeroU32 = requests.trim().parse().map_err(|_| advice())?;
    let seconds = match per.trim() {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(advice()),
    };
    Ok(Rate {
        requests: requests.get(),
        per: Duration::from_secs(seconds),
    })
}

/// `404` or a class such as `5xx`, as an inclusive range.
pub(super) fn statuses(text: &str) -> Result<(u16, u16), String> {
    let class = text
        .strip_suffix("xx")
        .and_then(|class| class.parse::<u16>().ok());
    if let Some(class @ 1..=5) = class {
        return Ok((class * 100, class * 100 + 99));
    }
    match text.parse::<u16>() {
        Ok(status @ 100..=599) => Ok((status, status)),
        _ => Err(format!(
            "`{text}` is no status: write `404`, or `4xx` for a whole class"
        )),
    }
}

/// The whole number at the start, and what is behind it.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_a_limit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(duration("3650d"), Ok(DURATION_MAX));
        for wrong in [
            "",
            "30",
            "s",
            "-1s",
            "1.5s",
            "1w",
            "3651d",
            "99999999999999999999s",
            "1s1s",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_tell_thousands_from_binary() {
        assert_eq!(bytes("1MB"), Ok(1_000_000));
        assert_eq!(bytes("1MiB"), Ok(1 << 20));
        assert_eq!(bytes("20 GiB"), Ok(20 << 30));
        for wrong in ["", "1", "1mb", "1M", "18446744073709551615KB", "x"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rates_are_at_least_one_request() {
        assert_eq!(
            rate("100/s"),
            Ok(Rate {
                requests: 100,
                per: Duration::from_secs(1)
            })
        );
        for wrong in ["0/s", "100", "100/d", "-1/s", "/s"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn statuses_are_numbers_or_classes() {
        assert_eq!(statuses("2xx"), Ok((200, 299)));
        assert_eq!(statuses("413"), Ok((413, 413)));
        for wrong in ["6xx", "99", "600", "xx", "20x"] {
            assert!(statuses(wrong).is_err(), "{wrong}");
        }
    }
}
