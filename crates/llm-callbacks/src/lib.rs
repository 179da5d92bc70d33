//! Usage events delivered to observability tools.
//!
//! A [`Sink`] takes batches of finished calls; a [`Hub`] hands every event to every sink through a
//! queue of its own, so that a slow sink neither delays calls nor starves the others. A full queue
//! drops events and counts them. The runtime belongs to the caller: [`Hub::new`] returns the
//! workers to be spawned.

mod hub;
mod sink;

pub use hub::{Hub, SinkStats, Worker};
pub use sink::Sink;
