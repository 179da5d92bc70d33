//! The contract of a tool that takes usage events.

use std::fmt;
use std::sync::Arc;

use llm_types::{BoxFuture, CallEvent, Result};

/// Takes finished calls in batches.
pub trait Sink: Send + Sync + fmt::Debug {
    /// The sink's name in settings, logs and counters.
    fn name(&self) -> &str;

    /// Delivers a batch, oldest event first. The next batch follows when this one is done.
    ///
    /// # Errors
    /// Why the batch was not delivered; its events are counted as failed and not offered again, so a
    /// sink that wants to retry does so before it returns.
    fn send<'a>(&'a self, batch: &'a [Arc<CallEvent>]) -> BoxFuture<'a, Result<()>>;
}
