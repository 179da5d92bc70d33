//! Heads: the request's as bytes, the answer's from bytes.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Version};
use llm_types::HttpRequest;

use super::framing::{Chunk, Framing};
use crate::transport::pool::Host;

/// How many header lines an answer may have.
const MAX_HEADERS: usize = 128;

/// An answer's head, and how its body comes.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    /// Without hop-by-hop headers.
    pub(crate) headers: HeaderMap,
    pub(super) framing: Framing,
    /// Whether the connection may serve another request once the body is read.
    pub(super) keep_alive: bool,
}

/// Whether a header belongs to one hop and must not travel on. RFC 9110 §7.6.1.
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Appends the head of a request whose body has so many bytes. Header names and values cannot hold line breaks by their types.
pub(crate) fn write_head(request: &HttpRequest, length: u64, host: &Host, out: &mut BytesMut) {
    let HttpRequest { method, uri, headers, .. } = request;
    out.extend_from_slice(method.as_str().as_bytes());
    out.extend_from_slice(b" ");
    if host.absolute_form() {
        out.extend_from_slice(b"http://");
        out.extend_from_slice(host.name_and_port().as_bytes());
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    out.extend_from_slice(if path.is_empty() { b"/" } else { path.as_bytes() });
    out.extend_from_slice(b" HTTP/1.1\r\nhost: ");
    out.extend_from_slice(host.name_and_port().as_bytes());
    out.extend_from_slice(b"\r\n");
    if length > 0 || !matches!(*method, Method::GET | Method::HEAD | Method::DELETE) {
        out.extend_from_slice(b"content-length: ");
        out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    for (name, value) in headers {
        if *name == header::HOST || *name == header::CONTENT_LENGTH || is_hop_by_hop(name) {
            continue;
        }
        write_header(out, name, value);
    }
    for (name, value) in host.default_headers() {
        if !headers.contains_key(name) {
            write_header(out, name, value);
        }
    }
    if let Some(value) = host.proxy_authorization() {
        write_header(out, &header::PROXY_AUTHORIZATION, value);
    }
    out.extend_from_slice(b"\r\n");
}

fn write_header(out: &mut BytesMut, name: &HeaderName, value: &HeaderValue) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The length of the head at the start of `buf`, its empty line included; `from` tells how far an
/// earlier search came.
pub(super) fn head_length(buf: &[u8], from: usize) -> Option<usize> {
    let start = from.saturating_sub(3);
    memchr::memchr_iter(b'\n', &buf[start..]).find_map(|at| match &buf[start + at + 1..] {
        [b'\n', ..] => Some(start + at + 2),
        [b'\r', b'\n', ..] => Some(start + at + 3),
        _ => None,
    })
}

/// Reads a whole head.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse_head(bytes: &Bytes, method: &Method) -> Result<Head, String> {
    let mut slots = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut []);
    let status = httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut parsed, bytes, &mut slots)
        .map_err(|error| format!("its head is not HTTP/1: {error}"))?;
    if status.is_partial() {
        return Err("its head is incomplete".to_owned());
    }
    let status = parsed.code.unwrap_or_default();
    let status = StatusCode::from_u16(status).map_err(|_| format!("its status is `{status}`"))?;
    let version = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    let mut hop = Hop { keep_alive: version == Version::HTTP_11, ..Hop::default() };
    let mut headers = HeaderMap::with_capacity(parsed.headers.len());
    for line in parsed.headers.iter() {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| "a header name is not legal")?;
        if hop.note(&name, line.value)? {
            let value = HeaderValue::from_maybe_shared(bytes.slice_ref(line.value))
                .map_err(|_| format!("the value of header `{name}` is not legal"))?;
            headers.append(name, value);
        }
    }
    for name in hop.named {
        headers.remove(name);
    }
    let bodiless = *method == Method::HEAD
        || status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED;
    let framing = match hop.framing {
        _ if bodiless => Framing::Length(0),
        Some(framing) => framing,
        None => Framing::UntilClose,
    };
    if hop.ambiguous {
        headers.remove(header::CONTENT_LENGTH);
    }
    let keep_alive = hop.keep_alive && !hop.ambiguous && !framing.may_end_with_connection();
    Ok(Head { status, version, headers, framing, keep_alive })
}

/// What the headers of this hop say.
#[derive(Debug, Default)]
struct Hop {
    framing: Option<Framing>,
    keep_alive: bool,
    /// Whether both lengths were stated.
    ambiguous: bool,
    /// Headers that `connection` names as belonging to this hop.
    named: Vec<HeaderName>,
}

impl Hop {
    /// Notes a header; tells whether it travels on.
    fn note(&mut self, name: &HeaderName, value: &[u8]) -> Result<bool, String> {
        if *name == header::CONTENT_LENGTH {
            return self.length(value).map(|()| true);
        }
        if !is_hop_by_hop(name) {
            return Ok(true);
        }
        if *name == header::TRANSFER_ENCODING {
            let last = value.rsplit(|byte| *byte == b',').next().unwrap_or_default().trim_ascii();
            if last.len() != value.trim_ascii().len() || !last.eq_ignore_ascii_case(b"chunked") {
                return Err("its `transfer-encoding` is not `chunked`".to_owned());
            }
            if matches!(self.framing, Some(Framing::Length(_))) {
                // Both lengths at once: the chunks count, and the connection is not to be trusted.
                self.ambiguous = true;
            }
            self.framing = Some(Framing::Chunked(Chunk::Size));
        } else if *name == header::CONNECTION {
            self.connection(value);
        }
        Ok(false)
    }

    fn length(&mut self, value: &[u8]) -> Result<(), String> {
        for text in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            let length = digits(text).ok_or("its `content-length` is not a number")?;
            match self.framing {
                None => self.framing = Some(Framing::Length(length)),
                Some(Framing::Length(earlier)) if earlier != length => {
                    return Err("it has two different `content-length`".to_owned());
                }
                Some(Framing::Chunked(_)) => self.ambiguous = true,
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        for word in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if word.eq_ignore_ascii_case(b"close") {
                self.keep_alive = false;
            } else if word.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if let Ok(name) = HeaderName::from_bytes(word)
                && name != header::CONTENT_LENGTH
            {
                self.named.push(name);
            }
        }
    }
}

fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}
