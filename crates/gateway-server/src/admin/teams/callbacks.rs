//! Where a team's calls are to be logged (`/team/{team_id}/callback`, `/team/{team_id}/disable_logging`), kept in the
//! team's metadata as LiteLLM keeps it: a list `logging`, or the older map `callback_settings` where there is no list.
//!
//! Secrets among the variables are shown to nobody; what is sent back masked is what is there already.

use gateway_db::{Change, JsonMap, ScopeRecord};
use http::StatusCode;
use llm_types::ErrorKind;
use serde_json::{Map, Value, json};

use super::super::job::Job;
use super::super::refusal::Refusal;
use super::super::scope_fields::ScopeEdit;
use super::team_id;

/// Where a team's metadata lists them.
const LISTED: &str = "logging";
/// The older place.
const OLDER: &str = "callback_settings";
/// The calls that a callback is told of.
const TYPES: [&str; 3] = ["success", "failure", "success_and_failure"];
/// What stands for a secret.
const HIDDEN: &str = "***REDACTED***";
/// Words of names whose values are secrets; a public key is none.
const SECRETS: [&str; 8] =
    ["secret", "api_key", "token", "password", "credential", "service_account", "authorization", "headers"];

/// `POST /team/{team_id}/callback`
pub(super) async fn add(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let name = fields.required("callback_name");
    let kind = match fields.text("callback_type") {
        Change::Set(kind) => kind,
        Change::Keep | Change::Clear => "success_and_failure".to_owned(),
    };
    let vars = match fields.map("callback_vars") {
        Change::Set(vars) => vars,
        Change::Keep | Change::Clear => JsonMap::new(),
    };
    fields.nothing_else()?;
    check(&name, &kind, &vars)?;
    let team = existing(job, StatusCode::BAD_REQUEST).await?;
    let mut metadata = team.settings.metadata.clone();
    let mut listed = listed(&metadata).cloned().unwrap_or_default();
    if listed.iter().any(|one| one["callback_name"] == name && one["callback_type"] == kind) {
        let id = &team.id.id;
        let message = format!(
            "callback_name = {name} already exists in team_callback_settings, for team_id = {id} and event = {kind}"
        );
        return Err(Refusal::about(ErrorKind::BadRequest, "bad_request_error", "callback_name", message));
    }
    listed.push(json!({ "callback_name": name, "callback_type": kind, "callback_vars": vars }));
    metadata.insert(LISTED.to_owned(), Value::Array(listed));
    let record = keep(job, &team, metadata).await?;
    Ok(json!({ "status": "success", "data": super::row(job, &record).await? }))
}

/// `GET /team/{team_id}/callback`
pub(super) async fn list(job: &Job) -> Result<Value, Refusal> {
    let team = existing(job, StatusCode::NOT_FOUND).await?;
    let [success, failure] = told(&team.settings.metadata);
    Ok(json!({
        "status": "success",
        "data": {
            "team_id": team.id.id,
            "success_callbacks": success,
            "failure_callbacks": failure,
            "callback_vars": vars(&team.settings.metadata),
        },
    }))
}

/// `DELETE /team/{team_id}/callback/{callback_name}`: all entries of the name; the others stay.
pub(super) async fn remove(job: &Job) -> Result<Value, Refusal> {
    let name = job.named_too.as_deref().unwrap_or_default();
    let team = existing(job, StatusCode::NOT_FOUND).await?;
    let id = &team.id.id;
    let mut metadata = team.settings.metadata.clone();
    let before = listed(&metadata).cloned().unwrap_or_default();
    let rest: Vec<Value> = before.iter().filter(|one| one["callback_name"] != name).cloned().collect();
    if rest.len() == before.len() {
        let message = format!("callback_name = {name} is not registered for team_id = {id}.");
        return Err(Refusal::detail(StatusCode::NOT_FOUND, message));
    }
    metadata.insert(LISTED.to_owned(), Value::Array(rest));
    let record = keep(job, &team, metadata).await?;
    let [success, failure] = told(&record.settings.metadata);
    Ok(json!({
        "status": "success",
        "message": format!("Callback {name} removed for team {id}"),
        "data": { "team_id": id, "success_callbacks": success, "failure_callbacks": failure },
    }))
}

/// `POST /team/{team_id}/disable_logging`: no callback is left, in neither place; an empty list says that none is
/// wanted, where no list would leave it to the older map.
pub(super) async fn disable(job: &Job) -> Result<Value, Refusal> {
    let team = existing(job, StatusCode::NOT_FOUND).await?;
    let id = &team.id.id;
    let mut metadata = team.settings.metadata.clone();
    let mut older = metadata.get(OLDER).and_then(Value::as_object).cloned().unwrap_or_default();
    for name in ["success_callback", "failure_callback"] {
        older.insert(name.to_owned(), json!([]));
    }
    metadata.insert(OLDER.to_owned(), Value::Object(older));
    metadata.insert(LISTED.to_owned(), json!([]));
    keep(job, &team, metadata).await?;
    Ok(json!({
        "status": "success",
        "message": format!("Logging disabled for team {id}"),
        "data": { "team_id": id, "success_callbacks": [], "failure_callbacks": [] },
    }))
}

async fn keep(job: &Job, team: &ScopeRecord, metadata: JsonMap) -> Result<ScopeRecord, Refusal> {
    job.edit(&team.id, ScopeEdit { metadata: Some(metadata), ..ScopeEdit::default() }).await
}

async fn existing(job: &Job, status: StatusCode) -> Result<ScopeRecord, Refusal> {
    let id = job.named.as_deref().unwrap_or_default();
    let found = job.db.scope(&team_id(id)).await?;
    found.ok_or_else(|| Refusal::detail(status, format!("Team id = {id} does not exist.")))
}

fn check(name: &str, kind: &str, vars: &JsonMap) -> Result<(), Refusal> {
    let bad = |words: String| Err(Refusal::detail(StatusCode::BAD_REQUEST, words));
    if name.is_empty() || name.contains('/') {
        return bad(format!("`callback_name` is `{name}`, expected the name of a callback, without a slash"));
    }
    if !TYPES.contains(&kind) {
        return bad(format!("`callback_type` is `{kind}`, expected one of {}", TYPES.join(", ")));
    }
    match vars.iter().find(|(_, value)| !value.is_string()) {
        Some((name, _)) => bad(format!("`callback_vars.{name}` is no text, expected text in quotes")),
        None => Ok(()),
    }
}

fn listed(metadata: &JsonMap) -> Option<&Vec<Value>> {
    metadata.get(LISTED)?.as_array()
}

/// The names of those that are told of calls that succeed, and of those that fail: of the list, and only where there
/// is none of the older map.
fn told(metadata: &JsonMap) -> [Vec<&str>; 2] {
    let Some(listed) = listed(metadata) else {
        return ["success_callback", "failure_callback"].map(|name| {
            let names = metadata.get(OLDER).and_then(|older| older.get(name)?.as_array());
            names.into_iter().flatten().filter_map(Value::as_str).collect()
        });
    };
    ["success", "failure"].map(|wanted| {
        let mut names = Vec::new();
        for one in listed {
            let kind = one["callback_type"].as_str().unwrap_or("success_and_failure");
            let Some(name) = one["callback_name"].as_str() else { continue };
            if (kind == wanted || kind == "success_and_failure") && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    })
}

/// All variables together, secrets hidden; a later callback's stand for an earlier one's.
fn vars(metadata: &JsonMap) -> Map<String, Value> {
    let of = |one: &Value| one.get("callback_vars").and_then(Value::as_object).cloned();
    let maps: Vec<_> = match listed(metadata) {
        Some(listed) => listed.iter().filter_map(of).collect(),
        None => metadata.get(OLDER).and_then(of).into_iter().collect(),
    };
    let mut all: Map<String, Value> = maps.into_iter().flatten().collect();
    hide(&mut all);
    all
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.iter().any(|word| name.contains(word))
}

fn hide(vars: &mut Map<String, Value>) {
    for (_, value) in vars.iter_mut().filter(|(name, _)| is_secret(name)) {
        *value = HIDDEN.into();
    }
}

/// The maps of variables in a team's metadata, each with whose they are.
fn all_vars(metadata: &mut JsonMap) -> Vec<(String, &mut Map<String, Value>)> {
    let mut all = Vec::new();
    for (place, value) in metadata.iter_mut() {
        let entries = match (place.as_str(), value) {
            (LISTED, Value::Array(entries)) => entries.as_mut_slice(),
            (OLDER, one) => std::slice::from_mut(one),
            _ => continue,
        };
        for one in entries {
            let word = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
            let whose = format!("{place}/{}/{}", word("callback_name"), word("callback_type"));
            if let Some(vars) = one.get_mut("callback_vars").and_then(Value::as_object_mut) {
                all.push((whose, vars));
            }
        }
    }
    all
}

/// Metadata as it is shown: without secrets of callbacks.
pub(in super::super) fn shown(metadata: &JsonMap) -> JsonMap {
    let mut metadata = metadata.clone();
    all_vars(&mut metadata).into_iter().for_each(|(_, vars)| hide(vars));
    metadata
}

/// Puts back what was hidden when the metadata was shown: a page that sends it back with a change of its own does not
/// know the secrets.
pub(super) fn restore(metadata: &mut JsonMap, before: &JsonMap) {
    let mut before = before.clone();
    let before = all_vars(&mut before);
    for (whose, vars) in all_vars(metadata) {
        let Some((_, old)) = before.iter().find(|(other, _)| *other == whose) else { continue };
        for (name, value) in vars.iter_mut().filter(|(_, value)| **value == HIDDEN) {
            if let Some(old) = old.get(name) {
                *value = old.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests;
