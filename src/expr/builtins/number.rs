//! Numbers. Whole ones are exact from `-2^63` to `2^64 - 1` and fail rather than wrap; the others
//! are `f64`.

use crate::expr::builtins::arguments::argument;
use crate::expr::builtins::arguments::number_of;
use crate::expr::builtins::arguments::optional_int_at;
use crate::expr::builtins::arguments::shown;
use crate::expr::builtins::arguments::unreadable;
use crate::expr::builtins::arguments::wanted;
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
use crate::expr::builtins::signature::NUMBER;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::signature::Presence;
use crate::expr::builtins::signature::TEXT;
use crate::expr::builtins::signature::TIME;
use crate::expr::scope::Kinds;
use crate::value::Kind;
use crate::value::Number;
use crate::value::Value;
use crate::value::order;

const SUBJECT: Parameter = Parameter::new("number", NUMBER);
const COMPARED: Kinds = NUMBER.or(TIME).or(TEXT).or(LIST).or(ABSENT);
const READ: Parameter = Parameter::new("value", NUMBER.or(TEXT));

const fn function(
    name: &'static str,
    call: for<'a> fn(&Cx<'a, '_>, &[Value<'a>]) -> Outcome<'a>,
) -> Builtin {
    Builtin::new(Family::Number, name, Call::Plain(call))
        .takes(&[SUBJECT])
        .gives(NUMBER)
}

pub(super) const TABLE: &[Builtin] = &[
    function("int", int)
        .about(
            "The whole number that a number or a text stands for. It never rounds: there are `round`, \
             `floor` and `ceil`. Text is decimal digits, with `-`, a fraction or an exponent if \
             needed, and white space around it.",
        )
        .takes(&[READ])
        .gives(INT)
        .fails_if("the number has a fraction, is out of range, or the text is no number")
        .shows(&[(r#""42" | int"#, "42"), ("2.0 | int", "2"), ("2.5 | int", "error"), (r#""" | int"#, "error")]),
    function("number", number)
        .about("The number that a text stands for; numbers stay as they are.")
        .takes(&[READ])
        .fails_if("the text is no number")
        .shows(&[
            ("$.total | number", "99.5"),
            (r#"" -1.5e3 " | number"#, "-1500"),
            (r#""$5" | number"#, "error"),
            (r#""$5" | number catch 0"#, "0"),
        ]),
    function("amount", amount)
        .about(
            "The number in an amount of money as people write it: a currency (`$`, `EUR`, `US$`) before or behind it and \
             commas between thousands are skipped. Numbers stay as they are.",
        )
        .takes(&[READ])
        .fails_if("what is left is no number, or a comma does not part thousands")
        .shows(&[
            (r#""$1,234.50" | amount"#, "1234.5"),
            (r#""-5 CHF" | amount"#, "-5"),
            (r#""US$ 20" | amount"#, "20"),
            (r#""1.234,50 €" | amount"#, "error"),
            (r#""5k" | amount"#, "error"),
        ]),
    function("round", round)
        .about(
            "The number rounded to `places` decimals, to none unless given; halves away from zero, as \
             written: `1.005` to two places is `1.01`. Without places the result is whole.",
        )
        .takes(&[SUBJECT, Parameter::new("places", INT).optional()])
        .fails_if("`places` is not between 0 and 15")
        .shows(&[
            ("$.total | number | round", "100"),
            ("1.005 | round(2)", "1.01"),
            ("-2.5 | round", "-3"),
            ("7 | round(2)", "7"),
        ]),
    function("floor", floor)
        .about("The largest whole number that is not above the number.")
        .shows(&[("2.7 | floor", "2"), ("-2.1 | floor", "-3")]),
    function("ceil", ceil)
        .about("The smallest whole number that is not below the number.")
        .shows(&[("2.1 | ceil", "3"), ("-2.7 | ceil", "-2")]),
    function("abs", abs)
        .about("The number without its sign.")
        .shows(&[("-3 | abs", "3"), ("2.5 | abs", "2.5")]),
    function("min", min)
        .about(
            "The smallest of some numbers, timestamps or strings, or of the items of lists. Missing \
             and null are skipped; missing if nothing is left.",
        )
        .takes(&[Parameter::new("values", COMPARED).given(Presence::Repeated)])
        .gives(NUMBER.or(TIME).or(TEXT).or(MISSING))
        .sees_missing()
        .fails_if("they are not all of one kind")
        .shows(&[
            ("min(3, 1, 2)", "1"),
            ("min($.items[*].price)", "2.5"),
            ("min($.absent, 5)", "5"),
            (r#"min(1, "2")"#, "error"),
        ]),
    function("max", max)
        .about(
            "The largest of some numbers, timestamps or strings, or of the items of lists. Missing \
             and null are skipped; missing if nothing is left.",
        )
        .takes(&[Parameter::new("values", COMPARED).given(Presence::Repeated)])
        .gives(NUMBER.or(TIME).or(TEXT).or(MISSING))
        .sees_missing()
        .fails_if("they are not all of one kind")
        .shows(&[("max(3, 1, 2)", "3"), ("$.items[*].qty | max(0)", "2"), ("max($.absent, null)", "missing")]),
    function("clamp", clamp)
        .about("The number, or `low` if it is below it, or `high` if it is above.")
        .takes(&[SUBJECT, Parameter::new("low", NUMBER), Parameter::new("high", NUMBER)])
        .fails_if("`high` is less than `low`")
        .shows(&[("120 | clamp(0, 100)", "100"), ("0.5 | clamp(0, 1)", "0.5"), ("1 | clamp(2, 1)", "error")]),
    function("sum", sum)
        .about("The sum of a list's numbers; null is skipped, nothing adds up to 0.")
        .takes(&[Parameter::new("list", LIST)])
        .fails_if("an item is no number or the sum is out of range")
        .shows(&[("$.items[*].price | sum", "12.5"), ("[] | sum", "0"), (r#"[1, "2"] | sum"#, "error")]),
];

/// The number that decimal text stands for: `-`, digits, a fraction, an exponent; white space around
/// it and leading zeros are fine.
pub(super) fn parse(text: &str) -> Option<Number> {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    // Rust reads more than we want, so the edges of every part are looked at: `.5`, `5.`, `1e+`.
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, "0"), |(w, f)| (w, f));
    let starts = |part: &str| part.starts_with(|char: char| char.is_ascii_digit());
    (plain && starts(whole) && starts(fraction))
        .then(|| Number::parse(text))
        .flatten()
}

/// What is added up, exact as long as it is whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sum {
    Whole(i128),
    Float(f64),
}

impl Sum {
    pub(super) const ZERO: Self = Self::Whole(0);

    /// Adds a value; missing and null add nothing.
    pub(super) fn add(self, value: Value<'_>) -> Result<Self, CallError> {
        if value.is_missing() || value.is_null() {
            return Ok(self);
        }
        let number = number_of(value)?;
        Ok(match (self, number.as_int()) {
            // No list is long enough to overflow 128 bits with 64-bit numbers.
            (Self::Whole(sum), Some(int)) => Self::Whole(sum.saturating_add(int)),
            (sum, _) => Self::Float(sum.as_f64() + number.as_f64()),
        })
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a float has been added, so it is rounded anyway"
    )]
    fn as_f64(self) -> f64 {
        match self {
            Self::Whole(sum) => sum as f64,
            Self::Float(sum) => sum,
        }
    }

    /// The sum as a result.
    pub(super) fn value<'a>(self) -> Outcome<'a> {
        let number = match self {
            Self::Whole(sum) => Number::int(sum),
            Self::Float(sum) => Number::float(sum),
        };
        number
            .map(Value::Number)
            .ok_or_else(|| CallError::arithmetic("gives a sum that is out of range"))
    }
}

fn read<'a>(cx: &Cx<'a, '_>, value: Value<'a>) -> Result<Number, CallError> {
    match cx.read(value)? {
        Some(text) => parse(text).ok_or_else(|| unreadable("a number", value)),
        None => number_of(value),
    }
}

fn int<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let value = argument(args, 0);
    if value.kind() == Kind::Int {
        // A whole number of more than 64 bits stays as it is: its digits are the value.
        return Ok(value);
    }
    let number = read(cx, value)?;
    let float = number.as_f64();
    let int = match number.as_int() {
        None if float.fract() == 0.0 => whole(float),
        int => int.and_then(Number::int),
    };
    int.map(Value::Number)
        .ok_or_else(|| unreadable("a whole number in range", value))
}

fn number<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let value = argument(args, 0);
    match value.kind() {
        Kind::Int | Kind::Float => Ok(value),
        _ => read(cx, value).map(Value::Number),
    }
}

fn amount<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let value = argument(args, 0);
    let Some(text) = cx.read(value)? else {
        return Ok(value);
    };
    let refused = || unreadable("an amount", value);
    let text = text.trim();
    let (sign, unsigned) = text
        .strip_prefix('-')
        .map_or(("", text), |unsigned| ("-", unsigned));
    let is_digit = |char: char| char.is_ascii_digit() || matches!(char, '-' | '.' | ',');
    let start = unsigned.find(is_digit).ok_or_else(refused)?;
    let end = unsigned.rfind(is_digit).map_or(start, |last| last + 1);
    let [before, number, behind] = [0..start, start..end, end..unsigned.len()]
        .map(|part| unsigned.get(part).unwrap_or_default());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let parted = groups.all(|group| group.len() == 3) && !fraction.contains(',');
    let parted = parted && (first.len() <= 3 || first.len() == whole.len());
    if !parted || !is_currency(before) || !is_currency(behind) {
        return Err(refused());
    }
    let mut digits = cx.text();
    digits.push_str(sign)?;
    number
        .split(',')
        .try_for_each(|part| digits.push_str(part))?;
    parse(digits.finish()?)
        .map(Value::Number)
        .ok_or_else(refused)
}

/// Whether what stands around a number is no more than a currency: `$`, `US$`, `EUR` or nothing. `5k`
/// and `5 dozen` are no amounts.
fn is_currency(text: &str) -> bool {
    const CODE_LENGTH: usize = 3;
    let text = text.trim();
    let letters = text.trim_end_matches(|char| "$€£¥₹₽₺₩₪฿₫₴₦".contains(char));
    let symbols = text.len() != letters.len();
    letters.bytes().all(|byte| byte.is_ascii_uppercase())
        && (letters.len() == CODE_LENGTH
            || letters.is_empty()
            || symbols && letters.len() < CODE_LENGTH)
}

/// The whole number a float without fraction is.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates and 128 bits exceed the range"
)]
fn whole(float: f64) -> Option<Number> {
    Number::int(float as i128)
}

/// A rounded float: whole if it fits, else the float that it is, which has no fraction then.
fn rounded<'a>(float: f64) -> Value<'a> {
    Value::Number(whole(float).unwrap_or(Number::Float(float)))
}

fn round<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    const PLACES_MAX: usize = 15;
    let value = argument(args, 0);
    let places = usize::try_from(optional_int_at(args, 1)?.unwrap_or(0)).unwrap_or(usize::MAX);
    if PLACES_MAX < places {
        return Err(CallError::arithmetic(format!(
            "needs `places` from 0 to {PLACES_MAX}"
        )));
    }
    let float = match number_of(value)? {
        Number::Float(float) => float,
        Number::Int(_) | Number::UInt(_) => return Ok(value),
    };
    if places == 0 {
        return Ok(rounded(float.round()));
    }
    round_as_written(cx, float, places)
}

/// Rounds the shortest decimal text of a float, which is what its author wrote, not the binary
/// fraction, which may lie just below a half.
fn round_as_written<'a>(cx: &Cx<'a, '_>, float: f64, places: usize) -> Outcome<'a> {
    // From here on a float has no decimals.
    const WHOLE_FROM: f64 = 1e16;
    let unchanged = Ok(Value::Number(Number::Float(float)));
    if WHOLE_FROM <= float.abs() {
        return unchanged;
    }
    let mut text = cx.text();
    text.print(float.abs())?;
    let (whole, fraction) = text.finish()?.split_once('.').unwrap_or_default();
    let Some((kept, cut)) = fraction.split_at_checked(places) else {
        return unchanged;
    };
    // At most 16 digits before the point and 15 behind it.
    let digits = whole.bytes().chain(kept.bytes());
    let mut digits = digits.fold(0, |sum: i128, digit| sum * 10 + i128::from(digit - b'0'));
    if cut.as_bytes().first().is_some_and(|digit| b'5' <= *digit) {
        digits += 1;
    }
    let mut text = cx.text();
    text.print(format_args!(
        "{}{digits}e-{places}",
        if float < 0.0 && 0 < digits { "-" } else { "" }
    ))?;
    let number = text.finish()?.parse().ok().and_then(Number::float);
    number.map_or(unchanged, |number| Ok(Value::Number(number)))
}

fn floor<'a>(_: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    to_whole(argument(args, 0), f64::floor)
}

fn ceil<'a>(_: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    to_whole(argument(args, 0), f64::ceil)
}

fn to_whole(value: Value<'_>, round: fn(f64) -> f64) -> Outcome<'_> {
    Ok(match number_of(value)? {
        Number::Float(float) => rounded(round(float)),
        Number::Int(_) | Number::UInt(_) => value,
    })
}

fn abs<'a>(_: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let number = number_of(argument(args, 0))?;
    let size = match number.as_int() {
        Some(int) => Number::int(int.abs()),
        None => Number::float(number.as_f64().abs()),
    };
    Ok(Value::Number(size.unwrap_or(number)))
}

fn min<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    extreme(cx, args, std::cmp::Ordering::Less)
}

fn max<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    extreme(cx, args, std::cmp::Ordering::Greater)
}

/// The value that compares to all others as `wins` says; the first of equal ones.
fn extreme<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>], wins: std::cmp::Ordering) -> Outcome<'a> {
    let mut best = Value::Missing;
    for arg in args {
        let alone = std::iter::once(*arg).filter(|arg| arg.kind() != Kind::List);
        for value in arg.items().chain(alone) {
            cx.spend(1)?;
            if value.is_missing() || value.is_null() {
                continue;
            }
            // A first value is compared with itself, so that one list or object is refused as well.
            let other = if best.is_missing() { value } else { best };
            let order = order::order(value, other).ok_or_else(|| incomparable(value, other))?;
            if best.is_missing() || order == wins {
                best = value;
            }
        }
    }
    Ok(best)
}

fn incomparable(left: Value<'_>, right: Value<'_>) -> CallError {
    if left.kind() == right.kind() {
        return wanted("numbers, timestamps or strings", left);
    }
    CallError::kind(format!(
        "cannot compare {} with {}",
        shown(left),
        shown(right)
    ))
}

fn clamp<'a>(_: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let [value, low, high] = [0, 1, 2].map(|n| argument(args, n));
    let (number, least, most) = (number_of(value)?, number_of(low)?, number_of(high)?);
    if most.order(least).is_lt() {
        return Err(CallError::arithmetic(format!(
            "needs a `high` that is not below `low`, {} is below {}",
            shown(high),
            shown(low)
        )));
    }
    Ok(if number.order(least).is_lt() {
        low
    } else if most.order(number).is_lt() {
        high
    } else {
        value
    })
}

fn sum<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut sum = Sum::ZERO;
    for item in argument(args, 0).items() {
        cx.spend(1)?;
        sum = sum.add(item)?;
    }
    sum.value()
}
