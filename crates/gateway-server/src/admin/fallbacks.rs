//! What is tried after a model group has failed, kept in the database over the file's lists (`/fallback`). Replicas
//! follow it as they follow models (`store_model_in_db`).

use gateway_db::{Change, JsonMap};
use http::StatusCode;
use llm_router::{FallbackMap, RouterSettings};
use serde_json::{Value, json};

use super::job::Job;
use super::query::param;
use super::refusal::Refusal;
use super::settings::{forget, keep};
use crate::config::{FALLBACK_LISTS, FALLBACK_MODELS, fallback_id};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FallbackAction {
    Set,
    Read,
    Delete,
}

/// Which failures a list is for: LiteLLM's words, in the order of [`FALLBACK_LISTS`].
const KINDS: [&str; 3] = ["general", "context_window", "content_policy"];

/// Does what is asked about fallbacks.
pub(super) async fn run(job: Job, action: FallbackAction) -> Result<Value, Refusal> {
    match action {
        FallbackAction::Set => set(&job).await,
        FallbackAction::Read => read(&job),
        FallbackAction::Delete => delete(&job).await,
    }
}

/// A kind of failures and the list for it.
#[derive(Clone, Copy)]
struct Kind(usize);

impl Kind {
    /// By its word; the first one where none is said.
    fn of(word: Option<&str>, place: &str) -> Result<Self, Refusal> {
        let Some(word) = word else { return Ok(Self(0)) };
        KINDS.iter().position(|kind| *kind == word).map(Self).ok_or_else(|| {
            let message = "Input should be 'general', 'context_window' or 'content_policy'";
            let mut problem = Refusal::field("literal_error", "fallback_type", message, &json!(word));
            problem["loc"] = json!([place, "fallback_type"]);
            Refusal::Fields(vec![problem])
        })
    }

    const fn word(self) -> &'static str {
        KINDS[self.0]
    }

    const fn list(self) -> &'static str {
        FALLBACK_LISTS[self.0]
    }

    fn map(self, settings: &RouterSettings) -> &FallbackMap {
        [&settings.fallbacks, &settings.context_window_fallbacks, &settings.content_policy_fallbacks][self.0]
    }

    /// No group has such fallbacks.
    fn none_of(self, group: &str) -> Refusal {
        let words = format!("No {} fallbacks configured for model '{group}'", self.word());
        Refusal::detail(StatusCode::NOT_FOUND, words)
    }
}

/// Sets the groups to try after one, in their order.
async fn set(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let group = fields.required("model").trim().to_owned();
    let models = fields.required_texts("fallback_models");
    let word = match fields.text("fallback_type") {
        Change::Set(word) => Some(word),
        Change::Keep | Change::Clear => None,
    };
    fields.nothing_else()?;
    let kind = Kind::of(word.as_deref(), "body")?;
    check(job, &group, &models)?;
    let had = kind.map(&job.shared.snapshot().config.router).of(&group).is_some();
    store(job, kind, &group, &models).await?;
    Ok(json!({
        "model": group,
        "fallback_models": models,
        "fallback_type": kind.word(),
        "message": format!("Fallback configuration {} successfully", if had { "updated" } else { "created" }),
    }))
}

/// Sees that all are groups that can be called, and that none is to be tried twice.
fn check(job: &Job, group: &str, models: &[String]) -> Result<(), Refusal> {
    let snapshot = job.shared.snapshot();
    let is_known = |name: &str| snapshot.routes().resolve(name, None).is_some();
    let refuse = |status, words: String| {
        let mut groups: Vec<&str> =
            snapshot.config.models.iter().map(|model| &*model.deployment.group).collect();
        groups.sort_unstable();
        groups.dedup();
        Err(Refusal::Detail(status, json!({ "error": words, "available_models": groups })))
    };
    if !is_known(group) {
        return refuse(StatusCode::NOT_FOUND, format!("Model '{group}' not found in router"));
    }
    let unknown: Vec<&String> = models.iter().filter(|name| !is_known(name)).collect();
    if !unknown.is_empty() {
        return refuse(StatusCode::BAD_REQUEST, format!("Invalid fallback models: {unknown:?}"));
    }
    let twice = models.iter().enumerate().find(|(at, name)| models[..*at].contains(name));
    let wrong = match (models.is_empty(), twice) {
        (true, _) => "fallback_models must contain at least one model",
        (_, Some(_)) => "fallback_models must not contain duplicates",
        _ if models.iter().any(|name| name == group) => {
            let words = format!("Model '{group}' cannot be its own fallback");
            return Err(Refusal::detail(StatusCode::BAD_REQUEST, words));
        }
        _ => return Ok(()),
    };
    Err(Refusal::Fields(vec![Refusal::field("value_error", "fallback_models", wrong, &json!(models))]))
}

/// The groups that are tried after one, its own or those of every group.
fn read(job: &Job) -> Result<Value, Refusal> {
    let (group, kind) = asked(job)?;
    let snapshot = job.shared.snapshot();
    let map = kind.map(&snapshot.config.router);
    let targets = map.of(&group).or_else(|| map.of("*")).ok_or_else(|| kind.none_of(&group))?;
    let models: Vec<&str> = targets.iter().map(|target| &*target.model).collect();
    Ok(json!({ "model": group, "fallback_models": models, "fallback_type": kind.word() }))
}

/// Takes back what is tried after a group, whoever said it.
async fn delete(job: &Job) -> Result<Value, Refusal> {
    let (group, kind) = asked(job)?;
    let snapshot = job.shared.snapshot();
    if kind.map(&snapshot.config.router).of(&group).is_none() {
        return Err(kind.none_of(&group));
    }
    forget(job, &fallback_id(kind.list(), &group)).await?;
    // What the file says besides is taken back by an entry that names nobody.
    if kind.map(&job.shared.snapshot().config.router).of(&group).is_some() {
        store(job, kind, &group, &[]).await?;
    }
    Ok(json!({
        "model": group,
        "fallback_type": kind.word(),
        "message": "Fallback configuration deleted successfully",
    }))
}

/// The group that the path names, and the kind that the query does.
fn asked(job: &Job) -> Result<(String, Kind), Refusal> {
    let kind = Kind::of(param(job.query.as_deref(), "fallback_type").as_deref(), "query")?;
    Ok((job.named.clone().unwrap_or_default(), kind))
}

async fn store(job: &Job, kind: Kind, group: &str, models: &[String]) -> Result<(), Refusal> {
    let info = JsonMap::from_iter([(FALLBACK_MODELS.to_owned(), json!(models))]);
    keep(job, &fallback_id(kind.list(), group), info).await
}
