//! What walk tests are made of: a gateway in this process, providers made of sockets, a raw client.
//!
//! Nothing here sleeps for a fixed time: every wait is for a condition and ends in a panic at
//! [`PATIENCE`]. Everything is blocking, because a gateway brings its own threads.

mod call;
mod flow;
mod gateway;
mod log;
mod script;
mod upstream;
mod wire;

use std::time::{Duration, Instant};

pub(crate) use call::Call;
pub(crate) use flow::{Answer, Flow};
pub(crate) use gateway::{MASTER, Running, Setup, gateway, part_spend};
pub(crate) use log::logged;
pub(crate) use script::{Gate, Reply};
pub(crate) use upstream::{Seen, Upstream};
pub(crate) use wire::{anthropic, openai};

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Waits until something is there.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || holds().then_some(()));
}
