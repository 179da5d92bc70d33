//! The way back: replies become answers, streams flow through and settle at their end.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream as _;
use gateway_db::End;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use llm_providers::dialects::openai::responses::last_reply;
use llm_providers::framing::event_stream;
use llm_providers::{Framing, ReplyFacts};
use llm_router::{Done, Report, Ticket};
use llm_types::{Body, Error, ErrorKind};
use tokio::time::{Sleep, sleep};

use super::background::{follow, is_under_way};
use super::dispatch::without_secrets;
use super::pump::Pump;
use super::settle::{Settled, Tail};
use super::{Call, Caller};
use crate::answer::{Numbers, ReplyBody, limits, names};
use crate::journal::Turn;

/// How long a provider may keep its body open when it has said that the answer is complete.
const GRACE: Duration = Duration::from_millis(250);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");
const NO: HeaderValue = HeaderValue::from_static("no");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How many headers an answer usually has; providers bring some twenty.
const USUAL_HEADERS: usize = 48;

/// What an attempt brought back.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A whole answer in the caller's dialect.
    Full {
        /// The provider's headers.
        headers: HeaderMap,
        /// The answer.
        body: Bytes,
        /// What it told.
        facts: Box<ReplyFacts>,
        /// How long the provider took, in microseconds.
        provider_us: u64,
    },
    /// A stream whose first bytes have arrived.
    Flow {
        /// The provider's headers.
        headers: HeaderMap,
        /// What the caller gets first.
        first: Vec<Bytes>,
        /// The rest, in the provider's dialect.
        rest: Body,
        /// What turns it into the caller's.
        pump: Pump,
        /// The provider's body has already ended.
        ended: bool,
    },
}

/// What the router brought back, without what it borrowed from the call.
#[derive(Debug)]
pub(crate) struct Answered {
    reply: Reply,
    ticket: Ticket,
    report: Report,
    group: Option<HeaderValue>,
}

impl Answered {
    /// Takes over what the router brought back for the call of a tail.
    pub(crate) fn of(done: Done<'_, Reply>, tail: &Tail) -> Self {
        let group = tail.asked.lock().as_ref().map(|served| served.headers.group(done.group));
        Self { reply: done.value, ticket: done.ticket, report: done.report, group }
    }
}

/// Makes the answer; whole ones are settled now, streams when they end. With a whole answer comes the
/// turn of the journal that writes its outcome.
///
/// The request's headers have done their work: their map becomes the answer's, so that one map serves
/// a connection for as long as it lives.
pub(crate) fn relay(
    call: &mut Call,
    mut tail: Box<Tail>,
    done: Answered,
) -> (Response<ReplyBody>, Option<Turn>) {
    tail.retries = done.report.retries;
    tail.fallbacks = done.report.fallbacks;
    let mut headers = std::mem::take(&mut call.head.headers);
    headers.clear();
    headers.reserve(USUAL_HEADERS);
    let mut numbers = Numbers::new();
    if let Some(served) = &*tail.asked.lock() {
        served.headers.write(&mut headers);
    }
    headers.extend(done.group.map(|group| (names::MODEL_GROUP, group)));
    headers.insert(names::RETRIES, numbers.count(done.report.retries.into()));
    headers.insert(names::MAX_RETRIES, numbers.count(done.report.max_retries.into()));
    headers.insert(names::FALLBACKS, numbers.count(done.report.fallbacks.into()));
    headers.insert(names::CALL_ID, call.shown_id.clone());
    if let Caller::Key(entry) = &tail.caller {
        limits(&mut headers, &mut numbers, &entry.limits, &tail.remaining);
    }
    let mut booked = None;
    let body = match done.reply {
        Reply::Full { headers: theirs, body, facts, .. }
            if call.waits_elsewhere && is_under_way(&body) && facts.id.is_some() =>
        {
            // The provider makes the reply; the tail is settled when it has.
            provider_headers(call, &theirs, &mut headers);
            headers.insert(CONTENT_TYPE, JSON);
            tail.facts = *facts;
            keep_reply(call, &mut tail, &body);
            follow(&call.core, tail);
            let mut response = Response::new(ReplyBody::full(body));
            *response.headers_mut() = headers;
            return (response, None);
        }
        Reply::Full { headers: theirs, body, facts, provider_us } => {
            tail.facts = *facts;
            keep_reply(call, &mut tail, &body);
            provider_headers(call, &theirs, &mut headers);
            let settled = tail.settle(End::Completed, StatusCode::OK, None);
            booked = settled.booked;
            settled_headers((&mut headers, &mut numbers), call, settled, provider_us);
            headers.insert(CONTENT_TYPE, JSON);
            ReplyBody::full(body)
        }
        Reply::Flow { headers: theirs, first, rest, pump, ended } => {
            provider_headers(call, &theirs, &mut headers);
            let framing = call.dialect.framing();
            let kind = if call.listed { JSON } else { HeaderValue::from_static(framing.content_type()) };
            headers.insert(CONTENT_TYPE, kind);
            headers.insert(CACHE_CONTROL, NO_CACHE);
            headers.insert(UNBUFFERED, NO);
            tail.first_byte_us = Some(call.elapsed_us());
            // A provider's own reply is known by its id as soon as the stream says it.
            if let Pump::Forward(relay) = &pump
                && let Some(id) = &relay.facts().id
                && let Some(keep) = tail.keep.take()
            {
                keep.elsewhere(&tail.deployment(), id);
            }
            ReplyBody::Stream(Box::new(Stream::new(tail, done.ticket, (pump, framing), (first, rest), ended)))
        }
    };
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    (response, booked)
}

/// Keeps a whole reply, or remembers who does.
fn keep_reply(call: &Call, tail: &mut Tail, body: &Bytes) {
    let Some(keep) = tail.keep.take() else { return };
    let Some(served) = tail.asked.lock().clone() else { return };
    let deployment = served.deployment.id.as_str();
    let native = served.mock_response.is_none() && served.dialect_for(call.dialect).id() == call.dialect.id();
    match (&tail.facts.id, native) {
        (Some(id), true) => keep.elsewhere(deployment, id),
        (None, true) => {}
        (_, false) => keep.held(deployment, String::from_utf8_lossy(body).into_owned()),
    }
}

fn provider_headers(call: &Call, theirs: &HeaderMap, ours: &mut HeaderMap) {
    call.core.shared.provider_names.copy(theirs, ours);
    if let Some(id) = theirs.get(X_REQUEST_ID).or_else(|| theirs.get(&REQUEST_ID)) {
        ours.insert(REQUEST_ID, id.clone());
    }
    for (name, value) in theirs {
        let name_text = name.as_str();
        // A provider that is a gateway itself does not speak for the limits of our keys.
        if name_text.starts_with("x-ratelimit-") && !name_text.starts_with("x-ratelimit-api_key-") {
            ours.insert(name, value.clone());
        }
    }
}

fn settled_headers(
    (headers, numbers): (&mut HeaderMap, &mut Numbers),
    call: &Call,
    settled: Settled,
    provider_us: u64,
) {
    if let Some(cost) = settled.cost {
        headers.insert(names::COST, numbers.usd(cost));
    }
    if let Some(spent) = settled.spent {
        headers.insert(names::KEY_SPEND, numbers.usd(spent));
    }
    let total_us = call.elapsed_us();
    headers.insert(names::DURATION, numbers.millis(total_us));
    headers.insert(names::OVERHEAD, numbers.millis(total_us.saturating_sub(provider_us)));
}

/// A stream on its way to the caller. Its tail settles when it ends, or when it is dropped.
#[derive(Debug)]
pub(crate) struct Stream {
    tail: Box<Tail>,
    ticket: Option<Ticket>,
    pump: Pump,
    /// How the caller's bytes are cut into frames.
    framing: Framing,
    /// Bytes for the caller, from `next` on.
    queue: Vec<Bytes>,
    next: usize,
    rest: Body,
    ended: bool,
    /// Runs from the provider's last word on: a body that is not closed then is not waited for.
    grace: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    fn new(
        tail: Box<Tail>,
        ticket: Ticket,
        (pump, framing): (Pump, Framing),
        (first, rest): (Vec<Bytes>, Body),
        ended: bool,
    ) -> Self {
        let ticket = Some(ticket);
        let mut stream =
            Self { tail, ticket, pump, framing, queue: first, next: 0, rest, ended: false, grace: None };
        if ended {
            stream.hide_secrets();
            stream.end(None);
        }
        stream
    }

    /// The next bytes for the caller.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(piece) = self.queue.get_mut(self.next) {
                self.next += 1;
                return Poll::Ready(Some(std::mem::take(piece)));
            }
            self.queue.clear();
            self.next = 0;
            if self.ended {
                return Poll::Ready(None);
            }
            match Pin::new(&mut self.rest).poll_next(cx) {
                Poll::Pending if self.lingers(cx) => return Poll::Pending,
                Poll::Ready(Some(Ok(bytes))) => {
                    self.pump.push(bytes, &mut self.queue);
                    // The caller was told of an error: what else the provider sends is not waited for.
                    if self.pump.facts().error.is_some() {
                        self.hide_secrets();
                        self.end(None);
                    }
                }
                Poll::Ready(Some(Err(error))) => self.end(Some(&error)),
                Poll::Pending | Poll::Ready(None) => self.end(None),
            }
        }
    }

    /// Whether the provider's body is still waited for: until its last word, and a moment longer, so that
    /// its connection can be used again.
    fn lingers(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.pump.facts().complete {
            return true;
        }
        let grace = self.grace.get_or_insert_with(|| Box::pin(sleep(GRACE)));
        grace.as_mut().poll(cx).is_pending()
    }

    /// Whether nothing more will come.
    pub(crate) fn is_over(&self) -> bool {
        self.ended && self.next >= self.queue.len()
    }

    /// Keeps the reply that the last frames hold.
    fn keep(&mut self) {
        let Some(keep) = self.tail.keep.take() else { return };
        let deployment = &*self.tail.deployment();
        match &self.pump {
            Pump::Forward(relay) => {
                if let Some(id) = &relay.facts().id {
                    keep.elsewhere(deployment, id);
                }
            }
            Pump::Translate(translation) => {
                if let Some(reply) = last_reply(translation.last()) {
                    keep.held(deployment, reply.to_string());
                }
            }
            // Lists are Gemini's callers', whose replies are not kept.
            Pump::Listed(_) => {}
            Pump::Written(_) => {
                if let Some(reply) = self.queue.last().and_then(|frames| last_reply(frames)) {
                    keep.held(deployment, reply.to_string());
                }
            }
        }
    }

    /// Takes out of an error on its way to the caller what the provider repeats of our sign-in.
    fn hide_secrets(&mut self) {
        if self.pump.facts().error.is_none() {
            return;
        }
        let Some(served) = self.tail.asked.lock().clone() else { return };
        let hide = |text: &[u8]| {
            let words = std::str::from_utf8(text).ok();
            words.and_then(|words| without_secrets(&served, words)).map(String::into_bytes)
        };
        for piece in &mut self.queue {
            let hidden = match self.framing {
                Framing::EventStream => event_stream::rewrite(piece, hide),
                Framing::Sse | Framing::Ndjson => hide(piece).map(Bytes::from),
            };
            if let Some(hidden) = hidden {
                *piece = hidden;
            }
        }
    }

    /// The provider's body is over: writes what is still owed to the caller, and settles.
    fn end(&mut self, cut: Option<&Error>) {
        self.ended = true;
        self.rest = Body::Full(Bytes::new());
        self.pump.finish(cut, &mut self.queue);
        self.tail.facts = self.pump.facts().clone();
        let ticket = self.ticket.take();
        if self.tail.facts.complete && cut.is_none() {
            self.keep();
            self.tail.settle(End::Completed, StatusCode::OK, None);
            return;
        }
        let truncated =
            || Error::new(ErrorKind::BadUpstream, "the provider's stream ended before it was complete");
        let error = self.tail.facts.error.clone().or_else(|| cut.cloned()).unwrap_or_else(truncated);
        if let Some(ticket) = ticket {
            ticket.fail(&error, self.tail.now());
        }
        self.tail.settle(End::Cut, StatusCode::OK, Some(&error));
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !self.ended {
            // The client left: what it had received so far is what it is charged for.
            self.tail.facts = self.pump.facts().clone();
        }
    }
}
