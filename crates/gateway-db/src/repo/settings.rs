//! Settings: a name and a JSON value each.

use sea_orm::sea_query::OnConflict;
use sea_orm::{DbErr, EntityTrait, Set};
use serde_json::Value;

use crate::entity::settings::{ActiveModel, Column, Entity};
use crate::{Db, DbError, DbErrorKind};

impl Db {
    /// The value of a setting.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn setting(&self, name: &str) -> Result<Option<Value>, DbError> {
        let row = Entity::find_by_id(name).one(&self.conn).await;
        let row = row.map_err(|error| failed("read", name, error))?;
        Ok(row.map(|row| row.value))
    }

    /// Sets a value, whether or not there was one.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_setting(&self, name: &str, value: &Value, now: i64) -> Result<(), DbError> {
        let replace =
            OnConflict::column(Column::Name).update_columns([Column::Value, Column::UpdatedAt]).to_owned();
        let put = Entity::insert(setting(name, value, now)).on_conflict(replace);
        let done = put.exec_without_returning(&self.conn).await;
        done.map(drop).map_err(|error| failed("store", name, error))
    }

    /// Sets a value unless there is one, and returns the one that is there now: how replicas agree.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn setting_or_insert(&self, name: &str, value: &Value, now: i64) -> Result<Value, DbError> {
        let keep = OnConflict::column(Column::Name).do_nothing().to_owned();
        let put = Entity::insert(setting(name, value, now)).on_conflict(keep);
        match put.exec_without_returning(&self.conn).await {
            Ok(_) | Err(DbErr::RecordNotInserted) => {}
            Err(error) => return Err(failed("store", name, error)),
        }
        let vanished =
            || DbError::new(DbErrorKind::NotFound, format!("setting `{name}` was removed meanwhile"));
        self.setting(name).await?.ok_or_else(vanished)
    }
}

fn setting(name: &str, value: &Value, now: i64) -> ActiveModel {
    ActiveModel { name: Set(name.to_owned()), value: Set(value.clone()), updated_at: Set(now) }
}

fn failed(what: &str, name: &str, error: DbErr) -> DbError {
    DbError::from_sea(format!("cannot {what} setting `{name}`"), error)
}
