//! The ledger off the hot path: opened and recovered at the start, shipped and synced by timers.

use std::sync::Arc;
use std::time::Duration;

use gateway_db::{Ledger, LogRows, Shipper};

use crate::clock::now_ms;
use crate::config::General;

/// How often what was written is made to outlive a loss of power.
const SYNC_EVERY: Duration = Duration::from_millis(200);

/// The ledger's way into the database.
#[derive(Debug, Clone)]
pub(crate) struct Shipping {
    ledger: Arc<Ledger>,
    shipper: Option<Arc<Shipper>>,
}

impl Shipping {
    /// Ships a ledger with a shipper, or keeps it where there is no database.
    pub(crate) fn new(ledger: Arc<Ledger>, shipper: Option<Arc<Shipper>>) -> Self {
        Self { ledger, shipper }
    }

    /// The name of this gateway among those that share its database.
    pub(crate) fn node(&self) -> &str {
        self.ledger.node()
    }

    /// Says which calls have a row in the spend log (`disable_spend_logs`, `disable_error_logs`).
    pub(crate) fn keep(&self, general: &General) {
        let rows = match (general.disable_spend_logs, general.disable_error_logs) {
            (true, _) => LogRows::None,
            (false, true) => LogRows::Successes,
            (false, false) => LogRows::All,
        };
        if let Some(shipper) = &self.shipper {
            shipper.keep(rows);
        }
    }

    /// Ships for ever; `busy` tells whether calls are being served.
    pub(crate) async fn run(self, busy: impl Fn() -> bool + Send) {
        if let Some(shipper) = &self.shipper {
            shipper.run(busy).await;
        }
    }

    /// Syncs for ever, on a thread where waiting for the disk harms nobody.
    pub(crate) async fn keep_synced(self) {
        loop {
            tokio::time::sleep(SYNC_EVERY).await;
            let ledger = Arc::clone(&self.ledger);
            let synced = tokio::task::spawn_blocking(move || ledger.sync(now_ms())).await;
            match synced {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the ledger could not be synced to disk"),
                Err(error) => tracing::error!(%error, "syncing the ledger was interrupted"),
            }
        }
    }

    /// Ships everything written so far.
    ///
    /// # Errors
    /// When the database fails; nothing is lost then, it is shipped by the next run.
    pub(crate) async fn flush(&self) -> Result<(), gateway_db::DbError> {
        match &self.shipper {
            Some(shipper) => shipper.flush().await,
            None => Ok(()),
        }
    }

    /// Figures for metrics: name and value.
    pub(crate) fn figures(&self) -> Vec<(&'static str, u64)> {
        let Some(shipper) = &self.shipper else { return Vec::new() };
        let status = shipper.status();
        vec![
            ("gateway_ledger_backlog_bytes", status.backlog_bytes),
            ("gateway_ledger_shipped_rows", status.shipped_rows),
            ("gateway_ledger_open_calls", status.open_calls),
            ("gateway_soft_budgets_passed", status.soft_budgets_passed),
            ("gateway_ledger_ship_failures_in_a_row", u64::from(status.failures)),
        ]
    }

    /// Why shipping fails at the moment.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.shipper.as_ref().and_then(|shipper| shipper.status().last_error)
    }
}
