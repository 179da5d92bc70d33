//! How the keys of a report are called, without everything else that is known of them.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

use crate::entity::verification_keys::{Column, Entity};
use crate::{Db, DbError};

/// What reports say of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyNames {
    /// The shown part of the secret.
    pub name: Option<String>,
    /// The alias.
    pub alias: Option<String>,
    /// The team.
    pub team_id: Option<String>,
}

/// Hashes asked for in one statement: fewer than SQLite has parameters.
const AT_ONCE: usize = 10_000;

/// Hash, name, alias and team.
type Row = (String, Option<String>, Option<String>, Option<String>);

impl Db {
    /// The names of the keys with these hashes, deleted ones among them; hashes of no key are left out.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn key_names(&self, hashes: &[&str]) -> Result<HashMap<String, KeyNames>, DbError> {
        let failed = |error: DbErr| DbError::from_sea("cannot read the names of keys", error);
        let mut names = HashMap::with_capacity(hashes.len());
        for hashes in hashes.chunks(AT_ONCE) {
            let columns = [Column::Hash, Column::Name, Column::Alias, Column::TeamId];
            let found = Entity::find()
                .select_only()
                .columns(columns)
                .filter(Column::Hash.is_in(hashes.iter().copied()));
            let rows: Vec<Row> = found.into_tuple().all(&self.conn).await.map_err(failed)?;
            names.extend(
                rows.into_iter()
                    .map(|(hash, name, alias, team_id)| (hash, KeyNames { name, alias, team_id })),
            );
        }
        Ok(names)
    }
}
