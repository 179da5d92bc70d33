//! Fan-out: one event to every sink, each behind a bounded queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use llm_types::CallEvent;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::Sink;

/// The most events a sink is offered at once.
const BATCH: usize = 256;

/// Hands every event to every sink without waiting.
#[derive(Debug)]
pub struct Hub {
    outlets: Vec<Outlet>,
}

/// One sink's work: run it as a task. It ends when the hub is gone and its queue is empty.
#[derive(Debug)]
pub struct Worker {
    sink: Arc<dyn Sink>,
    queue: Receiver<Arc<CallEvent>>,
    counts: Arc<Counts>,
}

/// What became of the events of one sink since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkStats {
    /// The sink's name.
    pub name: String,
    /// Events in batches the sink took.
    pub delivered: u64,
    /// Events lost because the queue was full or its worker gone.
    pub dropped: u64,
    /// Events in batches the sink failed on.
    pub failed: u64,
}

#[derive(Debug)]
struct Outlet {
    name: String,
    queue: Sender<Arc<CallEvent>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    delivered: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

impl Hub {
    /// A hub over these sinks, and one worker for each. `capacity` is the length of each queue in
    /// events; 0 counts as 1.
    #[must_use]
    pub fn new(sinks: impl IntoIterator<Item = Arc<dyn Sink>>, capacity: usize) -> (Self, Vec<Worker>) {
        let (outlets, workers) = sinks
            .into_iter()
            .map(|sink| {
                let (sender, queue) = channel(capacity.max(1));
                let counts = Arc::new(Counts::default());
                let outlet =
                    Outlet { name: sink.name().to_owned(), queue: sender, counts: Arc::clone(&counts) };
                (outlet, Worker { sink, queue, counts })
            })
            .unzip();
        (Self { outlets }, workers)
    }

    /// Offers an event to every sink; never waits.
    pub fn publish(&self, event: &Arc<CallEvent>) {
        for outlet in &self.outlets {
            match outlet.queue.try_send(Arc::clone(event)) {
                Ok(()) => {}
                Err(TrySendError::Full(_) | TrySendError::Closed(_)) => {
                    outlet.counts.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    /// What became of the events, per sink.
    #[must_use]
    pub fn stats(&self) -> Vec<SinkStats> {
        self.outlets
            .iter()
            .map(|outlet| SinkStats {
                name: outlet.name.clone(),
                delivered: outlet.counts.delivered.load(Ordering::Relaxed),
                dropped: outlet.counts.dropped.load(Ordering::Relaxed),
                failed: outlet.counts.failed.load(Ordering::Relaxed),
            })
            .collect()
    }
}

impl Worker {
    /// Delivers until the hub is gone and the queue is empty.
    pub async fn run(mut self) {
        let mut batch = Vec::new();
        while self.queue.recv_many(&mut batch, BATCH).await > 0 {
            let count = match self.sink.send(&batch).await {
                Ok(()) => &self.counts.delivered,
                Err(_) => &self.counts.failed,
            };
            count.fetch_add(batch.len() as u64, Ordering::Relaxed);
            batch.clear();
        }
    }
}

#[cfg(test)]
mod tests;
