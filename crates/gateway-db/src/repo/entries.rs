//! Entries of the configuration: made, read, changed, deleted, and followed by replicas.

use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, QueryOrder, Set};

use super::feed::Feed;
use crate::audit::Subject;
use crate::entity::config_entries::{ActiveModel, Column, Entity, Model};
use crate::{ConfigEntry, Db, DbError, DbErrorKind, EntryKind, JsonMap, Seal};

/// All entries, and those that cannot be opened.
#[derive(Debug, Default)]
pub struct ConfigEntries {
    /// The entries, oldest first.
    pub entries: Vec<ConfigEntry>,
    /// Why others are not among them, one error each.
    pub unreadable: Vec<DbError>,
    /// Kinds and ids of those others.
    pub unopened: Vec<(String, String)>,
}

impl Db {
    /// How often entries were changed: another number means another list.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn entries_version(&self) -> Result<i64, DbError> {
        self.version_of(Feed::Entries).await
    }

    /// All entries.
    ///
    /// # Errors
    /// When the database cannot be asked. An entry that cannot be opened does not hide the others.
    pub async fn entries(&self, seal: &Seal) -> Result<ConfigEntries, DbError> {
        let rows = Entity::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(&self.conn);
        let mut found = ConfigEntries::default();
        for row in rows.await.map_err(|error| failed("read", error))? {
            let named = (row.kind.clone(), row.id.clone());
            match record(row, seal) {
                Ok(entry) => found.entries.push(entry),
                Err(error) => {
                    found.unreadable.push(error);
                    found.unopened.push(named);
                }
            }
        }
        Ok(found)
    }

    /// The entry with an id.
    ///
    /// # Errors
    /// When the database cannot be asked, or `Corrupt` when it cannot be opened.
    pub async fn entry(
        &self,
        kind: EntryKind,
        id: &str,
        seal: &Seal,
    ) -> Result<Option<ConfigEntry>, DbError> {
        let row = Entity::find_by_id((kind.as_str().to_owned(), id.to_owned())).one(&self.conn).await;
        row.map_err(|error| failed("read", error))?.map(|row| record(row, seal)).transpose()
    }

    /// Keeps an entry; what was kept under its id is replaced, but for who made it and when.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_entry(&self, entry: &ConfigEntry, seal: &Seal) -> Result<(), DbError> {
        let (transaction, _) = self.begin_change(Feed::Entries).await?;
        self.write_entry(&transaction, entry, seal).await?;
        transaction.commit().await.map_err(|error| failed("store", error))
    }

    /// Keeps an entry under an id that is free; false where it is not.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_entry(&self, entry: &ConfigEntry, seal: &Seal) -> Result<bool, DbError> {
        let (transaction, _) = self.begin_change(Feed::Entries).await?;
        let id = (entry.kind.as_str().to_owned(), entry.id.clone());
        let there = Entity::find_by_id(id).one(&transaction).await.map_err(|error| failed("read", error))?;
        if there.is_some() {
            return Ok(false);
        }
        self.write_entry(&transaction, entry, seal).await?;
        transaction.commit().await.map_err(|error| failed("store", error))?;
        Ok(true)
    }

    /// Keeps an entry in place of one that still is as it was read; false where others have changed it since, or it is
    /// gone.
    ///
    /// # Errors
    /// When the database refuses, or `Corrupt` when what is there cannot be opened.
    pub async fn replace_entry(
        &self,
        read: &ConfigEntry,
        entry: &ConfigEntry,
        seal: &Seal,
    ) -> Result<bool, DbError> {
        // Changes of entries wait for each other here, so what is read now stays until this is done.
        let (transaction, _) = self.begin_change(Feed::Entries).await?;
        let id = (read.kind.as_str().to_owned(), read.id.clone());
        let row = Entity::find_by_id(id).one(&transaction).await.map_err(|error| failed("read", error))?;
        let now = row.map(|row| record(row, seal)).transpose()?;
        let is_same = now.as_ref() == Some(read);
        if is_same {
            self.write_entry(&transaction, entry, seal).await?;
        }
        transaction.commit().await.map_err(|error| failed("store", error))?;
        Ok(is_same)
    }

    async fn write_entry(
        &self,
        transaction: &DatabaseTransaction,
        entry: &ConfigEntry,
        seal: &Seal,
    ) -> Result<(), DbError> {
        let replace = OnConflict::columns([Column::Kind, Column::Id])
            .update_columns([
                Column::Name,
                Column::Sealed,
                Column::Info,
                Column::Blocked,
                Column::UpdatedAt,
                Column::UpdatedBy,
            ])
            .to_owned();
        let row = row(entry, seal)?;
        let before = self.audited(transaction, entry.kind, &entry.id, Some(seal)).await?;
        let put = Entity::insert(row).on_conflict(replace).exec_without_returning(transaction).await;
        put.map_err(|error| failed("store", error))?;
        self.note(transaction, before.as_ref().map(Subject::Entry), Some(Subject::Entry(entry))).await
    }

    /// Forgets an entry; false when there was none.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn delete_entry(&self, kind: EntryKind, id: &str) -> Result<bool, DbError> {
        let (transaction, _) = self.begin_change(Feed::Entries).await?;
        let before = self.audited(&transaction, kind, id, None).await?;
        let delete = Entity::delete_by_id((kind.as_str().to_owned(), id.to_owned())).exec(&transaction).await;
        let deleted = delete.map_err(|error| failed("delete", error))?.rows_affected;
        self.note(&transaction, before.as_ref().map(Subject::Entry), None).await?;
        transaction.commit().await.map_err(|error| failed("delete", error))?;
        Ok(deleted > 0)
    }

    /// What an entry is before a change, for the audit log; without a seal, or where it cannot be opened, what of it
    /// is in clear.
    async fn audited(
        &self,
        transaction: &DatabaseTransaction,
        kind: EntryKind,
        id: &str,
        seal: Option<&Seal>,
    ) -> Result<Option<ConfigEntry>, DbError> {
        if self.actor.is_none() {
            return Ok(None);
        }
        let row = Entity::find_by_id((kind.as_str().to_owned(), id.to_owned())).one(transaction).await;
        let Some(row) = row.map_err(|error| failed("read", error))? else { return Ok(None) };
        let clear = ConfigEntry {
            kind,
            id: row.id.clone(),
            name: row.name.clone(),
            secret: JsonMap::new(),
            info: row.info.as_object().cloned().unwrap_or_default(),
            blocked: row.blocked,
            created_at: row.created_at,
            created_by: row.created_by.clone(),
            updated_at: row.updated_at,
            updated_by: row.updated_by.clone(),
        };
        let opened = seal.and_then(|seal| record(row, seal).ok());
        Ok(Some(opened.unwrap_or(clear)))
    }
}

/// What an entry is sealed for.
pub(super) fn place(kind: &str, id: &str) -> String {
    format!("{kind}/{id}")
}

pub(crate) fn row(entry: &ConfigEntry, seal: &Seal) -> Result<ActiveModel, DbError> {
    let kind = entry.kind.as_str();
    let clear = serde_json::to_vec(&entry.secret).map_err(|error| {
        DbError::new(DbErrorKind::Internal, format!("cannot write entry `{}`: {error}", entry.id))
    })?;
    Ok(ActiveModel {
        kind: Set(kind.to_owned()),
        id: Set(entry.id.clone()),
        name: Set(entry.name.clone()),
        sealed: Set(seal.seal(&place(kind, &entry.id), &clear)?),
        info: Set(entry.info.clone().into()),
        blocked: Set(entry.blocked),
        created_at: Set(entry.created_at),
        created_by: Set(entry.created_by.clone()),
        updated_at: Set(entry.updated_at),
        updated_by: Set(entry.updated_by.clone()),
    })
}

pub(super) fn record(row: Model, seal: &Seal) -> Result<ConfigEntry, DbError> {
    let place = place(&row.kind, &row.id);
    let corrupt = || DbError::new(DbErrorKind::Corrupt, format!("`{place}` is not what its table holds"));
    let kind = match row.kind.as_str() {
        "model" => EntryKind::Model,
        "credential" => EntryKind::Credential,
        "setting" => EntryKind::Setting,
        _ => return Err(corrupt()),
    };
    let clear = seal.open(&place, &row.sealed)?;
    Ok(ConfigEntry {
        kind,
        secret: serde_json::from_slice(&clear).map_err(|_| corrupt())?,
        info: serde_json::from_value(row.info).map_err(|_| corrupt())?,
        id: row.id,
        name: row.name,
        blocked: row.blocked,
        created_at: row.created_at,
        created_by: row.created_by,
        updated_at: row.updated_at,
        updated_by: row.updated_by,
    })
}

pub(super) fn failed(what: &str, error: DbErr) -> DbError {
    DbError::from_sea(format!("cannot {what} entries of the configuration"), error)
}
