//! Entries sealed anew when the salt was changed.

use sea_orm::{ActiveModelTrait, EntityTrait, QueryOrder, Set};

use super::entries::{failed, place, record};
use super::feed::Feed;
use crate::audit::{Subject, reseal_signer};
use crate::entity::config_entries::{ActiveModel, Column, Entity};
use crate::{Db, DbError, Seal};

/// How entries are sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seals {
    /// Entries that the seal in force opens.
    pub current: u64,
    /// Entries that were sealed anew.
    pub resealed: u64,
    /// Kinds and ids of entries that no seal opens, such as `credential/azure`.
    pub unreadable: Vec<String>,
}

impl Db {
    /// Which entries a seal opens.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn check_seals(&self, seal: &Seal) -> Result<Seals, DbError> {
        let rows = Entity::find().order_by_asc(Column::Kind).order_by_asc(Column::Id).all(&self.conn).await;
        let mut seals = Seals::default();
        for row in rows.map_err(|error| failed("read", error))? {
            let place = place(&row.kind, &row.id);
            match record(row, seal) {
                Ok(_) => seals.current += 1,
                Err(_) => seals.unreadable.push(place),
            }
        }
        Ok(seals)
    }

    /// Seals with `new` what `old` opens and `new` does not, the key that signs the audit log among it: all of it or
    /// nothing.
    ///
    /// # Errors
    /// When the database refuses, or there is no randomness.
    pub async fn reseal(&self, old: &Seal, new: &Seal) -> Result<Seals, DbError> {
        let (transaction, _) = self.begin_change(Feed::Entries).await?;
        let rows = Entity::find().order_by_asc(Column::Kind).order_by_asc(Column::Id).all(&transaction).await;
        let mut seals = Seals::default();
        for row in rows.map_err(|error| failed("read", error))? {
            let place = place(&row.kind, &row.id);
            if record(row.clone(), new).is_ok() {
                seals.current += 1;
                continue;
            }
            let Ok(entry) = record(row.clone(), old) else {
                seals.unreadable.push(place);
                continue;
            };
            let clear = old.open(&place, &row.sealed)?;
            let mut fresh: ActiveModel = row.into();
            fresh.sealed = Set(new.seal(&place, &clear)?);
            fresh.update(&transaction).await.map_err(|error| failed("seal", error))?;
            let same = Some(Subject::Entry(&entry));
            self.note(&transaction, same, same).await?;
            seals.resealed += 1;
        }
        if !reseal_signer(&transaction, old, new).await? {
            seals.unreadable.push("audit/signing_key".to_owned());
        }
        transaction.commit().await.map_err(|error| failed("store", error))?;
        Ok(seals)
    }
}
