//! How many calls to models are answered at a time: more wait for their turn, in the order they came.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use llm_types::{Error, ErrorKind, Origin, Result, Retry};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::config::Admission;

/// Where calls are let in. Nothing happens here while the operator sets no bound.
#[derive(Debug, Default)]
pub(crate) struct Gate(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    taken: u64,
    waiting: VecDeque<oneshot::Sender<Admitted>>,
}

/// A call that was let in; dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct Admitted(Option<Arc<Gate>>);

impl Gate {
    /// Lets a call in, now or in its turn.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] when too many wait already, or it waited too long.
    pub(crate) async fn enter(self: &Arc<Self>, bound: Admission) -> Result<Admitted> {
        let mut turn = match self.take(bound)? {
            Turn::Now(admitted) => return Ok(admitted),
            Turn::Later(turn) => turn,
        };
        if let Ok(Ok(admitted)) = tokio::time::timeout(bound.patience, &mut turn).await {
            return Ok(admitted);
        }
        // Its turn may have come in this very moment.
        turn.close();
        turn.try_recv().map_err(|_| {
            full(&format!("no call ended within {} seconds", bound.patience.as_secs_f64()), bound.most)
        })
    }

    fn take(self: &Arc<Self>, bound: Admission) -> Result<Turn> {
        let mut inside = self.0.lock();
        if inside.taken < bound.most {
            inside.taken += 1;
            return Ok(Turn::Now(Admitted(Some(Arc::clone(self)))));
        }
        if bound.queue.is_some_and(|most| inside.waiting.len() >= most) {
            // Those who left without a word make room.
            inside.waiting.retain(|turn| !turn.is_closed());
        }
        match bound.queue {
            Some(most) if inside.waiting.len() >= most => {
                Err(full(&format!("{most} calls wait already"), bound.most))
            }
            _ => {
                let (sender, turn) = oneshot::channel();
                inside.waiting.push_back(sender);
                Ok(Turn::Later(turn))
            }
        }
    }

    /// The next that waits, or one place less taken.
    fn next(&self) -> Option<oneshot::Sender<Admitted>> {
        let mut inside = self.0.lock();
        let next = inside.waiting.pop_front();
        if next.is_none() {
            inside.taken = inside.taken.saturating_sub(1);
        }
        next
    }
}

enum Turn {
    Now(Admitted),
    Later(oneshot::Receiver<Admitted>),
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let Some(gate) = self.0.take() else { return };
        while let Some(next) = gate.next() {
            match next.send(Self(Some(Arc::clone(&gate)))) {
                Ok(()) => return,
                // Whoever waited has left: the place goes to the one behind.
                Err(mut back) => back.0 = None,
            }
        }
    }
}

/// LiteLLM answers 503, too, where its workers are full.
fn full(why: &str, most: u64) -> Error {
    let words = format!(
        "the gateway is busy: {most} calls are being answered (`max_in_flight_requests_per_worker`), and {why}"
    );
    Error::new(ErrorKind::Overloaded, words)
        .with_origin(Origin::Gateway)
        .with_retry(Retry::After(Duration::from_secs(1)))
}

#[cfg(test)]
mod tests;
