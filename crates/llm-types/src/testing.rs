//! Helpers for tests of this crate and of those built on it (feature `testing`).

use std::sync::Mutex;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Version};

use crate::{Body, BoxFuture, Error, ErrorKind, HttpRequest, HttpResponse, Result, Transport};

/// A transport that answers from a list and keeps what it was asked.
#[derive(Debug, Default)]
pub struct ReplayTransport {
    replies: Mutex<Vec<(StatusCode, HeaderMap, Bytes)>>,
    asked: Mutex<Vec<HttpRequest>>,
}

impl ReplayTransport {
    /// Adds a reply; replies are given in the order they were added.
    ///
    /// # Panics
    /// When another user of the list panicked.
    #[must_use]
    pub fn reply(self, status: u16, body: impl Into<Bytes>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.replies.lock().expect("no poisoned list").push((status, HeaderMap::new(), body.into()));
        self
    }

    /// Everything asked so far.
    ///
    /// # Panics
    /// When another user of the list panicked.
    #[must_use]
    pub fn asked(&self) -> Vec<HttpRequest> {
        self.asked.lock().expect("no poisoned list").clone()
    }
}

impl Transport for ReplayTransport {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse>> {
        let mut replies = self.replies.lock().expect("no poisoned list");
        self.asked.lock().expect("no poisoned list").push(request);
        let answer = if replies.is_empty() {
            Err(Error::new(ErrorKind::Unreachable, "no reply left to replay"))
        } else {
            let (status, headers, body) = replies.remove(0);
            Ok(HttpResponse { status, headers, version: Version::HTTP_11, body: Body::Full(body) })
        };
        Box::pin(async move { answer })
    }
}
