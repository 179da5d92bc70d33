//! Slices of shared budgets: asked for when an account runs short, given back when it is idle.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use gateway_db::{Db, DbErrorKind, LeaseAsk, Payer};
use llm_types::{Money, Result};
use tokio::sync::Mutex;

use super::directory::unavailable;
use crate::clock::steady_ms;
use crate::ledger::Shipping;
use crate::limits::Account;

/// How long a lease lasts, in milliseconds: as long as others wait for what a replica that died had taken.
const LASTS_MS: i64 = 60_000;

/// How long the records of calls that have ended take into the ledger, with much to spare.
const WRITTEN_WITHIN: Duration = Duration::from_millis(250);

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

    /// The lease ends here before it ends in the store: its time is counted from before the question.
    async fn take(&self, payer: &Payer, account: &Account, (wanted, max): (Money, Money)) -> Result<()> {
        let now = steady_ms();
        let ask = LeaseAsk { max, want: wanted, lasts: LASTS_MS, now: None };
        match self.db.lease(payer, &self.node, ask).await {
            Ok(got) => {
                account.grant(&got, (wanted, max), (now, now + LASTS_MS));
                Ok(())
            }
            Err(error) => {
                if error.kind() == DbErrorKind::Unsure {
                    account.doubt_lease(true);
                }
                Err(unavailable(error))
            }
        }
    }

    /// Gives back what is idle and makes longer what is in use.
    ///
    /// # Errors
    /// When the database does not answer; what could not be given back is kept.
    pub(crate) async fn tend(&self, payer: &Payer, account: &Account, shipping: &Shipping) -> Result<()> {
        let now = steady_ms();
        let gate = Arc::clone(&self.gates.entry(payer.clone()).or_default());
        let _turn = gate.lock().await;
        if let Some(held) = account.take_doubtful_lease() {
            return self.settle_doubt(payer, account, held, shipping).await;
        }
        if account.has_idle_lease(now) {
            return self.give_back(payer, account).await;
        }
        if account.lease_ends_soon(now)
            && self.db.extend_lease(payer, &self.node, None, LASTS_MS).await.map_err(unavailable)?
        {
            account.extend_lease(now + LASTS_MS);
        }
        Ok(())
    }

    /// What is idle is taken out only when the database answers: until then calls may still use it.
    async fn give_back(&self, payer: &Payer, account: &Account) -> Result<()> {
        let mut taken = None;
        let take = || {
            taken = account.take_idle_lease(steady_ms());
            taken
        };
        let returned = self.db.return_lease(payer, &self.node, take).await;
        match (&returned, taken) {
            (Err(error), Some(_)) if error.kind() == DbErrorKind::Unsure => account.doubt_lease(true),
            (Err(_), Some(unused)) => account.keep_lease(unused),
            _ => {}
        }
        // Two hold it: the table, and who tends.
        self.gates.remove_if(payer, |_, gate| Arc::strong_count(gate) <= 2);
        returned.map_err(unavailable)
    }

    /// Brings what the store has under our name in line with what we hold, which is nothing: no call is in flight,
    /// none gets a lease before this is over, and everything spent is shipped first.
    async fn settle_doubt(
        &self,
        payer: &Payer,
        account: &Account,
        held: Money,
        shipping: &Shipping,
    ) -> Result<()> {
        // Records of calls that have just ended are on their way into the ledger for this long at most.
        tokio::time::sleep(WRITTEN_WITHIN).await;
        let settled = match shipping.flush().await {
            Ok(()) => self.db.clear_lease(payer, &self.node).await,
            failed => failed,
        };
        match settled {
            Ok(()) => account.doubt_lease(false),
            // Whatever became of it, what we held is ours at most.
            Err(_) => account.keep_lease(held),
        }
        settled.map_err(unavailable)
    }
}
