//! One request in a segment: 32 bytes that say what follows, then the bytes of the request.
//!
//! Little-endian, each frame padded with zeros to a multiple of eight:
//!
//! ```text
//!  0 magic u16 · flags u16 (none yet)      16 first position u64
//!  4 payload length u32                    24 records before it in the same commit u32
//!  8 records u32                           28 CRC32C of the header u32
//! 12 CRC32C of payload and padding         32 payload, padding
//! ```
//!
//! The last checksum, of bytes 0 to 28, starts with the segment's salt and the frame's offset in the
//! file. So stale bytes of a reused file, forged payloads and blocks that a disk wrote to the wrong
//! place do not pass; damage in a payload costs that frame and nothing else; and a search for the next
//! frame behind damage checks 32 bytes a candidate, whatever a payload pretends to be.
//!
//! "Records before it in the same commit" tells what was durable when the frame was written:
//! everything below its commit, because the next commit starts after the previous one is synced.

use crate::deliver::journal::position::Position;

/// Bytes of a frame before its payload.
pub(crate) const FRAME_HEADER_BYTES: usize = 32;

const ALIGNMENT: usize = 8;
const PADDING: [u8; ALIGNMENT] = [0; ALIGNMENT];
const MAGIC: [u8; 2] = [0xf7, 0x4a];
/// What a frame may be flagged with; anything else was written by a newer version or is damage.
const FLAGS: [u8; 2] = [0, 0];

/// Bytes that a payload of `length` bytes takes in a segment.
pub(crate) const fn frame_bytes(length: usize) -> usize {
    FRAME_HEADER_BYTES
        .saturating_add(length)
        .next_multiple_of(ALIGNMENT)
}

/// The salt of a segment as the state of its checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed(u32);

impl Seed {
    pub(crate) fn new(salt: u128) -> Self {
        Self(crc32c::crc32c(&salt.to_le_bytes()))
    }

    /// For a frame at `offset` of the file.
    pub(crate) fn at(self, offset: u64) -> Self {
        Self(crc32c::crc32c_append(self.0, &offset.to_le_bytes()))
    }
}

/// What a frame's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) first: Position,
    pub(crate) records: u32,
    /// How many records the commit holds before this frame.
    pub(crate) before: u32,
    pub(crate) length: u32,
    pub(crate) checksum: u32,
}

impl FrameHeader {
    /// The position after the frame's last record.
    pub(crate) const fn end(&self) -> Position {
        self.first.next(self.records as u64)
    }

    /// The position below which everything was durable when the frame was written.
    pub(crate) const fn confirmed(&self) -> Position {
        Position(self.first.0.saturating_sub(self.before as u64))
    }

    /// Bytes of the whole frame.
    pub(crate) const fn bytes(&self) -> usize {
        frame_bytes(self.length as usize)
    }

    /// Bytes of payload and padding.
    pub(crate) const fn body_bytes(&self) -> usize {
        self.bytes() - FRAME_HEADER_BYTES
    }

    fn encode(&self, seed: Seed) -> [u8; FRAME_HEADER_BYTES] {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        let fields = MAGIC
            .into_iter()
            .chain(FLAGS)
            .chain(self.length.to_le_bytes())
            .chain(self.records.to_le_bytes())
            .chain(self.checksum.to_le_bytes())
            .chain(self.first.0.to_le_bytes())
            .chain(self.before.to_le_bytes());
        bytes
            .iter_mut()
            .zip(fields)
            .for_each(|(byte, field)| *byte = field);
        if let Some((covered, checksum)) = bytes.split_last_chunk_mut::<4>() {
            *checksum = crc32c::crc32c_append(seed.0, covered).to_le_bytes();
        }
        bytes
    }

    /// Reads a header back; `None` if these are not the bytes of one.
    pub(crate) fn decode(bytes: &[u8], seed: Seed) -> Option<Self> {
        let (covered, checksum) = bytes.get(..FRAME_HEADER_BYTES)?.split_last_chunk::<4>()?;
        let rest = covered.strip_prefix(&MAGIC)?;
        if crc32c::crc32c_append(seed.0, covered) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let rest = rest.strip_prefix(&FLAGS)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (records, rest) = rest.split_first_chunk::<4>()?;
        let (checksum, rest) = rest.split_first_chunk::<4>()?;
        let (first, rest) = rest.split_first_chunk::<8>()?;
        let (before, _) = rest.split_first_chunk::<4>()?;
        Some(Self {
            first: Position(u64::from_le_bytes(*first)),
            records: u32::from_le_bytes(*records),
            before: u32::from_le_bytes(*before),
            length: u32::from_le_bytes(*length),
            checksum: u32::from_le_bytes(*checksum),
        })
    }

    /// Whether `body`, payload and padding, is what was written.
    pub(crate) fn matches(&self, body: &[u8]) -> bool {
        crc32c::crc32c(body) == self.checksum
    }
}

/// Whether a header could start with these bytes; cheap, for searching.
pub(crate) fn may_start(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Appends the frame of `payload` to `buffer`: its first position, and how many records of the same
/// commit come before it. The queue has made sure that length and counts fit their fields.
pub(crate) fn encode_frame(
    buffer: &mut Vec<u8>,
    seed: Seed,
    (first, before): (Position, u32),
    payload: &[u8],
    records: u32,
) {
    let padding = frame_bytes(payload.len()) - FRAME_HEADER_BYTES - payload.len();
    let padding = PADDING.get(..padding).unwrap_or_default();
    let header = FrameHeader {
        first,
        records,
        before,
        length: u32::try_from(payload.len()).unwrap_or(u32::MAX),
        checksum: crc32c::crc32c_append(crc32c::crc32c(payload), padding),
    };
    buffer.extend_from_slice(&header.encode(seed));
    buffer.extend_from_slice(payload);
    buffer.extend_from_slice(padding);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(payload: &[u8]) -> Vec<u8> {
        let mut buffer = Vec::new();
        encode_frame(&mut buffer, Seed::new(7), (Position(41), 2), payload, 3);
        buffer
    }

    #[test]
    fn a_frame_reads_back() {
        for length in 0..40 {
            let payload = vec![0xab; length];
            let bytes = encoded(&payload);
            let header = FrameHeader::decode(&bytes, Seed::new(7)).unwrap();
            assert_eq!(header.bytes(), bytes.len());
            assert_eq!(bytes.len() % ALIGNMENT, 0);
            assert_eq!((header.first, header.end()), (Position(41), Position(44)));
            assert_eq!(header.confirmed(), Position(39));
            assert!(header.matches(&bytes[FRAME_HEADER_BYTES..]));
            assert!(may_start(&bytes));
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = encoded(b"0123456789");
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let whole = FrameHeader::decode(&damaged, Seed::new(7))
                .is_some_and(|header| header.matches(&damaged[FRAME_HEADER_BYTES..]));
            assert!(!whole, "bit {bit}");
        }
    }

    #[test]
    fn a_frame_at_another_place_is_not_one() {
        let mut buffer = Vec::new();
        encode_frame(&mut buffer, Seed::new(7).at(64), (Position(0), 0), b"x", 1);
        assert!(FrameHeader::decode(&buffer, Seed::new(7).at(64)).is_some());
        assert_eq!(FrameHeader::decode(&buffer, Seed::new(7).at(72)), None);
    }

    #[test]
    fn a_frame_of_another_salt_is_not_one() {
        assert_eq!(FrameHeader::decode(&encoded(b"x"), Seed::new(8)), None);
    }
}
