//! The room where providers are asked: the router chooses, one attempt is made at a time.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::Response;
use llm_providers::dialect::ReplyContext;
use llm_providers::dialects::openai::responses;
use llm_providers::signin::{Credential, Readiness};
use llm_providers::{Dialect, DialectId, Encoded, Target, left_out};
use llm_router::{Ask, Attempt, Deployment, Request};
use llm_types::{Error, ErrorKind, HttpResponse, Result, Timeouts, seldom};

use super::brought::exchange;
use super::encode::{encode, is_forwarded};
use super::lasting::Kept;
use super::listed::Listed;
use super::outward::forward_headers;
use super::pump::{Pump, Translation};
use super::refused::Refused;
use super::relay::{Answered, Reply, relay};
use super::shares::UnderWay;
use super::{
    Call, Tail, advice, auto, brought, cover, deposits, funds, later, media, mock, operation, prompts,
    unstreamed,
};
use crate::answer::ReplyBody;
use crate::journal::Turn;
use crate::state::{Core, Served};

/// Largest whole answer taken from a provider, bytes.
pub(super) const ANSWER_LIMIT: usize = 512 * 1024 * 1024;
/// Largest error body taken from a provider, bytes.
pub(super) const ERROR_LIMIT: usize = 1024 * 1024;

/// What is shorter than this is a word such as `none` and no secret, in bytes.
const SHORTEST_HIDDEN: usize = 12;

/// Asks deployments until one answers or the router gives up, and answers the caller.
pub(crate) async fn dispatch(call: &mut Call, tail: Box<Tail>) -> Response<ReplyBody> {
    match ask(call, tail).await {
        Ok(response) => response,
        Err(refused) => refused.answer(call),
    }
}

/// Asks deployments until one answers or the router gives up.
///
/// # Errors
/// Why no deployment answered.
pub(super) async fn ask(
    call: &mut Call,
    tail: Box<Tail>,
) -> std::result::Result<Response<ReplyBody>, Box<Refused>> {
    let asked = &*call;
    let snapshot = &asked.snapshot;
    let caller = tail.caller.clone();
    let may_use = |model: &str| caller.sees(snapshot, model);
    let enforced = snapshot.config.general.enforce_fallback_access;
    let bonds = asked.bonds(&caller);
    asked.count_ahead(caller.team()).await;
    let count = |deployment: &Deployment| asked.tokens_for(deployment);
    let broke = |deployment: &Deployment| funds::is_broke(asked, deployment);
    let windows = !snapshot.windows.is_empty();
    let reserved = |deployment: &Deployment| asked.is_reserved(deployment, caller.team());
    let consult = |group| advice::consult(asked, &caller, group);
    let brings = asked.brought.is_some();
    let takes = |deployment: &Deployment| asked.may_bring_to(deployment);
    let named = auto::Named::default();
    let stand_in = |auto: &Arc<Deployment>| asked.stand_in(auto, &caller, &named);
    let request = Request {
        stand_in: snapshot.has_autos().then_some(&stand_in),
        stream: asked.glance.stream,
        fits: brings.then_some(&takes),
        team: caller.team(),
        may_use: enforced.then_some(&may_use),
        broke: (!snapshot.funds.deployments.is_empty()).then_some(&broke),
        consult: snapshot.config.routing_webhook.is_some().then_some(&consult),
        bonds: &bonds,
        ask: Ask { reserved: windows.then_some(&reserved), ..asked.ask(&count) },
        ..Request::new(&asked.glance.model, &asked.controls)
    };
    let ran = snapshot.router.run(request, |attempt| attempt_once(asked, &tail, attempt)).await;
    let answered = match ran {
        Ok(done) => {
            if !done.report.errors.is_empty() {
                asked.core.shared.metrics.attempts.fell_back(&done.report.errors, Some(done.group));
            }
            if done.report.hedges > 0 {
                // The one that was asked last need not be the one that answered.
                let metrics = &asked.core.shared.metrics;
                metrics.hedges.fetch_add(u64::from(done.report.hedges), Relaxed);
                if let Ok(served) = snapshot.served(done.deployment, &done.model, metrics) {
                    *tail.asked.lock() = Some(served);
                }
            }
            Answered::of(done, &tail)
        }
        Err(failed) => {
            let attempts = &call.core.shared.metrics.attempts;
            attempts.rest(&failed.report.rests);
            attempts.fell_back(&failed.report.errors, None);
            return Err(Box::new(Refused::of(call, tail, &failed)));
        }
    };
    let answer = relay(call, tail, answered);
    Ok(answer_booked(call, answer).await)
}

/// Sends a whole answer only when its outcome is in the ledger: what a caller has seen is booked as it
/// was, whatever happens to this process next.
async fn answer_booked(
    call: &Call,
    (response, booked): (Response<ReplyBody>, Option<Turn>),
) -> Response<ReplyBody> {
    if let Some(turn) = booked
        && let Err(error) = call.core.journal.written(turn).await
    {
        // The answer exists and is paid for: it is sent, and the outcome waits for the disk.
        tracing::warn!(%error, "an answer is sent before its outcome is in the ledger");
    }
    response
}

/// Asks one deployment once, with what that may cost set aside where it has a budget.
async fn attempt_once(call: &Call, tail: &Tail, attempt: Attempt<'_>) -> Result<Reply> {
    let (deployment, purse) = (Arc::clone(attempt.deployment), &tail.purse);
    // A group that has nobody to ask is a group tried, too: the first deployment may be a fallback's.
    let is_first = attempt.number == 1 && attempt.fallbacks == 0;
    let worst = cover::extend(call, &tail.caller, purse, &attempt, is_first).await?;
    let answer = match funds::set_aside(call, purse, &deployment, worst).await {
        Ok(()) => attempt_funded(call, tail, attempt).await,
        Err(refusal) => Err(refusal),
    };
    answer.inspect_err(|error| {
        call.core.shared.metrics.attempts.failed(&deployment, error);
        funds::failed(purse, &deployment, error);
        cover::failed(purse, worst, error);
    })
}

/// Whether a call, or its deployment for all calls, asks for a search of the web.
fn searches(call: &Call, target: &Target) -> bool {
    const NAME: &str = "web_search_options";
    target.defaults.contains_key(NAME)
        || (call.glance.may_hold(NAME)
            && call.canonical().is_ok_and(|request| request.options.web_search.is_some()))
}

/// Asks one deployment once. A stream counts as answered when its first content has arrived: until
/// then a failure can still be retried elsewhere.
async fn attempt_funded(call: &Call, tail: &Tail, attempt: Attempt<'_>) -> Result<Reply> {
    let served = call.snapshot.served(attempt.deployment, &attempt.model, &call.core.shared.metrics)?;
    if let Some(asked) = &call.asked {
        let served = brought::served(call, served)?;
        let reply = seldom(|| operation::attempt(call, asked, &served, tail, &attempt)).await;
        return reply.map_err(|error| named(error, &served));
    }
    let served = served.for_caller(call.dialect.id(), |target| searches(call, target));
    let served = brought::served(call, served)?;
    if let Some(text) = &served.mock_response {
        *tail.asked.lock() = Some(Arc::clone(&served));
        return mock::reply(call, text);
    }
    fetch_template(call, &served).await?;
    let parts = prompts::of(call, &served)?;
    if !parts.is_empty() {
        *tail.asked.lock() = Some(Arc::clone(&served));
        let reply = seldom(|| prompts::ask(call, &served, tail, &attempt, &parts)).await;
        return reply.map_err(|error| named(error, &served));
    }
    media::fetch(call, &served, &attempt).await?;
    let (encoded, left_out) = left_out::collect(|| encode(call, &served, &attempt));
    let mut encoded = encoded?;
    tail.untold.note(&served, left_out);
    let placed = matches!(served.dialect.id(), DialectId::Converse | DialectId::Nova);
    if !placed || call.dialect.id() == served.dialect.id() {
        encoded.body = call.extras.body(encoded.body)?;
    }
    *tail.asked.lock() = Some(Arc::clone(&served));
    let mut under_way = UnderWay::new(&tail.shares, &served, call.glance.prompt_bytes);
    let reply = take(call, &served, encoded, timeouts(&served, &attempt), &mut under_way).await;
    under_way.over();
    reply.map_err(|error| named(error, &served))
}

/// Fetches the template of a model's prompts where that stands at Hugging Face and is not here yet.
async fn fetch_template(call: &Call, served: &Served) -> Result<()> {
    match &served.target.target().spec.quirks.own_template.hub {
        Some(hub) if !hub.is_here() => {
            let fetched = seldom(|| hub.fetch(&call.core.transport, Instant::now())).await;
            fetched.map_err(|error| named(error, served))
        }
        _ => Ok(()),
    }
}

/// Sends a request and takes the reply: a whole one, or a stream up to its first content.
async fn take(
    call: &Call,
    served: &Arc<Served>,
    encoded: Encoded,
    patience: Timeouts,
    under_way: &mut UnderWay,
) -> Result<Reply> {
    let asked_at = Instant::now();
    let response = send(call, served, encoded, patience).await?;
    let response = served.target.reply(later::follow(call, served, response, patience).await?);
    if call.glance.stream {
        flow(call, served, response, under_way).await
    } else {
        whole(call, served, response, asked_at).await
    }
}

/// Sends what a dialect wrote and takes the head of the answer; one with an error status is an error.
pub(super) async fn send(
    call: &Call,
    served: &Arc<Served>,
    mut encoded: Encoded,
    timeouts: Timeouts,
) -> Result<HttpResponse> {
    if let Some(files) = encoded.beforehand.take() {
        return seldom(|| deposits::send(call, served, encoded, &files, timeouts)).await;
    }
    let mut request = served.target.request(encoded)?;
    forward_headers(call, served, &mut request.headers);
    request.timeouts = timeouts;
    if let Some(credential) = served.target.credential()
        && !matches!(credential.readiness(SystemTime::now()), Readiness::Ready)
    {
        seldom(|| sign_in(&call.core, credential)).await.map_err(|error| named(error, served))?;
    }
    served.target.seal(&mut request, SystemTime::now)?;
    let response = exchange(&call.core, served, request).await.map_err(|error| named(error, served))?;
    if !response.status.is_success() {
        return Err(seldom(|| refused(served.dialect_for(call.dialect), response, served)).await);
    }
    Ok(response)
}

/// Sees to it that a credential has something at hand. What is near its end is renewed beside the call.
pub(super) async fn sign_in(core: &Arc<Core>, credential: &Arc<Credential>) -> Result<()> {
    let now = SystemTime::now();
    match credential.readiness(now) {
        Readiness::Ready => Ok(()),
        Readiness::Needed => credential.ready(&core.transport, now).await,
        Readiness::Due => {
            let (core, credential) = (Arc::clone(core), Arc::clone(credential));
            tokio::spawn(async move {
                if let Err(error) = credential.renew(&core.transport, now).await {
                    tracing::warn!(%error, "a credential could not be renewed; the old one still holds");
                }
            });
            Ok(())
        }
    }
}

pub(super) fn timeouts(served: &Served, attempt: &Attempt<'_>) -> Timeouts {
    let base = served.target.target().timeouts;
    Timeouts {
        first_byte: attempt.first_byte.or(attempt.timeout).or(base.first_byte),
        total: attempt.timeout.or(base.total),
        ..base
    }
}

/// Says whose error it is, without what is secret in its words.
pub(crate) fn named(error: Error, served: &Served) -> Error {
    let hidden = without_secrets(served, error.message());
    let error = error.with_provider(served.target.target().spec.id.clone());
    match hidden {
        Some(hidden) => error.with_message(hidden),
        None => error,
    }
}

/// A provider's words without our key and the headers the operator set, if it repeats them.
pub(super) fn without_secrets(served: &Served, words: &str) -> Option<String> {
    let target = served.target.target();
    let key = target.key.iter().map(|key| &**key.reveal());
    let headers = target.headers.values().filter_map(|value| value.to_str().ok());
    let held = served.target.credential().and_then(|credential| credential.held(SystemTime::now()));
    let held = held.iter().flat_map(|held| held.key.secrets());
    let mut hidden = None;
    for secret in key.chain(headers).chain(held).filter(|secret| secret.len() >= SHORTEST_HIDDEN) {
        let so_far = hidden.as_deref().unwrap_or(words);
        if so_far.contains(secret) {
            hidden = Some(so_far.replace(secret, "***"));
        }
    }
    hidden
}

/// The error behind an answer that is none.
pub(super) async fn refused(dialect: &dyn Dialect, response: HttpResponse, served: &Served) -> Error {
    let (status, headers) = (response.status, response.headers);
    let body = match response.body.collect(ERROR_LIMIT).await {
        Ok(body) => body,
        Err(error) => {
            tracing::debug!(%error, %status, "a provider's error could not be read to its end");
            Bytes::new()
        }
    };
    named(dialect.decode_error(status, &headers, &body), served)
}

/// Takes a whole answer.
async fn whole(call: &Call, served: &Served, response: HttpResponse, asked_at: Instant) -> Result<Reply> {
    let headers = response.headers;
    let mut theirs = response.body.collect(ANSWER_LIMIT).await?;
    let provider_us = u64::try_from(asked_at.elapsed().as_micros()).unwrap_or(u64::MAX);
    let dialect = served.dialect_for(call.dialect);
    if served.target.target().spec.quirks.streams_only {
        theirs = responses::whole(theirs)?;
    }
    let (body, facts) = if is_forwarded(call, served) {
        let mut facts = Box::new(dialect.reply_facts(&theirs));
        if let Some(error) = facts.error.take() {
            return Err(error);
        }
        (dialect.mended_reply(&theirs).unwrap_or(theirs), facts)
    } else {
        let reply = dialect.decode_response(&theirs)?;
        let facts = unstreamed::facts_of(&reply);
        (call.dialect.encode_response(&reply, &reply_context(call))?, Box::new(facts))
    };
    Ok(Reply::Full { headers, body, facts, provider_us, kind: None })
}

/// Takes a stream up to its first content.
async fn flow(
    call: &Call,
    served: &Served,
    response: HttpResponse,
    under_way: &mut UnderWay,
) -> Result<Reply> {
    let HttpResponse { headers, mut body, .. } = response;
    let dialect = served.dialect_for(call.dialect);
    if unstreamed::kind(&headers).is_some() {
        return seldom(|| unstreamed::take(call, dialect, headers, body)).await;
    }
    let lasts = call.may_go_on();
    let tells_thoughts = served.tells_thoughts && call.dialect.id() == DialectId::OpenaiChat;
    let mut pump = match (is_forwarded(call, served) && !tells_thoughts, lasts) {
        (true, false) => Pump::Forward(call.dialect.relay(call.glance.include_usage)),
        (true, true) => Pump::Kept(Box::new(Kept::new(call.dialect, reply_context(call)))),
        (false, lasts) => {
            let translation = Translation::new(dialect, call.dialect, reply_context(call));
            let translation = if tells_thoughts { translation.telling_thoughts() } else { translation };
            Pump::Translate(Box::new(if lasts { translation.lasting() } else { translation }))
        }
    };
    if call.listed {
        pump = Pump::Listed(Box::new(Listed::new(pump)));
    }
    let mut first = Vec::new();
    let mut ended = false;
    while first.is_empty() && !ended {
        match body.next().await {
            Some(piece) => pump.push(piece?, &mut first),
            None => {
                // The last frame may lack its blank line: it counts now that the body is over.
                ended = true;
                pump.finish(None, &mut first);
                if !pump.facts().complete && pump.facts().error.is_none() {
                    return Err(cut_at_start());
                }
            }
        }
        let facts = pump.facts();
        under_way.saw(facts);
        if let Some(error) = &facts.error {
            if facts.answer_bytes == 0 {
                return Err(error.clone());
            }
            // What came before the error is part of the answer: it is shown and paid for.
            ended = true;
        }
    }
    if ended && first.is_empty() && !pump.facts().complete {
        return Err(cut_at_start());
    }
    Ok(Reply::Flow { headers, first, rest: body, pump, ended, kind: None })
}

/// The error of a stream that ended before any content came.
fn cut_at_start() -> Error {
    Error::new(ErrorKind::BadUpstream, "the provider's stream ended before it began")
}

pub(super) fn reply_context(call: &Call) -> ReplyContext {
    ReplyContext {
        id: call.reply_id(),
        model: call.glance.model.clone(),
        now: call.started_ms / 1_000,
        include_usage: call.glance.include_usage,
        elapsed_ms: call.elapsed_us() / 1_000,
        echo: call.dialect.echo(call.said()),
    }
}
