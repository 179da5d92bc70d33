//! `POST /utils/route_explain`: which deployments a call would be routed to, and why not to the others.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use llm_types::{Error, ErrorKind, Result};
use serde_json::Value;

use super::{models, operators_only};
use crate::answer::{self, ReplyBody};
use crate::door::{ConnState, read_body};
use crate::explain::{RouteQuestion, explain};
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
            Caller::Key(_) => return Err(operators_only(PATH)),
        }
        Ok(explain(&snapshot, &question(&read_body(body, LIMIT).await?)?, &core.shared.lessons))
    };
    match told.await {
        Ok(told) => answer::json_response(StatusCode::OK, &told),
        Err(error) => answer::openai_error(&error),
    }
}

fn question(body: &[u8]) -> Result<RouteQuestion> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|fault| Error::new(ErrorKind::BadRequest, format!("the body is not valid JSON: {fault}")))?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
    let tags = body.get("tags").and_then(Value::as_array).into_iter().flatten();
    let model = text("model").filter(|model| !model.is_empty());
    Ok(RouteQuestion {
        model: model
            .ok_or_else(|| Error::bad_param("model", "`model` is missing, expected the name of a model"))?,
        tags: tags.filter_map(Value::as_str).map(str::to_owned).collect(),
        tokens: body.get("tokens").and_then(Value::as_u64).unwrap_or(0),
        stream: flag("stream"),
        structured: flag("structured"),
        region: text("allowed_model_region"),
        team: text("team_id"),
        prompt: text("prompt").unwrap_or_default(),
    })
}
