//! `POST /utils/route_explain`: which deployments a call would be routed to, and why not to the others.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use llm_types::{Error, ErrorKind, Result};
use serde_json::Value;

use super::{models, operators_only};
use crate::answer::{self, ReplyBody};
use crate::door::{ConnState, read_body};
use crate::explain::{Known, RouteQuestion, explain};
use crate::identity::KeyDigest;
use crate::state::Core;
use crate::walk::Caller;

const PATH: &str = "/utils/route_explain";
/// The most bytes of a question.
const LIMIT: usize = 1024 * 1024;

/// Answers an operator.
pub(super) async fn answer(
    core: &Arc<Core>,
    conn: &ConnState,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let (head, body) = request.into_parts();
    let told = async {
        match models::enter(core, conn, &snapshot, &head, PATH).await? {
            Caller::Operator => {}
            caller @ Caller::Key(_) => return Err(operators_only(&caller, PATH)),
        }
        let body = read_body(body, LIMIT).await?;
        let body: Value = serde_json::from_slice(&body).map_err(|fault| {
            Error::new(ErrorKind::BadRequest, format!("the body is not valid JSON: {fault}"))
        })?;
        let caller = caller_of(core, body.get("api_key").and_then(Value::as_str)).await?;
        let mut question = question(&body)?;
        question.team = question.team.or_else(|| caller.team().map(str::to_owned));
        Ok(explain(&snapshot, &question, Some(Known { shared: &core.shared, caller: &caller })))
    };
    match told.await {
        Ok(told) => answer::json_response(StatusCode::OK, &told),
        Err(error) => answer::openai_error(&error),
    }
}

/// Whose call it would be: that of a key, named by itself or its hash, else the operator's.
pub(super) async fn caller_of(core: &Arc<Core>, key: Option<&str>) -> Result<Caller> {
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return Ok(Caller::Operator);
    };
    let digest = KeyDigest::from_hex(key).unwrap_or_else(|| KeyDigest::of(key.as_bytes()));
    let shared = Arc::clone(&core.shared);
    let lookup = async move { shared.directory.find(digest).await };
    let found = crate::store::ask(&core.shared, "the lookup of a key", lookup).await?;
    found.map(Caller::Key).ok_or_else(|| {
        Error::bad_param("api_key", "`api_key` is not known, expected a key of this gateway or its hash")
    })
}

fn question(body: &Value) -> Result<RouteQuestion> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
    let tags = body.get("tags").and_then(Value::as_array).into_iter().flatten();
    let model = text("model").filter(|model| !model.is_empty());
    Ok(RouteQuestion {
        model: model
            .ok_or_else(|| Error::bad_param("model", "`model` is missing, expected the name of a model"))?,
        tags: tags.filter_map(Value::as_str).map(str::to_owned).collect(),
        by_tags: flag("enable_tag_filtering"),
        session: text("session_id"),
        tokens: body.get("tokens").and_then(Value::as_u64).unwrap_or(0),
        stream: flag("stream"),
        structured: flag("structured"),
        region: text("allowed_model_region"),
        team: text("team_id"),
        prompt: text("prompt").unwrap_or_default(),
    })
}
