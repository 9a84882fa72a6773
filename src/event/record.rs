//! The bytes of an accepted request in the journal, and reading them back in place.
//!
//! One request is one frame, all or nothing; each of its calls is one record with a position of its
//! own. The layout, little-endian, with `len` a u32:
//!
//! ```text
//! version u8 = 1 · ulid u128 · accepted-at i64 (ms) · flags u8 (1: has site id, 2: has content type)
//! source len+bytes · [site id len+bytes] · method len+bytes · target len+bytes · [content type len+bytes]
//! count u32, then per call:
//!   operation u8 · api u8 · flags u8 (1: has item; 2, 4, … 64: has id, device_id, segment_id, id_type,
//!   form_id, delivery_id) · [item u16] · [params len+bytes …] · body len+bytes
//! ```

use ulid::Ulid;

use crate::clock::Timestamp;
use crate::event::Api;
use crate::event::Call;
use crate::event::Operation;
use crate::event::Receipt;

const VERSION: u8 = 1;

/// Why stored bytes are not a frame of requests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Written by a newer Trackway.
    #[error("frame version {0} is unknown")]
    Version(u8),
    /// Ends too early.
    #[error("frame ends too early")]
    Short,
    /// A number or text that cannot stand there.
    #[error("frame is malformed")]
    Malformed,
}

/// A request read back; borrows the stored bytes.
#[derive(Clone, Copy, Debug)]
pub struct StoredRequest<'a> {
    /// See [`Receipt::id`].
    pub id: Ulid,
    /// See [`Receipt::accepted_at`].
    pub accepted_at: Timestamp,
    /// See [`Receipt::source`].
    pub source: &'a str,
    /// See [`Receipt::site_id`].
    pub site_id: Option<&'a str>,
    /// See [`Receipt::method`].
    pub method: &'a str,
    /// See [`Receipt::target`].
    pub target: &'a str,
    /// See [`Receipt::content_type`].
    pub content_type: Option<&'a str>,
    /// How many records it holds.
    pub count: u32,
    calls: &'a [u8],
}

/// One call read back, with the request it came in.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The request.
    pub request: StoredRequest<'a>,
    /// Which of the request's records it is, from 0.
    pub ordinal: u32,
    /// See [`Call::operation`].
    pub operation: Operation,
    /// See [`Call::api`].
    pub api: Api,
    /// See [`Call::item`].
    pub item: Option<u16>,
    /// See [`Call::params`].
    pub params: ParamsRef<'a>,
    /// See [`Call::body`].
    pub body: &'a [u8],
}

/// [`crate::event::Params`], borrowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParamsRef<'a> {
    /// The person.
    pub id: Option<&'a str>,
    /// The device token.
    pub device_id: Option<&'a str>,
    /// The segment.
    pub segment_id: Option<&'a str>,
    /// What the ids of a segment call are.
    pub id_type: Option<&'a str>,
    /// The form.
    pub form_id: Option<&'a str>,
    /// The message.
    pub delivery_id: Option<&'a str>,
}

/// Appends the frame of a request to `out`.
pub fn encode(receipt: &Receipt, calls: &[Call], out: &mut Vec<u8>) {
    out.push(VERSION);
    out.extend_from_slice(&receipt.id.0.to_le_bytes());
    out.extend_from_slice(&receipt.accepted_at.as_millis().to_le_bytes());
    out.push(u8::from(receipt.site_id.is_some()) | u8::from(receipt.content_type.is_some()) << 1);
    put(&receipt.source, out);
    put_some(receipt.site_id.as_deref(), out);
    put(receipt.method.as_str(), out);
    put(&receipt.target, out);
    put_some(receipt.content_type.as_deref(), out);
    out.extend_from_slice(&narrow(calls.len()).to_le_bytes());
    for call in calls {
        let params = [
            call.params.id.as_deref(),
            call.params.device_id.as_deref(),
            call.params.segment_id.as_deref(),
            call.params.id_type.as_deref(),
            call.params.form_id.as_deref(),
            call.params.delivery_id.as_deref(),
        ];
        out.push(call.operation as u8);
        out.push(match call.api {
            Api::V1 => 1,
            Api::V2 => 2,
        });
        let present =
            |flags: u8, (bit, param): (u8, Option<&str>)| flags | u8::from(param.is_some()) << bit;
        out.push(u8::from(call.item.is_some()) | (1..).zip(params).fold(0, present));
        if let Some(item) = call.item {
            out.extend_from_slice(&item.to_le_bytes());
        }
        for param in params {
            put_some(param, out);
        }
        out.extend_from_slice(&narrow(call.body.len()).to_le_bytes());
        out.extend_from_slice(&call.body);
    }
}

impl<'a> StoredRequest<'a> {
    /// A request without records, for tests of what comes behind it.
    pub const fn empty(source: &'a str, accepted_at: Timestamp) -> Self {
        Self {
            id: Ulid::nil(),
            accepted_at,
            source,
            site_id: None,
            method: "POST",
            target: "/",
            content_type: None,
            count: 0,
            calls: &[],
        }
    }

    /// Reads what [`encode`] wrote.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let mut rest = bytes;
        let version = u8::from_le_bytes(take(&mut rest)?);
        if version != VERSION {
            return Err(RecordError::Version(version));
        }
        let id = Ulid(u128::from_le_bytes(take(&mut rest)?));
        let accepted_at = Timestamp::from_millis(i64::from_le_bytes(take(&mut rest)?));
        let flags = u8::from_le_bytes(take(&mut rest)?);
        let source = text(&mut rest)?;
        let site_id = text_if(flags & 1 != 0, &mut rest)?;
        let method = text(&mut rest)?;
        let target = text(&mut rest)?;
        let content_type = text_if(flags & 2 != 0, &mut rest)?;
        let count = u32::from_le_bytes(take(&mut rest)?);
        Ok(Self {
            id,
            accepted_at,
            source,
            site_id,
            method,
            target,
            content_type,
            count,
            calls: rest,
        })
    }

    /// The records in order. Ends after the first that cannot be read.
    pub fn records(self) -> impl Iterator<Item = Result<Record<'a>, RecordError>> {
        let mut rest = self.calls;
        let mut ordinals = 0..self.count;
        std::iter::from_fn(move || {
            let record = self.record(ordinals.next()?, &mut rest);
            if record.is_err() {
                ordinals = 0..0;
            }
            Some(record)
        })
    }

    fn record(self, ordinal: u32, rest: &mut &'a [u8]) -> Result<Record<'a>, RecordError> {
        let [operation, api, flags] = take(rest)?;
        let operation = Operation::numbered(operation).ok_or(RecordError::Malformed)?;
        let api = match api {
            1 => Api::V1,
            2 => Api::V2,
            _ => return Err(RecordError::Malformed),
        };
        let item = if flags & 1 == 0 {
            None
        } else {
            Some(u16::from_le_bytes(take(rest)?))
        };
        let params = ParamsRef {
            id: text_if(flags & 2 != 0, rest)?,
            device_id: text_if(flags & 4 != 0, rest)?,
            segment_id: text_if(flags & 8 != 0, rest)?,
            id_type: text_if(flags & 16 != 0, rest)?,
            form_id: text_if(flags & 32 != 0, rest)?,
            delivery_id: text_if(flags & 64 != 0, rest)?,
        };
        let body = bytes(rest)?;
        Ok(Record {
            request: self,
            ordinal,
            operation,
            api,
            item,
            params,
            body,
        })
    }
}

impl<'a> Record<'a> {
    /// A call of `request` without parameters and with an empty body.
    pub const fn of(request: StoredRequest<'a>, operation: Operation) -> Self {
        Self {
            request,
            ordinal: 0,
            operation,
            api: Api::V2,
            item: None,
            params: ParamsRef {
                id: None,
                device_id: None,
                segment_id: None,
                id_type: None,
                form_id: None,
                delivery_id: None,
            },
            body: b"{}",
        }
    }
}

fn put(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&narrow(text.len()).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn put_some(text: Option<&str>, out: &mut Vec<u8>) {
    if let Some(text) = text {
        put(text, out);
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], RecordError> {
    let (taken, behind) = rest.split_first_chunk().ok_or(RecordError::Short)?;
    *rest = behind;
    Ok(*taken)
}

fn bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], RecordError> {
    let len = u32::from_le_bytes(take(rest)?) as usize;
    let (taken, behind) = rest.split_at_checked(len).ok_or(RecordError::Short)?;
    *rest = behind;
    Ok(taken)
}

fn text<'a>(rest: &mut &'a [u8]) -> Result<&'a str, RecordError> {
    std::str::from_utf8(bytes(rest)?).map_err(|_| RecordError::Malformed)
}

#[expect(clippy::fn_params_excessive_bools, reason = "the bit of a flag byte")]
fn text_if<'a>(present: bool, rest: &mut &'a [u8]) -> Result<Option<&'a str>, RecordError> {
    if present {
        text(rest).map(Some)
    } else {
        Ok(None)
    }
}

/// A request body is limited far below 4 GiB.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Params;
    use bytes::Bytes;

    fn frame() -> Vec<u8> {
        let receipt = Receipt {
            id: Ulid(7),
            accepted_at: Timestamp::from_millis(-3),
            source: "web".into(),
            site_id: Some("site".into()),
            method: http::Method::PUT,
            target: "/api/v1/customers/a%2Fb".to_owned(),
            content_type: None,
        };
        let call = Call {
            operation: Operation::PersonIdentify,
            api: Api::V1,
            item: Some(3),
            params: Params {
                id: Some("a/b".to_owned()),
                delivery_id: Some(String::new()),
                ..Params::default()
            },
            body: Bytes::from_static(b"{\"a\":1}"),
        };
        let mut out = Vec::new();
        encode(
            &receipt,
            &[call.clone(), Call { item: None, ..call }],
            &mut out,
        );
        out
    }

    #[test]
    fn reads_back_what_was_written() {
        let bytes = frame();
        let request = StoredRequest::decode(&bytes).unwrap();
        assert_eq!(
            (request.source, request.site_id, request.content_type),
            ("web", Some("site"), None)
        );
        let records: Vec<_> = request.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].item, Some(3));
        assert_eq!(records[1].item, None);
        assert_eq!(records[1].params.id, Some("a/b"));
        assert_eq!(records[1].params.delivery_id, Some(""));
        assert_eq!(records[1].params.form_id, None);
        assert_eq!(records[1].body, b"{\"a\":1}");
    }

    #[test]
    fn a_cut_frame_is_an_error_at_every_byte() {
        let bytes = frame();
        for end in 0..bytes.len() {
            let complete = StoredRequest::decode(&bytes[..end])
                .is_ok_and(|request| request.records().all(|record| record.is_ok()));
            assert!(!complete, "cut at {end}");
        }
    }
}
