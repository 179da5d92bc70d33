//! Signs of life in streams where nothing happens for long, so that nobody between caller and gateway takes the
//! connection for dead: a model may think for minutes before it says a word. Callers leave them out.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use llm_providers::{DialectId, Framing};
use tokio::time::{Instant, Sleep, sleep_until};

use super::Call;
use crate::state::Served;

/// A comment of server-sent events, which nobody reads.
const COMMENT: &[u8] = b": ping\n\n";
/// What Messages have for it.
const EVENT: &[u8] = b"event: ping\ndata: {\"type\": \"ping\"}\n\n";

/// Signs of life of one stream.
#[derive(Debug)]
pub(crate) struct Pings {
    pause: Duration,
    sign: &'static [u8],
    /// When something passed last.
    last: Instant,
    /// What passed last ended with an event: nothing may come between the lines of one.
    between: bool,
    /// Runs from the first silence on.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pings {
    fn new(pause: Duration, dialect: DialectId, now: Instant) -> Self {
        let sign = if dialect == DialectId::Anthropic { EVENT } else { COMMENT };
        Self { pause, sign, last: now, between: true, timer: None }
    }

    /// A piece is on its way to the caller.
    pub(super) fn passed(&mut self, piece: &[u8], now: Instant) {
        if !piece.is_empty() {
            self.last = now;
            self.between = piece.ends_with(b"\n\n") || piece.ends_with(b"\n\r\n");
        }
    }

    /// The next sign, when it is time for it.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        loop {
            let due = self.last + self.pause;
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
            ready!(timer.as_mut().poll(cx));
            let now = Instant::now();
            let next = self.look(now);
            if let Some(timer) = &mut self.timer {
                timer.as_mut().reset(next.unwrap_or(now + self.pause));
            }
            if next.is_none() {
                return Poll::Ready(Bytes::from_static(self.sign));
            }
        }
    }

    /// When to look again; nothing where a sign is due now.
    fn look(&mut self, now: Instant) -> Option<Instant> {
        let due = self.last + self.pause;
        if due > now {
            return Some(due);
        }
        if !self.between {
            return Some(now + self.pause);
        }
        self.last = now;
        None
    }
}

impl Call {
    /// The signs of life of this call's stream, if it gets any: the deployment's word counts, then the caller's
    /// where the deployment lets callers choose, then the operator's for all.
    pub(super) fn pings(&self, served: Option<&Served>) -> Option<Pings> {
        let calls = &self.snapshot.config.calls;
        if self.listed || self.dialect.framing() != Framing::Sse {
            return None;
        }
        let own = served.map(|served| served.keepalive).unwrap_or_default();
        let said = match own.pause {
            // Never is never.
            Some(None) => return None,
            said => self.keepalive.filter(|_| own.callers_choose).or(said),
        };
        let messages = || calls.message_pings.filter(|_| self.dialect.id() == DialectId::Anthropic);
        let pause = said.unwrap_or_else(|| calls.keepalive.or_else(messages))?;
        Some(Pings::new(pause, self.dialect.id(), Instant::now()))
    }

    /// Whether its stream gets signs of life before any provider has answered.
    pub(super) fn is_pinged_early(&self) -> bool {
        self.snapshot.config.calls.keepalive.is_some() && self.glance.stream && self.pings(None).is_some()
    }
}

#[cfg(test)]
mod tests;
