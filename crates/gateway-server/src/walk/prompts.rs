//! Several prompts of legacy Completions for a model that chats: each is asked by itself, side by side, and
//! the caller gets one reply.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::try_join_all;
use http::HeaderMap;
use llm_providers::dialects::openai::text::{apart, together};
use llm_providers::{DialectId, Encoded, left_out};
use llm_router::Attempt;
use llm_types::{ChatResponse, Result};

use super::dispatch::{ANSWER_LIMIT, reply_context, send, timeouts};
use super::encode::encode_part;
use super::later;
use super::relay::Reply;
use super::unstreamed::{facts_of, streamed};
use super::{Call, Tail};
use crate::state::Served;

/// The requests for each prompt, where a deployment takes one at a time and there are several.
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] when the body cannot be read.
pub(super) fn of(call: &Call, served: &Served) -> Result<Vec<Bytes>> {
    let chats = served.dialect_for(call.dialect).id() != DialectId::OpenaiText;
    if call.dialect.id() == DialectId::OpenaiText && chats { apart(&call.body) } else { Ok(Vec::new()) }
}

/// Asks a deployment every prompt; the first failure is that of all.
///
/// # Errors
/// The provider's.
pub(super) async fn ask(
    call: &Call,
    served: &Arc<Served>,
    tail: &Tail,
    attempt: &Attempt<'_>,
    parts: &[Bytes],
) -> Result<Reply> {
    let asked_at = Instant::now();
    let write = |part| encode_part(call, served, attempt, part);
    let (written, left_out) = left_out::collect(|| parts.iter().map(write).collect::<Result<Vec<_>>>());
    tail.untold.note(served, left_out);
    let asking = written?.into_iter().map(|encoded| one(call, served, attempt, encoded));
    let asked = try_join_all(asking).await?;
    let provider_us = u64::try_from(asked_at.elapsed().as_micros()).unwrap_or(u64::MAX);
    let (mut headers, mut replies) = (HeaderMap::new(), Vec::with_capacity(asked.len()));
    for (theirs, reply) in asked {
        headers = theirs;
        replies.push(reply);
    }
    let n = u32::try_from(call.glance.n / parts.len().max(1) as u64).unwrap_or(u32::MAX);
    let reply = together(replies, n);
    if call.glance.stream {
        return Ok(streamed(call, headers, reply));
    }
    let facts = Box::new(facts_of(&reply));
    let body = call.dialect.encode_response(&reply, &reply_context(call))?;
    Ok(Reply::Full { headers, body, facts, provider_us, kind: None })
}

async fn one(
    call: &Call,
    served: &Arc<Served>,
    attempt: &Attempt<'_>,
    encoded: Encoded,
) -> Result<(HeaderMap, ChatResponse)> {
    let patience = timeouts(served, attempt);
    let response = send(call, served, encoded, patience).await?;
    let response = served.target.reply(later::follow(call, served, response, patience).await?);
    let headers = response.headers;
    let body = response.body.collect(ANSWER_LIMIT).await?;
    Ok((headers, served.dialect_for(call.dialect).decode_response(&body)?))
}
