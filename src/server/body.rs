//! The body of a request, read whole within a bound of bytes and of time.

use std::time::Duration;

use bytes::Bytes;
use bytes::BytesMut;
use http_body_util::BodyExt;
use hyper::body::Body;

use crate::clock::Clock;

/// How many times the longest pause a whole body may take. A client on a bad line pauses now and then;
/// one that sends a byte before each pause ends, to hold a connection for days, is told apart by this.
const PAUSES_MAX: u32 = 10;

/// Bounds of one body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// Most bytes, as they come in: before any decompression.
    pub bytes_max: u64,
    /// Longest pause between two pieces. The whole body may take ten times as long.
    pub pause_max: Duration,
}

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is, or says it is, larger than the limit: 413.
    #[error("the body is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// The client paused too long, or took too long over all of it: 408.
    #[error("the body did not arrive in time")]
    Timeout,
    /// The client closed or broke HTTP in the middle: there is nobody to answer.
    #[error("the body broke off")]
    Aborted,
}

/// Reads a body. One that says how long it is, and is too long, is refused before any of it is read;
/// a client that waits for `100 Continue` then never sends it.
///
/// A refused body must not be read on: answer and close the connection, see
/// [`closing`](crate::server::accept::closing).
pub async fn read<B>(mut body: B, limits: BodyLimits, clock: &Clock) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let promised = body.size_hint().lower();
    let too_large = BodyError::TooLarge {
        bytes_max: limits.bytes_max,
    };
    if limits.bytes_max < promised {
        return Err(too_large);
    }
    let end = clock
        .tick()
        .after(limits.pause_max.saturating_mul(PAUSES_MAX));
    let mut gathered = Gathered::new(promised);
    loop {
        let due = clock.tick().after(limits.pause_max).min(end);
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            () = clock.sleep_until(due) => return Err(BodyError::Timeout),
        };
        let Some(frame) = frame else {
            return Ok(gathered.finish());
        };
        let Ok(piece) = frame.map_err(|_| BodyError::Aborted)?.into_data() else {
            // Trailers: nobody asks for them.
            continue;
        };
        if limits.bytes_max < (gathered.len() + piece.len()) as u64 {
            return Err(too_large);
        }
        gathered.push(piece);
    }
}

/// Pieces put together. Most bodies come in one piece, and that one is not copied.
struct Gathered {
    first: Bytes,
    all: BytesMut,
    promised: u64,
}

impl Gathered {
    fn new(promised: u64) -> Self {
        Self {
            first: Bytes::new(),
            all: BytesMut::new(),
            promised,
        }
    }

    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    fn push(&mut self, piece: Bytes) {
        if self.len() == 0 {
            self.first = piece;
            return;
        }
        if self.all.is_empty() {
            let promised = usize::try_from(self.promised).unwrap_or(usize::MAX);
            self.all
                .reserve(promised.max(self.first.len() + piece.len()));
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.all.extend_from_slice(&piece);
    }

    fn finish(self) -> Bytes {
        if self.all.is_empty() {
            self.first
        } else {
            self.all.freeze()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(pieces: &[&'static str]) -> Bytes {
        let mut gathered = Gathered::new(4);
        for piece in pieces {
            gathered.push(Bytes::from_static(piece.as_bytes()));
        }
        gathered.finish()
    }

    #[test]
    fn puts_pieces_together_and_copies_no_single_one() {
        assert_eq!(gather(&[]), "");
        assert_eq!(gather(&["", "ab", "", "cd", "ef"]), "abcdef");
        let alone = "alone";
        assert_eq!(gather(&["", alone]).as_ptr(), alone.as_ptr());
    }
}
