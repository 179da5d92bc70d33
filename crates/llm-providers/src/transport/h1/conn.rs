//! One connection and one exchange over it: the request out, the head of the answer in.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use http::{Method, StatusCode};
use llm_types::{BodyStream, Error, ErrorKind};
use std::future::Future as _;
use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWrite as _, ReadBuf};

use super::head::{Head, head_length, parse_head};
use crate::transport::io::Io;
use crate::transport::timer::{Phase, Timer};

/// Bodies up to this size are copied behind the head: cheaper than a second buffer in the write.
const COPY_BODY: usize = 8 * 1024;
/// The largest head of an answer.
const MAX_HEAD: usize = 128 * 1024;

/// An open connection.
#[derive(Debug)]
pub(in crate::transport) struct Conn {
    io: Io,
    /// Bytes that were read and not yet used.
    pub(super) buf: BytesMut,
    /// Whether anything of an answer to the current request has arrived.
    heard: bool,
    /// The head being sent.
    pub(in crate::transport) out: BytesMut,
    /// Limits of the exchange.
    pub(in crate::transport) timer: Timer,
}

/// Why an exchange gave no head.
#[derive(Debug)]
pub(in crate::transport) struct Failure {
    /// Whether the connection ended without one byte of an answer.
    pub(in crate::transport) unanswered: bool,
    pub(in crate::transport) error: Error,
}

impl Conn {
    pub(in crate::transport) fn new(io: Io) -> Self {
        Self { io, buf: BytesMut::new(), heard: false, out: BytesMut::new(), timer: Timer::default() }
    }

    /// Whether an idle connection can still be used: the server has neither closed it nor said anything.
    /// Costs no system call unless something did arrive.
    pub(in crate::transport) fn is_quiet(&mut self) -> bool {
        let mut byte = [0_u8; 1];
        let mut cx = Context::from_waker(Waker::noop());
        self.buf.is_empty()
            && Pin::new(&mut self.io).poll_read(&mut cx, &mut ReadBuf::new(&mut byte)).is_pending()
    }

    /// Sends what stands in `out` and `body`, then what `feed` gives, and waits for the head of the answer.
    pub(in crate::transport) async fn exchange(
        &mut self,
        method: &Method,
        mut body: &[u8],
        feed: Option<BodyStream>,
        host: &str,
    ) -> Result<Head, Failure> {
        if body.len() <= COPY_BODY {
            self.out.extend_from_slice(body);
            body = &[];
        }
        let mut sending =
            Sending { sent: 0, done: false, failed: None, feed, piece: Bytes::new(), moved: false };
        let mut searched = 0;
        self.heard = false;
        std::future::poll_fn(|cx| {
            self.poll_exchange(&mut sending, body, &mut searched, method, cx)
                .map_err(|cause| self.failure(cause, sending.failed.take(), host))
        })
        .await
    }

    fn poll_exchange(
        &mut self,
        sending: &mut Sending,
        body: &[u8],
        searched: &mut usize,
        method: &Method,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Head, Cause>> {
        loop {
            if !sending.done {
                // A server may answer before it has read everything, so a blocked or failed write does
                // not keep us from reading.
                match sending.poll(&mut self.io, &self.out, body, cx) {
                    Poll::Ready(Ok(())) => sending.done = true,
                    Poll::Ready(Err(Fault::Io(error))) => {
                        sending.done = true;
                        sending.failed = Some(error);
                    }
                    Poll::Ready(Err(Fault::Feed(error))) => return Poll::Ready(Err(Cause::Feed(error))),
                    Poll::Pending => {}
                }
                if std::mem::take(&mut sending.moved) {
                    self.timer.progress();
                }
            }
            match self.poll_fill(8 * 1024, cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(Cause::Closed)),
                Poll::Ready(Ok(_)) => {
                    self.heard = true;
                    if let Some(mut head) = self.take_head(searched, method)? {
                        head.keep_alive &= sending.done && sending.failed.is_none();
                        return Poll::Ready(Ok(head));
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Cause::Io(error))),
                Poll::Pending => {
                    return self.timer.poll_limit(Phase::FirstByte, cx).map(|error| Err(Cause::Limit(error)));
                }
            }
        }
    }

    /// Takes the head out of the buffer once it is complete; informational answers are passed over.
    fn take_head(&mut self, searched: &mut usize, method: &Method) -> Result<Option<Head>, Cause> {
        loop {
            let Some(length) = head_length(&self.buf, *searched) else {
                *searched = self.buf.len();
                if self.buf.len() > MAX_HEAD {
                    return Err(Cause::NotHttp(format!("its head is larger than {MAX_HEAD} bytes")));
                }
                return Ok(None);
            };
            *searched = 0;
            let bytes = self.buf.split_to(length).freeze();
            let head = parse_head(&bytes, method).map_err(Cause::NotHttp)?;
            if head.status == StatusCode::SWITCHING_PROTOCOLS {
                return Err(Cause::NotHttp("it switches protocols without being asked".to_owned()));
            }
            if !head.status.is_informational() {
                return Ok(Some(head));
            }
        }
    }

    /// Reads at least one byte into the buffer; 0 means that the connection has ended.
    pub(super) fn poll_fill(&mut self, size: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.buf.capacity() - self.buf.len() < 1024 {
            self.buf.reserve(size);
        }
        pin!(self.io.read_buf(&mut self.buf)).poll(cx)
    }

    fn failure(&self, cause: Cause, write_error: Option<io::Error>, host: &str) -> Failure {
        let unanswered = !self.heard && matches!(cause, Cause::Closed | Cause::Io(_));
        let error = match (cause, write_error) {
            (Cause::Limit(error) | Cause::Feed(error), _) => error,
            (Cause::NotHttp(why), _) => {
                Error::new(ErrorKind::BadUpstream, format!("answer of `{host}` is broken: {why}"))
            }
            (_, Some(error)) => lost(host, "the request was sent", error),
            (Cause::Io(error), None) => lost(host, "it answered", error),
            (Cause::Closed, None) if unanswered => Error::new(
                ErrorKind::Unreachable,
                format!("connection to `{host}` was closed before it answered"),
            ),
            (Cause::Closed, None) => Error::new(
                ErrorKind::BadUpstream,
                format!("connection to `{host}` was closed in the middle of the answer's head"),
            ),
        };
        Failure { unanswered, error }
    }
}

/// The error of a connection that broke.
fn lost(host: &str, before: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Unreachable, format!("connection to `{host}` was lost before {before}: {error}"))
        .with_source(error)
}

/// Why no head came.
#[derive(Debug)]
enum Cause {
    Closed,
    Io(io::Error),
    NotHttp(String),
    Limit(Error),
    Feed(Error),
}

/// How far the request has been sent.
struct Sending {
    sent: usize,
    done: bool,
    failed: Option<io::Error>,
    /// What comes behind head and body.
    feed: Option<BodyStream>,
    /// What it gave last and is not sent yet.
    piece: Bytes,
    /// Whether some of that was sent.
    moved: bool,
}

/// Why a request could not be sent.
enum Fault {
    /// The connection broke.
    Io(io::Error),
    /// What is to be sent cannot be read.
    Feed(Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Sending {
    fn poll(
        &mut self,
        io: &mut Io,
        head: &[u8],
        body: &[u8],
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Fault>> {
        let mut io = Pin::new(io);
        while self.sent < head.len() + body.len() {
            let written = if body.is_empty() {
                ready!(io.as_mut().poll_write(cx, &head[self.sent..]))?
            } else if let Some(rest) = head.get(self.sent..).filter(|rest| !rest.is_empty()) {
                ready!(io.as_mut().poll_write_vectored(cx, &[IoSlice::new(rest), IoSlice::new(body)]))?
            } else {
                ready!(io.as_mut().poll_write(cx, &body[self.sent - head.len()..]))?
            };
            if written == 0 {
                return Poll::Ready(Err(Fault::Io(io::ErrorKind::WriteZero.into())));
            }
            self.sent += written;
        }
        ready!(self.poll_feed(io.as_mut(), cx))?;
        io.poll_flush(cx).map_err(Fault::Io)
    }

    /// Sends what the feed gives. After its end, and without one, there is nothing to do.
    fn poll_feed(&mut self, mut io: Pin<&mut Io>, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        while let Some(feed) = &mut self.feed {
            if self.piece.is_empty() {
                match ready!(feed.as_mut().poll_next(cx)) {
                    None => self.feed = None,
                    Some(Ok(piece)) => self.piece = piece,
                    Some(Err(error)) => return Poll::Ready(Err(Fault::Feed(error))),
                }
                continue;
            }
            let written = ready!(io.as_mut().poll_write(cx, &self.piece))?;
            if written == 0 {
                return Poll::Ready(Err(Fault::Io(io::ErrorKind::WriteZero.into())));
            }
            self.piece.advance(written);
            self.moved = true;
        }
        Poll::Ready(Ok(()))
    }
}
