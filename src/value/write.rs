//! Values to JSON text: what was not touched is copied byte for byte.

use std::io::Write as _;

use crate::value::Value;

/// Appends `value` to `out` as JSON in one line. A missing value appends nothing.
///
/// A secret appends a string holding its mark, see [`Value::Secret`]: the byte `0x01`, the number,
/// `0x01`. No valid JSON has that byte, so whoever sends can replace it and nothing else.
pub fn write(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Missing => {}
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        // Writing to a Vec cannot fail.
        Value::Number(number) => drop(write!(out, "{number}")),
        Value::Time(time) => drop(write!(out, "\"{time}\"")),
        Value::Text(text) => write_text(text, out),
        Value::Json(node) if node.is_spaced() => write_compact(node.raw(), out),
        Value::Json(node) => out.extend_from_slice(node.raw().as_bytes()),
        Value::List(items) => {
            out.push(b'[');
            for (n, item) in items.iter().enumerate() {
                if 0 < n {
                    out.push(b',');
                }
                write(*item, out);
            }
            out.push(b']');
        }
        Value::Object(entries) => {
            out.push(b'{');
            for (n, (key, value)) in entries.iter().enumerate() {
                if 0 < n {
                    out.push(b',');
                }
                write_text(key, out);
                out.push(b':');
                write(*value, out);
            }
            out.push(b'}');
        }
        Value::Secret(secret) => {
            // Writing to a Vec cannot fail.
            drop(write!(out, "\"\u{1}{secret}\u{1}\""));
        }
    }
}

/// Appends `text` to `out` as a JSON string.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest
        .iter()
        .position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'))
    {
        let (plain, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let Some((byte, behind)) = from.split_first() else {
            break;
        };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => drop(write!(out, "\\u{byte:04x}")),
        }
        rest = behind;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Copies valid JSON without the white space between its tokens, so that one event stays one line.
fn write_compact(raw: &str, out: &mut Vec<u8>) {
    let (mut in_string, mut escaped) = (false, false);
    for byte in raw.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte == b'"' {
            in_string = true;
        } else if byte.is_ascii_whitespace() {
            continue;
        }
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Arena;
    use crate::value::JsonErrorKind;
    use crate::value::ParseLimits;
    use crate::value::parse;

    fn compact(text: &str) -> String {
        let arena = Arena::new();
        let mut out = Vec::new();
        write(
            parse(text.as_bytes(), ParseLimits::default(), &arena).unwrap(),
            &mut out,
        );
        String::from_utf8(out).unwrap()
    }

    fn refused(text: &str) -> JsonErrorKind {
        let arena = Arena::new();
        parse(text.as_bytes(), ParseLimits::default(), &arena)
            .unwrap_err()
            .kind
    }

    #[test]
    fn copies_what_arrived_and_drops_only_the_space_between() {
        assert_eq!(
            compact("[99.50, 12345678901234567890123,1e400]"),
            "[99.50,12345678901234567890123,1e400]"
        );
        assert_eq!(
            compact("{\"a b\" : \"x \\\" y\", \"c\":{\n\"d\":[ ]}}"),
            "{\"a b\":\"x \\\" y\",\"c\":{\"d\":[]}}"
        );
        assert_eq!(compact(" \"\\u00e9\\n\" "), "\"\\u00e9\\n\"");
        assert_eq!(compact("{\"Zo\u{eb}\":null}"), "{\"Zo\u{eb}\":null}");
    }

    #[test]
    fn refuses_everything_that_is_not_json() {
        for text in [
            "",
            " ",
            "{",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1,}",
            "{a:1}",
            "{1:1}",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "nul",
            "truex",
            "\"a",
            "\"\\x\"",
            "\"\\u12g4\"",
            "[1}",
            "{\"a\":1]",
            "1 2",
            "[1]]",
            "'a'",
            "NaN",
            "\u{feff}1",
            "[1,,2]",
            "{,}",
            "\"a\nb\"",
        ] {
            let arena = Arena::new();
            let outcome = parse(text.as_bytes(), ParseLimits::default(), &arena);
            assert!(outcome.is_err(), "{text:?} gave {outcome:?}");
        }
        assert_eq!(
            refused("{\"a\":1,\"\\u0061\":2}"),
            JsonErrorKind::DuplicateKey("a".to_owned())
        );
        let wide: Vec<String> = (0..40).map(|n| format!("\"k{}\":1", n % 39)).collect();
        let wide = format!("{{{}}}", wide.join(","));
        assert_eq!(refused(&wide), JsonErrorKind::DuplicateKey("k0".to_owned()));
    }

    #[test]
    fn nesting_stops_at_its_limit() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(compact(&nested(64)), nested(64));
        assert_eq!(refused(&nested(65)), JsonErrorKind::TooDeep(64));
    }

    #[test]
    fn reads_escapes_and_surrogates() {
        let arena = Arena::new();
        let text = br#"{"k\u0065y":"a\ud83d\ude00\ud800b"}"#;
        let value = parse(text, ParseLimits::default(), &arena).unwrap();
        assert_eq!(
            value.get("key").as_text(&arena),
            Some("a\u{1f600}\u{fffd}b")
        );
        assert_eq!(
            value.entries(&arena).next().map(|(key, _)| key),
            Some("key")
        );
    }
}
