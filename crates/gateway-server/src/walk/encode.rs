//! The request an attempt sends: the caller's own bytes where both speak one dialect, else a translation.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use llm_providers::dialects::gemini::{carries_signatures, take_signatures};
use llm_providers::media::put;
use llm_providers::{Dialect, DialectId, Encoded, Target, scan};
use llm_router::Attempt;
use llm_types::{ChatRequest, Error, Message, Part, PartKind, Result, Role};
use serde_json::{Map, Value};

use super::settle::BYTES_PER_TOKEN;
use super::{Call, betas, marks, media, native, policy};
use crate::config::CachePoint;
use crate::state::Served;

/// Writes the request for one deployment.
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] naming a field that cannot be read,
/// [`llm_types::ErrorKind::Unsupported`] naming a parameter the provider cannot express.
pub(super) fn encode(call: &Call, served: &Served, attempt: &Attempt<'_>) -> Result<Encoded> {
    let mut target = policy::target(served.target.target(), &call.policy);
    if target.model.is_empty() {
        let message = format!(
            "the deployment names no model of provider `{}`: it can be asked for speech only; for chats give its \
             `litellm_params.model` a name",
            target.spec.id
        );
        return Err(Error::unsupported("model", message));
    }
    let dialect = served.dialect_for(call.dialect);
    if dialect.id() == call.dialect.id() {
        target = policy::without(target, call.dialect.refused_defaults(&call.head.headers));
    }
    let target = &*target;
    if let Some(params) = attempt.params {
        return encode_with(call, served, target, params);
    }
    let is_same = is_forwarded(call, served);
    if call.compacts() && !is_same {
        let message = "conversations are compacted by providers of OpenAI's Responses API only, and this model's \
                       speaks another one";
        return Err(Error::unsupported("compact", message));
    }
    let points = points_of(served, dialect, target);
    if is_same
        && points.is_empty()
        && (call.fetched.lock().is_empty() || !media::changes(call, &*call.canonical()?, dialect, target))
    {
        let mut encoded = dialect.forward_request(&call.body, &call.glance, target)?;
        if call.compacts() {
            encoded.path.push_str("/compact");
        }
        return Ok(encoded);
    }
    translate(call, dialect, (target, points), call.canonical()?)
}

/// Where the operator wants prompts marked for the cache, where the provider has words for that.
fn points_of<'s>(served: &'s Served, dialect: &dyn Dialect, target: &Target) -> &'s [CachePoint] {
    let knows = !served.cache_points.is_empty() && marks::knows(dialect.id(), target);
    if knows { &served.cache_points } else { &[] }
}

/// Whether bytes are forwarded between caller and provider: both speak one dialect, and the provider says
/// nothing of what the caller asks for in another way.
pub(super) fn is_forwarded(call: &Call, served: &Served) -> bool {
    let dialect = served.dialect_for(call.dialect);
    dialect.id() == call.dialect.id() && !dialect.rewrites(&call.body, &call.glance, served.target.target())
}

/// The request in the provider's own dialect. It is shared between attempts: one that has to be changed first
/// is copied, and most have not.
fn translate(
    call: &Call,
    dialect: &dyn Dialect,
    (target, points): (&Target, &[CachePoint]),
    mut request: Arc<ChatRequest>,
) -> Result<Encoded> {
    if !points.is_empty() {
        marks::mark(Arc::make_mut(&mut request), points);
    }
    if matches!(dialect.id(), DialectId::Converse | DialectId::Nova) {
        // What is not of the dialect stands in a member of its own, which the dialect knows.
        let own = Arc::make_mut(&mut request);
        own.extra.0.extend(call.extras.members().clone());
        betas::name_in(own, [&call.head.headers, call.extras.headers()]);
    }
    let fetched = call.fetched.lock();
    if !fetched.is_empty() {
        put(Arc::make_mut(&mut request), dialect, target, &fetched);
    }
    drop(fetched);
    if dialect.id() == call.dialect.id() {
        return dialect.encode_request(&request, target);
    }
    if dialect.id() != DialectId::Gemini && carries_signatures(&request) {
        take_signatures(Arc::make_mut(&mut request));
    }
    native::settle(&mut request, &target.policy)?;
    if call.dialect.id() == DialectId::OpenaiResponses {
        native::leave_hints(&mut request, dialect.id());
    }
    dialect.encode_request(&request, target)
}

/// The request with the parameters that a fallback sets.
fn encode_with(
    call: &Call,
    served: &Served,
    target: &Target,
    params: &Map<String, Value>,
) -> Result<Encoded> {
    let dialect = served.dialect_for(call.dialect);
    let body = overlaid(&call.body, params)?;
    let is_same = is_forwarded(call, served);
    let points = points_of(served, dialect, target);
    if is_same && points.is_empty() && call.fetched.lock().is_empty() {
        let mut glance = call.dialect.glance(&body)?;
        glance.include_usage = call.glance.include_usage;
        glance.stream = call.glance.stream;
        return dialect.forward_request(&body, &glance, target);
    }
    let mut request = call.dialect.decode_request(&body)?;
    request.stream = call.glance.stream;
    translate(call, dialect, (target, points), Arc::new(request))
}

/// Writes the request for one of the prompts of a call, whose reply is wanted whole.
///
/// # Errors
/// As [`encode`].
pub(super) fn encode_part(
    call: &Call,
    served: &Served,
    attempt: &Attempt<'_>,
    body: &Bytes,
) -> Result<Encoded> {
    let target = policy::target(served.target.target(), &call.policy);
    let body = match attempt.params {
        Some(params) => Cow::Owned(overlaid(body, params)?),
        None => Cow::Borrowed(body),
    };
    let mut request = Arc::new(call.dialect.decode_request(&body)?);
    native::settle(&mut request, &target.policy)?;
    let points = points_of(served, served.dialect_for(call.dialect), &target);
    if !points.is_empty() {
        marks::mark(Arc::make_mut(&mut request), points);
    }
    let mut encoded = served.dialect_for(call.dialect).encode_request(&request, &target)?;
    encoded.body = call.extras.body(encoded.body)?;
    Ok(encoded)
}

/// Writes the request by which a deployment goes on with an answer: the caller's, with what it has been told
/// so far as the beginning of the answer, and nothing else. A cap on the answer counts what was told.
///
/// # Errors
/// As [`encode`].
pub(super) fn encode_rest(
    call: &Call,
    served: &Served,
    attempt: &Attempt<'_>,
    said: &str,
) -> Result<Encoded> {
    let target = policy::target(served.target.target(), &call.policy);
    let mut request = match attempt.params {
        Some(params) => call.dialect.decode_request(&overlaid(&call.body, params)?)?,
        None => (*call.canonical()?).clone(),
    };
    if let Some(cap) = &mut request.options.max_tokens {
        *cap = cap.saturating_sub((said.len() as u64).div_ceil(BYTES_PER_TOKEN)).max(1);
    }
    let begins = !said.is_empty();
    if begins {
        begin_answer(&mut request, said);
    }
    request.stream = call.glance.stream;
    let points = points_of(served, served.dialect, &target);
    let mut encoded = translate(call, served.dialect, (&target, points), Arc::new(request))?;
    if begins {
        encoded.body = served.prefill.mark(encoded.body)?;
    }
    Ok(encoded)
}

/// Puts the beginning of an answer behind a conversation, or behind the beginning that the caller gave.
fn begin_answer(request: &mut ChatRequest, said: &str) {
    if let Some(last) = request.messages.last_mut().filter(|last| last.role == Role::Assistant) {
        match last.parts.last_mut().map(|part| &mut part.kind) {
            Some(PartKind::Text { text, .. }) => text.push_str(said),
            _ => last.parts.push(Part::text(said)),
        }
        return;
    }
    request.messages.push(Message::assistant(said));
}

/// A body with members set. The caller waits for a stream or does not, whatever a fallback says.
pub(super) fn overlaid(body: &Bytes, params: &Map<String, Value>) -> Result<Bytes> {
    let mut members = params.clone();
    members.shift_remove("stream");
    Ok(scan::merge(body, &members)?)
}

#[cfg(test)]
mod tests;
