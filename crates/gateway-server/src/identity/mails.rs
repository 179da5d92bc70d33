//! Which mail addresses belong to users, remembered for a while: end users may be named by them
//! (`validate_end_user_id_in_db`).

use std::time::{Duration, Instant};

use dashmap::DashMap;
use gateway_db::{ScopeKind, ScopeQuery};
use llm_types::Result;

use super::Directory;
use super::directory::unavailable;

/// How long an address is believed to be a user's; LiteLLM's.
const KNOWN_FOR: Duration = Duration::from_secs(300);
/// How long one is believed to be nobody's; LiteLLM's.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);
/// The most addresses that are remembered.
const MOST: usize = 10_000;

/// Addresses that were looked up, each with whether it is a user's and when that was seen.
#[derive(Debug, Default)]
pub(super) struct Mails(DashMap<String, (bool, Instant)>);

impl Directory {
    /// Whether a mail address is a user's, if it was looked up of late.
    pub(crate) fn remembers_mail(&self, mail: &str) -> Option<bool> {
        let (is_known, seen) = *self.mails.0.get(mail)?;
        let lasts = if is_known { KNOWN_FOR } else { UNKNOWN_FOR };
        (seen.elapsed() < lasts).then_some(is_known)
    }

    /// Whether a mail address is a user's.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Overloaded`] when the database does not answer.
    pub(crate) async fn knows_mail(&self, mail: String) -> Result<bool> {
        let Some(db) = self.db() else { return Ok(false) };
        let query = ScopeQuery { email: Some(mail.clone()), ..ScopeQuery::of(ScopeKind::User) };
        let is_known = !db.list_scopes(&query).await.map_err(unavailable)?.items.is_empty();
        if self.mails.0.len() >= MOST {
            self.mails.0.clear();
        }
        self.mails.0.insert(mail, (is_known, Instant::now()));
        Ok(is_known)
    }
}
