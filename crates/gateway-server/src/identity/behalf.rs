//! Keys as they are used on behalf of a user whom a header names: with the key's limits and counters, and the user's.

use std::sync::Arc;

use dashmap::DashMap;
use gateway_db::{KeyRecord, KeySettings};
use llm_types::Result;

use super::{Bearer, Directory, KeyDigest, KeyEntry};
use crate::walk::MASTER;

/// The most of them that are remembered.
const MOST: usize = 10_000;

/// Keys for users, by the hash of the key and the user, each with the epoch in which it was made.
#[derive(Debug, Default)]
pub(super) struct OnBehalf(DashMap<(String, String), (u64, Arc<KeyEntry>)>);

fn hash_of(of: Option<&KeyEntry>) -> &str {
    of.map_or(MASTER, |entry| entry.record.hash.as_str())
}

impl Directory {
    /// A key for a user, if it is remembered and nothing has changed since.
    pub(crate) fn known_for(&self, of: Option<&KeyEntry>, user: &str) -> Option<Arc<KeyEntry>> {
        let known = self.on_behalf.0.get(&(hash_of(of).to_owned(), user.to_owned()))?;
        (known.0 == self.epoch()).then(|| Arc::clone(&known.1))
    }

    /// A key, or the operator's, for a user.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Overloaded`] when the database does not say who pays.
    pub(crate) async fn on_behalf(&self, of: Option<Arc<KeyEntry>>, user: String) -> Result<Arc<KeyEntry>> {
        let epoch = self.epoch();
        let key = (hash_of(of.as_deref()).to_owned(), user.clone());
        let entry = match of {
            Some(of) => {
                let mut record = of.record.clone();
                record.settings.user_id = Some(user);
                let digest = KeyDigest::from_hex(record.hash.as_str())
                    .unwrap_or_else(|| KeyDigest::of(record.hash.as_str().as_bytes()));
                let company = self.company(&record).await?;
                Arc::new(self.entry(digest, record, company, None))
            }
            None => {
                let settings = KeySettings { user_id: Some(user.clone()), ..KeySettings::default() };
                let record = KeyRecord::unstored(MASTER.into(), settings);
                let role = Some("proxy_admin".to_owned());
                self.bearer(record, Bearer { name: user, role, ..Bearer::default() }).await?
            }
        };
        if self.on_behalf.0.len() >= MOST {
            self.on_behalf.0.clear();
        }
        self.on_behalf.0.insert(key, (epoch, Arc::clone(&entry)));
        Ok(entry)
    }
}
