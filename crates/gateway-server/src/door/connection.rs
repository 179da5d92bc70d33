//! One client connection: HTTP/1.1 or HTTP/2, its requests, its slow senders, its end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::net::TcpStream;

use crate::answer::{CutShort, ReplyBody};
use crate::identity::KeyEntry;
use crate::routes;
use crate::state::{Core, Drain};

/// How long a client may take to send the head of a request once the connection is open, and how long
/// an idle connection is kept.
const IDLE: Duration = Duration::from_secs(75);
/// What an HTTP/2 connection starts with (RFC 9113 §3.4).
const H2_PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// What is remembered between the requests of one connection.
pub(crate) struct ConnState {
    /// The other end.
    pub(crate) peer: SocketAddr,
    /// The secret presented last and whose it is, so that a client which keeps its connection is not
    /// hashed and looked up anew with every request.
    pub(crate) last_key: Mutex<Option<LastKey>>,
    /// Answers being made or sent.
    busy: AtomicUsize,
    /// Whether a request arrived since the watch looked last.
    active: AtomicBool,
}

impl ConnState {
    /// One of which nothing is known but the other end.
    pub(crate) fn new(peer: SocketAddr) -> Self {
        let (busy, active) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { peer, last_key: Mutex::new(None), busy, active }
    }
}

/// The secret a connection presented last.
pub(crate) struct LastKey {
    /// Its bytes.
    pub(crate) secret: Vec<u8>,
    /// Whose it is; `None` is the master key.
    pub(crate) entry: Option<Arc<KeyEntry>>,
    /// The directory's epoch when it was looked up.
    pub(crate) epoch: u64,
}

/// One answer, from the request to the last byte of its body: a stream may take longer than [`IDLE`].
struct Busy(Arc<ConnState>);

impl Busy {
    fn new(state: &Arc<ConnState>) -> Self {
        state.busy.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(state))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.active.store(true, Ordering::Relaxed);
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body that keeps its connection busy.
struct Held {
    body: ReplyBody,
    _busy: Busy,
}

impl Body for Held {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Answers one request of a connection.
async fn answer(
    core: Arc<Core>,
    state: Arc<ConnState>,
    request: Request<Incoming>,
) -> Result<Response<Held>, Infallible> {
    let busy = Busy::new(&state);
    let response = routes::answer(&core, &state, request).await;
    Ok(response.map(|body| Held { body, _busy: busy }))
}

/// Serves one connection to its end. When `core` drains, the request being answered is the last.
pub(crate) async fn serve_connection(core: Arc<Core>, stream: TcpStream, peer: SocketAddr) {
    let is_h2 = tokio::select! {
        biased;
        is_h2 = speaks_h2(&stream) => is_h2,
        // A connection that never said anything is not waited for.
        () = core.drain.begun() => None,
    };
    let Some(is_h2) = is_h2 else { return };
    let state = Arc::new(ConnState::new(peer));
    // A function and not a type of its own: hyper keeps its future in place, without a box per request.
    let rooms = service_fn(|request| answer(Arc::clone(&core), Arc::clone(&state), request));
    let ended = if is_h2 {
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(IDLE))
            .max_header_list_size(64 * 1024)
            .serve_connection(TokioIo::new(stream), rooms);
        drive(pin!(connection), &core.drain, (&state, IDLE), |connection| connection.graceful_shutdown())
            .await
    } else {
        let connection = hyper::server::conn::http1::Builder::new()
            .max_buf_size(128 * 1024)
            .serve_connection(TokioIo::new(stream), rooms);
        drive(pin!(connection), &core.drain, (&state, IDLE), |connection| connection.graceful_shutdown())
            .await
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}

/// Tells HTTP/2 from HTTP/1 by the first bytes; `None` when nothing comes.
async fn speaks_h2(stream: &TcpStream) -> Option<bool> {
    let mut start = [0; H2_PREFACE.len()];
    let look = async {
        loop {
            let seen = stream.peek(&mut start).await.ok().filter(|&n| n > 0)?;
            if seen == start.len() || start[..seen] != H2_PREFACE[..seen] {
                return Some(start[..seen] == *H2_PREFACE);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(IDLE, look).await.ok().flatten()
}

/// Wakes a connection's task for what seldom happens, and says that it was this: a turn of the connection itself
/// looks at nothing else.
struct Bell {
    rung: AtomicBool,
    task: Waker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

/// Drives a connection, ending it gracefully when the core drains and abruptly when it is silent.
///
/// The watch is one timer re-armed every `idle`, not one per request.
async fn drive<C>(
    mut connection: Pin<&mut C>,
    drain: &Drain,
    (state, idle): (&ConnState, Duration),
    shut: impl Fn(Pin<&mut C>),
) -> Result<(), hyper::Error>
where
    C: Future<Output = Result<(), hyper::Error>>,
{
    let mut draining = pin!(drain.begun());
    let mut told = false;
    let mut watch = pin!(tokio::time::sleep(idle));
    let mut bell: Option<Arc<Bell>> = None;
    std::future::poll_fn(|cx: &mut Context<'_>| {
        if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
            return Poll::Ready(ended);
        }
        let bell = match &mut bell {
            Some(bell) if bell.task.will_wake(cx.waker()) => bell,
            // It rings once by itself: that hangs it up.
            other => other.insert(Arc::new(Bell { rung: true.into(), task: cx.waker().clone() })),
        };
        if !bell.rung.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        bell.rung.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(bell));
        let aside = &mut Context::from_waker(&waker);
        if !told && draining.as_mut().poll(aside).is_ready() {
            told = true;
            shut(connection.as_mut());
            return connection.as_mut().poll(cx);
        }
        while watch.as_mut().poll(aside).is_ready() {
            let was_active = state.active.swap(false, Ordering::Relaxed);
            if !was_active && state.busy.load(Ordering::Relaxed) == 0 {
                return Poll::Ready(Ok(()));
            }
            watch.as_mut().reset(tokio::time::Instant::now() + idle);
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests;
