//! A stream on its way to the caller: it flows through and settles at its end.

use std::future::Future as _;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream as _;
use gateway_db::End;
use http::StatusCode;
use llm_providers::Framing;
use llm_providers::dialects::openai::responses::last_reply;
use llm_providers::framing::event_stream;
use llm_router::Ticket;
use llm_types::{Body, Error, ErrorKind};
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep};

use super::dispatch::without_secrets;
use super::pings::Pings;
use super::pump::Pump;
use super::relay::note_usage;
use super::resume::{Resume, Resumed};
use super::settle::Tail;
use super::{Call, background};

/// How long a provider may keep its body open when it has said that the answer is complete.
const GRACE: Duration = Duration::from_millis(250);

/// A stream on its way to the caller. Its tail settles when it ends, or when it is dropped.
#[derive(Debug)]
pub(crate) struct Stream {
    tail: Owed,
    ticket: Option<Ticket>,
    pump: Pump,
    /// How the caller's bytes are cut into frames.
    framing: Framing,
    /// Bytes for the caller, from `next` on.
    queue: Vec<Bytes>,
    next: usize,
    rest: Body,
    ended: bool,
    /// Runs from the provider's last word on: a body that is not closed then is not waited for.
    grace: Option<Pin<Box<Sleep>>>,
    goes_on: bool,
    /// Bytes without words of their own for an error.
    bare: bool,
    /// The body is to break off instead of ending.
    breaks: bool,
    /// What it needs to go on elsewhere, where it may.
    resume: Option<Resume>,
    /// Its signs of life, where it gets any.
    pings: Option<Pings>,
}

/// A reply on its way, as an attempt brought it.
#[derive(Debug)]
pub(super) struct Source {
    /// What turns the provider's bytes into the caller's.
    pub(super) pump: Pump,
    /// How the caller's bytes are cut into frames.
    pub(super) framing: Framing,
    /// What the caller gets first.
    pub(super) first: Vec<Bytes>,
    /// The rest, in the provider's dialect.
    pub(super) rest: Body,
    /// The provider's body has already ended.
    pub(super) ended: bool,
    /// The provider makes the reply whether somebody listens or not, and tells of it later.
    pub(super) goes_on: bool,
    /// The bytes have no words of their own for an error: where they are cut the connection breaks off.
    pub(super) bare: bool,
    /// Its signs of life, where it gets any.
    pub(super) pings: Option<Pings>,
}

/// The tail of a stream, which leaves it before the end only when somebody else settles it.
#[derive(Debug)]
struct Owed(Option<Box<Tail>>);

impl Deref for Owed {
    type Target = Tail;

    fn deref(&self) -> &Tail {
        self.0.as_deref().expect("a tail leaves its stream when the stream has ended")
    }
}

impl DerefMut for Owed {
    fn deref_mut(&mut self) -> &mut Tail {
        self.0.as_deref_mut().expect("a tail leaves its stream when the stream has ended")
    }
}

impl Stream {
    /// The stream of a reply whose first bytes have arrived.
    pub(super) fn new(tail: Box<Tail>, ticket: Ticket, source: Source) -> Self {
        let Source { pump, framing, first, rest, ended, goes_on, bare, pings } = source;
        let mut stream = Self {
            tail: Owed(Some(tail)),
            ticket: Some(ticket),
            pump,
            framing,
            queue: first,
            next: 0,
            rest,
            ended: false,
            grace: None,
            goes_on,
            bare,
            breaks: false,
            resume: None,
            pings,
        };
        if ended && stream.pump.held().is_some() {
            // Whether another deployment goes on shows when the caller has taken what there is.
            stream.rest = Body::Full(Bytes::new());
        } else if ended {
            stream.hide_secrets();
            stream.end(None);
        }
        stream
    }

    /// Lets the stream go on elsewhere, for the call it answers.
    pub(super) fn outlast(&mut self, call: Call) {
        self.resume = Some(Resume::new(Arc::new(call)));
    }

    /// The next bytes for the caller.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(piece) = self.queue.get_mut(self.next) {
                self.next += 1;
                if let Some(notes) = self.tail.0.as_mut().and_then(|tail| tail.notes.as_mut()) {
                    notes.hear(piece, matches!(self.pump, Pump::Listed(_)));
                }
                let piece = std::mem::take(piece);
                if let Some(pings) = &mut self.pings {
                    pings.passed(&piece, Instant::now());
                }
                return Poll::Ready(Some(piece));
            }
            self.queue.clear();
            self.next = 0;
            if self.ended {
                return Poll::Ready(None);
            }
            if let Some(resume) = self.resume.as_mut().filter(|resume| resume.is_going()) {
                match resume.poll(cx) {
                    Poll::Pending => return self.ping(cx),
                    Poll::Ready(Ok(resumed)) => self.go_on(resumed),
                    Poll::Ready(Err(error)) => self.give_up(&error.to_string()),
                }
                continue;
            }
            match Pin::new(&mut self.rest).poll_next(cx) {
                Poll::Pending if self.lingers(cx) => return self.ping(cx),
                Poll::Ready(Some(Ok(bytes))) => {
                    self.pump.push(bytes, &mut self.queue);
                    // The caller was told of an error: what else the provider sends is not waited for.
                    if self.pump.facts().error.is_some() {
                        self.over(None);
                    }
                }
                Poll::Ready(Some(Err(error))) => self.over(Some(&error)),
                Poll::Pending | Poll::Ready(None) => self.over(None),
            }
        }
    }

    /// A sign of life, when the silence has lasted.
    fn ping(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.pings.as_mut().map_or(Poll::Pending, |pings| pings.poll(cx).map(Some))
    }

    /// The provider says nothing more: the stream goes on elsewhere, or ends.
    fn over(&mut self, cut: Option<&Error>) {
        self.rest = Body::Full(Bytes::new());
        self.pump.finish(cut, &mut self.queue);
        if self.pump.held().is_none() {
            self.hide_secrets();
            self.close(cut);
            return;
        }
        match self.hand_over() {
            Ok(()) => {}
            Err(why) => self.give_up(why),
        }
    }

    /// Looks for another deployment that goes on; what this one has used is paid for.
    fn hand_over(&mut self) -> Result<(), &'static str> {
        let resume = self.resume.as_mut().ok_or("the call is not watched")?;
        let said = resume.can_go_on(self.pump.said().ok_or("nothing is known of the answer")?)?;
        let tail = self.tail.0.as_deref_mut().ok_or("the call is settled")?;
        let served = tail.asked.lock().clone().ok_or("no deployment was asked")?;
        let facts = self.pump.facts();
        let share = tail.share_of(&served, facts);
        tail.pay(&share);
        tail.shares.add(share);
        tail.shared = true;
        if let Some(mut ticket) = self.ticket.take() {
            note_usage(&mut ticket, facts, tail.now());
            if let Some(error) = &facts.error {
                tail.core().shared.metrics.attempts.failed(&served.deployment, error);
                tail.core().shared.metrics.attempts.rest(&ticket.fail(error, tail.now()));
            }
        }
        self.grace = None;
        let failed = served.deployment.id.clone();
        resume.begin(failed, tail, said);
        Ok(())
    }

    /// Another deployment goes on.
    fn go_on(&mut self, resumed: Resumed) {
        let Resumed { served, next, rest, ticket, fallbacks, retries } = resumed;
        let metrics = &self.tail.core().shared.metrics;
        // A stream that goes on twice is one stream.
        if self.resume.as_ref().is_some_and(Resume::is_first) {
            metrics.failovers.fetch_add(1, Relaxed);
        }
        let (from, to) = (self.tail.deployment(), served.deployment.id.as_str());
        tracing::info!(call = %self.tail.shown(), from, to, "a stream broke off and goes on elsewhere");
        self.tail.fallbacks += 1 + fallbacks;
        self.tail.retries += retries;
        self.tail.shared = false;
        *self.tail.asked.lock() = Some(served);
        self.ticket = Some(ticket);
        self.rest = rest;
        self.pump.go_on(next, &mut self.queue);
        if self.pump.facts().error.is_some() {
            self.over(None);
        }
    }

    /// Nobody goes on: the caller is told of the error.
    fn give_up(&mut self, why: &str) {
        tracing::warn!(call = %self.tail.shown(), why, "a stream broke off and goes on nowhere");
        self.pump.give_up(&mut self.queue);
        self.hide_secrets();
        self.close(None);
    }

    /// Whether the provider's body is still waited for: until its last word, and a moment longer, so that
    /// its connection can be used again.
    fn lingers(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.pump.facts().complete {
            return true;
        }
        let grace = self.grace.get_or_insert_with(|| Box::pin(sleep(GRACE)));
        grace.as_mut().poll(cx).is_pending()
    }

    /// Whether nothing more will come.
    pub(crate) fn is_over(&self) -> bool {
        self.ended && self.next >= self.queue.len() && !self.breaks
    }

    /// Whether the body is to break off now; once.
    pub(crate) fn breaks_off(&mut self) -> bool {
        std::mem::take(&mut self.breaks)
    }

    /// Whether another deployment went on with it.
    fn went_on(&self) -> bool {
        self.resume.as_ref().is_some_and(Resume::went_on)
    }

    /// Keeps the reply that the last frames hold.
    fn keep(&mut self) {
        // What went on elsewhere is kept here, though its beginning was to be kept by its provider.
        let resume = self.resume.as_ref().filter(|_| self.went_on());
        let again = resume.and_then(|resume| resume.call().keep.clone());
        let Some(keep) = again.or_else(|| self.tail.keep.take()) else { return };
        let deployment = &*self.tail.deployment();
        match &self.pump {
            Pump::Forward(_) | Pump::Kept(_) => {
                if let Some(id) = self.pump.own_id() {
                    keep.elsewhere(deployment, id);
                }
            }
            Pump::Translate(translation) => {
                if let Some(reply) = last_reply(translation.last()) {
                    let told = reply["id"].as_str().filter(|_| self.went_on()).map(str::to_owned);
                    let keep = told.into_iter().fold(keep, |keep, id| keep.named(&id));
                    keep.held(deployment, reply.to_string());
                }
            }
            // Lists are Gemini's callers', whose replies are not kept.
            Pump::Listed(_) => {}
            Pump::Written(_) => {
                if let Some(reply) = self.queue.last().and_then(|frames| last_reply(frames)) {
                    keep.held(deployment, reply.to_string());
                }
            }
        }
    }

    /// Takes out of an error on its way to the caller what the provider repeats of our sign-in.
    fn hide_secrets(&mut self) {
        if self.pump.facts().error.is_none() {
            return;
        }
        let Some(served) = self.tail.asked.lock().clone() else { return };
        let hide = |text: &[u8]| {
            let words = std::str::from_utf8(text).ok();
            words.and_then(|words| without_secrets(&served, words)).map(String::into_bytes)
        };
        for piece in &mut self.queue {
            let hidden = match self.framing {
                Framing::EventStream => event_stream::rewrite(piece, hide),
                Framing::Sse | Framing::Ndjson => hide(piece).map(Bytes::from),
            };
            if let Some(hidden) = hidden {
                *piece = hidden;
            }
        }
    }

    /// The provider's body is over: writes what is still owed to the caller, and settles.
    fn end(&mut self, cut: Option<&Error>) {
        self.rest = Body::Full(Bytes::new());
        self.pump.finish(cut, &mut self.queue);
        self.close(cut);
    }

    /// Settles.
    fn close(&mut self, cut: Option<&Error>) {
        self.ended = true;
        if let Some(notes) = &mut self.tail.notes {
            // What the caller has not taken yet is told, too.
            let is_list = matches!(self.pump, Pump::Listed(_));
            self.queue[self.next..].iter().for_each(|piece| notes.hear(piece, is_list));
        }
        let facts = self.pump.facts();
        let (complete, told) = (facts.complete, facts.error.clone());
        self.tail.facts = Some(Box::new(self.pump.facts().clone()));
        let mut ticket = self.ticket.take();
        if let Some(ticket) = &mut ticket {
            let now = self.tail.now();
            note_usage(ticket, self.pump.facts(), now);
            self.tail.answered_by(ticket, now);
        }
        if complete && cut.is_none() {
            self.keep();
            self.tail.settle(End::Completed, StatusCode::OK, None);
            return;
        }
        let truncated =
            || Error::new(ErrorKind::BadUpstream, "the provider's stream ended before it was complete");
        self.breaks = self.bare;
        let is_told = told.is_some();
        let error = told.or_else(|| cut.cloned()).unwrap_or_else(truncated);
        if let Some(ticket) = ticket {
            let rests = ticket.fail(&error, self.tail.now());
            let attempts = &self.tail.core().shared.metrics.attempts;
            attempts.rest(&rests);
            if let Some(served) = &*self.tail.asked.lock() {
                attempts.failed(&served.deployment, &error);
            }
        }
        if !is_told && self.follow() {
            return;
        }
        self.tail.settle(End::Cut, StatusCode::OK, Some(&error));
    }

    /// Leaves the tail to whoever follows the reply at its provider, where one makes it to the end.
    fn follow(&mut self) -> bool {
        let follows = self.goes_on && self.pump.facts().id.is_some() && Handle::try_current().is_ok();
        if follows && let Some(tail) = self.tail.0.take() {
            background::follow(tail);
        }
        follows
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Whoever is being asked to go on leaves what it has used.
        self.resume = None;
        if self.ended {
            return;
        }
        let facts = self.pump.facts();
        let whole = facts.complete && facts.error.is_none();
        self.tail.facts = Some(Box::new(self.pump.facts().clone()));
        if whole {
            // The client left with the whole answer, before the provider closed its body.
            self.end(None);
        } else {
            // The client left: what it had received so far is what it is charged for, unless the reply is
            // made without it.
            self.follow();
        }
    }
}
