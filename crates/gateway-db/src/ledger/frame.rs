//! One record on disk: `length u32 · crc32c u32 · payload`, little-endian; the checksum covers the payload.

/// Bytes before a payload.
pub(crate) const HEAD: usize = 8;

/// No payload is longer: a larger length is damage, not a record.
pub(crate) const MAX_PAYLOAD: usize = 1 << 20;

/// What stands at a place in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// A whole record and where the next one begins.
    Whole {
        /// The payload.
        payload: &'a [u8],
        /// Bytes of head and payload.
        size: usize,
    },
    /// The bytes end inside the record: more may follow in the file.
    Short,
    /// No record can start like this.
    Damaged,
}

/// Appends a record whose payload `write` produces.
pub(crate) fn append(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    write(out);
    let payload = &out[start + HEAD..];
    debug_assert!(payload.len() <= MAX_PAYLOAD, "the encoder bounds every field");
    let crc = crc32c::crc32c(payload);
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..start + HEAD].copy_from_slice(&crc.to_le_bytes());
}

/// Reads the record at the beginning of `bytes`.
pub(crate) fn read(bytes: &[u8]) -> Frame<'_> {
    let Some((head, rest)) = bytes.split_at_checked(HEAD) else { return Frame::Short };
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let crc = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    if length == 0 || length > MAX_PAYLOAD {
        return Frame::Damaged;
    }
    let Some(payload) = rest.get(..length) else { return Frame::Short };
    if crc32c::crc32c(payload) != crc {
        return Frame::Damaged;
    }
    Frame::Whole { payload, size: HEAD + length }
}
