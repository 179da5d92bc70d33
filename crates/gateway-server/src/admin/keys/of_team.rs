//! `/team/key/bulk_update`: one change for all keys of a team, or for some.

use gateway_db::{Change, JsonMap, KeyPatch, KeyQuery, KeyRecord};
use serde_json::{Value, json};

use super::hash_of;
use crate::admin::fields::Fields;
use crate::admin::job::Job;
use crate::admin::refusal::Refusal;
use crate::admin::teams;

/// What may be changed of many keys at once; whose they are, their routes and models are not among it.
const CHANGEABLE: [&str; 16] = [
    "max_budget",
    "budget_id",
    "budget_duration",
    "budget_limits",
    "model_max_budget",
    "tpm_limit",
    "rpm_limit",
    "model_tpm_limit",
    "model_rpm_limit",
    "max_parallel_requests",
    "rpm_limit_type",
    "tpm_limit_type",
    "temp_budget_increase",
    "temp_budget_expiry",
    "tags",
    "metadata",
];

impl Job {
    /// Changes each key by itself; one that cannot be changed does not hinder the others.
    pub(super) async fn update_of_team(self) -> Result<Value, Refusal> {
        let mut fields = self.fields()?;
        let team = fields.required("team_id");
        let (named, all) = (fields.texts("key_ids"), fields.flag("all_keys_in_team"));
        let changes = fields.needs("update_fields", |fields| fields.map("update_fields"));
        fields.finish()?;
        let patch = self.patch_of_many(changes)?;
        let named = match named {
            Change::Set(named) => named,
            Change::Keep | Change::Clear => Vec::new(),
        };
        if named.is_empty() != (all == Change::Set(true)) {
            let message = "provide either `key_ids`, naming keys, or `all_keys_in_team: true`";
            return Err(unfit("key_ids", message, &json!(named)));
        }
        teams::existing(&self, &team).await?;
        let keys = match named.is_empty() {
            true => self.all_keys(KeyQuery { team_id: Some(team.clone()), ..KeyQuery::default() }).await?,
            false => Vec::new(),
        };
        let every = keys.iter().map(|key| key.hash.to_string());
        let asked: Vec<String> = if named.is_empty() { every.collect() } else { named };
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for key in &asked {
            match self.change_in_team(&team, key, patch.clone()).await {
                Ok(record) => {
                    good.push(json!({ "key": record.hash.as_str(), "key_info": self.full(&record).await? }));
                }
                Err(refusal) => {
                    bad.push(json!({ "key": hash_of(key).as_str(), "failed_reason": refusal.reason() }));
                }
            }
        }
        Ok(json!({ "total_requested": asked.len(), "successful_updates": good, "failed_updates": bad }))
    }

    async fn change_in_team(&self, team: &str, key: &str, patch: KeyPatch) -> Result<KeyRecord, Refusal> {
        let hash = hash_of(key);
        let found = self.db.key_by_hash(&hash).await?;
        match found.filter(|record| record.settings.team_id.as_deref() == Some(team)) {
            Some(_) => self.change(&hash, patch).await,
            None => Err(super::not_found(&format!("Key not found in team={team}"))),
        }
    }

    /// The change, read before any key has it.
    fn patch_of_many(&self, changes: JsonMap) -> Result<KeyPatch, Refusal> {
        if changes.is_empty() {
            return Err(unfit("update_fields", "name at least one field to change", &json!({})));
        }
        let other = changes.iter().filter(|(name, _)| !CHANGEABLE.contains(&name.as_str()));
        let other: Vec<Value> = other
            .map(|(name, value)| {
                let message =
                    format!("not changed for many keys at once, expected {}", CHANGEABLE.join(", "));
                Refusal::field("extra_forbidden", name, &message, value)
            })
            .collect();
        if !other.is_empty() {
            return Err(Refusal::Fields(other));
        }
        Fields::read(Value::Object(changes).to_string().as_bytes())?.patch(&self.moment)
    }
}

fn unfit(field: &str, message: &str, found: &Value) -> Refusal {
    Refusal::Fields(vec![Refusal::field("value_error", field, message, found)])
}
