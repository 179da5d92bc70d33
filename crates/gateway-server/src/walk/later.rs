//! Answers that are made elsewhere: a reply says where, and it is asked for until the answer is there.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use llm_providers::{Dialect, Encoded};
use llm_types::{Body, Error, ErrorKind, HttpResponse, Result, Timeouts, seldom};

use super::Call;
use super::brought::exchange;
use super::dispatch::{ANSWER_LIMIT, refused};
use crate::state::{Core, Served};

/// How long to wait between two questions.
const PAUSE: Duration = Duration::from_millis(500);
/// How long an answer is waited for where nobody says a time.
const PATIENCE: Duration = Duration::from_secs(600);

/// The reply with the answer: the same, where it holds one. For a stream the body is the replies one after
/// the other, as they come.
///
/// # Errors
/// [`ErrorKind::Timeout`] when the answer is not there in time, and the provider's.
pub(super) async fn follow(
    call: &Call,
    served: &Arc<Served>,
    response: HttpResponse,
    timeouts: Timeouts,
) -> Result<HttpResponse> {
    if !served.dialect_for(call.dialect).answers_later() {
        return Ok(response);
    }
    seldom(|| answer(call, served, response, timeouts)).await
}

async fn answer(
    call: &Call,
    served: &Arc<Served>,
    response: HttpResponse,
    timeouts: Timeouts,
) -> Result<HttpResponse> {
    let dialect = served.dialect_for(call.dialect);
    let HttpResponse { status, mut headers, version, body } = response;
    let first = body.collect(ANSWER_LIMIT).await?;
    let until = tokio::time::Instant::now() + timeouts.total.unwrap_or(PATIENCE);
    let asking =
        Asking { core: Arc::clone(&call.core), served: Arc::clone(served), dialect, timeouts, until };
    if call.glance.stream {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        return Ok(HttpResponse { status, headers, version, body: asking.states(first) });
    }
    let mut reply = first;
    while let Some(path) = dialect.later(&reply) {
        reply = asking.again(path).await?;
    }
    Ok(HttpResponse { status, headers, version, body: Body::Full(reply) })
}

/// One answer that is asked for.
#[derive(Debug)]
struct Asking {
    core: Arc<Core>,
    served: Arc<Served>,
    dialect: &'static dyn Dialect,
    timeouts: Timeouts,
    until: tokio::time::Instant,
}

impl Asking {
    /// The next reply, after a pause.
    async fn again(&self, path: String) -> Result<Bytes> {
        tokio::time::sleep(PAUSE).await;
        let left = self.until.saturating_duration_since(tokio::time::Instant::now());
        if left.is_zero() {
            return Err(Error::new(ErrorKind::Timeout, "the provider did not finish the answer in time"));
        }
        let mut request = self.served.target.request(Encoded { path, ..Encoded::default() })?;
        request.method = Method::GET;
        request.timeouts = Timeouts { total: Some(left), ..self.timeouts };
        self.served.target.seal(&mut request, SystemTime::now)?;
        let response = exchange(&self.core, &self.served, request).await?;
        if !response.status.is_success() {
            return Err(refused(self.dialect, response, &self.served).await);
        }
        response.body.collect(ANSWER_LIMIT).await
    }

    /// All replies as a stream, from the first one.
    fn states(self, first: Bytes) -> Body {
        let states = stream::try_unfold((self, Next::Told(first)), |(asking, next)| async move {
            let reply = match next {
                Next::Told(reply) => reply,
                Next::Asked(path) => asking.again(path).await?,
                Next::Over => return Ok(None),
            };
            let after = asking.dialect.later(&reply).map_or(Next::Over, Next::Asked);
            Ok(Some((event(&reply), (asking, after))))
        });
        Body::Stream(Box::pin(states))
    }
}

/// What comes next in a stream.
#[derive(Debug)]
enum Next {
    /// A reply that is at hand.
    Told(Bytes),
    /// A question.
    Asked(String),
    Over,
}

/// A reply as one server-sent event. JSON text holds no line feed but between its words.
fn event(reply: &Bytes) -> Bytes {
    let mut out = BytesMut::with_capacity(reply.len() + 8);
    out.extend_from_slice(b"data: ");
    out.extend(reply.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    out.extend_from_slice(b"\n\n");
    out.freeze()
}
