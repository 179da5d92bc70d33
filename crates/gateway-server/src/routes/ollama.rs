//! What clients of Ollama ask beside the chat: which models there are, what one is, which version speaks.
//! <https://docs.ollama.com/api/tags>, <https://docs.ollama.com/api-reference/show-model-details>.

use std::sync::Arc;

use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use llm_providers::dialects;
use llm_types::{Error, ErrorKind, Result};
use serde_json::{Map, Value, json};

use super::models;
use crate::answer::{self, ReplyBody};
use crate::door::{ConnState, read_body};
use crate::state::{Core, Snapshot};

/// The version of Ollama whose API this is: clients ask whether it is new enough.
const VERSION: &str = "0.12.11";

/// The most bytes the name of a model is asked for with.
const LIMIT: usize = 64 * 1024;

/// `GET /api/version`.
pub(super) fn version() -> Response<ReplyBody> {
    answer::json_response(StatusCode::OK, &json!({ "version": VERSION }))
}

/// `GET /api/tags`: the models a key may use.
pub(super) async fn tags(core: &Arc<Core>, conn: &ConnState, head: &Parts) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    match models::enter(core, conn, &snapshot, head, "/v1/models").await {
        Err(error) => refused(&error),
        Ok(caller) => {
            let listed = models::names(&snapshot, &caller);
            let listed: Vec<Value> =
                listed.iter().filter(|name| !name.contains('*')).map(|name| entry(name)).collect();
            answer::json_response(StatusCode::OK, &json!({ "models": listed }))
        }
    }
}

/// `POST /api/show`: what is known of one model.
pub(super) async fn show(
    core: &Arc<Core>,
    conn: &ConnState,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let (head, body) = request.into_parts();
    let shown = async {
        let caller = models::enter(core, conn, &snapshot, &head, "/v1/models").await?;
        let name = asked(&read_body(body, LIMIT).await?)?;
        let known = snapshot.routes().resolve(&name, caller.team()).is_some();
        if known && caller.sees(&snapshot, &name) {
            return Ok(described(&snapshot, &name));
        }
        Err(Error::new(ErrorKind::NotFound, format!("model '{name}' not found")).with_param("model"))
    };
    match shown.await {
        Ok(body) => answer::json_response(StatusCode::OK, &body),
        Err(error) => refused(&error),
    }
}

/// The model that is asked for: `model`, or `name` as old clients write it.
fn asked(body: &[u8]) -> Result<String> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|fault| Error::new(ErrorKind::BadRequest, format!("the body is not valid JSON: {fault}")))?;
    let said = |member: &str| body.get(member).and_then(Value::as_str).filter(|name| !name.is_empty());
    said("model")
        .or_else(|| said("name"))
        .map(str::to_owned)
        .ok_or_else(|| Error::bad_param("model", "missing required parameter `model`: expected a string"))
}

/// One model in a list. Nothing is on disk here: sizes are zero, and what weights are made of is not known.
fn entry(name: &str) -> Value {
    json!({
        "name": name,
        "model": name,
        "modified_at": "2023-02-28T18:56:42Z",
        "size": 0,
        "digest": "",
        "details": details(),
    })
}

fn details() -> Value {
    json!({
        "parent_model": "",
        "format": "",
        "family": "",
        "families": [],
        "parameter_size": "",
        "quantization_level": "",
    })
}

/// What is known of a model: of the first deployment behind its name.
fn described(snapshot: &Snapshot, name: &str) -> Value {
    let model = snapshot.config.models.iter().find(|model| &*model.deployment.group == name);
    let info = model.map(|model| snapshot.info_of(model)).unwrap_or_default();
    let has = |member: &str| info.get(member) == Some(&Value::Bool(true));
    let mut abilities = vec!["completion"];
    let told = [
        ("supports_function_calling", "tools"),
        ("supports_vision", "vision"),
        ("supports_reasoning", "thinking"),
    ];
    abilities.extend(told.into_iter().filter(|(member, _)| has(member)).map(|(_, ability)| ability));
    let mut facts = Map::new();
    facts.insert("general.architecture".to_owned(), "unknown".into());
    if let Some(window) = info.get("max_input_tokens").filter(|window| window.is_u64()) {
        facts.insert("unknown.context_length".to_owned(), window.clone());
    }
    json!({
        "modelfile": "",
        "parameters": "",
        "template": "",
        "details": details(),
        "model_info": facts,
        "capabilities": abilities,
        "modified_at": "2023-02-28T18:56:42Z",
    })
}

fn refused(error: &Error) -> Response<ReplyBody> {
    answer::error_response(error, dialects::OLLAMA)
}

#[cfg(test)]
mod tests;
