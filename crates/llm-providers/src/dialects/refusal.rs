//! What dialects read alike of a reply with an error status.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use llm_types::ErrorKind;

/// The longest part of an unreadable answer shown in a message, in bytes.
const SHOWN: usize = 500;

/// The message of a body that states none.
pub(in crate::dialects) fn unreadable(status: StatusCode, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let end = body.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= SHOWN).last();
    match body[..end.unwrap_or(0)].trim() {
        "" => format!("provider answered status {} without a message", status.as_u16()),
        shown => format!("provider answered status {}: {shown}", status.as_u16()),
    }
}

/// What a status says where the vendor has no words of its own for it.
pub(in crate::dialects) fn by_status(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 => ErrorKind::Unauthenticated,
        402 => ErrorKind::QuotaExceeded,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        503 => ErrorKind::Overloaded,
        400..=499 => ErrorKind::BadRequest,
        _ => ErrorKind::BadUpstream,
    }
}

/// `retry-after` in seconds. Vendors of these dialects send no dates.
pub(in crate::dialects) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
