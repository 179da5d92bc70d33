//! A form that is sent on while it arrives (`stream_uploads`): what has come stands in a file, and is read from
//! there as far as it is there.
//!
//! What is behind the file shows only at the end. The form is taken to end with its file; the last piece of the file
//! is given out when it is known that it did, so that no provider gets a whole request that lacks something.

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use llm_providers::operations::Form;
use llm_types::{BodyStream, Error, ErrorKind, Kept, Origin, Result, Retry, Stored};
use tokio::sync::watch;

use super::uploads::{CHUNK, read_piece};

/// A form that is arriving.
pub(crate) struct Growing {
    file: Arc<File>,
    /// How much of the body is in the file.
    there: watch::Sender<u64>,
    /// How it ended.
    end: watch::Sender<Option<Result<End>>>,
}

/// A form that has come whole.
#[derive(Debug, Clone)]
pub(crate) struct End {
    /// Its texts, and where they and its file stand.
    pub(crate) whole: (Bytes, Form),
    /// Whether it ended with its file, where that was expected.
    pub(crate) as_expected: bool,
}

impl fmt::Debug for Growing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Growing({} bytes)", *self.there.borrow())
    }
}

impl Growing {
    /// Nothing has come yet.
    pub(super) fn new(file: Arc<File>) -> Self {
        Self { file, there: watch::Sender::new(0), end: watch::Sender::new(None) }
    }

    /// So much of the body stands in the file.
    pub(super) fn reach(&self, bytes: u64) {
        self.there.send_replace(bytes);
    }

    /// Nothing more will come.
    pub(super) fn finish(&self, end: Result<End>) {
        self.end.send_replace(Some(end));
    }

    /// The whole form, when it is there.
    ///
    /// # Errors
    /// Why it did not come whole.
    pub(crate) async fn whole(&self) -> Result<End> {
        let mut ended = self.end.subscribe();
        let ended = ended.wait_for(Option::is_some).await.map_err(|_| gone())?;
        ended.clone().unwrap_or_else(|| Err(gone()))
    }

    /// Whether something stands behind the file, as far as is known.
    pub(crate) fn surprises(&self) -> bool {
        matches!(&*self.end.borrow(), Some(Ok(end)) if !end.as_expected)
    }

    /// The next bytes of a range that is not empty.
    async fn piece(&self, range: &Range<u64>) -> Result<Bytes> {
        let mut there = self.there.subscribe();
        let mut ended = self.end.subscribe();
        let reached = tokio::select! {
            // What is there is given out before it is told that nothing more comes.
            biased;
            reached = there.wait_for(|there| *there > range.start) => *reached.map_err(|_| gone())?,
            ended = ended.wait_for(Option::is_some) => match &*ended.map_err(|_| gone())? {
                Some(Err(error)) => return Err(error.clone()),
                _ => *self.there.borrow(),
            },
        };
        let end = reached.min(range.end).min(range.start + CHUNK as u64);
        if end == range.end && !self.whole().await?.as_expected {
            return Err(misjudged());
        }
        if end <= range.start {
            return Err(misjudged());
        }
        read_piece(&self.file, range.start..end).await
    }
}

impl Stored for Growing {
    fn read(self: Arc<Self>, range: Range<u64>) -> BodyStream {
        Box::pin(stream::try_unfold((self, range), |(growing, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let piece = growing.piece(&range).await?;
            let rest = range.start + piece.len() as u64..range.end;
            Ok(Some((piece, (growing, rest))))
        }))
    }

    fn audio_ms(&self) -> Option<u64> {
        let ended = self.end.borrow();
        let Some(Ok(end)) = &*ended else { return None };
        end.whole.1.fields.iter().find_map(|field| field.kept.as_ref().and_then(Kept::audio_ms))
    }
}

/// Something stands behind the file: the provider has to be asked with the whole form.
fn misjudged() -> Error {
    let message = "the form goes on behind its file";
    Error::new(ErrorKind::BadRequest, message).with_origin(Origin::Caller).with_retry(Retry::Never)
}

/// The task that read the form is gone, as happens when the gateway stops.
fn gone() -> Error {
    Error::new(ErrorKind::BadRequest, "the request's body did not arrive whole").with_retry(Retry::Never)
}

#[cfg(test)]
mod tests;
