//! The way back: replies become answers; whole ones are settled here.

use bytes::Bytes;
use gateway_db::End;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use llm_providers::ReplyFacts;
use llm_router::{Done, Report, Ticket};
use llm_types::Body;

use super::background::{follow, is_under_way};
use super::pump::Pump;
use super::settle::{Settled, Tail};
use super::stream::{Source, Stream};
use super::{Call, Caller};
use crate::answer::{Numbers, ReplyBody, limits, names};
use crate::journal::Turn;

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
            follow(tail);
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
            let source = Source { pump, framing, first, rest, ended, goes_on: call.waits_elsewhere };
            ReplyBody::Stream(Box::new(Stream::new(tail, done.ticket, source)))
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
