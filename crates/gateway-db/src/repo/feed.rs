//! Change feeds: every change of settings takes the next version, so that replicas can follow.

use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, Statement};

use crate::entity::change_feed;
use crate::{Db, DbError, DbErrorKind};

/// Which feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feed {
    /// Changes of virtual keys.
    Keys,
    /// Changes of scopes.
    Scopes,
    /// Changes of entries of the configuration.
    Entries,
    /// Rows of the audit log. Taken last: whoever holds it waits for nothing else.
    Audit,
}

impl Feed {
    const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Scopes => "scopes",
            Self::Entries => "entries",
            Self::Audit => "audit",
        }
    }

    fn missing(self) -> DbError {
        let name = self.name();
        DbError::new(DbErrorKind::Corrupt, format!("table `change_feed` lacks the row `{name}`"))
    }
}

impl Db {
    /// The version of the newest change.
    pub(crate) async fn version_of(&self, feed: Feed) -> Result<i64, DbError> {
        let row = change_feed::Entity::find_by_id(feed.name()).one(&self.conn).await;
        let row = row.map_err(|error| DbError::from_sea("cannot read the change feed", error))?;
        row.map(|row| row.version).ok_or_else(|| feed.missing())
    }

    /// Begins a change and takes its version. The feed's row stays locked until the end, so changes are
    /// one after the other and a smaller version is never seen later.
    pub(crate) async fn begin_change(&self, feed: Feed) -> Result<(DatabaseTransaction, i64), DbError> {
        let transaction = self.begin_write().await?;
        let version = self.next_version(&transaction, feed).await?;
        Ok((transaction, version))
    }

    /// Takes the next version inside a transaction. Whoever takes several takes keys' first.
    pub(crate) async fn next_version(
        &self,
        transaction: &DatabaseTransaction,
        feed: Feed,
    ) -> Result<i64, DbError> {
        let failed = |error| DbError::from_sea("cannot take a version of the change feed", error);
        let sql = "UPDATE change_feed SET version = version + 1 WHERE name = $1 RETURNING version";
        let statement = Statement::from_sql_and_values(self.sea_backend(), sql, [feed.name().into()]);
        let row = transaction.query_one_raw(statement).await.map_err(failed)?;
        row.ok_or_else(|| feed.missing())?.try_get_by_index(0).map_err(failed)
    }
}
