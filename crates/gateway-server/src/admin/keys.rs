//! `/key/*`: made, shown, changed, blocked, deleted, listed (surface §3.4).

use std::sync::Arc;

use bytes::Bytes;
use gateway_db::{Change, Db, KeyName, KeyPatch, KeyQuery, KeyRecord, NewKey, PageRequest};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use llm_types::{Error, ErrorKind, KeyHash};
use serde_json::{Value, json};

use super::fields::{Fields, Moment, settings_of};
use super::query::{flag, param};
use super::refusal::Refusal;
use super::view;
use crate::answer::{self, ReplyBody};
use crate::clock::now_ms;
use crate::door::{ConnState, read_body};
use crate::identity::{KeyDigest, masked, new_secret};
use crate::routes::operators_only;
use crate::state::{Core, Shared};
use crate::walk::{Caller, admit};

/// The shortest secret an operator may choose (`MINIMUM_CUSTOM_KEY_LENGTH`).
const SHORTEST_SECRET: usize = 16;
/// The largest management request, bytes.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// Who is written down as the actor of the operator's changes.
const OPERATOR: &str = "default_user_id";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyAction {
    Generate,
    Update,
    Delete,
    Block,
    Unblock,
    Info,
    List,
}

/// Answers a management request about keys. The work itself runs beside the data plane.
pub(crate) async fn keys(
    core: &Arc<Core>,
    conn: &ConnState,
    action: KeyAction,
    path: &'static str,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let (head, body) = request.into_parts();
    let job = match enter(core, conn, action, path, head, body).await {
        Ok(job) => job,
        Err(refusal) => return refusal.into_response(),
    };
    let done = core.shared.control.spawn(async move { job.run().await }).await;
    match done {
        Ok(Ok(value)) => answer::json_response(StatusCode::OK, &value),
        Ok(Err(refusal)) => refusal.into_response(),
        Err(gone) => {
            let error = Error::new(ErrorKind::Internal, "the change was interrupted").with_source(gone);
            answer::openai_error(&error)
        }
    }
}

/// A management request, ready to be done.
struct Job {
    shared: Arc<Shared>,
    db: Db,
    action: KeyAction,
    caller: Caller,
    query: Option<String>,
    body: Bytes,
    moment: Moment,
}

async fn enter(
    core: &Arc<Core>,
    conn: &ConnState,
    action: KeyAction,
    path: &'static str,
    head: Parts,
    body: Incoming,
) -> Result<Job, Refusal> {
    let snapshot = core.shared.snapshot();
    let caller = admit(core, conn, &snapshot, &head).await?;
    caller.may_call_route(&snapshot, path)?;
    let operator = matches!(caller, Caller::Operator);
    if !operator && action != KeyAction::Info {
        return Err(operators_only(path).into());
    }
    let Some(db) = core.shared.directory.db().cloned() else {
        return Err(Error::new(ErrorKind::BadRequest, "No connected db.")
            .with_vendor_type("no_db_connection")
            .into());
    };
    Ok(Job {
        shared: Arc::clone(&core.shared),
        db,
        action,
        caller,
        query: head.uri.query().map(str::to_owned),
        body: read_body(body, BODY_LIMIT).await?,
        moment: Moment { now: now_ms(), zone: snapshot.zone.clone() },
    })
}

impl Job {
    async fn run(self) -> Result<Value, Refusal> {
        match self.action {
            KeyAction::Generate => self.generate().await,
            KeyAction::Update => self.update().await,
            KeyAction::Delete => self.delete().await,
            KeyAction::Block => self.block(true).await,
            KeyAction::Unblock => self.block(false).await,
            KeyAction::Info => self.info().await,
            KeyAction::List => self.list().await,
        }
    }

    async fn generate(self) -> Result<Value, Refusal> {
        let body = if self.body.is_empty() { Bytes::from_static(b"{}") } else { self.body.clone() };
        let mut fields = Fields::read(&body)?;
        let snapshot = self.shared.snapshot();
        fields.fill(&snapshot.config.budgets.key_defaults);
        fields.cap(&snapshot.config.budgets.key_ceilings)?;
        let secret = chosen_secret(fields.text("key"))?;
        let patch = fields.patch(&self.moment)?;
        let spend = patch.spend.unwrap_or_default();
        let new = NewKey {
            hash: hash_of(&secret),
            name: Some(masked(&secret)),
            settings: settings_of(patch),
            spend,
            created_at: self.moment.now,
            created_by: Some(OPERATOR.to_owned()),
        };
        let record = self.db.insert_key(new).await?;
        self.shared.directory.keep(record.clone());
        Ok(view::generated(&record, &secret, self.moment.now))
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
        let mut row = self.row(&record);
        row.insert("key".to_owned(), json!(record.hash.as_str()));
        row.insert("token".to_owned(), json!(record.hash.as_str()));
        Ok(Value::Object(row))
    }

    async fn block(self, blocked: bool) -> Result<Value, Refusal> {
        let mut fields = Fields::read(&self.body)?;
        let Change::Set(key) = fields.text("key") else {
            return Err(Refusal::Fields(vec![Refusal::field(
                "missing",
                "key",
                "Field required",
                &Value::Null,
            )]));
        };
        let patch = KeyPatch { blocked: Some(blocked), ..KeyPatch::default() };
        let record = self.change(&hash_of(&key), patch).await?;
        let mut row = self.row(&record);
        row.insert("token".to_owned(), json!(record.hash.as_str()));
        row.insert("blocked".to_owned(), json!(blocked));
        Ok(Value::Object(row))
    }

    /// Writes a change and makes it hold at once in this process.
    async fn change(&self, hash: &KeyHash, patch: KeyPatch) -> Result<KeyRecord, Refusal> {
        let forced_spend = patch.spend;
        let record = self.db.update_key(hash, patch, self.moment.now, Some(OPERATOR)).await?;
        if let Some(entry) = self.shared.directory.keep(record.clone())
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
        let deleted = self.db.delete_keys(&names, self.moment.now, Some(OPERATOR)).await?;
        for record in &deleted {
            if let Some(digest) = KeyDigest::from_hex(record.hash.as_str()) {
                self.shared.directory.forget(&digest);
            }
        }
        if deleted.is_empty() {
            return Err(not_found("{'error': 'No keys found'}"));
        }
        let given: Vec<&String> =
            if keys.is_empty() { aliases.iter().collect() } else { keys.iter().collect() };
        Ok(json!({ "deleted_keys": given }))
    }

    async fn info(self) -> Result<Value, Refusal> {
        let asked = param(self.query.as_deref(), "key").filter(|key| !key.is_empty());
        let own = match &self.caller {
            Caller::Operator => None,
            Caller::Key(entry) => Some(entry.record.hash.clone()),
        };
        let (shown, hash) = match (asked, own) {
            (Some(key), own) => {
                let hash = hash_of(&key);
                if own.is_some_and(|own| own != hash) {
                    return Err(Refusal::about(
                        ErrorKind::Forbidden,
                        "auth_error",
                        "key",
                        "You are not allowed to access this key's info",
                    ));
                }
                (key, hash)
            }
            (None, Some(own)) => (own.to_string(), own),
            (None, None) => return Err(not_found("Key not found in database")),
        };
        let record =
            self.db.key_by_hash(&hash).await?.ok_or_else(|| not_found("Key not found in database"))?;
        Ok(json!({ "key": shown, "info": self.row(&record) }))
    }

    async fn list(self) -> Result<Value, Refusal> {
        let query = self.query.as_deref();
        let number = |name: &str, default: u64| {
            param(query, name).and_then(|text| text.parse().ok()).unwrap_or(default)
        };
        let page = PageRequest { page: number("page", 1).max(1), size: number("size", 10).clamp(1, 100) };
        let wanted = KeyQuery {
            user_id: param(query, "user_id"),
            team_id: param(query, "team_id"),
            organization_id: param(query, "organization_id"),
            project_id: param(query, "project_id"),
            agent_id: param(query, "agent_id"),
            hash: param(query, "key_hash").map(KeyHash::from),
            alias: param(query, "key_alias"),
            substring: flag(query, "substring_matching"),
            search: param(query, "search"),
            access_group_id: param(query, "access_group_id"),
            deleted: param(query, "status").as_deref() == Some("deleted"),
            sort: super::query::sort(query)?,
            order: super::query::order(query)?,
            page,
            ..KeyQuery::default()
        };
        let found = self.db.list_keys(&wanted).await?;
        let full = flag(query, "return_full_object");
        let (total, pages, current) = (found.total, found.pages(), found.page);
        let keys: Vec<Value> = found
            .items
            .iter()
            .map(|record| if full { self.full(record) } else { json!(record.hash.as_str()) })
            .collect();
        Ok(json!({ "keys": keys, "total_count": total, "current_page": current, "total_pages": pages }))
    }

    fn row(&self, record: &KeyRecord) -> serde_json::Map<String, Value> {
        view::row(record, self.shared.directory.spent(record), self.moment.now)
    }

    fn full(&self, record: &KeyRecord) -> Value {
        let mut row = self.row(record);
        row.insert("token".to_owned(), json!(record.hash.as_str()));
        Value::Object(row)
    }
}

/// The hash of what a caller wrote: a secret, or a hash already.
fn hash_of(key: &str) -> KeyHash {
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
