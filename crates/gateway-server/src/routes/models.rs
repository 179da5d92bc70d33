//! The models a key may use, and what is configured of them.

use std::borrow::Cow;
use std::sync::Arc;

use http::request::Parts;
use http::{Response, StatusCode};
use llm_types::Result;
use serde_json::{Value, json};

use super::abilities;
use crate::answer::{self, ReplyBody};
use crate::config::Model;
use crate::door::ConnState;
use crate::state::{Core, Snapshot};
use crate::walk::{Caller, Role, admit, query};

/// `GET /v1/models`: both the OpenAI and the Anthropic SDK read this shape.
pub(super) async fn list(core: &Arc<Core>, conn: &ConnState, head: &Parts) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let caller = match enter(core, conn, &snapshot, head, "/v1/models").await {
        Ok(caller) => caller,
        Err(error) => return answer::openai_error(&error),
    };
    let shown = Shown::of(&snapshot, &caller, head);
    let names = names(&snapshot, &caller);
    let data: Vec<Value> = names.iter().filter(|name| shown.lists(name)).map(|name| entry(name)).collect();
    let edge =
        |entry: Option<&Value>| entry.and_then(|entry| entry.get("id")).cloned().unwrap_or(Value::Null);
    let body = json!({
        "object": "list",
        "has_more": false,
        "first_id": edge(data.first()),
        "last_id": edge(data.last()),
        "data": data,
    });
    answer::json_response(StatusCode::OK, &body)
}

/// `GET /v1/models/{model}`.
pub(super) async fn one(core: &Arc<Core>, conn: &ConnState, head: &Parts, name: &str) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let caller = match enter(core, conn, &snapshot, head, "/v1/models").await {
        Ok(caller) => caller,
        Err(error) => return answer::openai_error(&error),
    };
    let known = snapshot.routes().resolve(name, caller.team()).is_some();
    if known && caller.sees(&snapshot, name) && Shown::of(&snapshot, &caller, head).is_well(name) {
        return answer::json_response(StatusCode::OK, &entry(name));
    }
    // LiteLLM's framework words this one.
    answer::detail(StatusCode::NOT_FOUND, format!("The model `{name}` does not exist or is not accessible"))
}

/// `GET /model/info`: the deployments behind the models, without secrets.
pub(super) async fn info(core: &Arc<Core>, conn: &ConnState, head: &Parts) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let caller = match enter(core, conn, &snapshot, head, "/model/info").await {
        Ok(caller) => caller,
        Err(error) => return answer::openai_error(&error),
    };
    let shown = Shown::of(&snapshot, &caller, head);
    // Who asks for one entry gets it, whether or not it is listed.
    let id = query::value(head.uri.query(), "litellm_model_id");
    let asked = |model: &&Model| match id.as_deref() {
        Some(id) => model.deployment.id.as_str() == id,
        None => shown.lists(&model.deployment.group),
    };
    let models = snapshot.config.models.iter().filter(asked);
    let seen = models.filter(|model| caller.sees(&snapshot, &model.deployment.group));
    let data = rows(&snapshot, seen).await;
    answer::json_response(StatusCode::OK, &json!({ "data": data }))
}

/// What lists leave out: models that the operator keeps out of them (`model_info.discoverable`), from everybody but
/// administrators; and models all of whose deployments the last probes found ill, where the operator or the caller
/// wants that (`model_list_healthy_only`, `?healthy_only=true`). What is left out can still be called.
pub(super) struct Shown<'a> {
    snapshot: &'a Snapshot,
    team: Option<&'a str>,
    all: bool,
    healthy_only: bool,
}

impl<'a> Shown<'a> {
    pub(super) fn of(snapshot: &'a Snapshot, caller: &'a Caller, head: &Parts) -> Self {
        let asked = query::value(head.uri.query(), "healthy_only").is_some_and(|value| value == "true");
        // With a policy, failed probes count as failed calls: nobody is found ill by them alone.
        let policy = snapshot.routes().settings().allowed_fails_policy.is_some();
        let wanted = asked || snapshot.config.general.health.lists_healthy;
        let all = matches!(caller.role(), Role::Admin | Role::Viewer);
        Self { snapshot, team: caller.team(), all, healthy_only: wanted && !policy }
    }

    /// Whether a name stands in lists.
    pub(super) fn lists(&self, name: &str) -> bool {
        (self.all || !self.snapshot.is_unlisted(name)) && self.is_well(name)
    }

    /// Whether a name is not hidden for the health of its deployments.
    fn is_well(&self, name: &str) -> bool {
        if !self.healthy_only {
            return true;
        }
        let now = self.snapshot.router.now();
        let route = self.snapshot.routes().resolve(name, self.team);
        route.is_none_or(|route| route.group.candidates.iter().any(|one| !one.state.is_ill(now)))
    }
}

/// What is shown of deployments. Of hundreds of them this is work for a while: the core's calls go on meanwhile.
async fn rows<'m>(snapshot: &Snapshot, models: impl Iterator<Item = &'m Model>) -> Vec<Value> {
    let mut rows = Vec::new();
    for model in models {
        rows.push(json!({
            "model_name": &*model.deployment.group,
            "litellm_params": *model.deployment.params,
            "model_info": info_with_params(snapshot, model),
        }));
        tokio::task::yield_now().await;
    }
    rows
}

/// `GET /v2/model/info`: a page of the deployments; `model`, `search`, `modelId` and `teamId` narrow them.
pub(super) async fn paged(core: &Arc<Core>, conn: &ConnState, head: &Parts) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let caller = match enter(core, conn, &snapshot, head, "/v2/model/info").await {
        Ok(caller) => caller,
        Err(error) => return answer::openai_error(&error),
    };
    let param = |name: &str| {
        query::value(head.uri.query(), name).filter(|value| !value.is_empty()).map(Cow::into_owned)
    };
    let number =
        |name: &str, default: usize| param(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (page, size) = (number("page", 1).max(1), number("size", 50).clamp(1, 100));
    let (name, id, team) = (param("model"), param("modelId"), param("teamId"));
    let search = param("search").map(|text| text.to_lowercase());
    let asked = |model: &&Model| {
        let deployment = &model.deployment;
        name.as_deref().is_none_or(|name| *deployment.group == *name)
            && id.as_deref().is_none_or(|id| deployment.id.as_str() == id)
            && team.as_deref().is_none_or(|team| deployment.team_id.as_deref() == Some(team))
            && search.as_deref().is_none_or(|text| deployment.group.to_lowercase().contains(text))
            && caller.sees(&snapshot, &deployment.group)
    };
    let found: Vec<&Model> = snapshot.config.models.iter().filter(asked).collect();
    let shown = found.iter().copied().skip((page - 1).saturating_mul(size)).take(size);
    let body = json!({
        "data": rows(&snapshot, shown).await,
        "total_count": found.len(),
        "current_page": page,
        "total_pages": found.len().div_ceil(size),
        "size": size,
    });
    answer::json_response(StatusCode::OK, &body)
}

/// What is known of a deployment, and the parameters it takes.
fn info_with_params(snapshot: &Snapshot, model: &Model) -> Value {
    let mut info = snapshot.info_of(model);
    let params = abilities::of_model(snapshot, model);
    info.entry("supported_openai_params").or_insert_with(|| params.into());
    Value::Object(info)
}

pub(super) async fn enter(
    core: &Arc<Core>,
    conn: &ConnState,
    snapshot: &Snapshot,
    head: &Parts,
    route: &str,
) -> Result<Caller> {
    let caller = admit(core, conn, snapshot, head).await?;
    caller.may_call_route(snapshot, route)?;
    Ok(caller)
}

/// The names a caller may use: configured ones it has access to, and exact names its key lists that
/// only a wildcard serves.
pub(super) fn names(snapshot: &Snapshot, caller: &Caller) -> Vec<String> {
    let mut names: Vec<String> = snapshot
        .routes()
        .names()
        .iter()
        .filter(|name| caller.sees(snapshot, name))
        .map(|name| name.to_string())
        .collect();
    if let Caller::Key(entry) = caller {
        for name in &entry.record.settings.models {
            let served = !name.contains('*') && snapshot.routes().resolve(name, caller.team()).is_some();
            if served && !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names
}

/// One model in OpenAI's form, with the members Anthropic's SDK reads beside them. LiteLLM states the
/// same constant time of creation for every model.
fn entry(name: &str) -> Value {
    json!({
        "id": name,
        "object": "model",
        "created": 1_677_610_602,
        "owned_by": "openai",
        "type": "model",
        "display_name": name,
        "created_at": "2023-02-28T18:56:42Z",
    })
}
