//! Numbers: exact as long as they are whole, `f64` otherwise.

use std::cmp::Ordering;
use std::fmt;

/// A number that was read for computing, or computed.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A whole number that fits.
    Int(i64),
    /// A whole number above `i64::MAX`. Invariant: never one that fits `Int`.
    UInt(u64),
    /// Everything else. Invariant: finite.
    Float(f64),
}

impl Number {
    /// The number of a JSON number text. `None` if it is beyond `f64`.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            if let Ok(int) = text.parse::<i64>() {
                return Some(Self::Int(int));
            }
            if let Ok(uint) = text.parse::<u64>() {
                return Some(Self::UInt(uint));
            }
        }
        text.parse().ok().and_then(Self::float)
    }

    /// A finite float.
    pub fn float(float: f64) -> Option<Self> {
        float.is_finite().then_some(Self::Float(float))
    }

    /// The whole number `int`, if it fits `i64` or `u64`.
    pub fn int(int: i128) -> Option<Self> {
        i64::try_from(int)
            .map(Self::Int)
            .or_else(|_| u64::try_from(int).map(Self::UInt))
            .ok()
    }

    /// The whole number, if it is stored as one.
    pub fn as_int(self) -> Option<i128> {
        match self {
            Self::Int(int) => Some(int.into()),
            Self::UInt(uint) => Some(uint.into()),
            Self::Float(_) => None,
        }
    }

    /// The nearest `f64`.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the nearest is what is asked for"
    )]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::UInt(uint) => uint as f64,
            Self::Float(float) => float,
        }
    }

    /// Compares by value: `1` equals `1.0`. Whole numbers compare exactly.
    pub fn order(self, other: Self) -> Ordering {
        match (self.as_int(), other.as_int()) {
            (Some(left), Some(right)) => left.cmp(&right),
            (Some(int), None) => order_int_float(int, other.as_f64()),
            (None, Some(int)) => order_int_float(int, self.as_f64()).reverse(),
            (None, None) => self
                .as_f64()
                .partial_cmp(&other.as_f64())
                .unwrap_or(Ordering::Equal),
        }
    }
}

impl fmt::Display for Number {
    /// As JSON. Whole floats print without a fraction, as in JavaScript: `round(2)` of 100 is `100`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => write!(f, "{int}"),
            Self::UInt(uint) => write!(f, "{uint}"),
            Self::Float(float) if *float != 0.0 && !(1e-7..1e21).contains(&float.abs()) => {
                write!(f, "{float:e}")
            }
            Self::Float(float) => write!(f, "{float}"),
        }
    }
}

/// Exact where rounding the int to a float would make two different numbers equal.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked first"
)]
fn order_int_float(int: i128, float: f64) -> Ordering {
    const BEYOND: f64 = 1e30;
    if BEYOND <= float {
        return Ordering::Less;
    }
    if float <= -BEYOND {
        return Ordering::Greater;
    }
    let whole = float.floor();
    int.cmp(&(whole as i128)).then(if whole < float {
        Ordering::Less
    } else {
        Ordering::Equal
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_whole_numbers_exact_up_to_u64() {
        assert!(matches!(
            Number::parse("9223372036854775807"),
            Some(Number::Int(i64::MAX))
        ));
        assert!(matches!(
            Number::parse("18446744073709551615"),
            Some(Number::UInt(u64::MAX))
        ));
        assert!(matches!(
            Number::parse("18446744073709551616"),
            Some(Number::Float(_))
        ));
        assert!(matches!(Number::parse("1.0"), Some(Number::Float(_))));
        assert!(Number::parse("1e400").is_none());
    }

    #[test]
    fn compares_ints_with_floats_exactly() {
        let big = Number::Int(9_007_199_254_740_993);
        assert_eq!(
            big.order(Number::Float(9_007_199_254_740_992.0)),
            Ordering::Greater
        );
        assert_eq!(Number::Int(1).order(Number::Float(1.0)), Ordering::Equal);
        assert_eq!(Number::Int(1).order(Number::Float(1.5)), Ordering::Less);
        assert_eq!(Number::Float(-1.5).order(Number::Int(-1)), Ordering::Less);
        assert_eq!(
            Number::UInt(u64::MAX).order(Number::Float(1e300)),
            Ordering::Less
        );
    }

    #[test]
    fn prints_numbers_as_short_as_they_read_back() {
        let print = |number: Number| number.to_string();
        assert_eq!(print(Number::Float(99.5)), "99.5");
        assert_eq!(print(Number::Float(100.0)), "100");
        assert_eq!(print(Number::Float(1e21)), "1e21");
        assert_eq!(print(Number::Float(2.5e-9)), "2.5e-9");
        assert_eq!(print(Number::UInt(u64::MAX)), "18446744073709551615");
    }
}
