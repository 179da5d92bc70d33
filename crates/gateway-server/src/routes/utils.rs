//! What operators ask before they send anything: how many tokens a prompt is, and which request a provider
//! would get. LiteLLM surface §9 (`/utils/token_counter`, `/utils/transform_request`).

use std::sync::Arc;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use llm_providers::dialects::{self, estimated_tokens};
use llm_providers::tokens::{Encoding, count, count_texts};
use llm_providers::{Auth, Dialect, DialectId};
use llm_types::{Error, ErrorKind, Result};
use serde_json::{Map, Value, json};

use super::models::enter;
use crate::answer::{self, ReplyBody};
use crate::door::{ConnState, read_body};
use crate::state::{Core, Served, Snapshot};
use crate::walk::Caller;

/// The most bytes a question may have.
const LIMIT: usize = 16 * 1024 * 1024;

/// `POST /utils/token_counter`: the tokens of `messages`, `prompt` or `contents`, counted here: exactly for models
/// of OpenAI's families, else estimated.
pub(super) async fn token_counter(
    core: &Arc<Core>,
    conn: &ConnState,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let (head, body) = request.into_parts();
    let counted = async {
        let caller = enter(core, conn, &snapshot, &head, "/utils/token_counter").await?;
        let asked = object(&read_body(body, LIMIT).await?)?;
        let name = asked.get("model").and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| missing("model", "the name of a model"))?;
        let said = ["messages", "prompt", "contents"];
        if said.iter().all(|member| asked.get(*member).is_none_or(Value::is_null)) {
            let message = "prompt or messages or contents must be provided";
            return Err(Error::bad_param("messages", message));
        }
        // A model of nobody's is counted all the same, as LiteLLM does.
        let name = name.to_owned();
        let served = served(core, &snapshot, &caller, &name).ok();
        let used =
            served.as_ref().map_or_else(|| name.clone(), |served| served.target.target().model.clone());
        let base = served.and_then(|served| served.deployment.base_model.clone());
        let encoding = Encoding::of(base.as_deref().unwrap_or(&used));
        // Beside the data plane: a prompt may be long.
        let counting = core.shared.control.spawn_blocking(move || tokens_of(encoding, asked));
        let tokens = counting
            .await
            .map_err(|gone| Error::new(ErrorKind::Internal, "the count was interrupted").with_source(gone))?;
        let (tokenizer, source) = match encoding.is_exact() {
            true => ("openai_tokenizer", "local_tokenizer"),
            false => ("estimate", "local_estimate"),
        };
        Ok(json!({
            "total_tokens": tokens,
            "request_model": name,
            "model_used": used,
            "tokenizer_type": tokenizer,
            "count_source": source,
            "original_response": null,
            "error": false,
            "error_message": null,
            "status_code": null,
        }))
    };
    told(counted.await)
}

/// `POST /utils/transform_request`: the request that a provider would get, its secrets masked. Nothing is
/// sent. What is wrong with it is told in `error`.
pub(super) async fn transform_request(
    core: &Arc<Core>,
    conn: &ConnState,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let (head, body) = request.into_parts();
    let shown = async {
        let caller = enter(core, conn, &snapshot, &head, "/utils/transform_request").await?;
        let asked = object(&read_body(body, LIMIT).await?)?;
        let kind = asked.get("call_type").and_then(Value::as_str).unwrap_or("completion");
        let body = asked.get("request_body").and_then(Value::as_object);
        let body = body.ok_or_else(|| missing("request_body", "the body of a request"))?;
        Ok(transformed(core, &snapshot, &caller, kind, body).unwrap_or_else(|error| {
            json!({
                "raw_request_api_base": null,
                "raw_request_body": null,
                "raw_request_headers": null,
                "error": error.message(),
            })
        }))
    };
    told(shown.await)
}

/// The tokens of a question: of messages as OpenAI's models take them, of other prompts their texts.
pub(super) fn tokens_of(encoding: Encoding, mut asked: Map<String, Value>) -> u64 {
    let present =
        |asked: &Map<String, Value>, part: &str| asked.get(part).is_some_and(|value| !value.is_null());
    if encoding.is_exact() && present(&asked, "messages") {
        asked.retain(|name, _| matches!(name.as_str(), "model" | "messages" | "tools"));
        let body = Value::Object(asked.clone()).to_string();
        if let Ok(request) = dialects::dialect(DialectId::OpenaiChat).decode_request(body.as_bytes()) {
            return count(encoding, &request);
        }
    }
    let parts = ["system", "messages", "prompt", "contents", "tools"];
    let parts = parts.iter().filter_map(|part| asked.get(*part));
    if encoding.is_exact() {
        return parts.map(|part| count_texts(encoding, part)).sum();
    }
    let messages = asked.get("messages").and_then(Value::as_array).map_or(0, Vec::len);
    estimated_tokens(parts, messages)
}

pub(super) fn told(answer: Result<Value>) -> Response<ReplyBody> {
    match answer {
        Ok(body) => answer::json_response(StatusCode::OK, &body),
        Err(error) => answer::openai_error(&error),
    }
}

pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>> {
    serde_json::from_slice(body).map_err(|fault| {
        Error::new(ErrorKind::BadRequest, format!("the body is no JSON object: {fault}")).with_source(fault)
    })
}

pub(super) fn missing(param: &'static str, expected: &str) -> Error {
    Error::bad_param(param, format!("missing required parameter `{param}`: expected {expected}"))
}

/// The first deployment behind a name that a caller may use.
pub(super) fn served(core: &Core, snapshot: &Snapshot, caller: &Caller, name: &str) -> Result<Arc<Served>> {
    let unknown = || {
        Error::new(ErrorKind::NotFound, format!("The model `{name}` does not exist or is not accessible"))
            .with_param("model")
    };
    let route = snapshot.routes().resolve(name, caller.team()).ok_or_else(unknown)?;
    let first = route.group.candidates.first().filter(|_| caller.sees(snapshot, name)).ok_or_else(unknown)?;
    snapshot.served(&first.deployment, &route.model(&first.deployment), &core.shared.metrics)
}

/// The dialect of a call, by LiteLLM's name for its type.
fn dialect_of(kind: &str) -> Result<&'static dyn Dialect> {
    let id = match kind.strip_prefix('a').unwrap_or(kind) {
        "completion" => DialectId::OpenaiChat,
        "responses" => DialectId::OpenaiResponses,
        "text_completion" => DialectId::OpenaiText,
        "nthropic_messages" | "anthropic_messages" => DialectId::Anthropic,
        _ => {
            let expected = "expected `completion`, `responses`, `text_completion` or `anthropic_messages`";
            return Err(Error::bad_param("call_type", format!("`call_type`: found `{kind}`, {expected}")));
        }
    };
    Ok(dialects::dialect(id))
}

fn transformed(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    kind: &str,
    body: &Map<String, Value>,
) -> Result<Value> {
    let spoken = dialect_of(kind)?;
    let bytes = Bytes::from(Value::Object(body.clone()).to_string());
    let glance = spoken.glance(&bytes)?;
    let served = served(core, snapshot, caller, &glance.model)?;
    let mut target = served.target.target().as_ref().clone();
    target.policy.drop |= body.get("drop_params").and_then(Value::as_bool) == Some(true);
    let dialect = served.dialect_for(spoken);
    let encoded = if dialect.id() == spoken.id() {
        dialect.forward_request(&bytes, &glance, &target)?
    } else {
        dialect.encode_request(&spoken.decode_request(&bytes)?, &target)?
    };
    let request = served.target.request(encoded)?;
    let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    Ok(json!({
        "raw_request_api_base": without_key(&request.uri, &target.spec.auth),
        "raw_request_body": sent,
        "raw_request_headers": masked(&request.headers),
        "error": null,
    }))
}

/// A URL without the key that signs in.
fn without_key(uri: &Uri, auth: &Auth) -> String {
    let (Auth::Query(name), Some(query)) = (auth, uri.query()) else { return uri.to_string() };
    let kept = |pair: &&str| pair.split_once('=').is_none_or(|(pair, _)| *pair != **name);
    let query: Vec<&str> = query.split('&').filter(kept).collect();
    let path =
        if query.is_empty() { uri.path().to_owned() } else { format!("{}?{}", uri.path(), query.join("&")) };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(path).ok();
    Uri::from_parts(parts).map_or_else(|_| uri.path().to_owned(), |uri| uri.to_string())
}

/// Headers with what signs in, and what the operator wrote, masked.
fn masked(headers: &HeaderMap) -> Map<String, Value> {
    let shown = |value: &http::HeaderValue| match value.is_sensitive() {
        true => "****".to_owned(),
        false => String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    headers.iter().map(|(name, value)| (name.to_string(), shown(value).into())).collect()
}

#[cfg(test)]
mod tests;
