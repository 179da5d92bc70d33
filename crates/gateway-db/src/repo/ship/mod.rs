//! One batch of the ledger into the database, in one transaction: positions, rows, sums.

mod bulk;
mod calls;
mod past;
mod sums;
mod tools;
mod transaction;

use std::collections::HashSet;

use llm_types::Money;

use crate::ledger::{Batch, End, FIRST_POSITION};
use crate::{Db, DbError, DbErrorKind};

use bulk::{Bulk, Cell};
pub(super) use past::outcome_of;
pub(super) use sums::scopes_of;
pub(super) use tools::tools_of;
use transaction::Transaction;

/// Which calls have a row each in the spend log; all are in the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogRows {
    /// All.
    All,
    /// Those that did not fail.
    Successes,
    /// None.
    None,
}

impl LogRows {
    fn keeps(self, end: End) -> bool {
        match self {
            Self::All => true,
            Self::Successes => !matches!(end, End::Failed | End::Cut),
            Self::None => false,
        }
    }
}

/// What a batch came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shipped {
    /// Calls that are new in the database.
    pub(crate) rows: u64,
    /// Calls that were there already.
    pub(crate) duplicates: u64,
    /// Who went past its soft budget with this batch.
    pub(crate) crossings: Vec<Crossing>,
}

/// A key or scope that went past its soft budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Crossing {
    /// `key` or the kind of the scope.
    pub(crate) kind: String,
    /// The key's hash or the scope's id.
    pub(crate) id: String,
    /// Of a membership, the user.
    pub(crate) member: String,
    /// What is spent now.
    pub(crate) spend: Money,
    /// The soft budget.
    pub(crate) soft: Money,
}

/// What stands between the parts of a crossing's text.
const APART: char = '\u{1f}';

impl Crossing {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, APART);
        let mut money = || parts.next()?.parse().ok().map(Money);
        let (spend, soft) = (money()?, money()?);
        let mut text = || parts.next().map(str::to_owned);
        let (kind, member, id) = (text()?, text()?, text()?);
        Some(Self { kind, id, member, spend, soft })
    }
}

/// Why a transaction was given up on purpose.
enum GivenUp {
    /// Some calls are in the spend log already: they must be left out of the sums.
    Duplicates,
    /// The positions are not where the batch begins.
    Moved,
}

impl Db {
    /// Ships a batch, all of it or nothing. A batch that was committed before, although nobody heard of
    /// it, is recognised by its positions and changes nothing.
    pub(crate) async fn ship(
        &self,
        node: &str,
        batch: &Batch,
        kept: LogRows,
        now: i64,
    ) -> Result<Shipped, DbError> {
        let mut known = HashSet::new();
        loop {
            match self.try_ship(node, batch, (kept, &known), now).await? {
                Ok((rows, crossings)) => {
                    return Ok(Shipped { rows, duplicates: known.len() as u64, crossings });
                }
                Err(GivenUp::Duplicates) if known.is_empty() => known = self.known_calls(batch).await?,
                Err(GivenUp::Duplicates) => {
                    return Err(DbError::new(
                        DbErrorKind::Internal,
                        "calls were shipped twice at the same time",
                    ));
                }
                Err(GivenUp::Moved) => return self.explain_positions(batch).await,
            }
        }
    }

    /// How far each segment of a node is shipped.
    pub(crate) async fn ledger_positions(&self, node: &str) -> Result<Vec<(String, u64)>, DbError> {
        let sql = "SELECT segment, position FROM ledger_cursor WHERE node = $1";
        let mut transaction = Transaction::begin(self).await?;
        let rows = transaction.positions(sql, node).await?;
        transaction.commit().await?;
        Ok(rows.into_iter().map(|(segment, position)| (segment, position.unsigned_abs())).collect())
    }

    /// Forgets segments whose files are gone.
    pub(crate) async fn forget_segments(&self, segments: &[String]) -> Result<(), DbError> {
        let mut gone = Bulk::new(bulk::FORGET);
        for segment in segments {
            gone.push(Cell::text(segment));
        }
        let mut transaction = Transaction::begin(self).await?;
        transaction.run(&gone).await?;
        transaction.commit().await
    }

    async fn try_ship(
        &self,
        node: &str,
        batch: &Batch,
        (kept, known): (LogRows, &HashSet<String>),
        now: i64,
    ) -> Result<Result<(u64, Vec<Crossing>), GivenUp>, DbError> {
        let rows = sums::log_rows(batch, kept, known);
        let mut transaction = Transaction::begin(self).await?;
        for slice in batch.slices() {
            if !transaction.advance(node, slice, now).await? {
                transaction.rollback().await?;
                return Ok(Err(GivenUp::Moved));
            }
        }
        if transaction.run(&rows).await? != rows.rows() as u64 {
            transaction.rollback().await?;
            return Ok(Err(GivenUp::Duplicates));
        }
        let sums = sums::add_up(batch, known);
        if self.backend() == crate::Backend::Postgres {
            transaction.run(&sums.key_locks()).await?;
        }
        transaction.run(&sums.keys()).await?;
        transaction.run(&sums.customers()).await?;
        if self.backend() == crate::Backend::Postgres {
            transaction.run(&sums.scope_locks()).await?;
        }
        transaction.run(&sums.scopes()).await?;
        let mut crossed = transaction.found(&sums.soft_keys()).await?;
        crossed.append(&mut transaction.found(&sums.soft_scopes()).await?);
        transaction.run(&sums.leases(node)).await?;
        transaction.run(&sums.daily()).await?;
        transaction.run(&sums.daily_scopes()).await?;
        transaction.run(&sums.daily_calls()).await?;
        transaction.run(&sums.daily_tools()).await?;
        transaction.commit().await?;
        let crossings = crossed.iter().filter_map(|text| Crossing::read(text)).collect();
        Ok(Ok(((batch.rows() - known.len()) as u64, crossings)))
    }

    /// Calls of the batch that the spend log has.
    async fn known_calls(&self, batch: &Batch) -> Result<HashSet<String>, DbError> {
        let mut ids = Bulk::new(bulk::KNOWN);
        for outcome in batch.outcomes() {
            ids.push(Cell::owned(outcome.id.to_string()));
        }
        let mut transaction = Transaction::begin(self).await?;
        let known = transaction.texts(&ids).await?;
        transaction.commit().await?;
        Ok(known.into_iter().collect())
    }

    /// A batch whose positions had moved: committed already, or not ours.
    async fn explain_positions(&self, batch: &Batch) -> Result<Shipped, DbError> {
        let mut transaction = Transaction::begin(self).await?;
        for slice in batch.slices() {
            let sql = "SELECT segment, position FROM ledger_cursor WHERE segment = $1";
            let found = transaction.positions(sql, &slice.segment).await?;
            let found = found.first().map_or(FIRST_POSITION, |(_, position)| position.unsigned_abs());
            if found != slice.to {
                let (segment, from, to) = (&slice.segment, slice.from, slice.to);
                return Err(DbError::new(
                    DbErrorKind::Corrupt,
                    format!(
                        "ledger segment `{segment}` is shipped up to {found}, expected {from} or {to}; \
                             was the database or the ledger folder restored from a copy?"
                    ),
                ));
            }
        }
        transaction.commit().await?;
        Ok(Shipped { duplicates: batch.rows() as u64, ..Shipped::default() })
    }
}
