//! `/credentials`: what deployments sign in with, kept in the database under a name (surface §3.7).

use gateway_db::{Change, ConfigEntry, EntryKind, JsonMap, Seal};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::job::Job;
use super::models::{merge, seal};
use super::refusal::Refusal;
use crate::config::PublicKeys;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialAction {
    New,
    List,
    Info,
    Update,
    Delete,
    /// What one deployment signs in with.
    OfModel,
    /// The public keys that verify the identity tokens a credential's signing key signs.
    PublicKeys,
    /// Whether everything that is sealed can be opened.
    CheckSeals,
    /// Seals anew what another salt sealed.
    Reseal,
}

impl CredentialAction {
    /// Whether it changes nothing.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::List | Self::Info | Self::OfModel | Self::PublicKeys | Self::CheckSeals)
    }
}

/// Does what is asked about credentials.
pub(super) async fn run(job: Job, action: CredentialAction) -> Result<Value, Refusal> {
    match action {
        CredentialAction::New => new(&job).await,
        CredentialAction::List => Ok(list(&job)),
        CredentialAction::Info => info(&job),
        CredentialAction::Update => update(&job).await,
        CredentialAction::Delete => delete(&job).await,
        CredentialAction::OfModel => of_model(&job),
        CredentialAction::PublicKeys => public_keys(&job).await,
        CredentialAction::CheckSeals => check_seals(&job).await,
        CredentialAction::Reseal => reseal(&job).await,
    }
}

/// What a request says of a credential.
struct Edit {
    values: JsonMap,
    info: JsonMap,
}

/// What a request asks for; a new credential has to have values.
fn read(mut fields: Fields, is_new: bool) -> Result<Edit, Refusal> {
    let map = |change: Change<JsonMap>| match change {
        Change::Set(map) => map,
        Change::Keep | Change::Clear => JsonMap::new(),
    };
    let values = match is_new {
        true => fields.needs("credential_values", |fields| fields.map("credential_values")),
        false => map(fields.map("credential_values")),
    };
    if is_new && values.is_empty() && !fields.is_wrong() {
        fields.wrong("missing", "credential_values", "Field required", &json!({}));
    }
    let edit = Edit { values, info: map(fields.map("credential_info")) };
    fields.finish()?;
    Ok(edit)
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let seal = seal(job)?;
    let mut fields = job.fields()?;
    let name = fields.required("credential_name");
    if name.trim().is_empty() && !fields.is_wrong() {
        fields.wrong(
            "string_too_short",
            "credential_name",
            "String should have at least 1 character",
            &json!(name),
        );
    }
    let edit = read(fields, true)?;
    if job.db.entry(EntryKind::Credential, &name, seal).await?.is_some() {
        return Err(taken(&name));
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
    if !job.db.insert_entry(&entry, seal).await? {
        return Err(taken(&entry.id));
    }
    done(job, "created").await
}

fn taken(name: &str) -> Refusal {
    let message = format!("a credential with the name `{name}` exists already");
    Refusal::detail(StatusCode::BAD_REQUEST, message)
}

async fn update(job: &Job) -> Result<Value, Refusal> {
    let seal = seal(job)?;
    let edit = read(job.fields()?, false)?;
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

/// Parameters of deployments that say where a provider is and how to sign in.
const SIGN_IN: [&str; 14] = [
    "api_key",
    "api_base",
    "api_version",
    "organization",
    "vertex_project",
    "vertex_location",
    "vertex_credentials",
    "region_name",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_region_name",
    "tenant_id",
    "client_id",
    "client_secret",
];

/// `/credentials/by_model/{model_id}`: what a deployment signs in with, as a credential; secrets are masked.
fn of_model(job: &Job) -> Result<Value, Refusal> {
    let id = job.named.as_deref().unwrap_or_default();
    let snapshot = job.shared.snapshot();
    let model = snapshot.config.models.iter().find(|model| model.deployment.id.as_str() == id);
    let model = model.ok_or_else(|| Refusal::detail(StatusCode::NOT_FOUND, "Model not found"))?;
    let deployment = &model.deployment;
    let stored = job.shared.stored.entries();
    let stored = stored.iter().find(|entry| entry.kind == EntryKind::Model && entry.id == id);
    let given = stored.map_or(&*deployment.params, |entry| &entry.secret);
    let mut values = Map::new();
    for name in SIGN_IN {
        if let Some(value) = given.get(name).filter(|value| !value.is_null()) {
            values.insert(name.to_owned(), masked(value));
        }
    }
    if let Some(key) = &deployment.target.key {
        values.insert("api_key".to_owned(), masked(&Value::from(key.reveal().as_str())));
    }
    Ok(json!({
        "credential_name": format!("{}-credential-{id}", deployment.group),
        "credential_values": values,
        "credential_info": {},
    }))
}

/// `/credentials/{credential_name}/jwks`: what Anthropic is given to verify the tokens that the gateway signs itself.
async fn public_keys(job: &Job) -> Result<Value, Refusal> {
    let name = job.named.as_deref().unwrap_or_default();
    let stored = match job.shared.stored.seal() {
        // Another replica may have changed it just now.
        Some(seal) => job.db.entry(EntryKind::Credential, name, seal).await?,
        None => None,
    };
    let snapshot = job.shared.snapshot();
    let nowhere = |message: String| Err(Refusal::detail(StatusCode::NOT_FOUND, message));
    match snapshot.config.origin.public_keys(name, stored.as_ref()) {
        PublicKeys::Set(keys) => Ok(keys),
        PublicKeys::Missing => nowhere(format!("There is no credential `{name}` for Anthropic.")),
        PublicKeys::Elsewhere => nowhere(format!(
            "The tokens of credential `{name}` are not signed here: `anthropic_identity_source` is not `internal_issuer`."
        )),
        PublicKeys::Wrong(why) => Err(Refusal::detail(StatusCode::BAD_REQUEST, why)),
    }
}

/// `/credentials/migrate-encryption/check`.
async fn check_seals(job: &Job) -> Result<Value, Refusal> {
    let seals = job.db.check_seals(seal(job)?).await?;
    let status = if seals.unreadable.is_empty() { "up_to_date" } else { "needs_migration" };
    Ok(json!({ "status": status, "current": seals.current, "unreadable": seals.unreadable }))
}

/// `/credentials/migrate-encryption`: models, credentials and settings that the salt before
/// (`previous_salt_key`) sealed are sealed with the one in force.
async fn reseal(job: &Job) -> Result<Value, Refusal> {
    let seal = seal(job)?;
    let mut fields = job.fields()?;
    let before = fields.text("previous_salt_key");
    fields.finish()?;
    let seals = match before {
        Change::Set(salt) => job.db.reseal(&Seal::new(&salt)?, seal).await?,
        Change::Keep | Change::Clear => job.db.check_seals(seal).await?,
    };
    job.shared.stored.follow(&job.shared).await?;
    let status = if seals.unreadable.is_empty() { "success" } else { "incomplete" };
    Ok(json!({
        "status": status,
        "migrated": seals.resealed,
        "already_current": seals.current,
        "unreadable": seals.unreadable,
    }))
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
