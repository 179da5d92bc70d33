//! A streamed reply of AWS event stream messages, each around one event of a dialect in base64 or around some
//! bytes of what a container sends, as the server-sent events that the dialect sends elsewhere.
//!
//! Sources: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html>,
//! <https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_ResponseStream.html>.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use llm_types::{Body, Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::dialect::Frame;
use crate::framing::event_stream::Splitter;

/// The body, taken out of its frames.
pub(crate) fn unframed(body: Body) -> Body {
    Body::Stream(Box::pin(Unframed {
        body,
        frames: Splitter::new(),
        parts: Parts::default(),
        failure: None,
        over: false,
    }))
}

struct Unframed {
    body: Body,
    frames: Splitter,
    parts: Parts,
    /// What went wrong behind the events that were handed out.
    failure: Option<Error>,
    over: bool,
}

impl Unframed {
    /// The events of all frames that are whole, up to one that is none.
    fn events(&mut self) -> Bytes {
        let mut out = BytesMut::new();
        loop {
            let parts = &mut self.parts;
            match self.frames.next_frame().map(|frame| frame.map(|frame| write(&frame, parts, &mut out))) {
                Ok(None) => break,
                Ok(Some(Ok(()))) => {}
                Ok(Some(Err(error))) | Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
        }
        out.freeze()
    }
}

impl Stream for Unframed {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        while !this.over {
            if let Some(error) = this.failure.take() {
                this.over = true;
                return Poll::Ready(Some(Err(error)));
            }
            match ready!(Pin::new(&mut this.body).poll_next(cx)) {
                Some(Ok(bytes)) => {
                    this.frames.push(bytes);
                    let events = this.events();
                    if !events.is_empty() {
                        return Poll::Ready(Some(Ok(events)));
                    }
                }
                Some(Err(error)) => this.failure = Some(error),
                None => match this.frames.finish() {
                    Ok(()) => {
                        this.over = true;
                        let mut rest = BytesMut::new();
                        this.parts.finish(&mut rest);
                        if !rest.is_empty() {
                            return Poll::Ready(Some(Ok(rest.freeze())));
                        }
                    }
                    Err(error) => this.failure = Some(error),
                },
            }
        }
        Poll::Ready(None)
    }
}

#[derive(Deserialize)]
struct Chunk<'f> {
    #[serde(borrow)]
    bytes: std::borrow::Cow<'f, str>,
}

#[derive(Deserialize)]
struct Named<'f> {
    #[serde(borrow, default, rename = "type")]
    name: std::borrow::Cow<'f, str>,
}

/// Writes one frame as one event.
fn write(frame: &Frame, parts: &mut Parts, out: &mut BytesMut) -> Result<()> {
    let name = String::from_utf8_lossy(&frame.event);
    if let Some(kind) = name.strip_prefix("exception:").or_else(|| name.strip_prefix("error:")) {
        let event = stated(kind, &frame.data).to_string();
        parts.finish(out);
        put("error", event.as_bytes(), out);
        return Ok(());
    }
    if name == "PayloadPart" {
        parts.push(&frame.data, out);
        return Ok(());
    }
    if name != "chunk" {
        return Ok(()); // The service may add kinds of events; those we do not know say nothing of the answer.
    }
    let broken =
        |what: &str| Error::new(ErrorKind::BadUpstream, format!("provider sent a chunk with {what}"));
    let chunk: Chunk<'_> = serde_json::from_slice(&frame.data).map_err(|_| broken("no `bytes`"))?;
    let data = STANDARD.decode(chunk.bytes.as_bytes()).map_err(|_| broken("`bytes` that are no base64"))?;
    let event: Named<'_> = serde_json::from_slice(&data).map_err(|_| broken("an event that is no JSON"))?;
    put(&event.name, &data, out);
    Ok(())
}

fn put(name: &str, data: &[u8], out: &mut BytesMut) {
    if !name.is_empty() {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\n");
    }
    // JSON text holds no line feed but between its words, where one is as good as a space.
    out.extend_from_slice(b"data: ");
    out.extend(data.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    out.extend_from_slice(b"\n\n");
}

/// Bytes of what a container sends, however they are cut: server-sent events pass as they are, and lines that
/// are JSON documents become events.
#[derive(Debug, Default)]
struct Parts {
    /// Where in a line the next byte stands.
    line: Line,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Line {
    #[default]
    Start,
    /// Inside one that passes as it is.
    Passed,
    /// Inside one that is a document.
    Document,
}

impl Parts {
    fn push(&mut self, mut bytes: &[u8], out: &mut BytesMut) {
        while let Some(first) = bytes.first() {
            if self.line == Line::Start && matches!(first, b'{' | b'[') {
                out.extend_from_slice(b"data: ");
                self.line = Line::Document;
            }
            let end = memchr::memchr(b'\n', bytes);
            let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |at| at + 1));
            out.extend_from_slice(line);
            bytes = rest;
            self.line = match (end, self.line) {
                (Some(_), Line::Document) => {
                    out.extend_from_slice(b"\n");
                    Line::Start
                }
                (Some(_), _) => Line::Start,
                (None, Line::Start) => Line::Passed,
                (None, inside) => inside,
            };
        }
    }

    /// Nothing more comes: a last document may lack its line feed.
    fn finish(&mut self, out: &mut BytesMut) {
        if self.line == Line::Document {
            out.extend_from_slice(b"\n\n");
        }
        self.line = Line::Start;
    }
}

/// An exception inside a stream as the dialects state errors.
fn stated(kind: &str, payload: &[u8]) -> Value {
    let payload: Value = serde_json::from_slice(payload).unwrap_or_default();
    let message =
        ["message", "Message", "originalMessage"].iter().find_map(|name| payload.get(name)?.as_str());
    let vendor_type = match kind.to_ascii_lowercase().as_str() {
        "throttlingexception" => "rate_limit_error",
        "validationexception" => "invalid_request_error",
        "modeltimeoutexception" => "timeout_error",
        "serviceunavailableexception" | "modelnotreadyexception" | "serviceunavailable" => "overloaded_error",
        "accessdeniedexception" => "permission_error",
        "resourcenotfoundexception" => "not_found_error",
        _ => "api_error",
    };
    let message = message.map_or_else(|| kind.to_owned(), |message| format!("{kind}: {message}"));
    json!({"type": "error", "error": {"type": vendor_type, "message": message}})
}

#[cfg(test)]
mod tests;
