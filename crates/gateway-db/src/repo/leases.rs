//! Leases: a replica takes a slice of a budget and spends it without asking again.
//!
//! What all replicas have taken and not given back, and what is spent, is never more than the budget:
//! `spend + sum(outstanding) <= max_budget` holds after every transaction here. Shipping moves what a
//! replica has spent from its `outstanding` to `spend`. The slice of a replica that is gone counts until it
//! expires.

use llm_types::{KeyHash, Money};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement, Value};

use crate::{Backend, Db, DbError, DbErrorKind, ScopeId};

/// Whose budget it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Payer {
    /// A key's.
    Key(KeyHash),
    /// A scope's.
    Scope(ScopeId),
}

/// What a replica asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseAsk {
    /// The budget.
    pub max: Money,
    /// The least that is of use.
    pub want: Money,
    /// How long the lease lasts, in milliseconds.
    pub lasts: i64,
    /// Now, in Unix milliseconds; `None` asks the database, whose clock all replicas share.
    pub now: Option<i64>,
}

/// What a replica got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Granted {
    /// The slice: an eighth of what is left, or what was wanted if that is more, or all that is left. Less than
    /// zero where the node holds more than there is: its lease was over and others took from it, or the budget
    /// was lowered.
    pub granted: Money,
    /// What is spent, as far as shipped.
    pub spent: Money,
    /// What other nodes hold.
    pub elsewhere: Money,
}

/// The part of what is left that one lease takes.
const SLICE: i64 = 8;

impl Payer {
    /// Kind, id and member, as the table has them.
    fn columns(&self) -> [&str; 3] {
        match self {
            Self::Key(hash) => [KEY, hash.as_str(), ""],
            Self::Scope(id) => [id.kind.as_str(), &id.id, &id.member],
        }
    }
}

/// The kind under which keys lease.
pub(crate) const KEY: &str = "key";

impl Db {
    /// Takes a slice of a budget for a node.
    ///
    /// # Errors
    /// When the database refuses; then nothing is taken. `Unsure` when it went away before it told.
    pub async fn lease(&self, payer: &Payer, node: &str, ask: LeaseAsk) -> Result<Granted, DbError> {
        let transaction = self.begin_write().await?;
        let now = self.lease_now(&transaction, ask.now).await?;
        let spent = self.spend_of(&transaction, payer).await?;
        let [kind, id, member] = payer.columns();
        // One's own lease counts even when it is over: some of it may be spent and not shipped.
        let others = "SELECT CAST(COALESCE(SUM(outstanding), 0) AS bigint) FROM budget_leases \
                      WHERE kind = $1 AND id = $2 AND member = $3 AND node <> $4 AND expires_at > $5";
        let values = [kind.into(), id.into(), member.into(), node.into(), now.into()];
        let elsewhere = self.number(&transaction, others, values).await?.unwrap_or(0);
        let own = "SELECT outstanding FROM budget_leases \
                   WHERE kind = $1 AND id = $2 AND member = $3 AND node = $4";
        let values = [kind.into(), id.into(), member.into(), node.into()];
        let own = self.number(&transaction, own, values).await?.unwrap_or(0);
        let left = ask.max.0 - spent - elsewhere - own;
        let granted = ask.want.0.max(left / SLICE).min(left);
        let put = "INSERT INTO budget_leases (kind, id, member, node, outstanding, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (kind, id, member, node) DO UPDATE SET \
                   outstanding = CASE WHEN budget_leases.outstanding + $7 > 0 \
                   THEN budget_leases.outstanding + $7 ELSE 0 END, expires_at = excluded.expires_at";
        let first = granted.max(0);
        let values = [
            kind.into(),
            id.into(),
            member.into(),
            node.into(),
            first.into(),
            now.saturating_add(ask.lasts).into(),
            granted.into(),
        ];
        self.run(&transaction, put, values).await?;
        transaction.commit().await.map_err(unsure)?;
        Ok(Granted { granted: Money(granted), spent: Money(spent), elsewhere: Money(elsewhere) })
    }

    /// Makes a lease last longer, from now on for `lasts` milliseconds, if it is not over; says whether it was
    /// not. `now` is as in [`LeaseAsk`].
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn extend_lease(
        &self,
        payer: &Payer,
        node: &str,
        now: Option<i64>,
        lasts: i64,
    ) -> Result<bool, DbError> {
        let now = self.lease_now(&self.conn, now).await?;
        let until = now.saturating_add(lasts);
        let [kind, id, member] = payer.columns();
        let sql = "UPDATE budget_leases SET expires_at = $1 \
                   WHERE kind = $2 AND id = $3 AND member = $4 AND node = $5 AND expires_at > $6";
        let values = [until.into(), kind.into(), id.into(), member.into(), node.into(), now.into()];
        Ok(self.run(&self.conn, sql, values).await? > 0)
    }

    /// Gives back what a node has leased and will not spend: `unused` says how much, once the database answers.
    ///
    /// # Errors
    /// When the database refuses; then nothing is given back. `Unsure` when it went away before it told.
    pub async fn return_lease(
        &self,
        payer: &Payer,
        node: &str,
        unused: impl FnOnce() -> Option<Money> + Send,
    ) -> Result<(), DbError> {
        let transaction = self.begin_write().await?;
        let Some(unused) = unused() else { return Ok(()) };
        let [kind, id, member] = payer.columns();
        let sql = "UPDATE budget_leases SET outstanding = CASE WHEN outstanding > $1 THEN outstanding - $1 ELSE 0 END \
                   WHERE kind = $2 AND id = $3 AND member = $4 AND node = $5";
        let values = [unused.0.into(), kind.into(), id.into(), member.into(), node.into()];
        self.run(&transaction, sql, values).await?;
        transaction.commit().await.map_err(unsure)
    }

    /// Gives back all that a node has leased of one budget: nothing of it is left, and what was spent of it is
    /// shipped.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn clear_lease(&self, payer: &Payer, node: &str) -> Result<(), DbError> {
        let [kind, id, member] = payer.columns();
        let sql = "DELETE FROM budget_leases WHERE kind = $1 AND id = $2 AND member = $3 AND node = $4";
        self.run(&self.conn, sql, [kind.into(), id.into(), member.into(), node.into()]).await.map(drop)
    }

    /// Gives back everything a node has leased: it has just begun, and all it ever spent is shipped.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn drop_leases(&self, node: &str) -> Result<(), DbError> {
        self.run(&self.conn, "DELETE FROM budget_leases WHERE node = $1", [node.into()]).await.map(drop)
    }

    /// The time by which leases end: the one given, else the database's.
    async fn lease_now(&self, conn: &impl ConnectionTrait, given: Option<i64>) -> Result<i64, DbError> {
        let sql = match (given, self.backend()) {
            (Some(now), _) => return Ok(now),
            (None, Backend::Postgres) => {
                "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
            }
            (None, Backend::Sqlite) => "SELECT CAST(unixepoch('subsec') * 1000 AS integer)",
        };
        Ok(self.number(conn, sql, []).await?.unwrap_or(0))
    }

    /// What is spent, with the row locked so that no other lease is taken before the end.
    async fn spend_of(&self, transaction: &DatabaseTransaction, payer: &Payer) -> Result<i64, DbError> {
        let lock = if self.backend() == Backend::Sqlite { "" } else { " FOR NO KEY UPDATE" };
        let spend = match payer {
            Payer::Key(hash) => {
                let sql = format!("SELECT spend FROM verification_keys WHERE hash = $1{lock}");
                self.number(transaction, &sql, [hash.as_str().into()]).await?
            }
            Payer::Scope(id) => {
                let sql =
                    format!("SELECT spend FROM scopes WHERE kind = $1 AND id = $2 AND member = $3{lock}");
                let values = [id.kind.as_str().into(), id.id.as_str().into(), id.member.as_str().into()];
                self.number(transaction, &sql, values).await?
            }
        };
        Ok(spend.unwrap_or(0))
    }

    async fn number(
        &self,
        conn: &impl ConnectionTrait,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<i64>, DbError> {
        let statement = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        let row = conn.query_one_raw(statement).await.map_err(failed)?;
        row.map(|row| row.try_get_by_index(0).map_err(failed)).transpose()
    }

    async fn run(
        &self,
        conn: &impl ConnectionTrait,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, DbError> {
        let statement = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        conn.execute_raw(statement).await.map(|done| done.rows_affected()).map_err(failed)
    }
}

/// The database went away while it was told to keep a change: it may have.
fn unsure(error: DbErr) -> DbError {
    failed(error).with_kind(DbErrorKind::Unsure)
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot lease a part of a budget", error)
}
