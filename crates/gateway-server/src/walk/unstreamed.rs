//! Answers that came whole for callers who wait for a stream: some models refuse tools in streamed calls,
//! some servers never stream, and several prompts are asked one by one.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use llm_providers::{Dialect, InvokedTools, ReplyFacts};
use llm_types::{Body, ChatResponse, Error, ErrorKind, Event, Result};

use super::dispatch::{ANSWER_LIMIT, reply_context};
use super::pump::Pump;
use super::relay::Reply;
use super::{Call, listed};

/// The type of an answer that is no stream, as its headers state it.
pub(super) fn kind(headers: &HeaderMap) -> Option<&str> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok())?;
    (kind.starts_with("application/json") || kind.starts_with("text/html")).then_some(kind)
}

/// Reads what a provider answered instead of a stream: a whole reply is told as a stream.
///
/// # Errors
/// The error that it is, or [`ErrorKind::BadUpstream`] where it is no reply either.
pub(super) async fn take(
    call: &Call,
    dialect: &dyn Dialect,
    headers: HeaderMap,
    body: Body,
) -> Result<Reply> {
    let body = body.collect(ANSWER_LIMIT).await?;
    if let Some(error) = dialect.reply_facts(&body).error {
        return Err(error);
    }
    match dialect.decode_response(&body) {
        Ok(reply) if !reply.choices.is_empty() => Ok(streamed(call, headers, reply)),
        _ => {
            let kind = kind(&headers).unwrap_or_default();
            let message = format!("the provider answered a stream request with `{kind}` that is no reply");
            Err(Error::new(ErrorKind::BadUpstream, message))
        }
    }
}

/// A whole reply as a stream that has ended.
pub(super) fn streamed(call: &Call, headers: HeaderMap, reply: ChatResponse) -> Reply {
    let facts = Box::new(facts_of(&reply));
    let first = vec![frames(call, &reply.into_events())];
    Reply::Flow {
        headers,
        first,
        rest: Body::Full(Bytes::new()),
        pump: Pump::Written(facts),
        ended: true,
        kind: None,
    }
}

/// The frames of a stream's events, all at once.
pub(super) fn frames(call: &Call, events: &[Event]) -> Bytes {
    let mut encoder = call.dialect.stream_encoder(reply_context(call));
    let mut out = BytesMut::new();
    events.iter().for_each(|event| encoder.push(event, &mut out));
    encoder.finish(&mut out);
    if call.listed { listed::whole(out.freeze()) } else { out.freeze() }
}

/// What settlement needs to know of a whole reply.
pub(super) fn facts_of(reply: &ChatResponse) -> ReplyFacts {
    ReplyFacts {
        id: Some(reply.id.clone()),
        model: Some(reply.model.clone()),
        usage: reply.usage.clone(),
        finish: reply.choices.first().and_then(|choice| choice.finish.clone()),
        answer_bytes: reply.choices.iter().map(|choice| choice.message.text().len() as u64).sum(),
        tools: InvokedTools::of(reply.choices.iter().flat_map(|choice| &choice.message.parts)),
        complete: true,
        ..ReplyFacts::default()
    }
}
