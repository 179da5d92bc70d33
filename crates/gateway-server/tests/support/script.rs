//! What a provider answers: a head and steps, told in the order they happen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

/// Something a scripted answer waits for, opened by the test.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<AtomicBool>);

impl Gate {
    /// Lets the answer go on.
    pub(crate) fn open(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// One thing a provider does.
#[derive(Clone)]
pub(super) enum Step {
    /// Sends bytes of the body, as one chunk where the body is chunked.
    Send(Vec<u8>),
    /// Waits for the test.
    Hold(Gate),
    /// Closes the connection where it is.
    Cut,
    /// Does nothing until the gateway closes the connection.
    Hang,
}

/// How the end of a body is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length,
    Chunked,
}

/// One scripted answer.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) framing: Framing,
    pub(super) steps: Vec<Step>,
    /// What happens before the head is sent.
    pub(super) before: Option<Step>,
    /// Sent instead of anything HTTP.
    pub(super) raw: Option<Vec<u8>>,
}

impl Reply {
    /// A whole answer.
    pub(crate) fn body(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        let steps = vec![Step::Send(body.into())];
        Self { status, headers, framing: Framing::Length, steps, before: None, raw: None }
    }

    /// A whole JSON answer.
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::body(status, "application/json", value.to_string())
    }

    /// A stream of server-sent events; add frames with [`Reply::then`].
    pub(crate) fn stream() -> Self {
        let mut reply = Self::body(200, "text/event-stream", "");
        (reply.framing, reply.steps) = (Framing::Chunked, Vec::new());
        reply
    }

    /// No answer at all: the connection stays open.
    pub(crate) fn silence() -> Self {
        Self { before: Some(Step::Hang), ..Self::stream() }
    }

    /// The connection is closed instead of an answer.
    pub(crate) fn slam() -> Self {
        Self { before: Some(Step::Cut), ..Self::stream() }
    }

    /// Bytes that are no HTTP.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { raw: Some(bytes.into()), ..Self::stream() }
    }

    /// Sends nothing, not even the head, before the gate opens.
    pub(crate) fn after(mut self, gate: &Gate) -> Self {
        self.before = Some(Step::Hold(gate.clone()));
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(have, _)| have != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends more of the body.
    pub(crate) fn then(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.steps.push(Step::Send(bytes.into()));
        self
    }

    /// Waits for the test in the middle of the body.
    pub(crate) fn hold(mut self, gate: &Gate) -> Self {
        self.steps.push(Step::Hold(gate.clone()));
        self
    }

    /// Closes the connection in the middle of the body.
    pub(crate) fn cut(mut self) -> Self {
        self.steps.push(Step::Cut);
        self
    }

    /// Never ends the body.
    pub(crate) fn hang(mut self) -> Self {
        self.steps.push(Step::Hang);
        self
    }
}
