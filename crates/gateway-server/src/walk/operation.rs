//! Calls beside chat on their way to a provider: asked by its wire, round by round, and answered in OpenAI's
//! form.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use llm_providers::catalog::{Image, ModelInfo};
use llm_providers::operations::{self, Asked, Job, Place, Received, Sending, Step, Taking, Wire};
use llm_providers::{ReplyFacts, Target, left_out};
use llm_router::Attempt;
use llm_types::{Body, Error, ErrorKind, HttpResponse, OperationReply, OperationRequest, Pieces, Result};
use serde_json::{Map, Value};

use super::brought::{exchange, guarded};
use super::dispatch::{ANSWER_LIMIT, ERROR_LIMIT, reply_context, sign_in, timeouts};
use super::outward::forward_headers;
use super::pump::Pump;
use super::relay::Reply;
use super::{Call, Tail, policy};
use crate::state::Served;

mod arriving;
mod worst;

pub(super) use arriving::attempt;
pub(super) use worst::{Worst, worst};

/// The largest file that is brought into memory, where a wire writes it into JSON, or its bytes are signed.
const INLINE: u64 = 32 * 1024 * 1024;
/// How many requests of one call are under way at a time.
const AT_A_TIME: usize = 8;
/// The size and quality of pictures where the caller names none: what LiteLLM prices.
const USUAL_SIZE: &str = "1024x1024";

/// Asks one deployment.
///
/// # Errors
/// [`ErrorKind::Unsupported`] where its vendor has no such operation or lacks a parameter; what the provider
/// answers.
async fn ask(
    call: &Call,
    asked: &Asked,
    served: &Arc<Served>,
    tail: &Tail,
    attempt: &Attempt<'_>,
) -> Result<Reply> {
    let target = policy::target(served.target.target(), &call.policy);
    let set = overrides(call, attempt.params.map(|params| &**params));
    let entry = operations::entry(&target.spec, asked.operation, &target.model);
    let entry = entry.ok_or_else(|| lacking(&target, asked))?;
    if served.mock_response.is_some() {
        let message = format!("`mock_response` answers chats only, no {}", asked.operation.name());
        return Err(Error::unsupported("mock_response", message));
    }
    let (request, left_out) = left_out::collect(|| operations::settle(asked, &target, entry, set.as_deref()));
    let mut request = request?;
    tail.untold.note(served, left_out);
    if !entry.wire.streams() {
        bring_in(&mut request, &target).await?;
    }
    *tail.priced.lock() = priced(call, &request, served);
    let job = Job { asked, request: &request, target: &target, entry, set: set.as_deref() };
    let first = entry.wire.begin(&job)?;
    *tail.asked.lock() = Some(Arc::clone(served));
    let exchange = Exchange { call, served, attempt, wire: entry.wire };
    let asking = exchange.run(&job, first);
    match attempt.timeout {
        None => asking.await,
        Some(limit) => tokio::time::timeout(limit, asking).await.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Timeout, format!("the provider's task took longer than {limit:?}")))
        }),
    }
}

/// Brings the files of a request into memory, for wires that write them into JSON.
async fn bring_in(request: &mut Cow<'_, OperationRequest>, target: &Target) -> Result<()> {
    if request.files.iter().all(|file| file.kept.is_none()) {
        return Ok(());
    }
    for file in &mut request.to_mut().files {
        let Some(kept) = file.kept.take() else { continue };
        let (field, size) = (file.field.clone(), kept.len());
        file.bytes = Pieces::from(kept).load(INLINE).await.map_err(|error| match error.kind() {
            ErrorKind::TooLarge => {
                let provider = &target.spec.id;
                let message = format!(
                    "`{field}` has more than {INLINE} bytes ({size}), the most that provider `{provider}` is sent within \
                     a request"
                );
                Error::new(ErrorKind::TooLarge, message).with_param(field)
            }
            _ => error,
        })?;
    }
    Ok(())
}

fn lacking(target: &Target, asked: &Asked) -> Error {
    let operation = asked.operation.name();
    let message = format!("provider `{}` has no {operation} for model `{}`", target.spec.id, target.model);
    Error::unsupported("model", message)
}

/// The members that a fallback and the caller's `extra_body` set.
fn overrides<'a>(
    call: &'a Call,
    params: Option<&'a Map<String, Value>>,
) -> Option<Cow<'a, Map<String, Value>>> {
    let extra = call.extras.members();
    match params {
        None if extra.is_empty() => None,
        None => Some(Cow::Borrowed(extra)),
        Some(params) if extra.is_empty() => Some(Cow::Borrowed(params)),
        Some(params) => {
            let mut both = extra.clone();
            both.extend(params.clone());
            Some(Cow::Owned(both))
        }
    }
}

/// The price that depends on what is asked: of pictures by their size and quality.
pub(super) fn priced(call: &Call, request: &OperationRequest, served: &Served) -> Option<Arc<ModelInfo>> {
    if !request.operation.makes_pictures() {
        return served.info.clone();
    }
    let word = |name: &str| request.text(name).filter(|word| *word != "auto");
    let image = Image { size: word("size").unwrap_or(USUAL_SIZE), quality: word("quality") };
    call.snapshot.priced(served, image)
}

/// What a conversation with a vendor came to.
pub(crate) enum Ended {
    /// The last reply is in the caller's form already.
    Forward(Received),
    /// The reply, and the headers of the last that came.
    Done(Box<OperationReply>, HeaderMap),
}

/// Asks a vendor round by round until its reply is there. `receive` sends one request and takes its reply whole; those
/// of a round are under way together, and their replies come in the same order.
///
/// # Errors
/// What `receive` fails with; what the wire says of replies that are none.
pub(crate) async fn converse<R>(
    job: &Job<'_>,
    mut next: Vec<Sending>,
    receive: impl Fn(Sending) -> R,
) -> Result<Ended>
where
    R: Future<Output = Result<Received>>,
{
    let mut rounds: Vec<Vec<Received>> = Vec::new();
    loop {
        rounds.push(stream::iter(next).map(&receive).buffered(AT_A_TIME).try_collect().await?);
        match job.entry.wire.read(job, &rounds)? {
            Step::Ask(pause, more) => {
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                next = more;
            }
            Step::Forward => {
                let last = rounds.pop().and_then(|mut round| round.pop());
                return last.map(Ended::Forward).ok_or_else(nothing);
            }
            Step::Done(reply) => {
                let last = rounds.pop().and_then(|mut round| round.pop());
                return Ok(Ended::Done(reply, last.map(|last| last.headers).unwrap_or_default()));
            }
        }
    }
}

/// One deployment being asked.
struct Exchange<'a> {
    call: &'a Call,
    served: &'a Served,
    attempt: &'a Attempt<'a>,
    wire: &'static dyn Wire,
}

impl Exchange<'_> {
    async fn run(&self, job: &Job<'_>, mut next: Vec<Sending>) -> Result<Reply> {
        let asked_at = Instant::now();
        if self.wire.taking(job) == Taking::Flow
            && let Some(sending) = next.pop()
        {
            return flow(job, self.send(sending).await?);
        }
        match converse(job, next, |sending| self.receive(sending)).await? {
            Ended::Forward(Received { headers, body }) => {
                let facts = operations::facts(job, &body);
                let kind = headers.get(CONTENT_TYPE).cloned();
                Ok(whole((headers, kind), body, facts, asked_at))
            }
            Ended::Done(reply, headers) => {
                let facts = operations::told(job, &reply);
                let (kind, body) = operations::encode_reply(job, *reply, &reply_context(self.call))?;
                Ok(whole((headers, Some(kind)), body, facts, asked_at))
            }
        }
    }

    async fn receive(&self, sending: Sending) -> Result<Received> {
        // What was left at the provider is taken away when the answer is there: it needs no success.
        let tidies = sending.method == Method::DELETE;
        match self.send(sending).await {
            Ok(response) => {
                let body = response.body.collect(ANSWER_LIMIT).await?;
                Ok(Received { headers: response.headers, body })
            }
            Err(error) if tidies => {
                tracing::warn!(%error, "what a call left at its provider could not be taken away");
                Ok(Received { headers: HeaderMap::new(), body: Bytes::new() })
            }
            Err(error) => Err(error),
        }
    }

    async fn send(&self, mut sending: Sending) -> Result<HttpResponse> {
        let Self { call, served, .. } = self;
        let open = matches!(sending.place, Place::Open(_));
        let mut pieces = sending.pieces.take();
        if served.target.signs_bodies()
            && let Some(pieces) = pieces.take()
        {
            sending.body = pieces.load(INLINE).await?;
        }
        let mut request = served.target.operation(sending)?;
        request.timeouts = timeouts(served, self.attempt);
        let response = if open {
            let guard = call.snapshot.config.calls.media.guard.clone();
            call.core.transport.guarded(guard).exchange(request).await?
        } else {
            let kind = request.headers.get(CONTENT_TYPE).cloned();
            forward_headers(call, served, &mut request.headers);
            if let Some(kind) = kind {
                request.headers.insert(CONTENT_TYPE, kind);
            }
            if let Some(credential) = served.target.credential() {
                sign_in(&call.core, credential).await?;
            }
            served.target.seal(&mut request, SystemTime::now)?;
            if let Some(events) = served.target.chained(&mut request, SystemTime::now)? {
                let alone = match served.is_elsewhere {
                    true => guarded(&call.core).alone(),
                    false => call.core.transport.alone(),
                };
                return self.answered(alone.upload(request, events).await?).await;
            }
            match pieces {
                None => exchange(&call.core, served, request).await?,
                Some(pieces) if served.is_elsewhere => guarded(&call.core).upload(request, pieces).await?,
                Some(pieces) => call.core.transport.upload(request, pieces).await?,
            }
        };
        self.answered(response).await
    }

    /// The answer, or the error that it is.
    async fn answered(&self, response: HttpResponse) -> Result<HttpResponse> {
        if response.status.is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status, response.headers);
        let body = response.body.collect(ERROR_LIMIT).await.unwrap_or_else(|error| {
            tracing::debug!(%error, %status, "a provider's error could not be read to its end");
            Bytes::new()
        });
        Err(self.wire.decode_error(status, &headers, &body))
    }
}

fn whole(
    (headers, kind): (HeaderMap, Option<HeaderValue>),
    body: Bytes,
    facts: ReplyFacts,
    asked_at: Instant,
) -> Reply {
    let provider_us = u64::try_from(asked_at.elapsed().as_micros()).unwrap_or(u64::MAX);
    Reply::Full { headers, body, facts: Box::new(facts), provider_us, kind }
}

fn nothing() -> Error {
    Error::new(ErrorKind::BadUpstream, "the provider's answer has no body")
}

/// A reply whose bytes are the caller's as they come.
fn flow(job: &Job<'_>, response: HttpResponse) -> Result<Reply> {
    let HttpResponse { headers, body, .. } = response;
    let kind = headers.get(CONTENT_TYPE).cloned();
    let text = kind.as_ref().and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let pump = Pump::Forward(operations::flow(job, text));
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let body = match body {
        Body::Full(bytes) if bytes.is_empty() => return Err(nothing()),
        body => body,
    };
    Ok(Reply::Flow { headers, first: Vec::new(), rest: body, pump, ended: false, kind: Some(kind) })
}
