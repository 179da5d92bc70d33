//! Secrets that were replaced and still open the door for a while (`grace_period`).
//!
//! The database keeps them as settings, so that every replica and every later run knows them; they are looked for
//! only when a secret is no key's.

use dashmap::DashMap;
use gateway_db::Db;
use llm_types::{KeyHash, Result};
use serde_json::{Value, json};

use super::KeyDigest;
use super::directory::unavailable;
use crate::clock::now_ms;

/// How often a replaced secret may have been replaced by one that was replaced too.
const MOST_LINKS: usize = 8;

/// The replaced secrets that were used since the start: by what, and until when.
#[derive(Debug, Default)]
pub(super) struct Retired(DashMap<KeyDigest, (KeyDigest, i64)>);

fn setting(hash: &str) -> String {
    format!("retired_key:{hash}")
}

impl Retired {
    /// The key that goes on under another secret, if one that is in memory replaced this one.
    pub(super) fn successor(&self, digest: &KeyDigest) -> Option<KeyDigest> {
        if self.0.is_empty() {
            return None;
        }
        let (successor, until) = *self.0.get(digest)?;
        (now_ms() < until).then_some(successor)
    }

    /// The same, asking the database.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Overloaded`] when the database does not answer.
    pub(super) async fn find(&self, db: &Db, digest: KeyDigest) -> Result<Option<KeyDigest>> {
        let (mut at, mut ends) = (digest.to_hex(), i64::MAX);
        for _ in 0..MOST_LINKS {
            let Some(value) = db.setting(&setting(&at)).await.map_err(unavailable)? else { break };
            let Some((by, until)) = read(&value) else { break };
            (at, ends) = (by, ends.min(until));
        }
        let successor = KeyDigest::from_hex(&at).filter(|found| *found != digest && now_ms() < ends);
        if let Some(successor) = successor {
            self.0.insert(digest, (successor, ends));
        }
        Ok(successor)
    }

    /// Forgets those whose time is over, and those who lead to a key; whether there were any.
    pub(super) fn forget(&self, gone: Option<&KeyDigest>) -> bool {
        let (before, now) = (self.0.len(), now_ms());
        if before > 0 {
            self.0.retain(|_, (successor, until)| now < *until && gone != Some(successor));
        }
        self.0.len() < before
    }
}

fn read(value: &Value) -> Option<(String, i64)> {
    Some((value.get("by")?.as_str()?.to_owned(), value.get("until")?.as_i64()?))
}

/// Lets a replaced secret go on opening the door until then.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn retire(
    db: &Db,
    old: &KeyHash,
    new: &KeyHash,
    (now, until): (i64, i64),
) -> std::result::Result<(), gateway_db::DbError> {
    db.put_setting(&setting(old.as_str()), &json!({ "by": new.as_str(), "until": until }), now).await
}
