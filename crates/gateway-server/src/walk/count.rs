//! Tokens of a prompt, counted by its provider where that speaks the caller's dialect, else estimated.
//!
//! Nothing is set aside and nothing is booked: providers count for nothing, and so does LiteLLM.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;
use llm_providers::DialectId;
use llm_providers::dialects::anthropic::count as messages;
use llm_providers::dialects::gemini::{CountTokens, Counted};
use llm_providers::dialects::openai::responses::count as responses;
use llm_providers::tokens::{self, Encoding};
use llm_router::Attempt;
use llm_types::{Error, ErrorKind, Result};

use super::dispatch::{send, timeouts};
use super::{Call, Caller, Entrance, admit, auto, brought, settle};
use crate::answer::{self, ReplyBody};
use crate::door::ConnState;
use crate::state::{Core, Served};

/// Says that a count is an estimate of the gateway's, not the provider's.
const ESTIMATED: HeaderName = HeaderName::from_static("x-gateway-tokens-estimated");
/// Largest answer taken from a provider, bytes.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// What is to be counted, in the caller's dialect.
enum Prompt {
    /// Gemini's `countTokens`.
    Gemini(CountTokens),
    /// Anthropic's `count_tokens`: the call's body.
    Anthropic,
    /// `input_tokens` of OpenAI's Responses: the call's body.
    Responses,
}

/// An answer in the caller's dialect.
struct Count {
    body: Bytes,
    estimated: bool,
}

/// Answers a request to count.
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

async fn enter(core: &Arc<Core>, conn: &ConnState, call: &mut Call, body: Incoming) -> Result<Count> {
    let caller = admit(core, conn, &call.snapshot, &call.head).await?;
    caller.may_call_route(&call.snapshot, call.path)?;
    let prompt = if call.dialect.id() == DialectId::Gemini {
        call.receive_plain(body).await?;
        Prompt::Gemini(CountTokens::read(&call.body)?)
    } else {
        call.receive(body).await?;
        if call.dialect.id() == DialectId::Anthropic { Prompt::Anthropic } else { Prompt::Responses }
    };
    let caller = caller.for_call(call)?;
    caller.settle_routing(call)?;
    caller.may_call_model(call)?;
    if !matches!(prompt, Prompt::Gemini(_)) {
        auto::choose(call, &caller, auto::For::Count).await?;
    }
    brought::check(call, &caller)?;
    count(call, &caller, &prompt).await
}

/// Asks deployments until one answers.
async fn count(call: &Call, caller: &Caller, prompt: &Prompt) -> Result<Count> {
    let request = llm_router::Request {
        team: caller.team(),
        ..llm_router::Request::new(&call.glance.model, &call.controls)
    };
    let ran = call.snapshot.router.run(request, |attempt| ask(call, prompt, attempt)).await;
    ran.map(|done| done.value).map_err(|failed| failed.error)
}

async fn ask(call: &Call, prompt: &Prompt, attempt: Attempt<'_>) -> Result<Count> {
    let served = call.snapshot.served(attempt.deployment, &attempt.model, &call.core.shared.metrics)?;
    let served = brought::served(call, served)?;
    if !counts(call, &served) {
        return estimate(call, prompt, &served).await;
    }
    let target = served.target.target();
    let encoded = match prompt {
        Prompt::Gemini(asked) => asked.encode(target),
        Prompt::Anthropic => messages::encode(&call.body, &call.glance, target)?,
        Prompt::Responses => responses::encode(&call.body, &call.glance, target)?,
    };
    let response = match send(call, &served, encoded, timeouts(&served, &attempt)).await {
        // Vendors other than OpenAI that speak its API need not count.
        Err(error) if matches!(prompt, Prompt::Responses) && error.kind() == ErrorKind::NotFound => {
            return estimate(call, prompt, &served).await;
        }
        sent => sent?,
    };
    let answer = response.body.collect(ANSWER_LIMIT).await?;
    let body = match prompt {
        Prompt::Gemini(_) => Counted::read(&answer)?.write(),
        Prompt::Anthropic => messages::write(messages::read(&answer)?),
        Prompt::Responses => responses::write(responses::read(&answer)?),
    };
    Ok(Count { body, estimated: false })
}

/// Whether a deployment has the caller's way to count. Claude behind another company's paths has not.
fn counts(call: &Call, served: &Served) -> bool {
    let dialect = served.dialect_for(call.dialect).id();
    let speaks = dialect == call.dialect.id() && served.mock_response.is_none();
    speaks && (call.dialect.id() == DialectId::Gemini || served.target.target().spec.cloud.keeps_paths())
}

/// A count of the gateway's own: by the model's encoding where that is known, else by the length of the texts.
async fn estimate(call: &Call, prompt: &Prompt, served: &Served) -> Result<Count> {
    let model = served.deployment.base_model.as_deref().unwrap_or(&served.target.target().model);
    let encoding = Encoding::of(model);
    let exact = encoding.is_exact() && !matches!(prompt, Prompt::Gemini(_));
    if exact {
        let request = call.canonical()?;
        let counting = call.core.shared.control.spawn_blocking(move || tokens::count(encoding, &request));
        let counted = counting
            .await
            .map_err(|gone| Error::new(ErrorKind::Internal, "the count was interrupted").with_source(gone))?;
        let body = match prompt {
            Prompt::Responses => responses::write(counted),
            _ => messages::write(counted),
        };
        return Ok(Count { body, estimated: true });
    }
    let body = match prompt {
        Prompt::Gemini(asked) => asked.estimate().write(),
        Prompt::Anthropic => messages::write(messages::estimate(&call.body)?),
        Prompt::Responses => responses::write(responses::estimate(&call.body)?),
    };
    Ok(Count { body, estimated: true })
}

fn shown(count: &Count) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::full(count.body.clone()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(count.body.len()));
    if count.estimated {
        headers.insert(ESTIMATED, HeaderValue::from_static("true"));
    }
    response
}
