//! The ledger on the hot path: records gather for a turn of the event loop and leave in one write.
//!
//! A call waits for its intent to be written before it is sent to a provider. Under load many calls
//! become ready in one turn, and all their intents share one `write(2)`.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use gateway_db::Writer;
use llm_types::{Error, ErrorKind, Origin, Result};
use parking_lot::Mutex;

use crate::clock::now_ms;

/// How long to wait before a write that failed is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// One core's records on their way to disk.
pub(crate) struct Journal(Mutex<State>);

struct State {
    writer: Writer,
    /// Records not written yet.
    pending: Vec<u8>,
    /// An emptied buffer, for the next turn.
    spare: Vec<u8>,
    /// Turns queued and turns written: a record of turn `n` is safe once `written >= n`.
    queued: u64,
    written: u64,
    /// Why the last write failed, until one succeeds.
    broken: Option<String>,
    waiting: Vec<Waker>,
    flusher: Option<Waker>,
}

/// The turn a record was queued in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn(u64);

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.0.lock();
        f.debug_struct("Journal")
            .field("pending", &state.pending.len())
            .field("broken", &state.broken)
            .finish()
    }
}

impl Journal {
    /// A journal that writes to one shard of the ledger.
    pub(crate) fn new(writer: Writer) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            writer,
            pending: Vec::with_capacity(16 * 1024),
            spare: Vec::with_capacity(16 * 1024),
            queued: 1,
            written: 0,
            broken: None,
            waiting: Vec::new(),
            flusher: None,
        })))
    }

    /// Whether records can be written, as far as is known: while they cannot, none are gathered.
    ///
    /// # Errors
    /// As [`Journal::written`].
    pub(crate) fn usable(&self) -> Result<()> {
        match &self.0.lock().broken {
            Some(reason) => Err(unwritable(reason)),
            None => Ok(()),
        }
    }

    /// Queues a record; `encode` appends it.
    pub(crate) fn queue(&self, encode: impl FnOnce(&mut Vec<u8>)) -> Turn {
        let mut state = self.0.lock();
        encode(&mut state.pending);
        if let Some(flusher) = state.flusher.take() {
            flusher.wake();
        }
        Turn(state.queued)
    }

    /// Waits until the records of a turn are written.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] while the ledger cannot be written: a call that could not be booked is
    /// not made.
    pub(crate) async fn written(&self, turn: Turn) -> Result<()> {
        poll_fn(|cx| {
            let mut state = self.0.lock();
            if state.written >= turn.0 {
                return Poll::Ready(Ok(()));
            }
            if let Some(reason) = &state.broken {
                return Poll::Ready(Err(unwritable(reason)));
            }
            state.waiting.push(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Writes turn after turn, for ever. One such task runs on each core.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            let failed = poll_fn(|cx| self.next_turn(cx.waker())).await;
            if failed {
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Writes what is pending; ready with `true` when writing failed.
    fn next_turn(&self, waker: &Waker) -> Poll<bool> {
        let mut state = self.0.lock();
        if state.pending.is_empty() {
            state.flusher = Some(waker.clone());
            return Poll::Pending;
        }
        Poll::Ready(!state.write())
    }

    /// Writes what is pending now and makes it outlive a loss of power.
    ///
    /// # Errors
    /// What the disk said.
    pub(crate) fn sync(&self) -> std::io::Result<()> {
        let mut state = self.0.lock();
        if !state.pending.is_empty() && !state.write() {
            return Err(std::io::Error::other(state.broken.clone().unwrap_or_default()));
        }
        state.writer.sync()
    }
}

impl State {
    /// One write of everything pending; says whether it succeeded. What could not be written stays.
    fn write(&mut self) -> bool {
        let records = std::mem::replace(&mut self.pending, std::mem::take(&mut self.spare));
        let outcome = self.writer.append(&records, now_ms());
        match outcome {
            Ok(()) => {
                self.written = self.queued;
                self.queued += 1;
                self.broken = None;
                self.spare = records;
                self.spare.clear();
            }
            Err(error) => {
                tracing::error!(%error, "the ledger cannot be written: calls are refused until it can");
                self.broken = Some(error.to_string());
                self.spare = std::mem::replace(&mut self.pending, records);
            }
        }
        for waker in self.waiting.drain(..) {
            waker.wake();
        }
        self.broken.is_none()
    }
}

fn unwritable(reason: &str) -> Error {
    Error::new(
        ErrorKind::Overloaded,
        "the gateway cannot write its ledger, so the call was not made: try again later",
    )
    .with_origin(Origin::Gateway)
    .with_source(std::io::Error::other(reason.to_owned()))
}
