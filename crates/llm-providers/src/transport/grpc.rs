//! gRPC over HTTP/2: what the protocol needs of a transport beside requests and answers.
//!
//! A host named by `grpc://` is spoken to in HTTP/2 at once, without TLS (RFC 9113 §3.3, "prior knowledge"); one
//! named by `grpcs://` over TLS, with HTTP/2 as the only protocol on offer. Their requests say `te: trailers`, and
//! because what became of a call stands in the trailers, these follow the messages of the body as a last frame, the
//! way gRPC-Web writes them. How messages are framed, and what statuses mean, is the wire's.
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md>

use bytes::{BufMut as _, Bytes, BytesMut};
use http::HeaderMap;

/// The scheme of hosts without TLS.
pub(super) const SCHEME: &str = "grpc";
/// The scheme of hosts with TLS.
pub(super) const TLS_SCHEME: &str = "grpcs";

/// The flag of a frame that holds trailers.
const TRAILERS: u8 = 0x80;

/// Trailers as gRPC-Web frames them: a flag, the length, and lines of `name: value`.
pub(super) fn trailer_frame(trailers: &HeaderMap) -> Bytes {
    let mut lines = Vec::new();
    for (name, value) in trailers {
        lines.extend_from_slice(name.as_str().as_bytes());
        lines.extend_from_slice(b": ");
        lines.extend_from_slice(value.as_bytes());
        lines.extend_from_slice(b"\r\n");
    }
    let mut frame = BytesMut::with_capacity(5 + lines.len());
    frame.put_u8(TRAILERS);
    // Lists of headers are bounded to kilobytes by HTTP/2 itself.
    frame.put_u32(u32::try_from(lines.len()).unwrap_or(u32::MAX));
    frame.put_slice(&lines);
    frame.freeze()
}
