//! A key's new secret, and its spend set by hand (surface §3.4).

use gateway_db::{Change, KeyPatch};
use llm_types::ErrorKind;
use serde_json::{Value, json};

use super::{hash_of, not_found};
use crate::admin::fields::Fields;
use crate::admin::job::Job;
use crate::admin::refusal::Refusal;
use crate::admin::view;
use crate::identity::{KeyDigest, masked, retire};
use crate::limits::parse_duration_ms;
use crate::walk::Caller;

/// The fewest characters of a master key that is set over the network.
const SHORTEST: usize = 16;

impl Job {
    /// `/key/regenerate` and `/key/{key}/regenerate`: the key goes on under a new secret; what the body sets
    /// besides is changed on the way.
    pub(super) async fn regenerate(self) -> Result<Value, Refusal> {
        let mut fields = self.fields()?;
        if let Change::Set(fresh) = fields.text("new_master_key") {
            return self.rotate_master_key(fields, &fresh).await;
        }
        let old = hash_of(&self.named_key(&mut fields)?);
        let grace = grace_of(fields.text("grace_period"))?;
        let grace = grace.or(self.shared.snapshot().config.general.grace_ms);
        let secret = self.chosen_secret(fields.text("new_key"))?;
        let patch = fields.patch(&self.moment)?;
        if self.db.key_by_hash(&old).await?.is_none() {
            return Err(not_found("Key not found."));
        }
        // What calls spent under the old secret is in the database before the key moves.
        self.shared.shipping.flush().await?;
        let (now, by) = (self.moment.now, Some(self.by.as_str()));
        let moved = self.db.replace_key_hash(&old, &hash_of(&secret), Some(masked(&secret)), now, by).await?;
        if let Some(length) = grace {
            retire(&self.db, &old, &moved.hash, (now, now.saturating_add(length))).await?;
        }
        if let Some(digest) = KeyDigest::from_hex(old.as_str()) {
            self.shared.directory.forget(&digest);
        }
        let record = if patch == KeyPatch::default() {
            self.shared.directory.keep(moved.clone()).await?;
            moved
        } else {
            self.change(&moved.hash, patch).await?
        };
        Ok(view::generated(&record, &secret, now))
    }

    /// `/key/regenerate` with `new_master_key`: what is sealed with the master key is sealed with the next one. The key
    /// itself is the operator's to change, in the file or the environment of every gateway.
    async fn rotate_master_key(&self, mut fields: Fields, fresh: &str) -> Result<Value, Refusal> {
        let bad = |param: &str, words: &str| {
            Refusal::about(ErrorKind::BadRequest, "bad_request_error", param, words)
        };
        let snapshot = self.shared.snapshot();
        let general = &snapshot.config.general;
        let (Caller::Operator, Some(master)) = (&self.caller, &general.master_key) else {
            let words = "only the master key itself may be used to rotate it";
            return Err(Refusal::about(ErrorKind::Forbidden, "auth_error", "new_master_key", words));
        };
        let named = self.named_key(&mut fields)?;
        fields.nothing_else()?;
        let digest = KeyDigest::of(master.reveal().as_bytes()).to_hex();
        if named != *master.reveal() && named != digest {
            return Err(bad("key", "`key` is another one, expected the master key that is to be replaced"));
        }
        if !fresh.starts_with("sk-") || fresh.trim().len() < SHORTEST || fresh == master.reveal() {
            let words = "`new_master_key` is the present one, too short or does not start with `sk-`, expected `sk-` and a \
                         secret of 16 characters at least";
            return Err(bad("new_master_key", words));
        }
        // Secrets that `LITELLM_SALT_KEY` seals do not depend on the master key.
        let depends = general.salt_key.as_ref().is_none_or(|salt| salt.reveal() == master.reveal());
        let mut resealed = 0;
        if depends {
            if self.shared.stored.is_resealed() {
                let words = "the master key was rotated since the start: restart with the new one first";
                return Err(bad("new_master_key", words));
            }
            if let Some(seals) = self.shared.stored.reseal(&self.db, fresh).await? {
                resealed = seals.resealed;
            }
            self.shared.stored.follow(&self.shared).await?;
        }
        Ok(json!({
            "key": fresh,
            "token": hash_of(fresh).as_str(),
            "key_name": masked(fresh),
            "expires": null,
            "resealed": resealed,
            "message": "Set the new key as `LITELLM_MASTER_KEY` or `general_settings.master_key` of every gateway and \
                        restart it: until then the present one opens it.",
        }))
    }

    /// `/key/{key}/reset_spend`.
    pub(super) async fn reset_spend(self) -> Result<Value, Refusal> {
        let mut fields = self.fields()?;
        let key = self.named_key(&mut fields)?;
        let spend = fields.needs("reset_to", |fields| fields.money("reset_to"));
        fields.finish()?;
        let hash = hash_of(&key);
        let before = self.db.key_by_hash(&hash).await?.ok_or_else(|| not_found("Key not found."))?;
        let before = self.shared.directory.spent(&before);
        let patch = KeyPatch { spend: Some(spend), ..KeyPatch::default() };
        let record = self.change(&hash, patch).await?;
        Ok(json!({
            "key_hash": record.hash.as_str(),
            "spend": spend.as_usd(),
            "previous_spend": before.as_usd(),
            "max_budget": record.settings.max_budget.map(llm_types::Money::as_usd),
            "budget_reset_at": view::time(record.settings.budget_reset_at),
        }))
    }

    /// The key that the path names, or the body.
    fn named_key(&self, fields: &mut Fields) -> Result<String, Refusal> {
        match (&self.named, fields.text("key")) {
            (Some(named), _) => Ok(named.clone()),
            (None, Change::Set(key)) => Ok(key),
            (None, _) => Err(Refusal::missing("key")),
        }
    }
}

/// How long the old secret goes on working, in milliseconds, where the request says it; an empty text says nothing.
fn grace_of(said: Change<String>) -> Result<Option<i64>, Refusal> {
    let Change::Set(text) = said else { return Ok(None) };
    if text.is_empty() {
        return Ok(None);
    }
    match parse_duration_ms(&text) {
        Some(length) => Ok(Some(length)),
        None => {
            let shown: String = text.chars().take(40).collect();
            let message = format!("`grace_period` is `{shown}`, expected a duration such as `24h`");
            Err(Refusal::about(ErrorKind::BadRequest, "bad_request_error", "grace_period", message))
        }
    }
}
