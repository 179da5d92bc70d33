//! Where a body ends: by length, by chunks, or with the connection. RFC 9112 §6 and §7.

use bytes::{Buf as _, Bytes, BytesMut};

/// The longest chunk-size line (extensions included) and the most trailer bytes that are accepted.
const MAX_LINE: usize = 8 * 1024;

/// How a body is delimited, and how much of it is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// This many bytes are to come.
    Length(u64),
    /// In chunks.
    Chunked(Chunk),
    /// Until the connection closes.
    UntilClose,
}

/// What is expected next in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk {
    /// A line with the next chunk's size.
    Size,
    /// This many bytes of the chunk.
    Data(u64),
    /// The line break after a chunk's data.
    Break,
    /// Trailer lines up to an empty one; the count of their bytes so far.
    Trailer(usize),
    /// Nothing: the body is complete.
    Done,
}

/// What the buffered bytes gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A piece of the body.
    Data(Bytes),
    /// Nothing without more bytes.
    NeedMore,
    /// The body is complete.
    End,
}

impl Framing {
    /// Takes the next piece out of the buffer.
    ///
    /// # Errors
    /// What is wrong with the chunk framing.
    pub(super) fn step(&mut self, buf: &mut BytesMut) -> Result<Step, &'static str> {
        match self {
            Self::Length(0) => Ok(Step::End),
            Self::Length(left) => Ok(take(buf, left)),
            Self::UntilClose if buf.is_empty() => Ok(Step::NeedMore),
            Self::UntilClose => Ok(Step::Data(buf.split().freeze())),
            Self::Chunked(chunk) => chunk.step(buf),
        }
    }

    /// Whether the end of the connection is the end of the body.
    pub(super) fn may_end_with_connection(self) -> bool {
        self == Self::UntilClose
    }

    /// How many bytes are worth reading at once.
    pub(super) fn read_size(self) -> usize {
        match self {
            Self::Length(left) | Self::Chunked(Chunk::Data(left)) => {
                usize::try_from(left).unwrap_or(usize::MAX).clamp(8 * 1024, 64 * 1024)
            }
            _ => 8 * 1024,
        }
    }
}

fn take(buf: &mut BytesMut, left: &mut u64) -> Step {
    if buf.is_empty() {
        return Step::NeedMore;
    }
    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(buf.len());
    *left -= count as u64;
    Step::Data(buf.split_to(count).freeze())
}

impl Chunk {
    fn step(&mut self, buf: &mut BytesMut) -> Result<Step, &'static str> {
        loop {
            match self {
                Self::Size => {
                    let Some(line) = line_length(buf)? else { return Ok(Step::NeedMore) };
                    let size = chunk_size(&buf[..line])?;
                    buf.advance(line);
                    *self = if size == 0 { Self::Trailer(0) } else { Self::Data(size) };
                }
                Self::Data(0) => *self = Self::Break,
                Self::Data(left) => return Ok(take(buf, left)),
                Self::Break => match buf.as_ref() {
                    [b'\r', b'\n', ..] => {
                        buf.advance(2);
                        *self = Self::Size;
                    }
                    [] | [b'\r'] => return Ok(Step::NeedMore),
                    _ => return Err("a chunk is longer than its stated size"),
                },
                Self::Trailer(seen) => {
                    let Some(line) = line_length(buf)? else { return Ok(Step::NeedMore) };
                    let empty = matches!(&buf[..line], b"\r\n" | b"\n");
                    *seen += line;
                    if *seen > MAX_LINE {
                        return Err("the trailers are too long");
                    }
                    buf.advance(line);
                    if empty {
                        *self = Self::Done;
                    }
                }
                Self::Done => return Ok(Step::End),
            }
        }
    }
}

/// The length of the first line, its line feed included.
fn line_length(buf: &[u8]) -> Result<Option<usize>, &'static str> {
    match memchr::memchr(b'\n', buf) {
        Some(at) if at < MAX_LINE => Ok(Some(at + 1)),
        None if buf.len() < MAX_LINE => Ok(None),
        _ => Err("a line of the chunk framing is too long"),
    }
}

/// Reads `1a2b[;extension]\r\n`.
fn chunk_size(line: &[u8]) -> Result<u64, &'static str> {
    const BAD: &str = "a chunk size is not a hexadecimal number";
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    // 15 digits stay far below u64::MAX and far above any real chunk.
    if digits == 0 || digits > 15 {
        return Err(BAD);
    }
    match line[digits..].trim_ascii_start() {
        [] | [b';', ..] => {}
        _ => return Err(BAD),
    }
    let size = line[..digits].iter().fold(0, |size, digit| {
        size << 4 | u64::from(char::from(*digit).to_digit(16).expect("only hexadecimal digits were counted"))
    });
    Ok(size)
}
