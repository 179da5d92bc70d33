//! Reading a request body: whole, within its limit, and not for ever.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use llm_types::{Error, ErrorKind, Origin, Result};

/// How long a sender may pause inside a body.
const PAUSE: Duration = Duration::from_secs(30);

/// Reads a whole body of at most `limit` bytes. A body that came in one piece is not copied.
///
/// # Errors
/// [`ErrorKind::TooLarge`] beyond the limit, [`ErrorKind::Timeout`] when the sender pauses too long,
/// [`ErrorKind::BadRequest`] when the connection ends inside the body.
pub(crate) async fn read_body(mut body: Incoming, limit: usize) -> Result<Bytes> {
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let Some(first) = next_piece(&mut body).await? else { return Ok(Bytes::new()) };
    if body.is_end_stream() {
        return if first.len() > limit { Err(too_large(limit)) } else { Ok(first) };
    }
    let known = usize::try_from(body.size_hint().lower()).unwrap_or(0);
    let mut all = BytesMut::with_capacity((first.len() + known).min(limit));
    all.extend_from_slice(&first);
    while let Some(piece) = next_piece(&mut body).await? {
        if all.len() + piece.len() > limit {
            return Err(too_large(limit));
        }
        all.extend_from_slice(&piece);
    }
    Ok(all.freeze())
}

/// The next data of the body. A timer is only started when nothing has arrived yet.
pub(super) async fn next_piece(body: &mut Incoming) -> Result<Option<Bytes>> {
    loop {
        let mut frame = pin!(body.frame());
        let at_once = poll_fn(|cx| match frame.as_mut().poll(cx) {
            Poll::Ready(frame) => Poll::Ready(Some(frame)),
            Poll::Pending => Poll::Ready(None),
        });
        let frame = match at_once.await {
            Some(frame) => frame,
            None => tokio::time::timeout(PAUSE, frame).await.map_err(|_| too_slow())?,
        };
        match frame {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(error)) => {
                return Err(Error::new(
                    ErrorKind::BadRequest,
                    "the request body ended before it was complete",
                )
                .with_source(error));
            }
        }
    }
}

pub(super) fn too_large(limit: usize) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!(
            "the request body is larger than {limit} bytes: send less, or raise `general_settings.max_request_size_mb`"
        ),
    )
}

fn too_slow() -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("no more of the request body arrived within {} seconds", PAUSE.as_secs()),
    )
    .with_origin(Origin::Caller)
}
