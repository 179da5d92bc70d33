//! `/credentials`: what deployments sign in with, kept in the database under a name (surface §3.7).

use gateway_db::{Change, ConfigEntry, EntryKind, JsonMap};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::job::Job;
use super::models::{merge, seal};
use super::refusal::Refusal;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialAction {
    New,
    List,
    Info,
    Update,
    Delete,
}

/// Does what is asked about credentials.
pub(super) async fn run(job: Job, action: CredentialAction) -> Result<Value, Refusal> {
    match action {
        CredentialAction::New => new(&job).await,
        CredentialAction::List => Ok(list(&job)),
        CredentialAction::Info => info(&job),
        CredentialAction::Update => update(&job).await,
        CredentialAction::Delete => delete(&job).await,
    }
}

/// What a request says of a credential.
struct Edit {
    values: JsonMap,
    info: JsonMap,
}

fn read(job: &Job) -> Result<(Change<String>, Edit), Refusal> {
    let mut fields = job.fields()?;
    let map = |change: Change<JsonMap>| match change {
        Change::Set(map) => map,
        Change::Keep | Change::Clear => JsonMap::new(),
    };
    let name = fields.text("credential_name");
    let edit =
        Edit { values: map(fields.map("credential_values")), info: map(fields.map("credential_info")) };
    fields.finish()?;
    Ok((name, edit))
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let seal = seal(job)?;
    let (name, edit) = read(job)?;
    let Change::Set(name) = name else {
        let problem = Refusal::field("missing", "credential_name", "Field required", &Value::Null);
        return Err(Refusal::Fields(vec![problem]));
    };
    if edit.values.is_empty() {
        let problem = Refusal::field("missing", "credential_values", "Field required", &Value::Null);
        return Err(Refusal::Fields(vec![problem]));
    }
    if job.db.entry(EntryKind::Credential, &name, seal).await?.is_some() {
        let message = format!("a credential with the name `{name}` exists already");
        return Err(Refusal::detail(StatusCode::BAD_REQUEST, message));
    }
    let now = job.moment.now;
    let entry = ConfigEntry {
        kind: EntryKind::Credential,
        id: name.clone(),
        name,
        secret: edit.values,
        info: edit.info,
        blocked: false,
        created_at: now,
        created_by: Some(job.by.clone()),
        updated_at: now,
        updated_by: Some(job.by.clone()),
    };
    job.db.put_entry(&entry, seal).await?;
    done(job, "created").await
}

async fn update(job: &Job) -> Result<Value, Refusal> {
    let seal = seal(job)?;
    let (_, edit) = read(job)?;
    let name = job.named.clone().unwrap_or_default();
    let entry = job.db.entry(EntryKind::Credential, &name, seal).await?;
    let mut entry = entry.ok_or_else(|| missing(&name))?;
    merge(&mut entry.secret, edit.values);
    merge(&mut entry.info, edit.info);
    let entry = ConfigEntry { updated_at: job.moment.now, updated_by: Some(job.by.clone()), ..entry };
    job.db.put_entry(&entry, seal).await?;
    done(job, "updated").await
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    seal(job)?;
    let name = job.named.clone().unwrap_or_default();
    if !job.db.delete_entry(EntryKind::Credential, &name).await? {
        return Err(missing(&name));
    }
    done(job, "deleted").await
}

/// Puts a change in force.
async fn done(job: &Job, what: &str) -> Result<Value, Refusal> {
    job.shared.stored.follow(&job.shared).await?;
    Ok(json!({ "success": true, "message": format!("Credential {what} successfully") }))
}

/// The file's and the database's.
fn all(job: &Job) -> Vec<Value> {
    let stored = job.shared.stored.entries();
    let stored = stored.iter().filter(|entry| entry.kind == EntryKind::Credential);
    let stored = stored.map(|entry| row(&entry.name, &entry.secret, &entry.info, "db"));
    let snapshot = job.shared.snapshot();
    let file = snapshot.config.origin.credentials();
    let file = file.iter().map(|(name, values, info)| row(name, values, info, "config"));
    stored.chain(file).collect()
}

fn list(job: &Job) -> Value {
    json!({ "success": true, "credentials": all(job) })
}

fn info(job: &Job) -> Result<Value, Refusal> {
    let name = job.named.as_deref().unwrap_or_default();
    all(job).into_iter().find(|row| row["credential_name"] == name).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Refusal {
    Refusal::detail(StatusCode::NOT_FOUND, format!("Credential not found. Got credential name: {name}"))
}

fn row(name: &str, values: &JsonMap, info: &JsonMap, source: &str) -> Value {
    let values: Map<String, Value> =
        values.iter().map(|(name, value)| (name.clone(), masked(value))).collect();
    json!({ "credential_name": name, "credential_values": values, "credential_info": info, "source": source })
}

/// The first and last two characters of a long text, as LiteLLM shows it; nothing of anything else.
fn masked(value: &Value) -> Value {
    let text: Vec<char> = value.as_str().unwrap_or_default().chars().collect();
    if text.len() < 12 {
        return Value::from("****");
    }
    let (first, last) = (&text[..2], &text[text.len() - 2..]);
    Value::from(format!("{}****{}", first.iter().collect::<String>(), last.iter().collect::<String>()))
}
