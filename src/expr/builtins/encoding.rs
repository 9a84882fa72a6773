//! JSON, base64 and HTML.

use base64::Engine as _;
use base64::alphabet;
use base64::display::Base64Display;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::expr::builtins::arguments::argument;
use crate::expr::builtins::arguments::unreadable;
use crate::expr::builtins::call::Call;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::expr::builtins::call::TextOut;
use crate::expr::builtins::signature::Builtin;
use crate::expr::builtins::signature::Family;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::signature::TEXT;
use crate::expr::scope::Kinds;
use crate::value;
use crate::value::ParseLimits;
use crate::value::Value;

const SUBJECT: Parameter = Parameter::new("text", TEXT);
const ALPHABETS: &[&str] = &["standard", "url"];

const fn function(
    name: &'static str,
    call: for<'a> fn(&Cx<'a, '_>, &[Value<'a>]) -> Outcome<'a>,
) -> Builtin {
    Builtin::new(Family::Encoding, name, Call::Plain(call)).takes(&[SUBJECT])
}

pub(super) const TABLE: &[Builtin] = &[
    function("json", json)
        .about(
            "The value as JSON text in one line. Numbers and escapes that were not computed stay \
             as they arrived.",
        )
        .takes(&[Parameter::new("value", Kinds::PRESENT)])
        .shows(&[
            ("$.items[1] | json", r#""{\"sku\":\"B-2\",\"price\":2.5,\"qty\":1}""#),
            (r#""a" | json"#, r#""\"a\"""#),
            ("$.absent | json", "missing"),
        ]),
    function("parse_json", parse_json)
        .about("The value that a JSON text holds.")
        .gives(Kinds::PRESENT)
        .fails_if("it is not valid JSON, names a key of an object twice, or is nested deeper than 64 levels")
        .shows(&[
            (r#"parse_json('{"a": [1, 2.50]}')"#, r#"{"a":[1,2.50]}"#),
            ("$.event | parse_json", "error"),
            ("$.event | parse_json catch $.event", r#""order_completed""#),
        ]),
    function("base64", base64)
        .about(
            "The text's bytes in base64, padded; with `url`, in the alphabet for URLs without \
             padding.",
        )
        .takes(&[SUBJECT, Parameter::word("alphabet", ALPHABETS)])
        .shows(&[(r#""key:" | base64"#, r#""a2V5Og==""#), (r#""key:" | base64("url")"#, r#""a2V5Og""#)]),
    function("unbase64", unbase64)
        .about("The text that base64 stands for, in either alphabet, padded or not.")
        .fails_if("it is no base64 or its bytes are no UTF-8")
        .shows(&[(r#""a2V5Og==" | unbase64"#, r#""key:""#), (r#""_w" | unbase64"#, "error")]),
    function("strip_html", strip_html)
        .about(
            "The text of an HTML fragment: without tags, comments, scripts and styles, the commonest \
             character references resolved, white space squished. Not a sanitiser: what it gives is text.",
        )
        .shows(&[
            (r#""<p>Hello <b>Ann</b> &amp; all</p><p>Bye</p>" | strip_html"#, r#""Hello Ann & all Bye""#),
            (r#""1 < 2" | strip_html"#, r#""1 < 2""#),
        ]),
];

/// A value as JSON text in one line, never longer than a text may be.
pub(super) fn json_text<'a>(cx: &Cx<'a, '_>, value: Value<'a>) -> Result<&'a str, CallError> {
    // One list or object may be in another many times: the length is known before it is written.
    let length = json_length(cx, value, 0)?;
    cx.spend_bytes(length)?;
    match value {
        Value::Json(node) if !node.is_spaced() => Ok(node.raw()),
        _ => {
            // The one writer of JSON writes to the heap; this is too rare to have a second.
            let mut json = Vec::with_capacity(length);
            value::write(value, &mut json);
            let mut out = cx.text();
            out.push_str(std::str::from_utf8(&json).unwrap_or_default())?;
            out.finish()
        }
    }
}

/// About how many bytes a value takes as JSON, escapes and white space aside; stops counting where
/// it is too much.
fn json_length(cx: &Cx<'_, '_>, value: Value<'_>, before: usize) -> Result<usize, CallError> {
    const SCALAR: usize = 24;
    cx.spend(1)?;
    let mut length = before;
    match value {
        Value::Json(node) => length += node.raw().len(),
        Value::Text(text) => length += text.len() + 2,
        Value::List(items) => {
            for item in items {
                length = json_length(cx, *item, length + 1)?;
            }
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                length = json_length(cx, *value, length + key.len() + 4)?;
            }
        }
        _ => length += SCALAR,
    }
    if TextOut::BYTES_MAX < length {
        Err(TextOut::too_long())
    } else {
        Ok(length)
    }
}

fn json<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    json_text(cx, argument(args, 0)).map(Value::Text)
}

fn parse_json<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let text = cx.text_at(args, 0)?;
    // A value takes at least two bytes of text; on average it takes about ten.
    cx.spend(1 + text.len() as u64 / 8)?;
    value::parse(text.as_bytes(), ParseLimits::default(), cx.arena)
        .map_err(|error| CallError::conversion(format!("cannot read it as JSON: {error}")))
}

fn base64<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let text = cx.text_at(args, 0)?;
    let mut out = cx.text();
    match cx.text_or(args, 1, "standard")? {
        "url" => out.print(Base64Display::new(text.as_bytes(), &URL_SAFE_NO_PAD))?,
        _ => out.print(Base64Display::new(text.as_bytes(), &STANDARD))?,
    }
    out.value()
}

fn unbase64<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    const EITHER: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, EITHER);
    const URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, EITHER);
    let text = cx.text_at(args, 0)?;
    let mut bytes = cx.arena.vec::<u8>();
    bytes.resize(base64::decoded_len_estimate(text.len()), 0);
    let engine = if text.contains(['-', '_']) {
        &URL
    } else {
        &STANDARD
    };
    let length = engine.decode_slice(text, &mut bytes);
    let bytes = bytes.into_bump_slice();
    length
        .ok()
        .and_then(|length| std::str::from_utf8(bytes.get(..length)?).ok())
        .map(Value::Text)
        .ok_or_else(|| unreadable("text in base64", argument(args, 0)))
}

fn strip_html<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut left = cx.text_at(args, 0)?;
    let mut out = SquishedText {
        out: cx.text(),
        blank_due: false,
    };
    while let Some(at) = left.find(['<', '&']) {
        let (plain, from) = left.split_at_checked(at).unwrap_or((left, ""));
        out.push(plain)?;
        if let Some(tag) = Tag::at_start(from) {
            if tag.parts_words() {
                out.push(" ")?;
            }
            left = tag.behind();
        } else if let Some((char, behind)) = reference(from) {
            out.push(char.encode_utf8(&mut [0; 4]))?;
            left = behind;
        } else {
            let (first, behind) = from.split_at_checked(1).unwrap_or((from, ""));
            out.push(first)?;
            left = behind;
        }
    }
    out.push(left)?;
    out.out.value()
}

/// Text being built in which every run of white space is one blank, and none is at an end.
struct SquishedText<'a, 'b> {
    out: TextOut<'a, 'b>,
    blank_due: bool,
}

impl SquishedText<'_, '_> {
    fn push(&mut self, text: &str) -> Result<(), CallError> {
        for char in text.chars() {
            if char.is_whitespace() {
                self.blank_due = !self.out.is_empty();
                continue;
            }
            if self.blank_due {
                self.out.push(' ')?;
                self.blank_due = false;
            }
            self.out.push(char)?;
        }
        Ok(())
    }
}

/// A tag or comment.
struct Tag<'t> {
    name: &'t str,
    closes: bool,
    behind: &'t str,
}

impl<'t> Tag<'t> {
    /// The tag that the text starts with. One that never ends takes all of it, as browsers do.
    fn at_start(text: &'t str) -> Option<Self> {
        let inner = text.strip_prefix('<')?;
        if let Some(comment) = inner.strip_prefix("!--") {
            let behind = comment.split_once("-->").map_or("", |(_, behind)| behind);
            return Some(Self {
                name: "",
                closes: false,
                behind,
            });
        }
        let closes = inner.starts_with('/');
        let name = inner.strip_prefix('/').unwrap_or(inner);
        if !name.starts_with(|char: char| char.is_ascii_alphabetic() || matches!(char, '!' | '?')) {
            return None;
        }
        let mut quote = None;
        let end = inner.find(|char| {
            match (quote, char) {
                (None, '"' | '\'') => quote = Some(char),
                (Some(open), _) if open == char => quote = None,
                _ => {}
            }
            quote.is_none() && char == '>'
        });
        let behind = end.and_then(|end| inner.get(end + 1..)).unwrap_or("");
        let name = name
            .split(|char: char| !char.is_ascii_alphanumeric())
            .next()
            .unwrap_or("");
        Some(Self {
            name,
            closes,
            behind,
        })
    }

    /// Whether it ends a line or a cell, so that the words before and behind it are two.
    fn parts_words(&self) -> bool {
        const INLINE: &[&str] = &[
            "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "em", "font", "i", "ins",
            "kbd", "mark", "q", "s", "small", "span", "strong", "sub", "sup", "tt", "u", "var",
            "wbr",
        ];
        !self.name.is_empty()
            && !INLINE
                .iter()
                .any(|name| self.name.eq_ignore_ascii_case(name))
    }

    /// The text behind it; behind the whole element if that holds no text for people.
    fn behind(&self) -> &'t str {
        let holds_code = ["script", "style"]
            .iter()
            .any(|name| self.name.eq_ignore_ascii_case(name));
        if self.closes || !holds_code {
            return self.behind;
        }
        let mut left = self.behind;
        // Only the name is looked at before it is the right one, so that this stays linear.
        while let Some((_, from)) = left.split_once("</") {
            let name = from.get(..self.name.len()).unwrap_or("");
            if name.eq_ignore_ascii_case(self.name) {
                return from.split_once('>').map_or("", |(_, behind)| behind);
            }
            left = from;
        }
        ""
    }
}

/// The character that a reference such as `&amp;` or `&#39;` stands for, and the text behind it.
fn reference(text: &str) -> Option<(char, &str)> {
    const NAMED: &[(&str, char)] = &[
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", ' '),
        ("ndash", '–'),
        ("mdash", '—'),
        ("hellip", '…'),
        ("copy", '©'),
        ("euro", '€'),
    ];
    const LENGTH_MAX: usize = 10;
    let inner = text.strip_prefix('&')?;
    let end = inner
        .bytes()
        .take(LENGTH_MAX)
        .position(|byte| byte == b';')?;
    let (name, behind) = (inner.get(..end)?, inner.get(end + 1..)?);
    let char = match (name.strip_prefix("#x"), name.strip_prefix('#')) {
        (Some(hex), _) => char::from_u32(u32::from_str_radix(hex, 16).ok()?)?,
        (_, Some(decimal)) => char::from_u32(decimal.parse().ok()?)?,
        _ => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((char, behind))
}
