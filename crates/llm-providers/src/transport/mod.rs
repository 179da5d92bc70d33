//! The transport: HTTP/1.1 and HTTP/2 to providers, with a connection pool of its own.
//!
//! A transport is meant to be used from one runtime, best from one single-threaded runtime per core:
//! its locks are then never contended and nothing is woken on another core. It is right on a
//! multi-threaded runtime too. [`HyperTransport::sibling`] gives the next core its own pool.
//!
//! URLs with `grpc://` or `grpcs://` are asked over HTTP/2 whatever is negotiated, and their trailers are told as
//! the last frame of the body.
//!
//! Requests to the host of the [built-in model](crate::mock) are answered in this process.
//!
//! A request over a reused connection that the server closed before one byte of an answer is sent once
//! more, over a fresh connection, if the loss shows within a second: that is the race every keep-alive
//! server runs with its clients. Later losses are errors, because by then a model may be at work and paid.

mod connect;
mod decode;
mod grpc;
mod guard;
mod h1;
mod h2;
mod io;
mod options;
mod pool;
mod proxy;
mod timer;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use llm_types::{BoxFuture, Error, HttpRequest, HttpResponse, Pieces, Result, Transport, seldom};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::mock;

use self::connect::Opened;
use self::h1::{Conn, Failure};
use self::pool::{Host, Pool};
use self::timer::{Timer, earliest, timed_out};
use self::tls::Tls;

pub use self::connect::NOT_PUBLIC;
pub use self::guard::{Guard, is_public};
pub use self::options::TransportOptions;
pub use self::proxy::{NoProxy, Proxies, Proxy};

/// How long after sending a lost reused connection counts as one that the server had closed before.
const STALE_WINDOW: Duration = Duration::from_secs(1);

/// The largest upload to the built-in model, which reads requests whole.
const MOCK_BODY: u64 = 64 * 1024 * 1024;

/// Sends requests over pooled connections.
#[derive(Debug)]
pub struct HyperTransport {
    pool: Arc<Pool>,
    tls: Arc<Tls>,
    sweeping: AtomicBool,
}

impl HyperTransport {
    /// A transport with an empty pool. Needs no runtime yet.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Internal`] when the operator's certificate file cannot be used.
    pub fn new(options: TransportOptions) -> Result<Self> {
        let tls = Arc::new(Tls::new(&options)?);
        Ok(Self { pool: Arc::new(Pool::new(options)), tls, sweeping: AtomicBool::new(false) })
    }

    /// Another transport with the same options and an empty pool of its own, for another core.
    #[must_use]
    pub fn sibling(&self) -> Self {
        Self {
            pool: Arc::new(Pool::new(self.pool.options().clone())),
            tls: Arc::clone(&self.tls),
            sweeping: AtomicBool::new(false),
        }
    }

    /// Another transport with the same options that connects only where `guard` lets it, and keeps no
    /// connection: for URLs that strangers choose. Cheap to make; for one request and its redirects.
    #[must_use]
    pub fn guarded(&self, guard: Option<Arc<Guard>>) -> Self {
        let options =
            TransportOptions { guard, http2: false, max_idle_per_host: 0, ..self.pool.options().clone() };
        // Nothing is ever idle: there is nothing to sweep.
        Self {
            pool: Arc::new(Pool::new(options)),
            tls: Arc::clone(&self.tls),
            sweeping: AtomicBool::new(true),
        }
    }

    /// Another transport with the same options that speaks HTTP/2 over a connection of its own, for one request:
    /// for services that take one stream a connection. Cheap to make.
    #[must_use]
    pub fn alone(&self) -> Self {
        let options =
            TransportOptions { only_http2: true, max_idle_per_host: 0, ..self.pool.options().clone() };
        // Nothing is ever idle: there is nothing to sweep.
        Self {
            pool: Arc::new(Pool::new(options)),
            tls: Arc::clone(&self.tls),
            sweeping: AtomicBool::new(true),
        }
    }

    /// Opens a connection for another protocol than HTTP, trusting whom this transport trusts. Proxies are
    /// passed by, and it is not pooled.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Unreachable`] naming the host and the cause.
    pub async fn direct(
        &self,
        host: &str,
        port: u16,
        tls: bool,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>> {
        connect::direct(host, port, tls.then_some(&*self.tls), self.pool.options()).await
    }

    /// Sends a request: [`Transport::send`] without a box for the future.
    ///
    /// # Errors
    /// As [`Transport::send`].
    pub async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse> {
        self.converse(request, None).await
    }

    /// Sends a request whose body stands outside memory, piece by piece; `request` itself has none.
    ///
    /// # Errors
    /// As [`Transport::send`]; what reading the body fails with.
    pub async fn upload(&self, request: HttpRequest, body: Pieces) -> Result<HttpResponse> {
        self.converse(request, Some(Box::new(body))).await
    }

    async fn converse(&self, request: HttpRequest, pieces: Option<Box<Pieces>>) -> Result<HttpResponse> {
        let host = self.pool.host(&request.uri)?;
        let start = Instant::now();
        let total_at = request.timeouts.total.map(|total| start + total);
        let answer = match host.checkout(start) {
            Some(conn) => Some(over_h1(conn, &host, (&request, pieces.as_deref()), (start, total_at)).await),
            None => match host.h2.checkout() {
                Some(place) => {
                    let timer = timer(&request, start, total_at);
                    Some(Box::pin(place.exchange(&request, pieces.as_deref(), &host, timer)).await)
                }
                None => None,
            },
        };
        match answer {
            Some(Ok(response)) => decode::undo_encoding(response),
            Some(Err(failure)) if !failure.unanswered || start.elapsed() >= STALE_WINDOW => {
                Err(failure.error)
            }
            // There is no connection, or it was closed by the time it was used.
            None | Some(Err(_)) => seldom(|| self.run_fresh(host, (request, pieces), total_at)).await,
        }
    }

    /// Opens a connection, and sends a request over it.
    async fn run_fresh(
        &self,
        host: Arc<Host>,
        (mut request, pieces): (HttpRequest, Option<Box<Pieces>>),
        total_at: Option<Instant>,
    ) -> Result<HttpResponse> {
        if host.name == mock::HOST && self.pool.options().guard.is_none() {
            if let Some(pieces) = pieces {
                request.body = pieces.load(MOCK_BODY).await?;
            }
            return Ok(mock::respond(&request));
        }
        self.start_sweeping();
        let limits = request.timeouts;
        let connect_at = limits.connect.map(|connect| Instant::now() + connect);
        let ready = match earliest(connect_at, total_at) {
            None => self.open(&host).await?,
            Some(at) => tokio::time::timeout_at(at, self.open(&host)).await.map_err(|_| {
                if total_at == Some(at) {
                    timed_out("the whole answer", limits.total)
                } else {
                    timed_out(&format!("a connection to `{}`", host.name_and_port()), limits.connect)
                }
            })??,
        };
        let answer = match ready {
            Ready::H1(conn) => {
                over_h1(conn, &host, (&request, pieces.as_deref()), (Instant::now(), total_at)).await
            }
            Ready::H2(place) => {
                let timer = timer(&request, Instant::now(), total_at);
                place.exchange(&request, pieces.as_deref(), &host, timer).await
            }
        };
        decode::undo_encoding(answer.map_err(|failure| failure.error)?)
    }

    /// Opens a connection, or joins one that has been opened meanwhile.
    async fn open(&self, host: &Host) -> Result<Ready> {
        let connect = || connect::connect(host, self.pool.options(), &self.tls);
        let Opened { io, is_h2 } = if host.h2.is_possible() {
            let opening = host.h2.opening.lock().await;
            if let Some(place) = host.h2.checkout() {
                return Ok(Ready::H2(place));
            }
            if host.h2.is_possible() {
                let opened = connect().await?;
                host.h2.note(opened.is_h2);
                if opened.is_h2 {
                    return host.h2.open(opened.io, host.name_and_port()).await.map(Ready::H2);
                }
                opened
            } else {
                drop(opening);
                connect().await?
            }
        } else {
            connect().await?
        };
        if is_h2 {
            // It spoke HTTP/1 before and has changed its mind.
            host.h2.note(true);
            return host.h2.open(io, host.name_and_port()).await.map(Ready::H2);
        }
        Ok(Ready::H1(Box::new(Conn::new(io))))
    }

    fn start_sweeping(&self) {
        if !self.sweeping.swap(true, Ordering::Relaxed) {
            let every = self.pool.options().idle_timeout;
            tokio::spawn(pool::sweep_until_gone(Arc::downgrade(&self.pool), every));
        }
    }
}

impl Transport for HyperTransport {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse>> {
        Box::pin(self.exchange(request))
    }
}

/// A connection that is ready for a request.
enum Ready {
    H1(Box<Conn>),
    H2(h2::Place),
}

fn timer(request: &HttpRequest, now: Instant, total_at: Option<Instant>) -> Timer {
    let mut timer = Timer::default();
    timer.begin(request.timeouts, now, total_at);
    timer
}

async fn over_h1(
    mut conn: Box<Conn>,
    host: &Arc<Host>,
    (request, pieces): (&HttpRequest, Option<&Pieces>),
    (now, total_at): (Instant, Option<Instant>),
) -> Result<HttpResponse, Failure> {
    conn.timer.begin(request.timeouts, now, total_at);
    conn.out.clear();
    let length = pieces.map_or(request.body.len() as u64, Pieces::len);
    h1::write_head(request, length, host, &mut conn.out);
    let feed = pieces.map(Pieces::open);
    let head = conn.exchange(&request.method, &request.body, feed, host.name_and_port()).await?;
    let answered = |error: Error| Failure { unanswered: false, error };
    h1::respond(head, conn, Arc::clone(host)).map_err(answered)
}

#[cfg(test)]
mod tests;
