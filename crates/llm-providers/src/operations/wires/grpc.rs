//! gRPC's unary calls: one message there, one message back, and a status behind it. The transport tells the
//! trailers as the last frame of the body, the way gRPC-Web does.
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>
//! <https://grpc.io/docs/guides/status-codes/>

use bytes::Bytes;
use http::HeaderValue;
use llm_types::{Error, ErrorKind, Origin, Result, Retry};

use super::parts::broken;
use crate::operations::{Place, Received, Sending};

/// What stands before a message: a flag, and its length in 32 bits.
const HEAD: usize = 5;
/// The flag of trailers.
const TRAILERS: u8 = 0x80;

/// A call of `path`: `/<package>.<service>/<method>`.
pub(crate) fn call(path: &str, message: &[u8]) -> Result<Sending> {
    let length = u32::try_from(message.len())
        .map_err(|_| Error::new(ErrorKind::TooLarge, "a message of gRPC has less than 4 GiB"))?;
    let mut body = Vec::with_capacity(HEAD + message.len());
    body.push(0);
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(message);
    let kind = HeaderValue::from_static("application/grpc");
    Ok(Sending::bytes(Place::Path(path.to_owned()), kind, body.into()))
}

/// The message of an answer.
///
/// # Errors
/// The status of a call that failed, in our kinds; [`ErrorKind::BadUpstream`] where the answer has no status, or
/// no message behind a good one.
pub(crate) fn message(reply: &Received) -> Result<Bytes> {
    let mut rest = reply.body.clone();
    let mut message = None;
    // A call that fails at once has its status among the headers and no body.
    let header = |name: &str| reply.headers.get(name).map(|value| value.as_bytes().to_vec());
    let mut status = header("grpc-status").map(|status| (status, header("grpc-message")));
    while !rest.is_empty() {
        let (flag, length) = head(&rest).ok_or_else(|| broken("whole frame of gRPC"))?;
        if rest.len() - HEAD < length {
            return Err(broken("whole frame of gRPC"));
        }
        let frame = rest.split_to(HEAD + length).slice(HEAD..);
        match flag {
            0 if message.is_none() => message = Some(frame),
            0 => return Err(broken("single message: it has several")),
            TRAILERS => {
                status = line(&frame, "grpc-status").map(|status| (status, line(&frame, "grpc-message")))
            }
            _ => return Err(broken("message that we can read: it is compressed, which we did not ask for")),
        }
    }
    let (status, words) = status.ok_or_else(|| broken("`grpc-status`: the call was cut"))?;
    match (&*status, message) {
        (b"0", Some(message)) => Ok(message),
        (b"0", None) => Err(broken("message, although its `grpc-status` is 0 (OK)")),
        (status, _) => Err(refusal(status, words.as_deref().unwrap_or_default())),
    }
}

fn head(bytes: &[u8]) -> Option<(u8, usize)> {
    let (head, _) = bytes.split_first_chunk::<HEAD>()?;
    let [flag, length @ ..] = *head;
    Some((flag, usize::try_from(u32::from_be_bytes(length)).ok()?))
}

/// The value of a line `name: value`.
fn line(lines: &[u8], name: &str) -> Option<Vec<u8>> {
    lines.split(|byte| *byte == b'\n').find_map(|line| {
        let value = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
        Some(value.trim_ascii().to_vec())
    })
}

/// The error of a status that is not `OK`.
fn refusal(status: &[u8], words: &[u8]) -> Error {
    let code: Option<u16> = str::from_utf8(status).ok().and_then(|status| status.parse().ok());
    let (name, kind) = match code {
        Some(1) => ("CANCELLED", ErrorKind::BadUpstream),
        Some(3) => ("INVALID_ARGUMENT", ErrorKind::BadRequest),
        Some(4) => ("DEADLINE_EXCEEDED", ErrorKind::Timeout),
        Some(5) => ("NOT_FOUND", ErrorKind::NotFound),
        Some(6) => ("ALREADY_EXISTS", ErrorKind::BadRequest),
        Some(7) => ("PERMISSION_DENIED", ErrorKind::Forbidden),
        Some(8) => ("RESOURCE_EXHAUSTED", ErrorKind::RateLimited),
        Some(9) => ("FAILED_PRECONDITION", ErrorKind::BadRequest),
        Some(10) => ("ABORTED", ErrorKind::BadUpstream),
        Some(11) => ("OUT_OF_RANGE", ErrorKind::BadRequest),
        Some(12) => ("UNIMPLEMENTED", ErrorKind::BadUpstream),
        Some(13) => ("INTERNAL", ErrorKind::BadUpstream),
        Some(14) => ("UNAVAILABLE", ErrorKind::Overloaded),
        Some(15) => ("DATA_LOSS", ErrorKind::BadUpstream),
        Some(16) => ("UNAUTHENTICATED", ErrorKind::Unauthenticated),
        _ => ("UNKNOWN", ErrorKind::BadUpstream),
    };
    let said = unescaped(words);
    let shown = String::from_utf8_lossy(status);
    let message = match said.trim() {
        "" => format!("provider answered gRPC status {shown} ({name}) without a message"),
        said => format!("provider answered gRPC status {shown} ({name}): {said}"),
    };
    let error = Error::new(kind, message).with_code(name);
    match kind {
        // The caller has no part in how we sign in.
        ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::NotFound => {
            error.with_origin(Origin::Upstream).with_retry(Retry::Elsewhere)
        }
        _ => error,
    }
}

/// `grpc-message` is percent-encoded; what is wrongly encoded stands as it is.
fn unescaped(words: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(words.len());
    let mut at = 0;
    while let Some(byte) = words.get(at) {
        let pair = words.get(at + 1..at + 3).and_then(|pair| str::from_utf8(pair).ok());
        let code = pair.filter(|_| *byte == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
