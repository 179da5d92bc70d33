//! `/jwt/key/mapping/*`: which virtual keys the bearers of tokens call with (surface §4.10).

use gateway_db::{Change, DbErrorKind, PageRequest, TokenKey};
use http::StatusCode;
use llm_types::KeyHash;
use serde_json::{Value, json};

use super::fields::Fields;
use super::job::Job;
use super::keys::hash_of;
use super::refusal::Refusal;
use super::view::time;
use crate::identity::new_id;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKeyAction {
    New,
    Update,
    Delete,
    List,
    Info,
}

impl TokenKeyAction {
    /// Whether it changes nothing.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::List | Self::Info)
    }
}

/// Rows of a page, unless told and at most: LiteLLM's numbers.
const USUAL: u64 = 50;
const MOST: u64 = 100;
/// The longest text of a rule, bytes: an index holds three of them.
const LONGEST: usize = 512;

/// Does what is asked about tokens' keys.
pub(super) async fn run(job: Job, action: TokenKeyAction) -> Result<Value, Refusal> {
    match action {
        TokenKeyAction::New => new(&job).await,
        TokenKeyAction::Update => update(&job).await,
        TokenKeyAction::Delete => delete(&job).await,
        TokenKeyAction::List => list(&job).await,
        TokenKeyAction::Info => {
            let id = job.param("id").ok_or_else(|| Refusal::missing("id"))?;
            Ok(row(&find(&job, &id).await?))
        }
    }
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let [claim, value] =
        ["jwt_claim_name", "jwt_claim_value"].map(|name| fields.needs(name, |fields| short(fields, name)));
    let issuer = said(short(&mut fields, "jwt_issuer")).unwrap_or_default();
    let description = said(fields.text("description"));
    let key = key_of(&mut fields);
    fields.nothing_else()?;
    let key = key?.ok_or_else(|| {
        bad("Provide exactly one of `key` (the virtual key) or `token` (its SHA-256 hash).")
    })?;
    let now = job.moment.now;
    let new = TokenKey {
        id: new_id(),
        issuer,
        claim,
        value,
        key,
        description,
        active: true,
        created_at: now,
        created_by: Some(job.by.clone()),
        updated_at: now,
        updated_by: Some(job.by.clone()),
    };
    if !job.db.insert_token_key(&new).await.map_err(no_key)? {
        return Err(taken(&new));
    }
    job.shared.directory.touch();
    Ok(row(&new))
}

async fn update(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("id");
    let issuer = match fields.text("jwt_issuer") {
        Change::Keep => None,
        change => Some(said(change).unwrap_or_default()),
    };
    let description = fields.text("description");
    let active = fields.flag("is_active");
    let key = key_of(&mut fields);
    fields.nothing_else()?;
    let key = key?;
    let old = find(job, &id).await?;
    let new = TokenKey {
        issuer: issuer.unwrap_or_else(|| old.issuer.clone()),
        description: description.apply(old.description.clone()),
        active: said(active).unwrap_or(old.active),
        key: key.unwrap_or_else(|| old.key.clone()),
        updated_at: job.moment.now,
        updated_by: Some(job.by.clone()),
        ..old.clone()
    };
    if !job.db.replace_token_key(&old, &new).await.map_err(no_key)? {
        return Err(taken(&new));
    }
    job.shared.directory.touch();
    Ok(row(&new))
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("id");
    fields.nothing_else()?;
    let old = find(job, &id).await?;
    if !job.db.delete_token_key(&old).await? {
        return Err(unknown());
    }
    job.shared.directory.touch();
    Ok(json!({ "status": "success" }))
}

async fn list(job: &Job) -> Result<Value, Refusal> {
    let number = |name: &str, usual: u64, most: u64| {
        let Some(text) = job.param(name) else { return Ok(usual) };
        text.parse().ok().filter(|number| (1..=most).contains(number)).ok_or_else(|| {
            let message = format!("Input should be a whole number from 1 to {most}");
            Refusal::Fields(vec![Refusal::field("int_parsing", name, &message, &Value::from(text))])
        })
    };
    let page =
        PageRequest { page: number("page", 1, u64::from(u32::MAX))?, size: number("size", USUAL, MOST)? };
    let found = job.db.token_keys(page).await?;
    Ok(json!({
        "mappings": found.items.iter().map(row).collect::<Vec<_>>(),
        "total_count": found.total,
        "current_page": found.page,
        "total_pages": found.pages(),
    }))
}

async fn find(job: &Job, id: &str) -> Result<TokenKey, Refusal> {
    job.db.token_key(id).await?.ok_or_else(unknown)
}

/// A text that is kept in an index.
fn short(fields: &mut Fields, name: &str) -> Change<String> {
    let said = fields.text(name);
    match &said {
        Change::Set(text) if text.is_empty() => Change::Keep,
        Change::Set(text) if text.len() > LONGEST => {
            let found = text.len();
            fields.refuse(bad(format!("`{name}` has {found} bytes, expected {LONGEST} at most")));
            said
        }
        _ => said,
    }
}

/// The key that the body names, by itself or by its hash.
fn key_of(fields: &mut Fields) -> Result<Option<KeyHash>, Refusal> {
    match (said(fields.text("key")), said(fields.text("token"))) {
        (None, None) => Ok(None),
        (Some(key), None) => Ok(Some(hash_of(&key))),
        (None, Some(hash)) if is_hash(&hash) => Ok(Some(hash.into())),
        (None, Some(_)) => Err(bad(
            "`token` is no hash, expected the SHA-256 hash of a virtual key in 64 lower-case hex digits; the key itself \
             goes into `key`",
        )),
        (Some(_), Some(_)) => {
            Err(bad("`key` and `token` were both given, expected one: the virtual key, or its SHA-256 hash"))
        }
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn said<T>(change: Change<T>) -> Option<T> {
    if let Change::Set(value) = change { Some(value) } else { None }
}

fn bad(words: impl Into<Value>) -> Refusal {
    Refusal::Detail(StatusCode::BAD_REQUEST, words.into())
}

fn unknown() -> Refusal {
    Refusal::Detail(StatusCode::NOT_FOUND, "Mapping not found".into())
}

fn no_key(error: gateway_db::DbError) -> Refusal {
    if error.kind() == DbErrorKind::NotFound {
        return bad("The provided key does not match an existing virtual key.");
    }
    error.into()
}

fn taken(one: &TokenKey) -> Refusal {
    let (claim, value, issuer) = (&one.claim, &one.value, &one.issuer);
    let words = format!("A mapping for claim '{claim}' = '{value}' already exists for issuer '{issuer}'.");
    Refusal::Detail(StatusCode::CONFLICT, words.into())
}

/// One as LiteLLM shows it: without its key.
fn row(one: &TokenKey) -> Value {
    json!({
        "id": one.id,
        "jwt_issuer": Some(&one.issuer).filter(|issuer| !issuer.is_empty()),
        "jwt_claim_name": one.claim,
        "jwt_claim_value": one.value,
        "description": one.description,
        "is_active": one.active,
        "created_at": time(Some(one.created_at)),
        "updated_at": time(Some(one.updated_at)),
        "created_by": one.created_by,
        "updated_by": one.updated_by,
    })
}
