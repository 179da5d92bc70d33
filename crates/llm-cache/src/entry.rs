//! A kept reply and how long it may be given out.

use bytes::Bytes;
use llm_types::{ChatResponse, Error, ErrorKind, Result};

/// A kept reply: the canonical answer as JSON, so that every store keeps the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// A [`ChatResponse`] as JSON.
    pub body: Bytes,
    /// When it was kept, in Unix milliseconds.
    pub stored_ms: i64,
    /// When it must no longer be given out, in Unix milliseconds.
    pub expires_ms: i64,
}

impl Entry {
    /// Keeps a reply from `now_ms` on for `ttl_ms` milliseconds.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the reply cannot be written as JSON.
    pub fn new(reply: &ChatResponse, now_ms: i64, ttl_ms: i64) -> Result<Self> {
        let body = serde_json::to_vec(reply).map_err(|source| {
            Error::new(ErrorKind::Internal, "reply cannot be written as JSON for the cache")
                .with_source(source)
        })?;
        Ok(Self { body: body.into(), stored_ms: now_ms, expires_ms: now_ms.saturating_add(ttl_ms) })
    }

    /// The reply.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the kept bytes are not a reply, as when another version wrote them.
    pub fn reply(&self) -> Result<ChatResponse> {
        serde_json::from_slice(&self.body).map_err(|source| {
            Error::new(ErrorKind::Internal, "cached bytes are not a reply").with_source(source)
        })
    }

    /// Whether it must no longer be given out.
    #[must_use]
    pub const fn is_expired(&self, now_ms: i64) -> bool {
        now_ms >= self.expires_ms
    }
}

#[cfg(test)]
mod tests;
