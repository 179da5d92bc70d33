//! Whether the database answers and takes what is booked, and what becomes of calls while it does not
//! (`general_settings.on_store_outage`).
//!
//! Nothing is lost meanwhile: what calls cost is in the ledger, and is shipped when the database is back. What is
//! in memory goes on: known keys with the rates, budgets and slices of budgets they have here. What would need the
//! database is refused at once, instead of after a wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use llm_types::{Error, ErrorKind, Origin, Result};
use tokio::sync::watch;

use crate::clock::{self, steady_ms};
use crate::config::OnOutage;
use crate::state::Shared;

/// How often the database is asked.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long it has to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Condition {
    /// It answers and takes what is booked.
    Well,
    /// It answers, but what is booked cannot be put into it: its disk is full, it is locked, it is read only.
    Stuck,
    /// It does not answer.
    Silent,
}

/// What is known of the database.
#[derive(Debug)]
pub(crate) struct Store {
    now: AtomicU8,
    /// Since when it is so, in steady milliseconds.
    since: AtomicI64,
    outages: AtomicU64,
    turns: watch::Sender<Condition>,
}

impl Default for Store {
    fn default() -> Self {
        let (now, since) = (AtomicU8::new(Condition::Well as u8), AtomicI64::new(steady_ms()));
        Self { now, since, outages: AtomicU64::new(0), turns: watch::Sender::new(Condition::Well) }
    }
}

impl Store {
    /// How it is.
    pub(crate) fn condition(&self) -> Condition {
        match self.now.load(Relaxed) {
            0 => Condition::Well,
            1 => Condition::Stuck,
            _ => Condition::Silent,
        }
    }

    /// Lets a call pass, or refuses it where the operator wants none while the database is away.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`], a 503.
    pub(crate) fn admit(&self, policy: OnOutage) -> Result<()> {
        let condition = self.condition();
        if condition == Condition::Well || policy == OnOutage::Continue {
            return Ok(());
        }
        let what = match condition {
            Condition::Silent => "does not answer",
            _ => "takes nothing in",
        };
        Err(unavailable(&format!("the database {what} and `on_store_outage` is `refuse`: try again later")))
    }

    /// Names and values, for metrics.
    pub(crate) fn figures(&self) -> [(&'static str, u64); 5] {
        let condition = self.condition();
        let away = if condition == Condition::Well { 0 } else { steady_ms() - self.since.load(Relaxed) };
        [
            ("gateway_store_answers", u64::from(condition != Condition::Silent)),
            ("gateway_store_takes_bookings", u64::from(condition == Condition::Well)),
            ("gateway_store_outage_seconds", u64::try_from(away / 1_000).unwrap_or(0)),
            ("gateway_store_outages_total", self.outages.load(Relaxed)),
            ("gateway_clock_jumps_total", clock::jumps()),
        ]
    }

    fn turn(&self, condition: Condition, why: &str) {
        let was = self.condition();
        if was == condition {
            return;
        }
        self.now.store(condition as u8, Relaxed);
        self.since.store(steady_ms(), Relaxed);
        if was == Condition::Well {
            self.outages.fetch_add(1, Relaxed);
        }
        match condition {
            Condition::Well => tracing::info!("the database is back: what was booked meanwhile is shipped"),
            Condition::Stuck => {
                tracing::warn!(why, "the database takes nothing in: calls are kept in the ledger")
            }
            Condition::Silent => {
                tracing::warn!(why, "the database does not answer: calls are kept in the ledger")
            }
        }
        self.turns.send_replace(condition);
    }
}

/// Asks the database how it is, as long as the gateway runs.
pub(crate) async fn watch(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        clock::look();
        let Some(db) = shared.directory.db() else { continue };
        let (condition, why) = match tokio::time::timeout(PATIENCE, db.ping()).await {
            Ok(Ok(())) => match shared.shipping.trouble() {
                None => (Condition::Well, String::new()),
                Some(why) => (Condition::Stuck, why),
            },
            Ok(Err(error)) => (Condition::Silent, error.to_string()),
            Err(_) => (Condition::Silent, format!("no answer within {} s", PATIENCE.as_secs())),
        };
        shared.store.turn(condition, &why);
    }
}

/// Asks the database for `what`, on the runtime beside the data plane; gives up when it turns out to be silent.
///
/// # Errors
/// What the question gives, or [`ErrorKind::Overloaded`], a 503, while the database does not answer.
pub(crate) async fn ask<T: Send + 'static>(
    shared: &Arc<Shared>,
    what: &str,
    question: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let silent =
        || unavailable(&format!("{what} needs the database, which does not answer: try again later"));
    let mut turns = shared.store.turns.subscribe();
    if *turns.borrow_and_update() == Condition::Silent {
        return Err(silent());
    }
    tokio::select! {
        biased;
        answered = shared.control.spawn(question) => answered.map_err(|gone| {
            Error::new(ErrorKind::Internal, format!("{what} was interrupted")).with_source(gone)
        })?,
        _ = turns.wait_for(|now| *now == Condition::Silent) => Err(silent()),
    }
}

fn unavailable(message: &str) -> Error {
    Error::new(ErrorKind::Overloaded, message).with_origin(Origin::Gateway).with_code("no_db_connection")
}

#[cfg(test)]
mod tests;
