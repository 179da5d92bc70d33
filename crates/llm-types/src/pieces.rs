//! Bodies that do not stand in memory: files that callers leave, and requests made of them.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;

use crate::{BodyStream, Error, ErrorKind, Result};

/// Bytes outside memory that can be read again and again.
pub trait Stored: Send + Sync + fmt::Debug {
    /// The bytes of a range, piece by piece.
    fn read(self: Arc<Self>, range: Range<u64>) -> BodyStream;

    /// How long the audio in it is to be listened to, where that shows only when all of it is there: thousandths
    /// of a second.
    fn audio_ms(&self) -> Option<u64> {
        None
    }
}

/// One file that stands outside memory.
#[derive(Clone)]
pub struct Kept {
    store: Arc<dyn Stored>,
    range: Range<u64>,
    start: Bytes,
    audio_ms: Option<u64>,
}

impl Kept {
    /// The file in a range of a store: what it begins with, and, where it is audio that says so, its length in
    /// thousandths of a second.
    #[must_use]
    pub fn new(store: Arc<dyn Stored>, range: Range<u64>, start: Bytes, audio_ms: Option<u64>) -> Self {
        Self { store, range, start, audio_ms }
    }

    /// Its size in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its first bytes, enough to tell what kind of file it is.
    #[must_use]
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// How long it is to be listened to, where it says so: thousandths of a second.
    #[must_use]
    pub fn audio_ms(&self) -> Option<u64> {
        self.audio_ms.or_else(|| self.store.audio_ms())
    }

    /// What it holds, from its beginning.
    #[must_use]
    pub fn open(&self) -> BodyStream {
        Arc::clone(&self.store).read(self.range.clone())
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} bytes)", self.len())
    }
}

impl Eq for Kept {}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.store, &other.store) && self.range == other.range
    }
}

/// A request's body in pieces, some of which stand outside memory. It can be begun again.
#[derive(Debug, Clone, Default)]
pub struct Pieces {
    pieces: VecDeque<Piece>,
    length: u64,
}

#[derive(Debug, Clone)]
enum Piece {
    Bytes(Bytes),
    Kept(Kept),
}

impl Pieces {
    /// Adds bytes.
    pub fn push(&mut self, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        self.length += bytes.len() as u64;
        self.pieces.push_back(Piece::Bytes(bytes));
    }

    /// Adds a file.
    pub fn push_kept(&mut self, kept: Kept) {
        self.length += kept.len();
        self.pieces.push_back(Piece::Kept(kept));
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The bytes, from the beginning.
    #[must_use]
    pub fn open(&self) -> BodyStream {
        Box::pin(Opened { rest: self.pieces.clone(), current: None })
    }

    /// All of them in memory.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] when they are more than `limit`; what a store fails with.
    pub async fn load(&self, limit: u64) -> Result<Bytes> {
        if self.length > limit {
            let message = format!("the request has {} bytes, more than {limit}", self.length);
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let mut all = BytesMut::with_capacity(usize::try_from(self.length).unwrap_or_default());
        let mut stream = self.open();
        while let Some(piece) = std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            all.extend_from_slice(&piece?);
        }
        Ok(all.freeze())
    }
}

impl From<Kept> for Pieces {
    fn from(kept: Kept) -> Self {
        let mut pieces = Self::default();
        pieces.push_kept(kept);
        pieces
    }
}

/// Pieces being read.
struct Opened {
    rest: VecDeque<Piece>,
    current: Option<BodyStream>,
}

impl Stream for Opened {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(stream) = &mut self.current {
                match stream.as_mut().poll_next(cx) {
                    Poll::Ready(None) => self.current = None,
                    other => return other,
                }
            }
            match self.rest.pop_front() {
                None => return Poll::Ready(None),
                Some(Piece::Bytes(bytes)) if bytes.is_empty() => {}
                Some(Piece::Bytes(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Some(Piece::Kept(kept)) => self.current = Some(kept.open()),
            }
        }
    }
}

#[cfg(test)]
mod tests;
