//! HTTP/2: many exchanges at once over few connections, each driven by a task of its own.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::Scheme;
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use llm_types::{Body, BodyStream, Error, ErrorKind, HttpRequest, HttpResponse, Pieces, Result};
use parking_lot::Mutex;

use super::grpc;
use super::h1::{Failure, is_hop_by_hop};
use super::io::Io;
use super::pool::Host;
use super::timer::{Phase, Timer};

/// How many streams one connection carries before another is opened: what servers commonly allow.
const MAX_STREAMS: usize = 100;
/// Flow-control windows, large enough that a stream is never held up on a long line.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;
/// How often a connection with open streams is asked for a sign of life, and how long it may take.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// What a host's HTTP/2 side holds.
#[derive(Debug)]
pub(super) struct H2 {
    offered: bool,
    state: Mutex<State>,
    /// Held while a connection is opened that may turn out to be HTTP/2, so that a burst of first
    /// requests shares it rather than opening one each.
    pub(super) opening: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the host agreed to HTTP/2; `None` before the first connection.
    agreed: Option<bool>,
    connections: Vec<Arc<Connection>>,
}

/// One connection and how many streams of ours it carries.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Outgoing>,
    streams: AtomicUsize,
}

impl H2 {
    pub(super) fn new(offered: bool) -> Self {
        Self { offered, state: Mutex::default(), opening: tokio::sync::Mutex::default() }
    }

    /// Whether the next connection may turn out to be HTTP/2.
    pub(super) fn is_possible(&self) -> bool {
        self.offered && self.state.lock().agreed != Some(false)
    }

    /// Whether any connection is open.
    pub(super) fn is_connected(&self) -> bool {
        self.offered && self.state.lock().connections.iter().any(|connection| !connection.sender.is_closed())
    }

    /// Notes what a host's connection turned out to be.
    pub(super) fn note(&self, agreed: bool) {
        self.state.lock().agreed = Some(agreed);
    }

    /// A place on an open connection.
    pub(super) fn checkout(&self) -> Option<Place> {
        if !self.offered {
            return None;
        }
        let mut state = self.state.lock();
        state.connections.retain(|connection| !connection.sender.is_closed());
        let free = |connection: &&Arc<Connection>| connection.streams.load(Ordering::Relaxed) < MAX_STREAMS;
        state.connections.iter().find(free).map(Place::new)
    }

    /// Makes a connection of bytes that agreed on HTTP/2.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] when the server does not speak it after all.
    pub(super) async fn open(&self, io: Io, host: &str) -> Result<Place> {
        let (sender, driver) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT)
            .handshake(TokioIo::new(io))
            .await
            .map_err(|error| {
                let message = format!("cannot reach `{host}`: HTTP/2 handshake failed: {error}");
                Error::new(ErrorKind::Unreachable, message).with_source(error)
            })?;
        // The driver ends with an error when the connection breaks; every stream on it learns that itself.
        tokio::spawn(async move { drop(driver.await) });
        let connection = Arc::new(Connection { sender, streams: AtomicUsize::new(0) });
        let place = Place::new(&connection);
        self.state.lock().connections.push(connection);
        Ok(place)
    }
}

/// One stream's place on a connection, given back when dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Connection>);

impl Place {
    fn new(connection: &Arc<Connection>) -> Self {
        connection.streams.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(connection))
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn exchange(
        self,
        request: &HttpRequest,
        pieces: Option<&Pieces>,
        host: &Host,
        mut timer: Timer,
    ) -> Result<HttpResponse, Failure> {
        let name = host.name_and_port();
        let message = message(request, pieces, host).map_err(|error| Failure { unanswered: false, error })?;
        let mut sender = self.0.sender.clone();
        let mut answer = pin!(sender.try_send_request(message));
        let answer: Result<Response<Incoming>, Failure> =
            std::future::poll_fn(|cx| match answer.as_mut().poll(cx) {
                Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
                Poll::Ready(Err(error)) => {
                    // The request comes back when it was not sent: only then may it be sent again.
                    let unanswered = error.message().is_some();
                    Poll::Ready(Err(Failure { unanswered, error: head_error(error.into_error(), name) }))
                }
                Poll::Pending => timer
                    .poll_limit(Phase::FirstByte, cx)
                    .map(|error| Err(Failure { unanswered: false, error })),
            })
            .await;
        let (mut head, incoming) = answer?.into_parts();
        strip(&mut head.headers);
        let body = if incoming.is_end_stream() {
            Body::Full(Bytes::new())
        } else {
            Body::Stream(Box::pin(H2Body {
                incoming,
                timer,
                host: name.to_owned(),
                grpc: host.grpc,
                done: false,
                _place: self,
            }))
        };
        Ok(HttpResponse { status: head.status, headers: head.headers, version: head.version, body })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

fn message(request: &HttpRequest, pieces: Option<&Pieces>, host: &Host) -> Result<Request<Outgoing>> {
    // Credentials of the URL travel as a header, never as part of the authority.
    let mut parts = request.uri.clone().into_parts();
    parts.authority = host.name_and_port().parse().ok();
    if host.grpc {
        parts.scheme = Some(if host.tls { Scheme::HTTPS } else { Scheme::HTTP });
    }
    let uri = http::Uri::from_parts(parts).map_err(|error| {
        Error::new(ErrorKind::Internal, format!("URL of `{}` cannot be sent: {error}", host.name_and_port()))
    })?;
    let body = match pieces {
        None => Outgoing::Whole(request.body.clone()),
        Some(pieces) => Outgoing::Pieces(pieces.open(), pieces.len()),
    };
    let mut message = Request::new(body);
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = uri;
    let mut headers = request.headers.clone();
    strip(&mut headers);
    headers.remove(header::HOST);
    headers.remove(header::CONTENT_LENGTH);
    if host.grpc {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    for (name, value) in host.default_headers() {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    *message.headers_mut() = headers;
    Ok(message)
}

/// A request's body on its way.
enum Outgoing {
    Whole(Bytes),
    /// Pieces, and how many bytes they have still.
    Pieces(BodyStream, u64),
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Pieces(stream, left) => stream.as_mut().poll_next(cx).map_ok(|piece| {
                *left = left.saturating_sub(piece.len() as u64);
                Frame::data(piece)
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Pieces(_, left) => SizeHint::with_exact(*left),
        }
    }
}

fn strip(headers: &mut HeaderMap) {
    let hop: Vec<_> = headers.keys().filter(|name| is_hop_by_hop(name)).cloned().collect();
    for name in hop {
        headers.remove(name);
    }
}

fn head_error(error: hyper::Error, host: &str) -> Error {
    Error::new(
        ErrorKind::Unreachable,
        format!("connection to `{host}` was lost before it answered: {}", cause(&error)),
    )
    .with_source(error)
}

/// The innermost cause, which says most.
fn cause(error: &hyper::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// A body that is still arriving. Dropping it resets its stream and leaves the connection alone.
struct H2Body {
    incoming: Incoming,
    timer: Timer,
    host: String,
    /// Whether trailers are told: see [`grpc`].
    grpc: bool,
    done: bool,
    _place: Place,
}

impl Stream for H2Body {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.done {
            return Poll::Ready(None);
        }
        loop {
            let item = match Pin::new(&mut this.incoming).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.timer.progress();
                    match frame.into_data() {
                        Ok(data) if !data.is_empty() => return Poll::Ready(Some(Ok(data))),
                        Err(frame) if this.grpc => match frame.into_trailers() {
                            Ok(trailers) => return Poll::Ready(Some(Ok(grpc::trailer_frame(&trailers)))),
                            Err(_) => continue,
                        },
                        // Elsewhere trailers say nothing to us; empty frames never do.
                        _ => continue,
                    }
                }
                Poll::Ready(Some(Err(error))) => Some(Err(broken(error, &this.host))),
                Poll::Ready(None) => None,
                Poll::Pending => match this.timer.poll_limit(Phase::Read, cx) {
                    Poll::Ready(error) => Some(Err(error)),
                    Poll::Pending => return Poll::Pending,
                },
            };
            this.done = true;
            return Poll::Ready(item);
        }
    }
}

fn broken(error: hyper::Error, host: &str) -> Error {
    let message = format!("connection to `{host}` broke in the middle of the answer: {}", cause(&error));
    Error::new(ErrorKind::BadUpstream, message).with_source(error)
}
