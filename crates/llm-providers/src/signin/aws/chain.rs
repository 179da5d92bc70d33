//! A body of events that are signed one by one, each signature covering the one before, the first that of the
//! request's head. Vendor's page: <https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html>.
//!
//! An event is signed when the connection has room for it: signatures hold for five minutes, and a service may take
//! longer than that to listen.

use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use llm_types::{BodyStream, HttpRequest, Kept, Pieces, Result, Secret, Stored};
use sha2::{Digest as _, Sha256};

use super::super::fetch::stamp;
use super::AwsKeys;
use super::sign::fault;
use crate::framing::event_stream::{framed_length, put_bytes, put_moment, write_bytes, write_framed};

/// The most bytes of audio in one event; the service takes up to 32 KiB.
const CHUNK: usize = 16 << 10;
/// The name of the events.
const EVENT: &str = "AudioEvent";
/// Bytes of a signature.
const SIGNATURE: usize = 32;

/// The body of a request whose head is signed: its bytes as signed events, then one without any, which ends it.
///
/// # Errors
/// [`llm_types::ErrorKind::Unauthenticated`] when the head bears no signature.
pub(crate) fn chained(
    request: &mut HttpRequest,
    keys: &AwsKeys,
    (service, region): (&str, &str),
    clock: fn() -> SystemTime,
) -> Result<Pieces> {
    let seed = request.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let seed = seed.and_then(|value| value.rsplit_once("Signature=")).map(|(_, seed)| seed.to_owned());
    let body = std::mem::take(&mut request.body);
    let events = Events {
        length: length(body.len()),
        body,
        seed: seed.ok_or_else(fault)?,
        secret: keys.secret.clone(),
        scope: (service.to_owned(), region.to_owned()),
        clock,
    };
    let length = events.length;
    Ok(Kept::new(Arc::new(events), 0..length, Bytes::new(), None).into())
}

/// How many bytes the signed events of a body have.
fn length(body: usize) -> u64 {
    let event = |payload: usize| {
        let mut headers = BytesMut::new();
        put_moment(&mut headers, DATE, 0);
        put_bytes(&mut headers, SIGNED, &[0; SIGNATURE]);
        framed_length(headers.len(), payload)
    };
    let within = |bytes: usize| {
        let mut inner = BytesMut::new();
        write_bytes(&mut inner, EVENT, &[]);
        inner.len() + bytes
    };
    let full = body / CHUNK * event(within(CHUNK));
    let rest = if body.is_multiple_of(CHUNK) { 0 } else { event(within(body % CHUNK)) };
    (full + rest + event(0)) as u64
}

const DATE: &str = ":date";
const SIGNED: &str = ":chunk-signature";

/// A body to be signed.
struct Events {
    body: Bytes,
    length: u64,
    /// The signature of the head.
    seed: String,
    secret: Secret,
    /// Service and region.
    scope: (String, String),
    clock: fn() -> SystemTime,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Events({} bytes)", self.body.len())
    }
}

impl Stored for Events {
    /// The chain has one beginning: it is read whole, whatever the range.
    fn read(self: Arc<Self>, _range: Range<u64>) -> BodyStream {
        Box::pin(Chain { rest: self.body.clone(), before: self.seed.clone(), events: self, over: false })
    }
}

/// Events being signed.
struct Chain {
    events: Arc<Events>,
    rest: Bytes,
    /// The signature before.
    before: String,
    over: bool,
}

impl Chain {
    /// The next event with its signature, which the one after it covers.
    fn event(&mut self, chunk: &[u8]) -> Result<Bytes> {
        let mut payload = BytesMut::new();
        if !chunk.is_empty() {
            write_bytes(&mut payload, EVENT, chunk);
        }
        let since = (self.events.clock)().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = UNIX_EPOCH + Duration::from_secs(since);
        let unix_ms = i64::try_from(since).unwrap_or_default() * 1_000;
        let mut headers = BytesMut::new();
        put_moment(&mut headers, DATE, unix_ms);
        let (service, region) = &self.events.scope;
        let moment: String = stamp(now).chars().filter(|letter| !matches!(letter, '-' | ':')).collect();
        let day = &moment[..8];
        let text = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{moment}\n{day}/{region}/{service}/aws4_request\n{}\n{}\n{}",
            self.before,
            hex(&Sha256::digest(&headers)),
            hex(&Sha256::digest(&payload)),
        );
        let key = generate_signing_key(self.events.secret.reveal(), now, region, service);
        self.before = calculate_signature(key, text.as_bytes());
        put_bytes(&mut headers, SIGNED, &unhex(&self.before).ok_or_else(fault)?);
        let mut out = BytesMut::new();
        write_framed(&mut out, &headers, &payload);
        Ok(out.freeze())
    }
}

impl Stream for Chain {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        let size = self.rest.len().min(CHUNK);
        let chunk = self.rest.split_to(size);
        self.over = chunk.is_empty();
        Poll::Ready(Some(self.event(&chunk)))
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a string takes all text");
        out
    })
}

fn unhex(text: &str) -> Option<[u8; SIGNATURE]> {
    let mut out = [0; SIGNATURE];
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests;
