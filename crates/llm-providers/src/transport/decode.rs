//! Undoing `content-encoding`: gzip, deflate and brotli, piece by piece.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use brotli_decompressor::DecompressorWriter;
use bytes::{Buf as _, Bytes};
use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use futures_core::Stream;
use http::header::{self, HeaderMap};
use llm_types::{Body, BodyStream, Error, ErrorKind, HttpResponse, Result};

/// How many packed bytes are unpacked at a time.
const STEP: usize = 4 * 1024;
/// The most that one step may unpack to: far above any honest text, far below what hurts.
const MAX_PIECE: usize = 32 * 1024 * 1024;

/// Undoes the encoding of an answer, and removes the headers that spoke of it.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when the encoding is not known.
pub(super) fn undo_encoding(mut response: HttpResponse) -> Result<HttpResponse> {
    if !response.headers.contains_key(header::CONTENT_ENCODING) {
        return Ok(response);
    }
    let Some(decoder) = decoder(&response.headers)? else {
        response.headers.remove(header::CONTENT_ENCODING);
        return Ok(response);
    };
    response.headers.remove(header::CONTENT_ENCODING);
    response.headers.remove(header::CONTENT_LENGTH);
    response.body = match response.body {
        Body::Full(bytes) if bytes.is_empty() => Body::Full(bytes),
        Body::Full(bytes) => stream(Packed::Whole(bytes), decoder),
        Body::Stream(packed) => stream(Packed::Stream(packed), decoder),
    };
    Ok(response)
}

fn stream(packed: Packed, decoder: Decoder) -> Body {
    let state = State::Running { decoder: Box::new(decoder), pending: Bytes::new() };
    Body::Stream(Box::pin(Decoded { packed, state }))
}

fn decoder(headers: &HeaderMap) -> Result<Option<Decoder>> {
    let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
    let value = values.next().map(|value| value.as_bytes().trim_ascii().to_ascii_lowercase());
    let sink = Sink::default;
    match value.as_deref() {
        _ if values.next().is_some() => {}
        None | Some(b"" | b"identity") => return Ok(None),
        Some(b"gzip" | b"x-gzip") => return Ok(Some(Decoder::Gzip(MultiGzDecoder::new(sink())))),
        Some(b"deflate") => return Ok(Some(Decoder::Deflate)),
        Some(b"br") => {
            return Ok(Some(Decoder::Brotli(Box::new(DecompressorWriter::new(sink(), 4096)))));
        }
        Some(_) => {}
    }
    let value = value.unwrap_or_default();
    let name = String::from_utf8_lossy(&value);
    let message = format!("answer has `content-encoding: {name}`: expected `gzip`, `deflate` or `br`");
    Err(Error::new(ErrorKind::BadUpstream, message))
}

enum Decoder {
    Gzip(MultiGzDecoder<Sink>),
    /// `deflate` whose first byte has not been seen: vendors send it with and without the zlib header.
    Deflate,
    Inflate(Inflate),
    Brotli(Box<DecompressorWriter<Sink>>),
}

impl Decoder {
    fn push(&mut self, packed: &[u8]) -> io::Result<Bytes> {
        if let (Self::Deflate, Some(first)) = (&self, packed.first()) {
            // RFC 1950 §2.2: the low four bits are 8 and the window size at most 7; a raw stream does
            // not begin so in practice.
            let has_header = first & 0x0f == 8 && first >> 4 <= 7;
            *self = Self::Inflate(Inflate { state: Decompress::new(has_header), ended: false });
        }
        match self {
            Self::Deflate => Ok(Bytes::new()),
            Self::Gzip(decoder) => feed(decoder, packed).map(|()| decoder.get_mut().take()),
            Self::Inflate(inflate) => inflate.push(packed),
            Self::Brotli(decoder) => feed(decoder, packed).map(|()| decoder.get_mut().take()),
        }
    }

    /// The packed bytes have ended: fails when more were due.
    fn finish(&mut self) -> io::Result<Bytes> {
        match self {
            Self::Inflate(Inflate { ended: true, .. }) => Ok(Bytes::new()),
            Self::Deflate | Self::Inflate(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            Self::Gzip(decoder) => decoder.try_finish().map(|()| decoder.get_mut().take()),
            Self::Brotli(decoder) => decoder.close().map(|()| decoder.get_mut().take()),
        }
    }
}

/// `deflate`, driven by hand: flate2's writers take a body that was cut for a whole one.
struct Inflate {
    state: Decompress,
    ended: bool,
}

impl Inflate {
    fn push(&mut self, mut packed: &[u8]) -> io::Result<Bytes> {
        let mut sink = Sink::default();
        let mut room = Vec::with_capacity(4 * STEP);
        while !self.ended {
            room.clear();
            let before = self.state.total_in();
            let status = self.state.decompress_vec(packed, &mut room, FlushDecompress::None)?;
            let used = usize::try_from(self.state.total_in() - before).expect("no more than was given");
            packed = &packed[used..];
            sink.write_all(&room)?;
            self.ended = status == Status::StreamEnd;
            if room.is_empty() && (used == 0 || packed.is_empty()) {
                break;
            }
        }
        Ok(sink.take())
    }
}

fn feed(decoder: &mut impl Write, packed: &[u8]) -> io::Result<()> {
    decoder.write_all(packed)?;
    decoder.flush()
}

/// Unpacked bytes, bounded.
#[derive(Default)]
struct Sink(Vec<u8>);

impl Sink {
    fn take(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.0))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_PIECE {
            return Err(io::Error::other("it unpacks to too much at once"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Packed {
    Whole(Bytes),
    Stream(BodyStream),
}

impl Packed {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        match self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Self::Stream(stream) => stream.as_mut().poll_next(cx),
        }
    }
}

enum State {
    Running { decoder: Box<Decoder>, pending: Bytes },
    Ended,
}

struct Decoded {
    packed: Packed,
    state: State,
}

impl Stream for Decoded {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let State::Running { decoder, pending } = &mut this.state else { return Poll::Ready(None) };
        let last = loop {
            if pending.is_empty() {
                match ready!(this.packed.poll_next(cx)) {
                    Some(Ok(piece)) => *pending = piece,
                    Some(Err(error)) => break Err(error),
                    None => break decoder.finish().map_err(broken),
                }
            }
            let count = pending.len().min(STEP);
            match decoder.push(&pending[..count]) {
                Ok(unpacked) => {
                    pending.advance(count);
                    if !unpacked.is_empty() {
                        return Poll::Ready(Some(Ok(unpacked)));
                    }
                }
                Err(error) => break Err(broken(error)),
            }
        };
        this.state = State::Ended;
        Poll::Ready(match last {
            Ok(rest) if rest.is_empty() => None,
            last => Some(last),
        })
    }
}

fn broken(error: io::Error) -> Error {
    Error::new(ErrorKind::BadUpstream, format!("packed answer is broken: {error}")).with_source(error)
}
