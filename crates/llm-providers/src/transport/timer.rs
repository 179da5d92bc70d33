//! Waiting with a limit, at almost no cost: one timer per connection, armed once and moved only when it
//! fires too early.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use llm_types::{Error, ErrorKind, Timeouts};
use tokio::time::{Duration, Instant, Sleep};

/// What is being waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    FirstByte,
    Read,
}

/// Limits of one exchange. Without limits it never looks at the clock; with them it arms one timer, which
/// stays armed across exchanges of a connection: it fires at the earliest limit it was armed for, finds
/// that the limit has moved, and is armed again. So a connection that serves many requests a second
/// touches the timer wheel once per limit, not once per request.
#[derive(Debug, Default)]
pub(super) struct Timer {
    limits: Timeouts,
    total_at: Option<Instant>,
    /// When the exchange began, until the first wait has been given its limit.
    begun: Option<Instant>,
    phase_at: Option<(Instant, Phase)>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// Begins an exchange `now`; `total_at` is when all of it must be over.
    pub(super) fn begin(&mut self, limits: Timeouts, now: Instant, total_at: Option<Instant>) {
        self.limits = limits;
        self.total_at = total_at;
        self.begun = Some(now);
        self.phase_at = None;
    }

    /// Something arrived: the next wait is a new one.
    pub(super) fn progress(&mut self) {
        self.phase_at = None;
    }

    /// Called when there is nothing to do but wait: ready with an error once a limit has passed.
    pub(super) fn poll_limit(&mut self, phase: Phase, cx: &mut Context<'_>) -> Poll<Error> {
        let limit = match phase {
            Phase::FirstByte => self.limits.first_byte,
            Phase::Read => self.limits.read,
        };
        if limit.is_none() && self.total_at.is_none() {
            return Poll::Pending;
        }
        if self.phase_at.is_none_or(|(_, of)| of != phase) {
            let now = self.begun.take().filter(|_| phase == Phase::FirstByte).unwrap_or_else(Instant::now);
            self.phase_at = limit.map(|limit| (now + limit, phase));
        }
        loop {
            let phase_at = self.phase_at.map(|(at, _)| at);
            let Some(at) = earliest(phase_at, self.total_at) else { return Poll::Pending };
            let sleep = match &mut self.sleep {
                Some(sleep) => {
                    if sleep.deadline() > at || sleep.is_elapsed() {
                        sleep.as_mut().reset(at);
                    }
                    sleep
                }
                none => none.insert(Box::pin(tokio::time::sleep_until(at))),
            };
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= at {
                let total = self.total_at == Some(at);
                return Poll::Ready(self.error(phase, total));
            }
        }
    }

    fn error(&self, phase: Phase, total: bool) -> Error {
        match phase {
            _ if total => timed_out("the whole answer", self.limits.total),
            Phase::FirstByte => timed_out("the first byte of the answer", self.limits.first_byte),
            Phase::Read => timed_out("the next part of the answer", self.limits.read),
        }
    }
}

/// The error of a limit that has passed.
pub(super) fn timed_out(what: &str, limit: Option<Duration>) -> Error {
    let seconds = limit.unwrap_or_default().as_secs_f64();
    Error::new(ErrorKind::Timeout, format!("timeout: waited {seconds} s for {what}"))
}

/// The earlier of two limits.
pub(super) fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
