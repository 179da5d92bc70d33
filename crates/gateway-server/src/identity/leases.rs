//! Slices of shared budgets: asked for when an account runs short, given back when it is idle.

use std::sync::Arc;

use dashmap::DashMap;
use gateway_db::{Db, LeaseAsk, Payer};
use llm_types::{Money, Result};
use tokio::sync::Mutex;

use super::directory::unavailable;
use crate::clock::now_ms;
use crate::limits::Account;

/// How long a lease lasts, in milliseconds: as long as others wait for what a replica that died had taken.
const LASTS_MS: i64 = 60_000;

/// What this replica leases, where replicas share the database.
#[derive(Debug)]
pub(crate) struct Leases {
    db: Db,
    node: String,
    /// One asks at a time for an account; the others wait, and mostly find that it is enough for them too.
    gates: DashMap<Payer, Arc<Mutex<()>>>,
}

impl Leases {
    /// Leases of a node.
    pub(crate) fn new(db: Db, node: &str) -> Self {
        Self { db, node: node.to_owned(), gates: DashMap::new() }
    }

    /// Asks for a slice that holds `wanted`, unless somebody who asked meanwhile got enough: `short` tells.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Overloaded`] when the database does not answer.
    pub(crate) async fn ask(
        &self,
        payer: Payer,
        account: &Account,
        (wanted, max): (Money, Money),
        short: impl Fn() -> bool,
    ) -> Result<()> {
        let gate = Arc::clone(&self.gates.entry(payer.clone()).or_default());
        let _turn = gate.lock().await;
        if short() {
            self.take(&payer, account, (wanted, max)).await?;
        }
        Ok(())
    }

    async fn take(&self, payer: &Payer, account: &Account, (wanted, max): (Money, Money)) -> Result<()> {
        let now = now_ms();
        let ask = LeaseAsk { max, want: wanted, now, until: now + LASTS_MS };
        let got = self.db.lease(payer, &self.node, ask).await.map_err(unavailable)?;
        account.grant(&got, (wanted, max), (now, ask.until));
        Ok(())
    }

    /// Gives back what is idle and makes longer what is in use.
    ///
    /// # Errors
    /// When the database does not answer; what could not be given back is kept.
    pub(crate) async fn tend(&self, payer: &Payer, account: &Account) -> Result<()> {
        let now = now_ms();
        if let Some(unused) = account.take_idle_lease(now) {
            let returned = self.db.return_lease(payer, &self.node, unused).await;
            if returned.is_err() {
                account.keep_lease(unused);
            }
            self.gates.remove_if(payer, |_, gate| Arc::strong_count(gate) == 1);
            return returned.map_err(unavailable);
        }
        if account.lease_ends_soon(now) {
            let until = now + LASTS_MS;
            if self.db.extend_lease(payer, &self.node, now, until).await.map_err(unavailable)? {
                account.extend_lease(until);
            }
        }
        Ok(())
    }
}
