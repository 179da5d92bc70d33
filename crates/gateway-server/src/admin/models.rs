//! `/model/*` that change: deployments that are kept in the database (surface §3.7).

use gateway_db::{Change, ConfigEntry, EntryKind, JsonMap, Seal};
use http::StatusCode;
use llm_types::{Error, ErrorKind};
use serde_json::{Value, json};

use super::fields::Fields;
use super::job::Job;
use super::refusal::Refusal;
use super::view::time;
use crate::config::public_params;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModelAction {
    New,
    /// The id is in `model_info`.
    Update,
    /// The id is in the path.
    Patch,
    Delete,
    Block,
    Unblock,
}

/// Does what is asked about models.
pub(super) async fn run(job: Job, action: ModelAction) -> Result<Value, Refusal> {
    match action {
        ModelAction::New => new(&job).await,
        ModelAction::Update => update(&job, None).await,
        ModelAction::Patch => update(&job, job.named.as_deref()).await,
        ModelAction::Delete => delete(&job).await,
        ModelAction::Block => block(&job, true).await,
        ModelAction::Unblock => block(&job, false).await,
    }
}

/// What a request says of a deployment.
struct Edit {
    name: Change<String>,
    params: JsonMap,
    info: JsonMap,
    blocked: Change<bool>,
}

fn read(mut fields: Fields) -> Result<Edit, Refusal> {
    let map = |change: Change<JsonMap>| match change {
        Change::Set(map) => map,
        Change::Keep | Change::Clear => JsonMap::new(),
    };
    let name = fields.text("model_name");
    let params = map(fields.map("litellm_params"));
    let info = map(fields.map("model_info"));
    let blocked = fields.flag("blocked");
    fields.finish()?;
    Ok(Edit { name, params, info, blocked })
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let seal = seal(job)?;
    let mut fields = job.fields()?;
    let name = fields.required("model_name");
    let params = fields.needs("litellm_params", |fields| fields.map("litellm_params"));
    if params.is_empty() && !fields.is_wrong() {
        fields.wrong("missing", "litellm_params", "Field required", &json!({}));
    }
    let mut edit = Edit { params, ..read(fields)? };
    let id = edit.info.shift_remove("id").and_then(|id| id.as_str().map(str::to_owned));
    let id = id.unwrap_or_else(crate::identity::new_id);
    if in_force(job, &id) || job.db.entry(EntryKind::Model, &id, seal).await?.is_some() {
        return Err(taken(&id));
    }
    let name = of_team(name, &mut edit.info);
    let now = job.moment.now;
    let entry = ConfigEntry {
        kind: EntryKind::Model,
        id,
        name,
        secret: edit.params,
        info: edit.info,
        blocked: edit.blocked == Change::Set(true),
        created_at: now,
        created_by: Some(job.by.clone()),
        updated_at: now,
        updated_by: Some(job.by.clone()),
    };
    keep(job, seal, entry).await
}

/// A team's own model has a name that nobody else's has; the team calls it by the name it gave.
fn of_team(name: String, info: &mut JsonMap) -> String {
    let Some(team) = info.get("team_id").and_then(Value::as_str) else { return name };
    let own = format!("model_name_{team}_{}", crate::identity::new_id());
    info.entry("team_public_model_name").or_insert_with(|| name.into());
    own
}

async fn update(job: &Job, named: Option<&str>) -> Result<Value, Refusal> {
    let seal = seal(job)?;
    let edit = read(job.fields()?)?;
    let id = named.or_else(|| edit.info.get("id").and_then(Value::as_str)).map(str::to_owned);
    let Some(id) = id else {
        return Err(Refusal::missing("model_info.id"));
    };
    change(job, seal, &id, |entry| {
        if let Change::Set(name) = edit.name.clone() {
            match entry.info.get_mut("team_public_model_name") {
                Some(public) => *public = name.into(),
                None => entry.name = name,
            }
        }
        merge(&mut entry.secret, edit.params.clone());
        merge(&mut entry.info, edit.info.clone());
        entry.info.shift_remove("id");
        if let Change::Set(blocked) = edit.blocked {
            entry.blocked = blocked;
        }
    })
    .await
}

/// Members replace those there are; null takes one away.
pub(super) fn merge(have: &mut JsonMap, given: JsonMap) {
    for (name, value) in given {
        if value.is_null() {
            have.shift_remove(&name);
        } else {
            have.insert(name, value);
        }
    }
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    seal(job)?;
    let id = job.fields()?.naming("id")?;
    if !job.db.delete_entry(EntryKind::Model, &id).await? {
        let message = if in_force(job, &id) {
            format!("Model with id={id} is in the configuration file: delete it there")
        } else {
            format!("Model with id={id} not found in db")
        };
        return Err(Error::new(ErrorKind::BadRequest, message).with_vendor_type("auth_error").into());
    }
    job.shared.stored.follow(&job.shared).await?;
    Ok(json!({ "message": format!("Model: {id} deleted successfully") }))
}

async fn block(job: &Job, blocked: bool) -> Result<Value, Refusal> {
    let seal = seal(job)?;
    let mut fields = job.fields()?;
    let id = match fields.text("model_id") {
        Change::Set(id) => id,
        Change::Keep | Change::Clear => fields.required("id"),
    };
    fields.finish()?;
    change(job, seal, &id, |entry| entry.blocked = blocked).await
}

/// Changes a deployment that is there. What others change of it meanwhile stays: it is read and changed again.
async fn change(job: &Job, seal: &Seal, id: &str, edit: impl Fn(&mut ConfigEntry)) -> Result<Value, Refusal> {
    for _ in 0..TRIES {
        let read = existing(job, id, seal).await?;
        let mut entry = read.clone();
        edit(&mut entry);
        entry.updated_at = job.moment.now;
        entry.updated_by = Some(job.by.clone());
        check(job, &entry)?;
        if job.db.replace_entry(&read, &entry, seal).await? {
            job.shared.stored.follow(&job.shared).await?;
            return Ok(row(&entry));
        }
    }
    Err(crowded(id))
}

/// How often a change is tried that others were quicker with.
pub(super) const TRIES: usize = 64;

/// Others were quicker, again and again.
pub(super) fn crowded(id: &str) -> Refusal {
    let message = format!("model `{id}` is changed by others all the time: try again");
    Error::new(ErrorKind::Overloaded, message).into()
}

/// Keeps an entry that can be served, and puts it in force.
fn taken(id: &str) -> Refusal {
    let message =
        format!("a model with the id `{id}` exists already: leave `model_info.id` out or give another");
    Refusal::about(ErrorKind::BadRequest, "bad_request_error", "model_info.id", message)
}

async fn keep(job: &Job, seal: &Seal, entry: ConfigEntry) -> Result<Value, Refusal> {
    check(job, &entry)?;
    if !job.db.insert_entry(&entry, seal).await? {
        return Err(taken(&entry.id));
    }
    job.shared.stored.follow(&job.shared).await?;
    Ok(row(&entry))
}

/// Sees that an entry can be served.
fn check(job: &Job, entry: &ConfigEntry) -> Result<(), Refusal> {
    let problems = job.shared.stored.problems_of(&job.shared, entry);
    if problems.is_empty() {
        return Ok(());
    }
    let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let message = format!("the model cannot be served: {}", words.join("; "));
    Err(Refusal::about(ErrorKind::BadRequest, "bad_request_error", "litellm_params", message))
}

fn in_force(job: &Job, id: &str) -> bool {
    job.shared.snapshot().deployment(&id.into()).is_ok()
}

async fn existing(job: &Job, id: &str, seal: &Seal) -> Result<ConfigEntry, Refusal> {
    if let Some(entry) = job.db.entry(EntryKind::Model, id, seal).await? {
        return Ok(entry);
    }
    Err(if in_force(job, id) {
        let message = "Can't edit model. Model in config. Store model in db via `/model/new`. to edit.";
        Refusal::detail(StatusCode::BAD_REQUEST, message)
    } else {
        Refusal::detail(StatusCode::NOT_FOUND, format!("Model {id} not found on proxy."))
    })
}

/// What seals secrets.
///
/// # Errors
/// Where models are not to be kept, or there is nothing to seal them with.
pub(super) fn seal(job: &Job) -> Result<&Seal, Refusal> {
    if let Some(seal) = job.shared.stored.seal() {
        return Ok(seal);
    }
    let kept = job.shared.snapshot().config.general.models_in_database;
    let message = if kept {
        "Nothing to encrypt secrets with: set `LITELLM_SALT_KEY` or `general_settings.master_key`, and restart."
    } else {
        "Set `'STORE_MODEL_IN_DB='True'` in your env to enable this feature."
    };
    Err(Refusal::detail(StatusCode::INTERNAL_SERVER_ERROR, message))
}

/// A deployment as it is shown: without what is secret.
fn row(entry: &ConfigEntry) -> Value {
    let mut info = entry.info.clone();
    info.insert("id".to_owned(), entry.id.clone().into());
    info.insert("db_model".to_owned(), true.into());
    json!({
        "model_id": entry.id,
        "model_name": entry.name,
        "litellm_params": public_params(&entry.secret),
        "model_info": info,
        "blocked": entry.blocked,
        "created_at": time(Some(entry.created_at)),
        "created_by": entry.created_by,
        "updated_at": time(Some(entry.updated_at)),
        "updated_by": entry.updated_by,
    })
}
