//! Tokens of a prompt, counted by its provider where that speaks the caller's dialect, else estimated.
//!
//! Nothing is set aside and nothing is booked: providers count for nothing, and so does LiteLLM.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;
use llm_providers::DialectId;
use llm_providers::dialects::gemini::{CountTokens, Counted};
use llm_router::Attempt;
use llm_types::Result;

use super::dispatch::{send, timeouts};
use super::{Call, Caller, Entrance, admit, settle};
use crate::answer::{self, ReplyBody};
use crate::door::ConnState;
use crate::state::Core;

/// Says that a count is an estimate of the gateway's, not the provider's.
const ESTIMATED: HeaderName = HeaderName::from_static("x-gateway-tokens-estimated");
/// Largest answer taken from a provider, bytes.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// Answers `countTokens`.
pub(crate) async fn count_tokens(
    core: &Arc<Core>,
    conn: &ConnState,
    entrance: Entrance<'_>,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let (head, body) = request.into_parts();
    let mut call = Call::begin(core, &entrance, head);
    match enter(core, conn, &mut call, body).await {
        Ok(counted) => call.stamp(shown(&counted)),
        Err(refusal) => {
            let response = answer::error_response(&refusal, call.dialect);
            settle::refused(&call, &refusal, response.status());
            call.stamp(response)
        }
    }
}

async fn enter(core: &Arc<Core>, conn: &ConnState, call: &mut Call, body: Incoming) -> Result<Counted> {
    let caller = admit(core, conn, &call.snapshot, &call.head).await?;
    caller.may_call_route(&call.snapshot, call.path)?;
    call.receive_plain(body).await?;
    let asked = CountTokens::read(&call.body)?;
    caller.may_call_model(call)?;
    count(call, &caller, &asked).await
}

/// Asks deployments until one answers.
async fn count(call: &Call, caller: &Caller, asked: &CountTokens) -> Result<Counted> {
    let request = llm_router::Request {
        team: caller.team(),
        ..llm_router::Request::new(&call.glance.model, &call.controls)
    };
    let ran = call.snapshot.router.run(request, |attempt| ask(call, asked, attempt)).await;
    ran.map(|done| done.value).map_err(|failed| failed.error)
}

async fn ask(call: &Call, asked: &CountTokens, attempt: Attempt<'_>) -> Result<Counted> {
    let served = call.snapshot.served(attempt.deployment, &attempt.model, &call.core.shared.metrics)?;
    if served.dialect.id() != DialectId::Gemini || served.mock_response.is_some() {
        return Ok(asked.estimate());
    }
    let encoded = asked.encode(served.target.target());
    let response = send(call, &served, encoded, timeouts(&served, &attempt)).await?;
    Counted::read(&response.body.collect(ANSWER_LIMIT).await?)
}

fn shown(counted: &Counted) -> Response<ReplyBody> {
    let body: Bytes = counted.write();
    let length = body.len();
    let mut response = Response::new(ReplyBody::full(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if counted.estimated {
        headers.insert(ESTIMATED, HeaderValue::from_static("true"));
    }
    response
}
