//! One database: how it is opened, brought to the right schema, and asked whether it lives.

mod connect;

pub use connect::knows_parameter;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    DatabaseBackend, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

use crate::audit::Actor;
use crate::error::{DbError, DbErrorKind};
use crate::migration;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file of our own, or memory.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// How connections are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DbOptions {
    /// Connections at most; an in-memory SQLite database always has one.
    pub max_connections: u32,
    /// How long to wait for a connection, a lock or a connect.
    pub acquire_timeout: Duration,
    /// How long one statement may run on PostgreSQL.
    pub statement_timeout: Duration,
}

impl Default for DbOptions {
    fn default() -> Self {
        Self {
            max_connections: 8,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
        }
    }
}

/// What the schema is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaStatus {
    /// Migrations that have run, oldest first.
    pub applied: Vec<String>,
    /// Migrations of this program that have not run.
    pub pending: Vec<String>,
}

/// A database. Clones share its connections.
#[derive(Clone)]
pub struct Db {
    pub(crate) conn: DatabaseConnection,
    backend: Backend,
    /// Who changes things through it, for the audit log.
    pub(crate) actor: Option<Arc<Actor>>,
}

impl Db {
    /// Opens `sqlite:<path>`, `sqlite::memory:` or `postgres://…`.
    ///
    /// A SQLite file and its folder are made when they are not there, readable by their owner only.
    /// Parameters that Prisma put into a PostgreSQL URL (`connection_limit`, `schema`, …) are understood
    /// or ignored.
    ///
    /// # Errors
    /// `BadUrl` when the URL is neither, `Unavailable` when nobody answers.
    pub async fn connect(url: &str, options: &DbOptions) -> Result<Self, DbError> {
        let (conn, backend) = connect::open(url, options).await?;
        Ok(Self { conn, backend, actor: None })
    }

    /// Brings the schema to this program's version; returns the names of the migrations that ran.
    /// Several processes may do this at the same time: one does it, the others find it done.
    ///
    /// # Errors
    /// `Schema` when the database was written by a newer program, else what the database refused.
    pub async fn migrate(&self) -> Result<Vec<String>, DbError> {
        migration::up(self).await
    }

    /// What the schema is at; changes nothing.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn status(&self) -> Result<SchemaStatus, DbError> {
        migration::status(self).await
    }

    /// Fails unless the schema is exactly this program's.
    ///
    /// # Errors
    /// `Schema` with the names of pending or unknown migrations.
    pub async fn check(&self) -> Result<(), DbError> {
        let status = self.status().await?;
        if status.pending.is_empty() {
            return Ok(());
        }
        let names = status.pending.join("`, `");
        Err(DbError::new(
            DbErrorKind::Schema,
            format!("the database lacks the migrations `{names}`; run `gateway migrate`"),
        ))
    }

    /// Asks the database for nothing, to see whether it answers.
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    pub async fn ping(&self) -> Result<(), DbError> {
        self.conn.ping().await.map_err(|error| DbError::from_sea("the database does not answer", error))
    }

    /// Closes every connection; SQLite folds its write-ahead file into the database.
    ///
    /// # Errors
    /// When a connection cannot be closed cleanly.
    pub async fn close(self) -> Result<(), DbError> {
        self.conn.close().await.map_err(|error| DbError::from_sea("cannot close the database", error))
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Begins a transaction that will write: on SQLite it takes the write lock at once, because a
    /// transaction that starts by reading cannot wait for it later (`SQLITE_BUSY_SNAPSHOT`).
    pub(crate) async fn begin_write(&self) -> Result<DatabaseTransaction, DbError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let begun = self.conn.begin_with_options(options).await;
        begun.map_err(|error| DbError::from_sea("cannot begin a transaction", error))
    }

    pub(crate) fn sea_backend(&self) -> DatabaseBackend {
        match self.backend {
            Backend::Sqlite => DatabaseBackend::Sqlite,
            Backend::Postgres => DatabaseBackend::Postgres,
        }
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").field("backend", &self.backend).finish_non_exhaustive()
    }
}
