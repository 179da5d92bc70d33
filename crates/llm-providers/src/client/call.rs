//! One call: encode, send, decode.

use std::pin::pin;
use std::time::SystemTime;

use futures_util::future::{Either, select};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use llm_types::{ChatRequest, ChatResponse, Error, ErrorKind, HttpResponse, Result, Transport};

use super::{EventStream, PreparedTarget, dialect_of};
use crate::Encoded;
use crate::deposit::{self, Deposit};
use crate::signin::Readiness;

/// The largest whole answer that is taken, in bytes: room for pictures in base64.
const ANSWER_LIMIT: usize = 512 << 20;
/// The largest error that is taken, in bytes.
const ERROR_LIMIT: usize = 1 << 20;

/// Asks a target for a whole answer.
pub(super) async fn chat(
    transport: &dyn Transport,
    target: &PreparedTarget,
    request: ChatRequest,
) -> Result<ChatResponse> {
    let answer = async {
        let response = target.reply(send(transport, target, request, "application/json").await?);
        let body = whole(target, response).await?;
        dialect_of(target).decode_response(&body)
    };
    answer.await.map_err(|error| named(error, target))
}

/// Asks a target for a stream.
pub(super) async fn chat_stream(
    transport: &dyn Transport,
    target: &PreparedTarget,
    request: ChatRequest,
) -> Result<EventStream> {
    let answer = async {
        let accept = dialect_of(target).framing().accept();
        let response = target.reply(send(transport, target, request, accept).await?);
        if !response.status.is_success() {
            return Err(decode_error(target, response).await);
        }
        let provider = target.target().spec.id.clone();
        if is_json(&response.headers) {
            let reply = unstreamed(target, response).await?;
            return Ok(EventStream::of_whole(dialect_of(target), reply, provider));
        }
        Ok(EventStream::new(dialect_of(target), response.body, provider))
    };
    answer.await.map_err(|error| named(error, target))
}

async fn send(
    transport: &dyn Transport,
    target: &PreparedTarget,
    mut request: ChatRequest,
    accept: &'static str,
) -> Result<HttpResponse> {
    request.model.clone_from(&target.target().model);
    let mut encoded = dialect_of(target).encode_request(&request, target.target())?;
    if let Some(deposits) = encoded.beforehand.take() {
        let mut ids = Vec::with_capacity(deposits.len());
        for deposit in &deposits {
            let reply = post(transport, target, deposit.leaving(), "application/json").await?;
            ids.push((&*deposit.place, Deposit::id(&whole(target, reply).await?)?));
        }
        let ids: Vec<_> = ids.iter().map(|(place, id)| (*place, &**id)).collect();
        encoded.body = deposit::fill(&encoded.body, &ids)?;
    }
    post(transport, target, encoded, accept).await
}

/// Signs in and sends what a dialect wrote.
async fn post(
    transport: &dyn Transport,
    target: &PreparedTarget,
    encoded: Encoded,
    accept: &'static str,
) -> Result<HttpResponse> {
    let mut request = target.request(encoded)?;
    request.headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static(accept));
    let Some(credential) = target.credential() else {
        target.seal(&mut request, SystemTime::now)?;
        return transport.send(request).await;
    };
    let readiness = credential.readiness(SystemTime::now());
    if readiness == Readiness::Needed {
        credential.ready(transport, SystemTime::now()).await?;
    }
    target.seal(&mut request, SystemTime::now)?;
    if readiness != Readiness::Due {
        return transport.send(request).await;
    }
    // What is at hand still holds: it is renewed while the call runs. If that fails, the next call tries.
    let sent = pin!(transport.send(request));
    match select(sent, pin!(credential.renew(transport, SystemTime::now()))).await {
        Either::Left((response, _)) => response,
        Either::Right((_, sent)) => sent.await,
    }
}

/// The body of a successful answer, or the error that the answer is.
///
/// # Errors
/// What the provider answered, or what reading its answer failed with.
pub async fn whole(target: &PreparedTarget, response: HttpResponse) -> Result<bytes::Bytes> {
    if response.status.is_success() {
        response.body.collect(ANSWER_LIMIT).await
    } else {
        Err(decode_error(target, response).await)
    }
}

/// The error behind an answer with an error status. One whose body cannot be read is told from its status.
pub async fn decode_error(target: &PreparedTarget, response: HttpResponse) -> Error {
    let HttpResponse { status, headers, body, .. } = response;
    let (body, unread) = match body.collect(ERROR_LIMIT).await {
        Ok(body) => (body, None),
        Err(error) => (bytes::Bytes::new(), Some(error)),
    };
    let error = named(dialect_of(target).decode_error(status, &headers, &body), target);
    match unread {
        Some(unread) => error.with_source(unread),
        None => error,
    }
}

/// What came instead of a stream: a whole reply, as of models that take tools in whole calls only. Some
/// vendors answer with a JSON error under status 200.
async fn unstreamed(target: &PreparedTarget, response: HttpResponse) -> Result<ChatResponse> {
    let dialect = dialect_of(target);
    let body = response.body.collect(ANSWER_LIMIT).await?;
    if let Some(error) = dialect.reply_facts(&body).error {
        return Err(error);
    }
    dialect.decode_response(&body).ok().filter(|reply| !reply.choices.is_empty()).ok_or_else(|| {
        let message = format!(
            "provider answered a stream request with `application/json` that is no reply: expected `{}`",
            dialect.framing().accept()
        );
        Error::new(ErrorKind::BadUpstream, message).with_status(StatusCode::OK)
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.get(..16).is_some_and(|kind| kind.eq_ignore_ascii_case(b"application/json"))
}

fn named(error: Error, target: &PreparedTarget) -> Error {
    if error.provider().is_some() { error } else { error.with_provider(target.target().spec.id.clone()) }
}
