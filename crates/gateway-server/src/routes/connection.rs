//! `POST /health/test_connection`: whether a deployment would answer, one that is configured (by its `model_info.id` or
//! its name) or one that is not yet. Nothing is kept and nothing is booked: it is asked what a health check asks.
//! LiteLLM surface §1.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use llm_types::{DeploymentId, Error, Result};
use serde_json::{Map, Value, json};

use super::utils::object;
use super::{models, operators_only};
use crate::answer::{self, ReplyBody};
use crate::config::Model;
use crate::door::{ConnState, read_body};
use crate::health::{self, Trial};
use crate::state::{Core, Snapshot};
use crate::walk::Role;

const PATH: &str = "/health/test_connection";
/// The most bytes of a question.
const LIMIT: usize = 1024 * 1024;

/// Asks for an operator.
pub(super) async fn answer(
    core: &Arc<Core>,
    conn: &ConnState,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    match asked(core, conn, request).await {
        Ok(trial) => match health::try_out(&core.shared, &core.transport, trial).await {
            Ok(()) => told("success", &json!({})),
            Err(error) => told(
                "error",
                &json!({ "error": error.message(), "status_code": llm_router::error_status(&error) }),
            ),
        },
        Err(error) => answer::openai_error(&error),
    }
}

fn told(status: &str, result: &Value) -> Response<ReplyBody> {
    answer::json_response(StatusCode::OK, &json!({ "status": status, "result": result }))
}

/// What is to be tried: `litellm_params` and `model_info` of a deployment; `mode` says what it is for.
async fn asked(core: &Arc<Core>, conn: &ConnState, request: Request<Incoming>) -> Result<Trial> {
    let snapshot = core.shared.snapshot();
    let (head, body) = request.into_parts();
    let caller = models::enter(core, conn, &snapshot, &head, PATH).await?;
    if caller.role() != Role::Admin {
        return Err(operators_only(&caller, PATH));
    }
    let mut body = object(&read_body(body, LIMIT).await?)?;
    let params = map(&mut body, "litellm_params")?;
    if params.is_empty() {
        let message = "`litellm_params` is missing, expected what `model_list` has for a deployment, such as \
                       {\"model\": \"openai/gpt-4o\", \"api_key\": \"…\"}";
        return Err(Error::bad_param("litellm_params", message));
    }
    let mut info = map(&mut body, "model_info")?;
    let mode = match body.remove("mode") {
        None | Some(Value::Null) => None,
        Some(Value::String(mode)) => Some(mode),
        Some(_) => {
            return Err(Error::bad_param("mode", "`mode`: expected a text such as `chat` or `embedding`"));
        }
    };
    if let Some(configured) = configured(&snapshot, &params, &info) {
        return Ok(Trial::Configured(configured, mode));
    }
    for (section, map) in [("litellm_params", &params), ("model_info", &info)] {
        no_variables(section, map)?;
    }
    if let Some(mode) = mode {
        info.insert("mode".to_owned(), mode.into());
    }
    Ok(Trial::New(params, info))
}

/// The deployment that is meant, where nothing but its name or its id is given.
fn configured(
    snapshot: &Snapshot,
    params: &Map<String, Value>,
    info: &Map<String, Value>,
) -> Option<DeploymentId> {
    let is_bare = params.keys().all(|name| name == "model");
    let id = info.get("id").and_then(Value::as_str);
    let name = params.get("model").and_then(Value::as_str);
    let is_meant = |model: &&Model| match id {
        Some(id) => model.deployment.id.as_str() == id,
        None => name == Some(&*model.deployment.group),
    };
    let found = snapshot.config.models.iter().find(is_meant).filter(|_| is_bare)?;
    Some(found.deployment.id.clone())
}

/// What a request brings is no part of the configuration: it may not name variables of this process, which a host of
/// the caller's choice would get to see.
fn no_variables(section: &str, map: &Map<String, Value>) -> Result<()> {
    for (name, value) in map {
        if value.to_string().contains("os.environ/") {
            let message =
                format!("`{section}.{name}` names an environment variable, expected the value itself");
            return Err(Error::bad_param(format!("{section}.{name}"), message));
        }
    }
    Ok(())
}

fn map(body: &mut Map<String, Value>, name: &str) -> Result<Map<String, Value>> {
    match body.remove(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(Error::bad_param(name, format!("`{name}`: expected an object"))),
    }
}
