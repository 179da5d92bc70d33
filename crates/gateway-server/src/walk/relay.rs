//! The way back: replies become answers; whole ones are settled here.

use bytes::Bytes;
use gateway_db::End;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use llm_providers::ReplyFacts;
use llm_router::{Done, ErrorClass, Moment, Report, Ticket, Used, error_status};
use llm_types::Body;
use serde_json::{Value, json};

use super::background::{follow, is_under_way};
use super::pump::Pump;
use super::settle::{Settled, Tail};
use super::stream::{Source, Stream};
use super::{Call, Caller, auto};
use crate::answer::{Head, ReplyBody, costs, limits, names, rests, text};
use crate::journal::Turn;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");
const NO: HeaderValue = HeaderValue::from_static("no");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

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
        /// The type of the answer, where it is not JSON.
        kind: Option<HeaderValue>,
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
        /// The type of the answer, where it is not the caller's dialect.
        kind: Option<HeaderValue>,
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
pub(crate) fn relay(
    call: &mut Call,
    mut tail: Box<Tail>,
    mut done: Answered,
) -> (Response<ReplyBody>, Option<Turn>) {
    call.core.shared.metrics.attempts.rest(&done.report.rests);
    tail.retries = done.report.retries;
    tail.fallbacks = done.report.fallbacks;
    let mut head = call.core.heads.begin();
    walked(&mut head, call, &tail, (done.group, &done.report));
    let mut booked = None;
    let body = match done.reply {
        Reply::Full { headers, body, facts, .. }
            if call.waits_elsewhere && is_under_way(&body) && facts.id.is_some() =>
        {
            // The provider makes the reply; the tail is settled when it has.
            provider_headers(&headers, &mut head);
            head.text(CONTENT_TYPE, JSON);
            tail.facts = Some(facts);
            keep_reply(call, &mut tail, &body);
            follow(tail);
            ReplyBody::full(body)
        }
        Reply::Full { headers, body, facts, provider_us, kind } => {
            let now = tail.now();
            note_usage(&mut done.ticket, &facts, now);
            tail.answered_by(&done.ticket, now);
            tail.facts = Some(facts);
            keep_reply(call, &mut tail, &body);
            if let Some(notes) = &mut tail.notes {
                notes.answered(&body);
            }
            provider_headers(&headers, &mut head);
            let settled = tail.settle(End::Completed, StatusCode::OK, None);
            settled_headers(&mut head, &settled, provider_us);
            booked = settled.booked;
            head.text(CONTENT_TYPE, kind.unwrap_or(JSON));
            ReplyBody::full(body)
        }
        Reply::Flow { headers, first, rest, pump, ended, kind } => {
            provider_headers(&headers, &mut head);
            let framing = call.dialect.framing();
            let own = if call.listed { JSON } else { HeaderValue::from_static(framing.content_type()) };
            let bare = kind.as_ref().is_some_and(|kind| !kind.as_bytes().starts_with(b"text/event-stream"));
            head.text(CONTENT_TYPE, kind.unwrap_or(own));
            head.text(CACHE_CONTROL, NO_CACHE);
            head.text(UNBUFFERED, NO);
            tail.first_byte_us = Some(call.elapsed_us());
            // A provider's own reply is known by its id as soon as the stream says it.
            if let Some(id) = pump.own_id()
                && let Some(keep) = tail.keep.take()
            {
                keep.elsewhere(&tail.deployment(), id);
            }
            let pings = if bare { None } else { call.pings(tail.asked.lock().as_deref()) };
            let goes_on = call.waits_elsewhere;
            let source = Source { pump, framing, first, rest, ended, goes_on, bare, pings };
            ReplyBody::Stream(Box::new(Stream::new(tail, done.ticket, source)))
        }
    };
    let mut response = Response::new(body);
    *response.headers_mut() = call.core.heads.finish(head);
    (response, booked)
}

/// The head of what the walk came to: who served, after how many tries, and what the payers have left.
fn walked(head: &mut Head, call: &Call, tail: &Tail, (group, report): (Option<HeaderValue>, &Report)) {
    if let Some(served) = &*tail.asked.lock() {
        served.headers.lines().into_iter().for_each(|(name, value)| head.text(name, value));
        tail.untold.of(served).into_iter().for_each(|names| head.text(names::LEFT_OUT, names));
    }
    match &call.routed {
        // The group is the one that was asked for: who served is told by the decision.
        Some(routed) => {
            auto::lines(routed).into_iter().for_each(|(name, value)| head.text(name, value));
            let own = report.fallbacks == 0;
            let group = if own { Some(text(&routed.router)) } else { group };
            group.into_iter().for_each(|group| head.text(names::MODEL_GROUP, group));
        }
        None => group.into_iter().for_each(|group| head.text(names::MODEL_GROUP, group)),
    }
    head.count(names::RETRIES, report.retries.into());
    head.count(names::MAX_RETRIES, report.max_retries.into());
    head.count(names::FALLBACKS, report.fallbacks.into());
    if call.tells_fallbacks && !report.errors.is_empty() {
        head.text(names::FALLBACK_ERRORS, told_errors(report));
    }
    if let Some(asked) = &call.instead_of {
        head.text(names::BUDGET_FALLBACK, text(asked));
    }
    head.text(names::CALL_ID, call.shown_id.clone());
    if let Caller::Key(entry) = &tail.caller {
        limits(head, &entry.limits(), &tail.rests.key);
    }
    if let Some(told) = call.priority.get() {
        head.text(names::PRIORITY, text(told.word()));
        head.text(names::SATURATION, text(&told.percent()));
        if let Some(keys) = told.keys() {
            head.count(names::ACTIVE_KEYS, keys as u64);
        }
    }
    for (word, left) in &tail.rests.others {
        rests(head, word, left);
    }
}

/// What each group failed with, as JSON in LiteLLM's form and with the group's name (`x-litellm-fallback-errors`).
fn told_errors(report: &Report) -> HeaderValue {
    let told = report.errors.iter().map(|fault| {
        let error = &fault.error;
        json!({
            "model": fault.group,
            "message": error.message(),
            "type": ErrorClass::of(error).litellm_name(),
            "param": error.param(),
            "code": error_status(error).to_string(),
        })
    });
    // What is no ASCII is escaped by nobody: such a text is left out rather than cut.
    HeaderValue::from_str(&Value::from_iter(told).to_string()).unwrap_or(HeaderValue::from_static("[]"))
}

/// Tells the router what an answer came to.
pub(super) fn note_usage(ticket: &mut Ticket, facts: &ReplyFacts, now: Moment) {
    if let Some(usage) = &facts.usage {
        let cached = usage.cache_read_tokens.unwrap_or(0);
        ticket.used(Used { input: usage.input_tokens, cached, output: usage.output_tokens }, now);
    }
}

/// Keeps a whole reply, or remembers who does.
fn keep_reply(call: &Call, tail: &mut Tail, body: &Bytes) {
    let Some(keep) = tail.keep.take() else { return };
    let Some(served) = tail.asked.lock().clone() else { return };
    let deployment = served.deployment.id.as_str();
    let native = served.mock_response.is_none() && served.dialect_for(call.dialect).id() == call.dialect.id();
    match (tail.facts.as_ref().and_then(|facts| facts.id.as_deref()), native) {
        (Some(id), true) => keep.elsewhere(deployment, id),
        (None, true) => {}
        (_, false) => keep.held(deployment, String::from_utf8_lossy(body).into_owned()),
    }
}

fn provider_headers(theirs: &HeaderMap, head: &mut Head) {
    let mut id = None;
    for (name, value) in theirs {
        head.of_provider(name, value);
        if *name == X_REQUEST_ID || (*name == REQUEST_ID && id.is_none()) {
            id = Some(value);
        }
        // A provider that is a gateway itself does not speak for the limits of our keys.
        if let Some(limit) = name.as_str().strip_prefix("x-ratelimit-")
            && !limit.starts_with("api_key-")
        {
            head.text(name.clone(), value.clone());
        }
    }
    if let Some(id) = id {
        head.text(REQUEST_ID, id.clone());
    }
}

fn settled_headers(head: &mut Head, settled: &Settled, provider_us: u64) {
    if let Some(cost) = &settled.cost {
        costs(head, cost, settled.margin);
    }
    if let Some(spent) = settled.spent {
        head.usd(names::KEY_SPEND, spent);
    }
    head.millis(names::DURATION, settled.duration_us);
    head.millis(names::OVERHEAD, settled.duration_us.saturating_sub(provider_us));
}
