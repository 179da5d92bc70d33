//! The contract of a place that keeps replies.

use std::fmt;

use llm_types::{BoxFuture, Result};

use crate::{CacheKey, Entry};

/// Keeps replies. A store may forget an entry at any time, but never gives out an expired one.
pub trait Store: Send + Sync + fmt::Debug {
    /// The reply kept under a key, unless it has expired at `now_ms` (Unix milliseconds).
    ///
    /// # Errors
    /// What the store failed with; callers treat it as a miss and count it.
    fn fetch<'a>(&'a self, key: &'a CacheKey, now_ms: i64) -> BoxFuture<'a, Result<Option<Entry>>>;

    /// Keeps a reply; one already kept under the key is replaced.
    ///
    /// # Errors
    /// What the store failed with; the answer to the caller does not depend on it.
    fn put<'a>(&'a self, key: CacheKey, entry: Entry, now_ms: i64) -> BoxFuture<'a, Result<()>>;

    /// Forgets a reply; forgetting an unknown one is no error.
    ///
    /// # Errors
    /// What the store failed with.
    fn remove<'a>(&'a self, key: &'a CacheKey) -> BoxFuture<'a, Result<()>>;
}
