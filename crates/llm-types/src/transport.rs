//! The transport contract: send one HTTP request, get a head and a body that streams.
//!
//! Declared here so that providers, callback sinks and webhooks share it and library users may bring
//! their own client; the hyper implementation lives in `llm-providers`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::{HeaderMap, Method, StatusCode, Uri, Version};

use crate::{Error, ErrorKind, Result};

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A body that arrives in pieces.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// How long a transport may wait; `None` waits for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// To open a connection, TLS included.
    pub connect: Option<Duration>,
    /// From sending the request to the first byte of the answer's head.
    pub first_byte: Option<Duration>,
    /// Between two pieces of the body.
    pub read: Option<Duration>,
    /// From the start to the last byte.
    pub total: Option<Duration>,
}

/// One request, ready to be sent.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub uri: Uri,
    /// Headers, sign-in included; values that are secret are marked sensitive.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// How long to wait.
    pub timeouts: Timeouts,
}

/// The answer: its head, and a body that may still be arriving.
#[derive(Debug)]
pub struct HttpResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers; `content-encoding` is already undone and removed.
    pub headers: HeaderMap,
    /// The protocol version that was spoken.
    pub version: Version,
    /// The body.
    pub body: Body,
}

/// A response body: whole, or still arriving.
pub enum Body {
    /// All of it.
    Full(Bytes),
    /// Pieces as they come.
    Stream(BodyStream),
}

impl Body {
    /// Reads everything, refusing more than `limit` bytes.
    ///
    /// # Errors
    /// What the stream failed with, or [`ErrorKind::BadUpstream`] when the body is larger than `limit`.
    pub async fn collect(self, limit: usize) -> Result<Bytes> {
        let too_large =
            || Error::new(ErrorKind::BadUpstream, format!("provider answer is larger than {limit} bytes"));
        match self {
            Self::Full(bytes) if bytes.len() > limit => Err(too_large()),
            Self::Full(bytes) => Ok(bytes),
            Self::Stream(mut stream) => {
                let mut all = BytesMut::new();
                while let Some(piece) = next(&mut stream).await.transpose()? {
                    if all.len() + piece.len() > limit {
                        return Err(too_large());
                    }
                    all.extend_from_slice(&piece);
                }
                Ok(all.freeze())
            }
        }
    }
}

impl Stream for Body {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut *self {
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Self::Stream(stream) => stream.as_mut().poll_next(cx),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

async fn next(stream: &mut BodyStream) -> Option<Result<Bytes>> {
    std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await
}

/// Sends HTTP requests. Implementations pool connections and must be cheap to share.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends one request and waits for the head of its answer, whatever the status.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] without a connection, [`ErrorKind::Timeout`] when a time of
    /// [`Timeouts`] has passed, [`ErrorKind::BadUpstream`] when the answer is not HTTP.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse>>;
}
