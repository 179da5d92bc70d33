//! Replies that callers may ask for later.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, Set};

use crate::entity::responses::{ActiveModel, Column, Entity, Model};
use crate::{Db, DbError, StoredResponse};

impl Db {
    /// Keeps a reply; what was kept under its id before is replaced, but for a wish to stop it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_response(&self, response: &StoredResponse) -> Result<(), DbError> {
        let replace = OnConflict::column(Column::Id)
            .update_columns([
                Column::Deployment,
                Column::Input,
                Column::Reply,
                Column::Held,
                Column::ExpiresAt,
                Column::LeaseUntil,
            ])
            .to_owned();
        let put = Entity::insert(row(response)).on_conflict(replace);
        let done = put.exec_without_returning(&self.conn).await;
        done.map(drop).map_err(|error| failed("store", error))
    }

    /// The reply of an id, unless its time is over.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn response(&self, id: &str, now: i64) -> Result<Option<StoredResponse>, DbError> {
        let found = Entity::find_by_id(id).filter(Column::ExpiresAt.gt(now)).one(&self.conn).await;
        Ok(found.map_err(|error| failed("read", error))?.map(record))
    }

    /// Forgets a reply; false when there was none.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn delete_response(&self, id: &str) -> Result<bool, DbError> {
        let done = Entity::delete_by_id(id).exec(&self.conn).await;
        Ok(done.map_err(|error| failed("delete", error))?.rows_affected > 0)
    }

    /// Notes that a reply's caller wants it stopped, for the instance that is making it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn cancel_response(&self, id: &str) -> Result<(), DbError> {
        let wish = Entity::update_many()
            .col_expr(Column::Cancel, sea_orm::sea_query::Expr::value(true))
            .filter(Column::Id.eq(id));
        wish.exec(&self.conn).await.map(drop).map_err(|error| failed("cancel", error))
    }

    /// Says that a reply is still being made, until a moment to come; false when it is not kept any more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn lease_response(&self, id: &str, until: i64) -> Result<bool, DbError> {
        let lease = Entity::update_many()
            .col_expr(Column::LeaseUntil, sea_orm::sea_query::Expr::value(until))
            .filter(Column::Id.eq(id))
            .filter(Column::LeaseUntil.is_not_null());
        let done = lease.exec(&self.conn).await.map_err(|error| failed("lease", error))?;
        Ok(done.rows_affected > 0)
    }

    /// Forgets replies whose time is over; returns how many.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn expire_responses(&self, now: i64) -> Result<u64, DbError> {
        let done = Entity::delete_many().filter(Column::ExpiresAt.lte(now)).exec(&self.conn).await;
        Ok(done.map_err(|error| failed("forget old", error))?.rows_affected)
    }
}

fn row(response: &StoredResponse) -> ActiveModel {
    let response = response.clone();
    ActiveModel {
        id: Set(response.id),
        key_hash: Set(response.key_hash),
        team_id: Set(response.team_id),
        model_group: Set(response.model_group),
        deployment: Set(response.deployment),
        previous: Set(response.previous),
        held: Set(response.held),
        input: Set(response.input),
        reply: Set(response.reply),
        cancel: Set(response.cancel),
        created_at: Set(response.created_at),
        expires_at: Set(response.expires_at),
        lease_until: Set(response.lease_until),
    }
}

fn record(row: Model) -> StoredResponse {
    StoredResponse {
        id: row.id,
        key_hash: row.key_hash,
        team_id: row.team_id,
        model_group: row.model_group,
        deployment: row.deployment,
        previous: row.previous,
        held: row.held,
        input: row.input,
        reply: row.reply,
        cancel: row.cancel,
        created_at: row.created_at,
        expires_at: row.expires_at,
        lease_until: row.lease_until,
    }
}

/// The id is a caller's and is not repeated.
fn failed(what: &str, error: DbErr) -> DbError {
    DbError::from_sea(format!("cannot {what} responses"), error)
}
