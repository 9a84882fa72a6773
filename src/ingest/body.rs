//! The body of a request: how large, in what encoding, and whether it is an object.
//!
//! The content type does not decide: SDKs send JSON as `application/x-www-form-urlencoded` and empty
//! bodies with any type or none. What parses as JSON is JSON.

use bytes::Bytes;

use crate::ingest::rejection::Cause;
use crate::ingest::rejection::Fault;
use crate::value::Arena;
use crate::value::Kind;
use crate::value::Node;
use crate::value::ParseLimits;
use crate::value::Value;
use crate::value::parse;

/// How large bodies may be, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of a v1 request.
    pub v1_bytes_max: usize,
    /// Of `/api/v2/entity`.
    pub entity_bytes_max: usize,
    /// Of `/api/v2/batch`.
    pub batch_bytes_max: usize,
    /// Of one item of a batch.
    pub item_bytes_max: usize,
}

impl Default for Limits {
    /// The vendor's limits for v2: 32 KiB an item and 500,000 bytes a batch, the reading of "kb" that
    /// clients cut their batches by. v1 has no stated limit; 1 MiB holds 300 attributes of 1,000 bytes
    /// with room to spare.
    fn default() -> Self {
        Self {
            v1_bytes_max: 1 << 20,
            entity_bytes_max: 32 << 10,
            batch_bytes_max: 500_000,
            item_bytes_max: 32 << 10,
        }
    }
}

impl Limits {
    /// These limits with another for v1; one beyond memory stops there.
    #[must_use]
    pub fn with_v1(self, bytes_max: u64) -> Self {
        Self {
            v1_bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX),
            ..self
        }
    }
}

const BOM: &[u8] = b"\xef\xbb\xbf";
const GZIP: &[u8] = b"\x1f\x8b";

/// A body that is an object, and the bytes it was read from.
#[derive(Debug)]
pub(super) struct Body<'a> {
    pub(super) value: Value<'a>,
    // What `value` was parsed from.
    bytes: &'a Bytes,
}

impl<'a> Body<'a> {
    /// The body of a request whose path says everything.
    pub(super) const fn empty() -> Self {
        static NOTHING: Bytes = Bytes::new();
        Self {
            value: Value::Object(&[]),
            bytes: &NOTHING,
        }
    }

    /// Reads a body as an object. Nothing, `null` and `[]` are the empty object: SDKs send each of them
    /// for "no attributes".
    pub(super) fn read(
        bytes: &'a Bytes,
        content_type: Option<&str>,
        arena: &'a Arena,
    ) -> Result<Self, Fault> {
        let text = bytes.strip_prefix(BOM).unwrap_or(bytes);
        if text.trim_ascii().is_empty() {
            return Ok(Self::empty());
        }
        let value = parse(text, ParseLimits::default(), arena).map_err(|error| {
            if is_form(content_type) {
                return Fault::invalid(
                    "body",
                    "the body is form-encoded; send a JSON object with Content-Type: application/json",
                );
            }
            if bytes.starts_with(GZIP) {
                return Fault::invalid("body", "the body is compressed; send it as plain JSON");
            }
            Fault::invalid("body", format_args!("the body is not acceptable JSON: {error}"))
        })?;
        match value.kind() {
            Kind::Object => Ok(Self { value, bytes }),
            Kind::Null => Ok(Self::empty()),
            Kind::List if value.is_empty() => Ok(Self::empty()),
            kind => Err(Fault::invalid(
                "body",
                format_args!("the body must be a JSON object, not {}", kind.word()),
            )),
        }
    }

    /// The text of the whole body, without what surrounds the object.
    pub(super) fn text(&self) -> Bytes {
        match self.value {
            Value::Json(node) => self.text_of(node),
            _ => Bytes::from_static(b"{}"),
        }
    }

    /// The text of a node of the body, shared with it.
    pub(super) fn text_of(&self, node: Node<'a>) -> Bytes {
        self.bytes.slice_ref(node.raw().as_bytes())
    }
}

/// Refuses a body above the limit.
pub(super) fn check_size(bytes: &Bytes, bytes_max: usize) -> Result<(), Cause> {
    if bytes.len() <= bytes_max {
        Ok(())
    } else {
        Err(Cause::TooLarge { bytes_max })
    }
}

fn is_form(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or("").trim();
        essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
            || essence.eq_ignore_ascii_case("multipart/form-data")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &'static [u8], content_type: Option<&str>) -> Result<Bytes, String> {
        let arena = Arena::new();
        let bytes = Bytes::from_static(body);
        Body::read(&bytes, content_type, &arena)
            .map(|body| body.text())
            .map_err(|fault| fault.message)
    }

    #[test]
    fn every_way_to_say_nothing_is_the_empty_object() {
        for body in [
            &b""[..],
            b"  \r\n",
            b"null",
            b" [] ",
            b"{}",
            b"\xef\xbb\xbf",
            b"\xef\xbb\xbfnull",
        ] {
            for content_type in [
                None,
                Some("application/json"),
                Some("application/x-www-form-urlencoded"),
            ] {
                assert_eq!(
                    read(body, content_type).unwrap(),
                    "{}",
                    "{body:?} {content_type:?}"
                );
            }
        }
    }

    #[test]
    fn json_is_json_whatever_the_header_says() {
        for content_type in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
        ] {
            assert_eq!(
                read(b"\xef\xbb\xbf {\"a\": 1.50}\n", content_type).unwrap(),
                r#"{"a": 1.50}"#
            );
        }
    }

    #[test]
    fn a_form_is_told_what_to_send() {
        for content_type in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
            "multipart/form-data; boundary=x",
        ] {
            let message = read(b"name=purchase", Some(content_type)).unwrap_err();
            assert!(
                message.contains("Content-Type: application/json"),
                "{message}"
            );
        }
    }

    #[test]
    fn other_refusals_say_what_and_where() {
        let json = Some("application/json");
        for (body, message) in [
            (
                &b"{\"a\":1"[..],
                "the body is not acceptable JSON: unexpected end at byte 6",
            ),
            (
                b"{\"a\":1,\"a\":2}",
                "the body is not acceptable JSON: key \"a\" stands twice at byte 7",
            ),
            (
                b"<a>",
                "the body is not acceptable JSON: unexpected '<' at byte 0",
            ),
            (
                b"{\"a\":\"\xff\"}",
                "the body is not acceptable JSON: not valid UTF-8 at byte 6",
            ),
            (b"[1]", "the body must be a JSON object, not list"),
            (b"true", "the body must be a JSON object, not bool"),
            (
                b"\x1f\x8b\x08\x00",
                "the body is compressed; send it as plain JSON",
            ),
        ] {
            assert_eq!(read(body, json).unwrap_err(), message);
        }
    }

    #[test]
    fn nesting_ends_at_64() {
        let nested = |depth: usize| {
            let text = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
            let arena = Arena::new();
            Body::read(&Bytes::from(text), None, &arena)
                .map(|_| ())
                .map_err(|fault| fault.message)
        };
        assert_eq!(nested(64), Ok(()));
        assert!(
            nested(65)
                .unwrap_err()
                .contains("nested deeper than 64 levels")
        );
    }

    #[test]
    fn a_body_of_exactly_the_limit_is_taken() {
        assert_eq!(check_size(&Bytes::from_static(b"{}"), 2), Ok(()));
        assert_eq!(
            check_size(&Bytes::from_static(b"{ }"), 2),
            Err(Cause::TooLarge { bytes_max: 2 })
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_object_or_a_fault(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            form in any::<bool>(),
        ) {
            let arena = Arena::new();
            let content_type = form.then_some("application/x-www-form-urlencoded");
            let bytes = Bytes::from(bytes);
            if let Ok(body) = Body::read(&bytes, content_type, &arena) {
                prop_assert_eq!(body.value.kind(), Kind::Object);
                prop_assert_eq!(body.text().first().copied(), Some(b'{'));
            }
        }
    }
}
