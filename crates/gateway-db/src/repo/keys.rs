//! Virtual keys: made, found, changed, deleted, and followed by replicas.

use llm_types::KeyHash;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, Set,
};

use super::feed::Feed;
use super::key_row::{changes, record, row};
use super::lengths::check_key;
use super::parts::drop_parts;
use crate::audit::Subject;
use crate::entity::verification_keys::{Column, Entity, Model};
use crate::{Db, DbError, DbErrorKind, KeyPatch, KeyRecord, NewKey, ScopeId};

/// How a caller names a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyName {
    /// By the hash of its secret.
    Hash(KeyHash),
    /// By its alias.
    Alias(String),
}

/// What happened to keys since a version.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeyChanges {
    /// Keys that are new or changed, deleted ones among them (`deleted_at` is set), oldest change first.
    pub keys: Vec<KeyRecord>,
    /// The version to ask from next time.
    pub version: i64,
}

impl Db {
    /// Stores a key and returns it. A deleted key of the same hash comes back to life as this one.
    ///
    /// # Errors
    /// `DuplicateKey` or `DuplicateAlias` when a living key has the hash or alias.
    pub async fn insert_key(&self, key: NewKey) -> Result<KeyRecord, DbError> {
        let failed = |error| DbError::from_sea("cannot store the key", error);
        check_key(&key.settings)?;
        let (transaction, version) = self.begin_change(Feed::Keys).await?;
        let tombstone = Entity::delete_many()
            .filter(Column::Hash.eq(key.hash.as_str()))
            .filter(Column::DeletedAt.is_not_null());
        tombstone.exec(&transaction).await.map_err(failed)?;
        let row = row(key, version);
        Entity::insert(row.clone().into_active_model())
            .exec_without_returning(&transaction)
            .await
            .map_err(failed)?;
        let made = record(row)?;
        self.note(&transaction, None, Some(Subject::Key(&made))).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(made)
    }

    /// The living key with this hash.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn key_by_hash(&self, hash: &KeyHash) -> Result<Option<KeyRecord>, DbError> {
        self.key_by_name(&KeyName::Hash(hash.clone())).await
    }

    /// The living key with this name.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn key_by_name(&self, name: &KeyName) -> Result<Option<KeyRecord>, DbError> {
        find(&self.conn, name).await?.map(record).transpose()
    }

    /// Changes a living key and returns it as it is now.
    ///
    /// # Errors
    /// `NotFound`, or `DuplicateAlias`.
    pub async fn update_key(
        &self,
        hash: &KeyHash,
        patch: KeyPatch,
        now: i64,
        by: Option<&str>,
    ) -> Result<KeyRecord, DbError> {
        let failed = |error| DbError::from_sea("cannot change the key", error);
        let (transaction, version) = self.begin_change(Feed::Keys).await?;
        let old = existing(&transaction, hash).await?;
        let before = record(old.clone())?;
        let mut change = changes(patch, old.extra);
        change.hash = Set(old.hash);
        change.updated_at = Set(now);
        change.updated_by = Set(by.map(str::to_owned));
        change.version = Set(version);
        Entity::update(change).exec(&transaction).await.map_err(failed)?;
        let new = record(existing(&transaction, hash).await?)?;
        check_key(&new.settings)?;
        self.note(&transaction, Some(Subject::Key(&before)), Some(Subject::Key(&new))).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(new)
    }

    /// Gives a living key a new secret: everything else, its spend included, moves to the new hash, and
    /// the old one stays behind as a tombstone.
    ///
    /// # Errors
    /// `NotFound`, or `DuplicateKey` when the new hash is taken.
    pub async fn replace_key_hash(
        &self,
        old: &KeyHash,
        new: &KeyHash,
        name: Option<String>,
        now: i64,
        by: Option<&str>,
    ) -> Result<KeyRecord, DbError> {
        let failed = |error| DbError::from_sea("cannot replace the key's secret", error);
        let (transaction, version) = self.begin_change(Feed::Keys).await?;
        let mut row = locked(&transaction, old).await?;
        let before = record(row.clone())?;
        bury(&transaction, &row.hash, now, by, version).await?;
        row.hash = new.as_str().to_owned();
        row.name = name;
        row.rotation_count += 1;
        row.last_rotation_at = Some(now);
        row.updated_at = now;
        row.updated_by = by.map(str::to_owned);
        row.version = version;
        let insert = Entity::insert(row.clone().into_active_model());
        insert.exec_without_returning(&transaction).await.map_err(failed)?;
        let (from, to) = (ScopeId::owner_of_key(old.as_str()), ScopeId::owner_of_key(new.as_str()));
        self.move_parts(&transaction, &from, &to).await?;
        self.move_token_keys(&transaction, old.as_str(), Some(new.as_str())).await?;
        let after = record(row)?;
        self.note(&transaction, Some(Subject::Key(&before)), Some(Subject::Key(&after))).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(after)
    }

    /// Deletes living keys and returns them as they were; names without a key are left out. The rows stay
    /// as tombstones so that spend in flight, history and replicas still find them.
    ///
    /// # Errors
    /// When the database refuses; then none is deleted.
    pub async fn delete_keys(
        &self,
        names: &[KeyName],
        now: i64,
        by: Option<&str>,
    ) -> Result<Vec<KeyRecord>, DbError> {
        let (transaction, version) = self.begin_change(Feed::Keys).await?;
        let mut found: Vec<Model> = Vec::with_capacity(names.len());
        for name in names {
            if let Some(row) = find(&transaction, name).await?
                && found.iter().all(|other| other.hash != row.hash)
            {
                found.push(row);
            }
        }
        // Rows are locked in the order of their hashes, as the shipper does it: no deadlock.
        let mut hashes: Vec<&str> = found.iter().map(|row| row.hash.as_str()).collect();
        hashes.sort_unstable();
        for hash in hashes {
            bury(&transaction, hash, now, by, version).await?;
            drop_parts(self, &transaction, &ScopeId::owner_of_key(hash)).await?;
            self.move_token_keys(&transaction, hash, None).await?;
        }
        let gone: Vec<KeyRecord> = found.into_iter().map(record).collect::<Result<_, _>>()?;
        for key in &gone {
            self.note(&transaction, Some(Subject::Key(key)), None).await?;
        }
        let committed = transaction.commit().await;
        committed.map_err(|error| DbError::from_sea("cannot delete the keys", error))?;
        Ok(gone)
    }

    /// Every living key, and the version to follow from: what the in-memory directory is built of.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn all_keys(&self) -> Result<KeyChanges, DbError> {
        // The version first: a key that changes in between is in the next answer as well.
        let version = self.version_of(Feed::Keys).await?;
        let living = Entity::find().filter(Column::DeletedAt.is_null()).order_by_asc(Column::Version);
        let rows = living.all(&self.conn).await.map_err(cannot_read)?;
        Ok(KeyChanges { keys: rows.into_iter().map(record).collect::<Result<_, _>>()?, version })
    }

    /// What changed after `version`, deletions included. Cheap when nothing did.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn keys_changed_since(&self, version: i64) -> Result<KeyChanges, DbError> {
        let newest = self.version_of(Feed::Keys).await?;
        if newest == version {
            return Ok(KeyChanges { keys: Vec::new(), version });
        }
        let changed = Entity::find().filter(Column::Version.gt(version)).order_by_asc(Column::Version);
        let rows = changed.all(&self.conn).await.map_err(cannot_read)?;
        Ok(KeyChanges { keys: rows.into_iter().map(record).collect::<Result<_, _>>()?, version: newest })
    }
}

async fn find(conn: &impl ConnectionTrait, name: &KeyName) -> Result<Option<Model>, DbError> {
    let living = Entity::find().filter(Column::DeletedAt.is_null());
    let named = match name {
        KeyName::Hash(hash) => living.filter(Column::Hash.eq(hash.as_str())),
        KeyName::Alias(alias) => living.filter(Column::Alias.eq(alias.as_str())),
    };
    named.one(conn).await.map_err(cannot_read)
}

async fn existing(transaction: &DatabaseTransaction, hash: &KeyHash) -> Result<Model, DbError> {
    find(transaction, &KeyName::Hash(hash.clone())).await?.ok_or_else(not_found)
}

/// The living key, with its row locked so that no spend is added before the end.
async fn locked(transaction: &DatabaseTransaction, hash: &KeyHash) -> Result<Model, DbError> {
    use sea_orm::QuerySelect;
    let living = Entity::find_by_id(hash.as_str()).filter(Column::DeletedAt.is_null()).lock_exclusive();
    living.one(transaction).await.map_err(cannot_read)?.ok_or_else(not_found)
}

async fn bury(
    transaction: &DatabaseTransaction,
    hash: &str,
    now: i64,
    by: Option<&str>,
    version: i64,
) -> Result<(), DbError> {
    let mut tombstone = <crate::entity::verification_keys::ActiveModel as ActiveModelTrait>::default();
    tombstone.hash = Set(hash.to_owned());
    tombstone.deleted_at = Set(Some(now));
    tombstone.deleted_by = Set(by.map(str::to_owned));
    tombstone.version = Set(version);
    Entity::update(tombstone).exec(transaction).await.map_err(cannot_change)?;
    Ok(())
}

fn cannot_read(error: DbErr) -> DbError {
    DbError::from_sea("cannot read keys", error)
}

fn cannot_change(error: DbErr) -> DbError {
    DbError::from_sea("cannot change keys", error)
}

fn not_found() -> DbError {
    DbError::new(DbErrorKind::NotFound, "there is no key with this hash")
}
