//! Streams that begin before any provider has answered (`sse_keepalive_ping_interval_seconds`): when the first pause
//! is over, the caller gets its stream with signs of life in it. What the call comes to follows; an error, too, for
//! which the status is gone by then.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, poll_fn, select};
use http::Response;
use http_body::{Body as _, Frame};
use llm_providers::DialectId;
use llm_types::BoxFuture;

use super::pings::Pings;
use super::{Call, Tail, dispatch};
use crate::answer::{self, CutShort, ReplyBody, names};

/// A stream that waits for its answer.
pub(crate) struct Early {
    dialect: DialectId,
    pings: Pings,
    /// What the call comes to, until it has.
    waits: Option<BoxFuture<'static, Response<ReplyBody>>>,
    rest: ReplyBody,
}

/// Answers a call: with a stream of its own where no provider answers in time.
pub(super) async fn dispatch(call: Call, tail: Box<Tail>) -> Response<ReplyBody> {
    let Some(mut pings) = call.pings(None) else { return go(call, tail).await };
    let (dialect, shown_id) = (call.dialect.id(), call.shown_id.clone());
    let waits: BoxFuture<'static, Response<ReplyBody>> = Box::pin(go(call, tail));
    match select(waits, poll_fn(|cx| pings.poll(cx))).await {
        Either::Left((response, _)) => response,
        Either::Right((sign, waits)) => {
            let early = Early { dialect, pings, waits: Some(waits), rest: ReplyBody::Full(sign) };
            let mut response = answer::event_stream(ReplyBody::Early(Box::new(early)));
            response.headers_mut().insert(names::CALL_ID, shown_id);
            response
        }
    }
}

/// What the walk does with a call otherwise.
async fn go(mut call: Call, tail: Box<Tail>) -> Response<ReplyBody> {
    let mut response = dispatch::dispatch(&mut call, tail).await;
    if call.may_go_on()
        && let ReplyBody::Stream(stream) = response.body_mut()
    {
        stream.outlast(call);
    }
    response
}

impl Early {
    /// The next piece for the caller.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        loop {
            let waiting = self.waits.is_some();
            match Pin::new(&mut self.rest).poll_frame(cx) {
                Poll::Ready(None) if waiting => {}
                frame => return frame,
            }
            let Some(waits) = &mut self.waits else { continue };
            let Poll::Ready(response) = waits.as_mut().poll(cx) else {
                let sign = ready!(self.pings.poll(cx));
                return Poll::Ready(Some(Ok(Frame::data(sign))));
            };
            self.waits = None;
            let failed = !response.status().is_success();
            self.rest = match response.into_body() {
                ReplyBody::Full(error) if failed => ReplyBody::Full(told(self.dialect, &error)),
                body => body,
            };
        }
    }
}

/// An error's body as an event of a stream.
fn told(dialect: DialectId, error: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(error.len() + 32);
    if dialect == DialectId::Anthropic {
        out.extend_from_slice(b"event: error\n");
    }
    // Bodies of errors are JSON of one line.
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(error);
    out.extend_from_slice(b"\n\n");
    out.freeze()
}

impl fmt::Debug for Early {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Early").field("waiting", &self.waits.is_some()).finish_non_exhaustive()
    }
}
