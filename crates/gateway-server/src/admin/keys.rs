//! `/key/*`: made, shown, changed, blocked, deleted, listed (surface §3.4).

mod generation;
mod listed;
mod of_team;
mod rotate;
mod several;

use gateway_db::{
    Change, KeyName, KeyPatch, KeyQuery, KeyRecord, KeySettings, NewKey, PageRequest, ScopeId, ScopeKind,
    SpendBy,
};
use http::StatusCode;
use llm_types::{Error, ErrorKind, KeyHash};
use serde_json::{Value, json};

use super::fields::{Fields, settings_of};
use super::job::Job;
use super::query::param;
use super::refusal::Refusal;
use super::view;
use crate::identity::{KeyDigest, masked, new_secret, parts_of_key};
use crate::walk::Caller;

/// The shortest secret an operator may choose (`MINIMUM_CUSTOM_KEY_LENGTH`).
const SHORTEST_SECRET: usize = 16;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyAction {
    Generate,
    Update,
    Delete,
    Block,
    Unblock,
    Info,
    Health,
    List,
    ServiceAccount,
    InfoOfSeveral,
    Aliases,
    BulkUpdate,
    BulkUpdateOfTeam,
    Regenerate,
    ResetSpend,
}

impl KeyAction {
    /// Whether it changes nothing.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::Info | Self::Health | Self::List | Self::InfoOfSeveral | Self::Aliases)
    }
}

/// Does what is asked about keys.
pub(super) async fn run(job: Job, action: KeyAction) -> Result<Value, Refusal> {
    match action {
        KeyAction::Generate => job.generate().await,
        KeyAction::Update => job.update().await,
        KeyAction::Delete => job.delete().await,
        KeyAction::Block => job.block(true).await,
        KeyAction::Unblock => job.block(false).await,
        KeyAction::Info => job.info().await,
        KeyAction::Health => Ok(health(&job.caller)),
        KeyAction::List => job.list().await,
        KeyAction::ServiceAccount => job.generate_for_service().await,
        KeyAction::InfoOfSeveral => job.info_of_several().await,
        KeyAction::Aliases => job.aliases().await,
        KeyAction::BulkUpdate => job.update_several().await,
        KeyAction::BulkUpdateOfTeam => job.update_of_team().await,
        KeyAction::Regenerate => job.regenerate().await,
        KeyAction::ResetSpend => job.reset_spend().await,
    }
}

/// `/key/health`: that the key works, and whether the callbacks it wants its calls logged by can be.
fn health(caller: &Caller) -> Value {
    let Caller::Key(entry) = caller else { return json!({ "key": "healthy", "logging_callbacks": null }) };
    let wanted = entry.record.settings.metadata.get("logging").and_then(Value::as_array);
    let wanted = wanted.into_iter().flatten().filter_map(|one| one.get("callback_name")?.as_str());
    let callbacks: Vec<&str> = wanted.collect();
    if callbacks.is_empty() {
        return json!({ "key": "healthy", "logging_callbacks": null });
    }
    let details = format!("callbacks of keys are not run here: nothing is sent to {}", callbacks.join(", "));
    json!({
        "key": "unhealthy",
        "logging_callbacks": { "callbacks": callbacks, "status": "unhealthy", "details": details },
    })
}

impl Job {
    async fn generate(self) -> Result<Value, Refusal> {
        self.check_generation().await?;
        let (record, secret) = self.make_key(self.fields()?).await?;
        Ok(view::generated(&record, &secret, self.moment.now))
    }

    /// Makes a key by the fields of a request, and its secret.
    pub(super) async fn make_key(&self, mut fields: Fields) -> Result<(KeyRecord, String), Refusal> {
        let snapshot = self.shared.snapshot();
        fields.fill(&snapshot.config.budgets.key_defaults);
        self.fill_by_team(&mut fields).await?;
        fields.cap(&snapshot.config.budgets.key_ceilings)?;
        self.issue_key(fields).await
    }

    /// Sets how long a key of a member of a team lives, where the request leaves it open
    /// (`team_member_key_duration` of the team).
    async fn fill_by_team(&self, fields: &mut Fields) -> Result<(), Refusal> {
        let (user, team) = (fields.text("user_id"), fields.text("team_id"));
        fields.put_back("user_id", user.clone());
        fields.put_back("team_id", team.clone());
        let (Change::Set(_), Change::Set(team)) = (user, team) else { return Ok(()) };
        let team = self.db.scope(&ScopeId::new(ScopeKind::Team, &team)).await?;
        let said = team.and_then(|mut team| team.settings.extra.shift_remove("team_member_key_duration"));
        if let Some(duration) = said.filter(|duration| !duration.is_null()) {
            fields.fill(&[("duration".to_owned(), duration)].into_iter().collect());
        }
        Ok(())
    }

    /// Makes a key by these fields alone: defaults and ceilings of keys that people ask for are not for it.
    pub(super) async fn issue_key(&self, mut fields: Fields) -> Result<(KeyRecord, String), Refusal> {
        let secret = self.chosen_secret(fields.text("key"))?;
        let patch = fields.patch(&self.moment)?;
        self.check_budget(patch.extra.get("budget_id").and_then(Value::as_str)).await?;
        let spend = patch.spend.unwrap_or_default();
        let settings = settings_of(patch);
        self.check_place_of_key(&settings, &KeySettings::default()).await?;
        self.check_key_rates(&settings, None).await?;
        let new = NewKey {
            hash: hash_of(&secret),
            name: Some(masked(&secret)),
            settings,
            spend,
            created_at: self.moment.now,
            created_by: Some(self.by.clone()),
        };
        let record = self.db.insert_key(new).await?;
        self.shared.directory.keep(record.clone()).await?;
        Ok((record, secret))
    }

    /// The secret that is asked for, where anybody may, or a new one.
    pub(super) fn chosen_secret(&self, chosen: Change<String>) -> Result<String, Refusal> {
        let is_chosen = matches!(chosen, Change::Set(_));
        if is_chosen && self.shared.snapshot().config.general.no_chosen_secrets {
            let words =
                "Custom API key values are disabled by your administrator. Keys must be auto-generated.";
            return Err(Refusal::detail(StatusCode::FORBIDDEN, words));
        }
        chosen_secret(chosen)
    }

    async fn update(self) -> Result<Value, Refusal> {
        let mut fields = Fields::read(&self.body)?;
        let key = fields.text("key");
        let hash = match key {
            Change::Set(key) => hash_of(&key),
            Change::Keep | Change::Clear => self.hash_of_alias(&mut fields).await?,
        };
        let patch = fields.patch(&self.moment)?;
        let record = self.change(&hash, patch).await?;
        let Value::Object(mut row) = self.full(&record).await? else { return Ok(Value::Null) };
        row.insert("key".to_owned(), json!(record.hash.as_str()));
        row.insert("token".to_owned(), json!(record.hash.as_str()));
        Ok(Value::Object(row))
    }

    async fn block(self, blocked: bool) -> Result<Value, Refusal> {
        let mut fields = Fields::read(&self.body)?;
        let Change::Set(key) = fields.text("key") else {
            return Err(Refusal::missing("key"));
        };
        let mut patch = KeyPatch { blocked: Some(blocked), ..KeyPatch::default() };
        if !blocked {
            patch.extra.insert(view::SAID_UNBLOCKED.to_owned(), json!(false));
        }
        let record = self.change(&hash_of(&key), patch).await?;
        self.full(&record).await
    }

    /// Writes a change and makes it hold at once in this process.
    pub(super) async fn change(&self, hash: &KeyHash, patch: KeyPatch) -> Result<KeyRecord, Refusal> {
        self.check_budget(patch.extra.get("budget_id").and_then(Value::as_str)).await?;
        let forced_spend = patch.spend;
        if forced_spend.is_some() {
            // What was spent until now must not be added to what is set.
            self.shared.shipping.flush().await?;
        }
        if let Some(old) = self.db.key_by_hash(hash).await? {
            let becomes = becomes(old.settings.clone(), &patch);
            self.check_place_of_key(&becomes, &old.settings).await?;
            if touches_rates(&patch) {
                self.check_key_rates(&becomes, Some(hash)).await?;
            }
        }
        let record = self.db.update_key(hash, patch, self.moment.now, Some(&self.by)).await?;
        if let Some(entry) = self.shared.directory.keep(record.clone()).await?
            && let Some(spend) = forced_spend
        {
            entry.account.set_spent(spend);
        }
        Ok(record)
    }

    async fn hash_of_alias(&self, fields: &mut Fields) -> Result<KeyHash, Refusal> {
        let Change::Set(alias) = fields.text("key_alias") else {
            return Err(Refusal::Fields(vec![Refusal::field(
                "value_error",
                "key",
                "either key or key_alias must be provided",
                &Value::Null,
            )]));
        };
        let record = self.db.key_by_name(&KeyName::Alias(alias)).await?;
        record.map(|record| record.hash).ok_or_else(|| not_found("Key not found."))
    }

    async fn delete(self) -> Result<Value, Refusal> {
        let mut fields = Fields::read(&self.body)?;
        let list = |change| match change {
            Change::Set(list) => list,
            Change::Keep | Change::Clear => Vec::new(),
        };
        let keys: Vec<String> = list(fields.texts("keys"));
        let aliases: Vec<String> = list(fields.texts("key_aliases"));
        if keys.is_empty() && aliases.is_empty() {
            let message = "at least one of keys or key_aliases must be provided";
            return Err(Refusal::Fields(vec![Refusal::field("value_error", "keys", message, &Value::Null)]));
        }
        let names: Vec<KeyName> = keys
            .iter()
            .map(|key| KeyName::Hash(hash_of(key)))
            .chain(aliases.iter().map(|alias| KeyName::Alias(alias.clone())))
            .collect();
        if self.delete_keys(&names).await? == 0 {
            return Err(not_found("{'error': 'No keys found'}"));
        }
        let given: Vec<&String> =
            if keys.is_empty() { aliases.iter().collect() } else { keys.iter().collect() };
        Ok(json!({ "deleted_keys": given }))
    }

    /// Deletes keys and says how many there were.
    pub(super) async fn delete_keys(&self, names: &[KeyName]) -> Result<usize, Refusal> {
        let deleted = self.db.delete_keys(names, self.moment.now, Some(&self.by)).await?;
        for record in &deleted {
            if let Some(digest) = KeyDigest::from_hex(record.hash.as_str()) {
                self.shared.directory.forget(&digest);
            }
        }
        Ok(deleted.len())
    }

    /// Every key that matches.
    pub(super) async fn all_keys(&self, query: KeyQuery) -> Result<Vec<KeyRecord>, Refusal> {
        let page = PageRequest { page: 1, size: u64::from(u32::MAX) };
        Ok(self.db.list_keys(&KeyQuery { page, ..query }).await?.items)
    }

    /// The hashes of a user's keys: sums of tags and customers name keys, but not whose they are.
    pub(super) async fn key_hashes_of(&self, user: String) -> Result<Vec<String>, Refusal> {
        let keys = self.all_keys(KeyQuery { user_id: Some(user), ..KeyQuery::default() }).await?;
        Ok(keys.into_iter().map(|key| key.hash.to_string()).collect())
    }

    async fn info(self) -> Result<Value, Refusal> {
        let asked = param(self.query.as_deref(), "key").filter(|key| !key.is_empty());
        let own = match &self.caller {
            Caller::Operator => None,
            Caller::Key(entry) => Some(entry.record.hash.clone()),
        };
        let (shown, hash) = match (asked, own) {
            (Some(key), _) => {
                let hash = hash_of(&key);
                (key, hash)
            }
            (None, Some(own)) => (own.to_string(), own),
            (None, None) => return Err(not_found("Key not found in database")),
        };
        let record =
            self.db.key_by_hash(&hash).await?.ok_or_else(|| not_found("Key not found in database"))?;
        let Value::Object(mut info) = self.full(&record).await? else { return Ok(Value::Null) };
        info.shift_remove("token");
        let owner = ScopeId::owner_of_key(record.hash.as_str());
        let parts = parts_of_key(&record.settings);
        if !record.settings.model_max_budget.is_empty() {
            let usage = self.model_budgets_spent(&owner, parts).await?;
            info.insert("model_max_budget_usage".to_owned(), usage);
        }
        let windows = self.periods_spent(&owner, parts_of_key(&record.settings)).await?;
        if !windows.is_empty() {
            info.insert("budget_limits_usage".to_owned(), Value::Object(windows));
        }
        Ok(json!({ "key": shown, "info": info }))
    }

    /// A key's row with its hash.
    pub(super) async fn full(&self, record: &KeyRecord) -> Result<Value, Refusal> {
        let row = self.without_models(record);
        self.with_models(SpendBy::Key, "token", row).await
    }

    /// The rows of several keys.
    pub(super) async fn full_all(&self, records: &[KeyRecord]) -> Result<Vec<Value>, Refusal> {
        let mut rows: Vec<Value> =
            records.iter().map(|record| Value::Object(self.without_models(record))).collect();
        self.tell_models(SpendBy::Key, "token", &mut rows).await?;
        Ok(rows)
    }

    fn without_models(&self, record: &KeyRecord) -> serde_json::Map<String, Value> {
        let mut row = view::row(record, self.shared.directory.spent(record), self.moment.now);
        row.insert("token".to_owned(), json!(record.hash.as_str()));
        row
    }
}

/// Whether a change is about the rates of a key, or about who gives them.
fn touches_rates(patch: &KeyPatch) -> bool {
    let given = ["rpm_limit_type", "tpm_limit_type"].iter().any(|name| patch.extra.contains_key(*name));
    given
        || patch.rpm_limit != Change::Keep
        || patch.tpm_limit != Change::Keep
        || patch.team_id != Change::Keep
        || patch.organization_id != Change::Keep
        || patch.model_rpm_limit.is_some()
        || patch.model_tpm_limit.is_some()
}

/// What a change makes of a key, as far as its place and its share of a team's rates go.
fn becomes(old: KeySettings, patch: &KeyPatch) -> KeySettings {
    let mut extra = old.extra;
    extra.extend(patch.extra.clone());
    KeySettings {
        team_id: patch.team_id.clone().apply(old.team_id),
        organization_id: patch.organization_id.clone().apply(old.organization_id),
        project_id: patch.project_id.clone().apply(old.project_id),
        access_group_ids: patch.access_group_ids.clone().unwrap_or(old.access_group_ids),
        models: patch.models.clone().unwrap_or(old.models),
        max_budget: patch.max_budget.apply(old.max_budget),
        rpm_limit: patch.rpm_limit.apply(old.rpm_limit),
        tpm_limit: patch.tpm_limit.apply(old.tpm_limit),
        model_rpm_limit: patch.model_rpm_limit.clone().unwrap_or(old.model_rpm_limit),
        model_tpm_limit: patch.model_tpm_limit.clone().unwrap_or(old.model_tpm_limit),
        extra,
        ..KeySettings::default()
    }
}

/// The hash of what a caller wrote: a secret, or a hash already.
pub(super) fn hash_of(key: &str) -> KeyHash {
    if key.starts_with("sk-") {
        return KeyDigest::of(key.as_bytes()).to_hex().into();
    }
    key.to_ascii_lowercase().into()
}

/// The secret the operator chose, or a new one.
fn chosen_secret(chosen: Change<String>) -> Result<String, Refusal> {
    let Change::Set(secret) = chosen else {
        return new_secret().map_err(|error| {
            tracing::error!(%error, "the operating system gives no randomness");
            Refusal::Error(Error::new(
                ErrorKind::Internal,
                "the operating system gives no randomness for a key",
            ))
        });
    };
    let plain = secret.bytes().all(|byte| byte.is_ascii_graphic());
    if secret.starts_with("sk-") && secret.len() >= SHORTEST_SECRET && plain {
        return Ok(secret);
    }
    Err(Refusal::about(
        ErrorKind::BadRequest,
        "bad_request_error",
        "key",
        format!(
            "Invalid key format. LiteLLM Virtual Key must start with 'sk-', hold at least {SHORTEST_SECRET} characters \
             and no spaces. Received: {}",
            masked(&secret)
        ),
    ))
}

fn not_found(message: &str) -> Refusal {
    Refusal::about(ErrorKind::NotFound, "not_found_error", "key", message)
}
