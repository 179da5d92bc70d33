//! The body of an answer: whole when it came with the head, else a stream that owns the connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use llm_types::{Body, Error, ErrorKind, HttpResponse, Result};

use super::Conn;
use super::framing::{Framing, Step};
use super::head::Head;
use crate::transport::pool::Host;
use crate::transport::timer::Phase;

/// A read buffer larger than this is not kept with an idle connection.
const KEEP_BUFFER: usize = 16 * 1024;

/// Turns the rest of an exchange into a body. A body that is already complete frees the connection at
/// once; otherwise the connection stays with the stream, goes back into the pool at the body's end, and
/// is closed when the stream is dropped before.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when the first bytes of the body are already broken.
pub(in crate::transport) fn respond(head: Head, conn: Box<Conn>, host: Arc<Host>) -> Result<HttpResponse> {
    let Head { status, version, headers, framing, keep_alive } = head;
    let body = into_body(conn, host, framing, keep_alive)?;
    Ok(HttpResponse { status, headers, version, body })
}

fn into_body(mut conn: Box<Conn>, host: Arc<Host>, mut framing: Framing, keep_alive: bool) -> Result<Body> {
    let mut first = None;
    loop {
        let step = framing.step(&mut conn.buf).map_err(|why| broken(host.name_and_port(), why))?;
        match step {
            Step::End => {
                park(conn, &host, keep_alive);
                return Ok(Body::Full(first.unwrap_or_default()));
            }
            // A second piece: from here on it is a stream.
            Step::Data(second) if first.is_some() => {
                let stream =
                    H1Body { conn: Some(conn), host, framing, keep_alive, ready: [first, Some(second)] };
                return Ok(Body::Stream(Box::pin(stream)));
            }
            Step::Data(piece) => first = Some(piece),
            Step::NeedMore => {
                let stream = H1Body { conn: Some(conn), host, framing, keep_alive, ready: [first, None] };
                return Ok(Body::Stream(Box::pin(stream)));
            }
        }
    }
}

/// A body that is still arriving. Dropping it before its end closes the connection, which tells the
/// server to stop.
struct H1Body {
    conn: Option<Box<Conn>>,
    host: Arc<Host>,
    framing: Framing,
    keep_alive: bool,
    /// Pieces that were found before anybody asked.
    ready: [Option<Bytes>; 2],
}

impl Stream for H1Body {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(piece) = this.ready.iter_mut().find_map(Option::take) {
            return Poll::Ready(Some(Ok(piece)));
        }
        let item = ready!(this.poll_piece(cx));
        if !matches!(item, Some(Ok(_))) {
            // Ended, or failed: a connection that was not parked must not be used again.
            this.conn = None;
        }
        Poll::Ready(item)
    }
}

impl H1Body {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            let Some(conn) = &mut self.conn else { return Poll::Ready(None) };
            match self.framing.step(&mut conn.buf) {
                Ok(Step::Data(piece)) => {
                    self.finish_early();
                    return Poll::Ready(Some(Ok(piece)));
                }
                Ok(Step::End) => {
                    self.park();
                    return Poll::Ready(None);
                }
                Ok(Step::NeedMore) => {}
                Err(why) => return Poll::Ready(Some(Err(broken(self.host.name_and_port(), why)))),
            }
            match conn.poll_fill(self.framing.read_size(), cx) {
                Poll::Ready(Ok(0)) if self.framing.may_end_with_connection() => return Poll::Ready(None),
                Poll::Ready(Ok(0)) => {
                    return Poll::Ready(Some(Err(cut(self.host.name_and_port(), None))));
                }
                Poll::Ready(Ok(_)) => conn.timer.progress(),
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Some(Err(cut(self.host.name_and_port(), Some(error)))));
                }
                Poll::Pending => {
                    return conn.timer.poll_limit(Phase::Read, cx).map(|error| Some(Err(error)));
                }
            }
        }
    }

    /// Takes the end of the body from the buffer if it came together with the last piece, so that a
    /// reader who stops at the last piece does not cost the connection.
    fn finish_early(&mut self) {
        let Some(conn) = &mut self.conn else { return };
        match self.framing.step(&mut conn.buf) {
            Ok(Step::Data(piece)) => self.ready[0] = Some(piece),
            Ok(Step::End) => self.park(),
            // Whatever is wrong is found again, and told, by the next poll.
            Ok(Step::NeedMore) | Err(_) => {}
        }
    }

    fn park(&mut self) {
        if let Some(conn) = self.conn.take() {
            park(conn, &self.host, self.keep_alive);
        }
    }
}

fn park(mut conn: Box<Conn>, host: &Arc<Host>, keep_alive: bool) {
    if keep_alive && conn.buf.is_empty() {
        if conn.buf.capacity() > KEEP_BUFFER {
            conn.buf = BytesMut::new();
        }
        host.park(conn);
    }
}

fn broken(host: &str, why: &str) -> Error {
    Error::new(ErrorKind::BadUpstream, format!("answer of `{host}` is broken: {why}"))
}

fn cut(host: &str, error: Option<std::io::Error>) -> Error {
    let message = format!("connection to `{host}` was closed in the middle of the answer");
    match error {
        Some(error) => Error::new(ErrorKind::BadUpstream, format!("{message}: {error}")).with_source(error),
        None => Error::new(ErrorKind::BadUpstream, message),
    }
}
