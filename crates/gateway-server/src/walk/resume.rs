//! A stream that broke off goes on at another deployment.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::StreamExt as _;
use llm_providers::framing::Frames;
use llm_providers::{DialectId, Prefill, StreamDecoder};
use llm_router::{Ask, Attempt, Deployment, Request, Ticket};
use llm_types::{
    Body, BoxFuture, DeploymentId, Error, ErrorKind, Event, HttpResponse, ResponseFormat, Result, Usage,
};

use super::dispatch::{named, send, timeouts};
use super::encode::encode_rest;
use super::funds::{self, Purse};
use super::lasting::Next;
use super::said::{Said, Seam, handed_over};
use super::shares::{Shares, UnderWay};
use super::{Call, Caller, Tail, advice, cover, media, unstreamed};
use crate::state::Served;

/// Deployments that may go on with one stream after the other.
const MOST: usize = 5;

/// What a stream needs to go on elsewhere.
pub(super) struct Resume {
    call: Arc<Call>,
    /// The deployments that broke off.
    failed: Vec<DeploymentId>,
    going: Option<BoxFuture<'static, Result<Resumed>>>,
}

impl std::fmt::Debug for Resume {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resume").field("failed", &self.failed).finish_non_exhaustive()
    }
}

/// Another deployment goes on.
pub(super) struct Resumed {
    pub(super) served: Arc<Served>,
    pub(super) next: Next,
    /// The rest of its body.
    pub(super) rest: Body,
    pub(super) ticket: Ticket,
    /// Groups that were tried before it.
    pub(super) fallbacks: u32,
    /// Tries in its group before it.
    pub(super) retries: u32,
}

impl Call {
    /// Whether its stream may go on elsewhere when it breaks off: the operator wants it, the caller does not forbid
    /// it (`disable_fallbacks`), and nothing ties the answer to where it began.
    pub(super) fn may_go_on(&self) -> bool {
        let settings = self.controls.settings.as_ref().unwrap_or(self.snapshot.routes().settings());
        let is_chat = matches!(
            self.dialect.id(),
            DialectId::OpenaiChat
                | DialectId::OpenaiResponses
                | DialectId::Anthropic
                | DialectId::Gemini
                | DialectId::Cohere
                | DialectId::Converse
        );
        settings.mid_stream_failover
            && self.brought.is_none()
            && !self.controls.disable_fallbacks
            && is_chat
            && self.glance.stream
            && self.asked.is_none()
            && self.glance.n <= 1
            && self.controls.pinned.is_none()
            && !self.runs_on
            && !self.waits_elsewhere
    }

    /// Why an answer to it cannot be continued by another, whatever was said of it.
    fn is_whole_only(&self) -> Option<&'static str> {
        let Ok(request) = self.canonical() else { return Some("the request cannot be read") };
        let format = request.options.response_format.as_ref();
        if format.is_some_and(|format| !matches!(format, ResponseFormat::Text)) {
            return Some("the answer has a form");
        }
        request.options.audio.is_some().then_some("the answer is spoken")
    }
}

impl Resume {
    /// For the stream of a call.
    pub(super) fn new(call: Arc<Call>) -> Self {
        Self { call, failed: Vec::new(), going: None }
    }

    /// The call.
    pub(super) fn call(&self) -> &Arc<Call> {
        &self.call
    }

    /// The text that another deployment can go on with.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn can_go_on(&self, said: &Said) -> std::result::Result<String, &'static str> {
        if self.failed.len() >= MOST {
            return Err("too many deployments have broken off");
        }
        let text = said.text()?;
        self.call.is_whole_only().map_or(Ok(text.to_owned()), Err)
    }

    /// Looks for another deployment than the one that broke off.
    pub(super) fn begin(&mut self, failed: DeploymentId, tail: &Tail, said: String) {
        self.failed.push(failed);
        let (call, failed) = (Arc::clone(&self.call), self.failed.clone());
        let (caller, shares, purse) = (tail.caller.clone(), tail.shares.clone(), tail.purse.clone());
        self.going = Some(Box::pin(async move {
            let rest = Rest { call: &call, caller: &caller, shares: &shares, purse: &purse, said: &said };
            go_on(rest, &caller, &failed).await
        }));
    }

    /// Whether the stream goes on elsewhere for the first time.
    pub(super) fn is_first(&self) -> bool {
        self.failed.len() == 1
    }

    /// Whether the stream went on elsewhere, once at least.
    pub(super) fn went_on(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Whether one is being looked for.
    pub(super) fn is_going(&self) -> bool {
        self.going.is_some()
    }

    /// What was found.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Resumed>> {
        let Some(going) = &mut self.going else { return Poll::Pending };
        let found = going.as_mut().poll(cx);
        if found.is_ready() {
            self.going = None;
        }
        found
    }
}

/// What is left of a stream that broke off.
#[derive(Clone, Copy)]
struct Rest<'a> {
    call: &'a Call,
    shares: &'a Shares,
    caller: &'a Caller,
    purse: &'a Purse,
    /// What the caller has got of the answer.
    said: &'a str,
}

/// Asks deployments to go on until one does.
async fn go_on(left: Rest<'_>, caller: &Caller, failed: &[DeploymentId]) -> Result<Resumed> {
    let Rest { call, shares, said, .. } = left;
    let snapshot = &call.snapshot;
    let may_use = |model: &str| caller.sees(snapshot, model);
    let enforced = snapshot.config.general.enforce_fallback_access;
    let count = |deployment: &Deployment| call.tokens_for(deployment);
    let broke = |deployment: &Deployment| funds::is_broke(call, deployment);
    let windows = !snapshot.windows.is_empty();
    let reserved = |deployment: &Deployment| call.is_reserved(deployment, caller.team());
    let consult = |group| advice::consult(call, caller, group);
    let begins = !handed_over(said).is_empty();
    let fits = |deployment: &Deployment| {
        !failed.contains(&deployment.id) && (!begins || snapshot.goes_on(&deployment.id))
    };
    let request = Request {
        stream: true,
        team: caller.team(),
        may_use: enforced.then_some(&may_use),
        broke: (!snapshot.funds.deployments.is_empty()).then_some(&broke),
        fits: Some(&fits),
        consult: snapshot.config.routing_webhook.is_some().then_some(&consult),
        ask: Ask { reserved: windows.then_some(&reserved), ..call.ask(&count) },
        ..Request::new(&call.glance.model, &call.controls)
    };
    let earlier = shares.usage();
    let ran = snapshot.router.run(request, |attempt| attempt_rest(left, attempt, &earlier)).await;
    let metrics = &call.core.shared.metrics;
    match ran {
        Ok(done) => {
            metrics.attempts.rest(&done.report.rests);
            let (served, next, rest) = done.value;
            let (fallbacks, retries) = (done.report.fallbacks, done.report.retries);
            Ok(Resumed { served, next, rest, ticket: done.ticket, fallbacks, retries })
        }
        Err(refused) => {
            metrics.attempts.rest(&refused.report.rests);
            Err(refused.error.clone())
        }
    }
}

/// Asks one deployment to go on, with what that may cost set aside where it has a budget.
async fn attempt_rest(
    left: Rest<'_>,
    attempt: Attempt<'_>,
    earlier: &Usage,
) -> Result<(Arc<Served>, Next, Body)> {
    let (deployment, purse) = (Arc::clone(attempt.deployment), left.purse);
    let worst = cover::extend(left.call, left.caller, purse, &attempt, false).await?;
    let begun = match funds::set_aside(left.call, purse, &deployment, worst).await {
        Ok(()) => attempt_funded(left, attempt, earlier).await,
        Err(refusal) => Err(refusal),
    };
    begun.inspect_err(|error| {
        funds::failed(purse, &deployment, error);
        cover::failed(purse, worst, error);
    })
}

/// Asks one deployment to go on, and takes its stream up to its first content.
async fn attempt_funded(
    left: Rest<'_>,
    attempt: Attempt<'_>,
    earlier: &Usage,
) -> Result<(Arc<Served>, Next, Body)> {
    let Rest { call, shares, said, .. } = left;
    let served = call.snapshot.served(attempt.deployment, &attempt.model, &call.core.shared.metrics)?;
    let beginning = handed_over(said);
    if served.mock_response.is_some() || (!beginning.is_empty() && served.prefill == Prefill::None) {
        let message = "this deployment does not go on with an answer that was begun";
        return Err(Error::unsupported("messages", message));
    }
    media::fetch(call, &served, &attempt).await?;
    let mut encoded = encode_rest(call, &served, &attempt, beginning)?;
    if !matches!(served.dialect.id(), DialectId::Converse | DialectId::Nova) {
        encoded.body = call.extras.body(encoded.body)?;
    }
    let prompt_bytes = call.glance.prompt_bytes + beginning.len() as u64;
    let under_way = UnderWay::new(shares, &served, prompt_bytes);
    let taken = async {
        let response = send(call, &served, encoded, timeouts(&served, &attempt)).await?;
        first_content(&served, served.target.reply(response)).await
    };
    let taken = taken.await;
    under_way.over();
    let (frames, decoder, events, rest) = taken.map_err(|error| named(error, &served))?;
    let seam = Seam::behind(said, served.prefill.may_repeat());
    Ok((served, Next { frames, decoder, events, seam, earlier: earlier.clone() }, rest))
}

type Begun = (Frames, Box<dyn StreamDecoder>, Vec<Event>, Body);

/// Reads a stream until it says something.
async fn first_content(served: &Served, response: HttpResponse) -> Result<Begun> {
    let HttpResponse { headers, mut body, .. } = response;
    if unstreamed::kind(&headers).is_some() {
        return Err(Error::new(
            ErrorKind::BadUpstream,
            "the provider answered a stream request with no stream",
        ));
    }
    let mut frames = Frames::new(served.dialect.framing());
    let mut decoder = served.dialect.stream_decoder();
    let mut events = Vec::new();
    while let Some(piece) = body.next().await {
        frames.push(piece?);
        while let Some(frame) = frames.next_frame()? {
            decoder.push(&frame, &mut events)?;
        }
        if let Some(Event::Error(error)) = events.iter().find(|event| matches!(event, Event::Error(_))) {
            return Err(error.clone());
        }
        let says = |event: &Event| !matches!(event, Event::Start(_) | Event::Usage(_) | Event::Ping);
        if events.iter().any(says) {
            return Ok((frames, decoder, events, body));
        }
    }
    Err(Error::new(ErrorKind::BadUpstream, "the provider's stream ended before it began"))
}
