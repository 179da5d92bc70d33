//! The body of an answer: whole, or a stream on its way through.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc::Receiver;

use crate::walk::{Early, Stream};

/// The body of an answer.
pub(crate) enum ReplyBody {
    /// All of it.
    Full(Bytes),
    /// A stream being relayed.
    Stream(Box<Stream>),
    /// A stream that began before its answer was there.
    Early(Box<Early>),
    /// Pieces of a stream that somebody else takes to its end.
    Piped(Receiver<Bytes>),
}

impl ReplyBody {
    /// A whole body.
    pub(crate) fn full(bytes: Bytes) -> Self {
        Self::Full(bytes)
    }
}

/// A body that has no words to say that it was cut ends with its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CutShort;

impl fmt::Display for CutShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the provider's answer ended before it was complete")
    }
}

impl std::error::Error for CutShort {}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
            Self::Early(early) => early.fmt(f),
            Self::Piped(_) => f.write_str("Piped"),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(stream) => stream.poll_piece(cx).map(|piece| match piece {
                Some(bytes) => Some(Ok(Frame::data(bytes))),
                None => stream.breaks_off().then_some(Err(CutShort)),
            }),
            Self::Early(early) => early.poll_frame(cx),
            Self::Piped(pieces) => {
                pieces.poll_recv(cx).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Stream(stream) => stream.is_over(),
            Self::Early(_) | Self::Piped(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(_) | Self::Early(_) | Self::Piped(_) => SizeHint::default(),
        }
    }
}
