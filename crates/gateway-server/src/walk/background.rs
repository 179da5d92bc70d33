//! Replies that nobody waits for: made here to the end though the caller leaves, or followed where a
//! provider makes them. Either way the tail is settled with what was used.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use gateway_db::{End, StoredResponse};
use http::{Method, Response, StatusCode};
use llm_providers::Encoded;
use llm_providers::dialects::openai::responses::{last_reply, placeholder};
use llm_providers::framing::sse::{self, Splitter};
use llm_types::{Error, ErrorKind, HttpResponse, Result};
use serde_json::Value;
use tokio::sync::{Notify, mpsc};

use super::dispatch::{self, named, reply_context, sign_in};
use super::{Call, Tail};
use crate::answer::{self, ReplyBody};
use crate::responses;
use crate::state::{Core, Served};

/// How often a reply being made is said to be under way, and a wish to stop it, told to another instance,
/// is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Pauses between questions to a provider that makes a reply: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a provider's reply is followed.
const FOLLOWED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Pieces of a stream that may wait for a slow caller.
const PIECES: usize = 64;
/// Largest reply taken, bytes.
const REPLY_LIMIT: usize = 512 * 1024 * 1024;

/// Makes a reply in the background; the caller gets it as it stands, or its stream.
pub(super) async fn begin(call: Call, mut tail: Box<Tail>) -> Response<ReplyBody> {
    let Some(keep) = call.keep.clone() else {
        let error = Error::new(ErrorKind::Internal, "a background reply has no record");
        return fail(&call, &mut tail, &error);
    };
    let queued = placeholder("queued", None, &reply_context(&call));
    let record = StoredResponse {
        held: true,
        reply: Some(queued.to_string()),
        lease_until: responses::lease(),
        ..keep.record().clone()
    };
    if let Err(error) = responses::keep_now(&call.core.shared, record.clone()).await {
        return fail(&call, &mut tail, &error);
    }
    tail.keep = None;
    let stop = call.core.shared.responses.begin(&record.id);
    let (sender, pieces) = mpsc::channel(PIECES);
    let streams = call.wants_stream;
    let shown_id = call.shown_id.clone();
    tokio::spawn(async move {
        let run = Run { call, record, pieces: streams.then_some(sender), last: None };
        run.finish(tail, stop).await;
    });
    let mut response = if streams {
        answer::event_stream(ReplyBody::Piped(pieces))
    } else {
        answer::json_response(StatusCode::OK, &queued)
    };
    response.headers_mut().insert(answer::names::CALL_ID, shown_id);
    response
}

fn fail(call: &Call, tail: &mut Tail, error: &Error) -> Response<ReplyBody> {
    let response = answer::error_response(error, call.dialect);
    tail.settle(End::Failed, response.status(), Some(error));
    call.stamp(response)
}

/// One reply being made.
struct Run {
    call: Call,
    record: StoredResponse,
    /// Where the caller, if it listens, gets the stream.
    pieces: Option<mpsc::Sender<Bytes>>,
    /// The reply as the last frame told it.
    last: Option<Value>,
}

impl Run {
    async fn finish(mut self, tail: Box<Tail>, stop: Arc<Notify>) {
        let (core, id) = (Arc::clone(&self.call.core), self.record.id.clone());
        let stopped = tokio::select! {
            () = self.make(tail) => false,
            () = stopped(&core, &id, &stop) => true,
        };
        // Whatever was under way is dropped by now: the provider's connection is closed and what it had
        // sent is charged.
        if stopped {
            self.last = Some(placeholder("cancelled", None, &reply_context(&self.call)));
        }
        let unfinished = || {
            let error = Error::new(ErrorKind::BadUpstream, "the response ended before it was complete");
            placeholder("failed", Some(&error), &reply_context(&self.call))
        };
        let reply = self.last.take().unwrap_or_else(unfinished);
        self.record.reply = Some(reply.to_string());
        self.record.lease_until = None;
        let shared = &self.call.core.shared;
        if let Err(error) = responses::keep_now(shared, self.record.clone()).await {
            tracing::error!(%error, "a background response could not be stored");
        }
        shared.responses.end(&self.record.id);
    }

    /// Asks the model and takes its answer to the end.
    async fn make(&mut self, tail: Box<Tail>) {
        let mut stream = match dispatch::ask(&mut self.call, tail).await.map(Response::into_body) {
            Ok(ReplyBody::Stream(stream)) => stream,
            Ok(ReplyBody::Full(_) | ReplyBody::Early(_) | ReplyBody::Piped(_)) => return,
            Err(refused) => {
                let error = refused.error(&self.call);
                self.failed(&error).await;
                return;
            }
        };
        let mut frames = Splitter::new();
        while let Some(piece) = poll_fn(|cx| stream.poll_piece(cx)).await {
            self.tell(&piece).await;
            frames.push(piece);
            while let Ok(Some(frame)) = frames.next_raw() {
                self.note(&frame).await;
            }
        }
    }

    /// A caller that has left is not told: the reply is made for later.
    async fn tell(&mut self, piece: &Bytes) {
        if let Some(pieces) = &self.pieces
            && pieces.send(piece.clone()).await.is_err()
        {
            self.pieces = None;
        }
    }

    /// Takes the reply of a frame as it stands; the first one is kept before the next is taken, so that it
    /// cannot replace a later one.
    async fn note(&mut self, frame: &[u8]) {
        let Some(reply) = last_reply(frame) else { return };
        let begins = self.last.is_none();
        if begins {
            let (reply, lease_until) = (Some(reply.to_string()), responses::lease());
            let record = StoredResponse { reply, lease_until, ..self.record.clone() };
            if let Err(error) = responses::keep_now(&self.call.core.shared, record).await {
                tracing::warn!(%error, "a background response reads as queued until it is made");
            }
        }
        self.last = Some(reply);
    }

    /// No deployment answered: the error becomes the reply.
    async fn failed(&mut self, error: &Error) {
        let reply = placeholder("failed", Some(error), &reply_context(&self.call));
        let mut frame = BytesMut::new();
        let event = serde_json::json!({"type": "response.failed", "sequence_number": 0, "response": reply});
        sse::write(&mut frame, "response.failed", event.to_string().as_bytes());
        self.tell(&frame.freeze()).await;
        self.last = Some(reply);
    }
}

/// Returns when a reply is to stop: told here, or through the database by another instance.
async fn stopped(core: &Arc<Core>, id: &str, stop: &Notify) {
    loop {
        tokio::select! {
            () = stop.notified() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        match responses::renew(&core.shared, id).await {
            Ok(Some(record)) if record.cancel => return,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a response being made could not be said to be under way"),
        }
    }
}

/// Whether a provider's reply is not the answer yet.
pub(super) fn is_under_way(reply: &[u8]) -> bool {
    let status = llm_providers::scan::value(reply).ok().and_then(|reply| reply.member("status")?.as_str());
    matches!(status.as_deref(), Some("queued" | "in_progress"))
}

/// Follows a reply that its provider makes, and settles its tail when it is made.
pub(super) fn follow(mut tail: Box<Tail>) {
    let core = Arc::clone(tail.core());
    let id = tail.facts.as_ref().and_then(|facts| facts.id.clone()).unwrap_or_default();
    let served = tail.asked.lock().clone();
    let Some(served) = served else { return };
    tokio::spawn(async move {
        match ended(&core, &served, &id).await {
            Ok(reply) => {
                let facts = responses_facts(&reply);
                let status = status_of(&reply);
                let error = facts.error.clone();
                tail.facts = Some(Box::new(facts));
                let end = match status.as_deref() {
                    Some("cancelled") => End::HungUp,
                    Some("failed") => End::Failed,
                    _ => End::Completed,
                };
                tail.settle(end, StatusCode::OK, error.as_ref());
            }
            Err(error) => {
                tracing::warn!(%error, "what a background response used is not known and is estimated");
                tail.settle(End::Cut, StatusCode::OK, Some(&error));
            }
        }
    });
}

fn responses_facts(reply: &Bytes) -> llm_providers::ReplyFacts {
    llm_providers::dialects::OPENAI_RESPONSES.reply_facts(reply)
}

fn status_of(reply: &[u8]) -> Option<String> {
    let reply = llm_providers::scan::value(reply).ok()?;
    reply.member("status")?.as_str().map(Into::into)
}

/// Asks the provider until the reply has ended.
async fn ended(core: &Arc<Core>, served: &Served, id: &str) -> Result<Bytes> {
    let began = tokio::time::Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut misses = 0;
    while began.elapsed() < FOLLOWED_FOR {
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        match ask(core, served, Method::GET, &format!("/{id}")).await {
            Ok((_, reply)) if is_under_way(&reply) => misses = 0,
            Ok((_, reply)) => return Ok(reply),
            Err(error) if error.kind() == ErrorKind::NotFound || misses > 30 => return Err(error),
            Err(_) => misses += 1,
        }
    }
    Err(Error::new(ErrorKind::Timeout, "the provider did not finish the response within a day"))
}

/// Asks a deployment's provider about replies it keeps: the path behind `/responses`.
///
/// # Errors
/// The provider's.
pub(crate) async fn ask(
    core: &Arc<Core>,
    served: &Served,
    method: Method,
    path: &str,
) -> Result<(http::HeaderMap, Bytes)> {
    let encoded = Encoded { path: format!("/responses{path}"), ..Encoded::default() };
    let mut request = served.target.request(encoded)?;
    request.method = method;
    if let Some(credential) = served.target.credential() {
        sign_in(core, credential).await.map_err(|error| named(error, served))?;
    }
    served.target.seal(&mut request, SystemTime::now)?;
    let name = |error| named(error, served);
    let HttpResponse { status, headers, body, .. } = core.transport.exchange(request).await.map_err(name)?;
    let reply = body.collect(REPLY_LIMIT).await.map_err(name)?;
    if !status.is_success() {
        let error = llm_providers::dialects::OPENAI_RESPONSES.decode_error(status, &headers, &reply);
        return Err(name(error));
    }
    Ok((headers, reply))
}
