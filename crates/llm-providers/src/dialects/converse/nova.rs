//! Amazon Nova's own messages: what Converse says, in the body of `InvokeModel`.
//!
//! Vendor's page: <https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html>. The
//! model's own parameters stand in the body itself, a cache point inside the block it marks, and what is
//! Bedrock's own in headers. Nobody calls in this dialect: its caller's side is Converse's.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use llm_types::{ChatRequest, ChatResponse, Error, ErrorKind, Event, Result};
use serde_json::{Map, Value};

use super::Converse;
use crate::dialect::{
    Dialect, Encoded, Frame, Framing, Glance, Relay, ReplyContext, ReplyFacts, StreamDecoder, StreamEncoder,
};
use crate::dialects::anthropic;
use crate::media::MediaKind;
use crate::{DialectId, Target};

/// Where the body asks for a guardrail's trace.
const TRACE: &str = "/guardrailConfig/trace";
/// Members that say how Bedrock carries the call, and the headers that say it here.
const IN_HEADERS: &[(&str, &str)] = &[
    ("/serviceTier/type", "x-amzn-bedrock-service-tier"),
    ("/performanceConfig/latency", "x-amzn-bedrock-performanceconfig-latency"),
    ("/guardrailConfig/guardrailIdentifier", "x-amzn-bedrock-guardrailidentifier"),
    ("/guardrailConfig/guardrailVersion", "x-amzn-bedrock-guardrailversion"),
    (TRACE, "x-amzn-bedrock-trace"),
];
/// Members the model has no use for, those of the headers among them.
const NOT_ITS: [&str; 6] = [
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
];

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nova;

impl Dialect for Nova {
    fn id(&self) -> DialectId {
        DialectId::Nova
    }

    fn glance(&self, body: &[u8]) -> Result<Glance> {
        Converse.glance(body)
    }

    fn decode_request(&self, body: &[u8]) -> Result<ChatRequest> {
        Converse.decode_request(body)
    }

    fn encode_response(&self, response: &ChatResponse, cx: &ReplyContext) -> Result<Bytes> {
        Converse.encode_response(response, cx)
    }

    fn stream_encoder(&self, cx: ReplyContext) -> Box<dyn StreamEncoder> {
        Converse.stream_encoder(cx)
    }

    fn encode_error(&self, error: &Error) -> (StatusCode, Bytes) {
        Converse.encode_error(error)
    }

    fn encode_request(&self, request: &ChatRequest, target: &Target) -> Result<Encoded> {
        own(Converse.encode_request(request, target)?, request.stream)
    }

    fn takes_url(&self, kind: MediaKind, url: &str, target: &Target) -> bool {
        Converse.takes_url(kind, url, target)
    }

    fn decode_response(&self, body: &[u8]) -> Result<ChatResponse> {
        Converse.decode_response(body)
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn stream_decoder(&self) -> Box<dyn StreamDecoder> {
        Box::new(Decoder { converse: Converse.stream_decoder(), failed: false })
    }

    fn decode_error(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        Converse.decode_error(status, headers, body)
    }

    fn forward_request(&self, body: &Bytes, glance: &Glance, target: &Target) -> Result<Encoded> {
        Converse.forward_request(body, glance, target)
    }

    fn reply_facts(&self, body: &[u8]) -> ReplyFacts {
        Converse.reply_facts(body)
    }

    fn relay(&self, show_usage: bool) -> Box<dyn Relay> {
        Converse.relay(show_usage)
    }
}

/// A request for Converse as the model itself takes it.
fn own(encoded: Encoded, stream: bool) -> Result<Encoded> {
    let Encoded { path, mut headers, body, beforehand } = encoded;
    let mut body: Value = serde_json::from_slice(&body).map_err(|fault| {
        Error::new(ErrorKind::Internal, "a request for Converse is not JSON").with_source(fault)
    })?;
    for (place, name) in IN_HEADERS {
        let Some(said) = body.pointer(place).and_then(Value::as_str) else { continue };
        // The header wants `ENABLED` where the body has `enabled`.
        let said = if *place == TRACE { said.to_ascii_uppercase() } else { said.to_owned() };
        let value = HeaderValue::from_str(&said).map_err(|_| {
            let param = place.trim_start_matches('/').replace('/', ".");
            Error::bad_param(&param, format!("`{param}`: expected text that can stand in a header"))
        })?;
        headers.insert(HeaderName::from_static(name), value);
    }
    if let Value::Object(members) = &mut body {
        members.retain(|name, _| !NOT_ITS.contains(&name.as_str()));
        if let Some(Value::Object(added)) = members.shift_remove("additionalModelRequestFields") {
            overlay(members, added);
        }
        marks_inside(members);
        if stream {
            members.insert("stream".to_owned(), true.into());
        }
    }
    Ok(Encoded { path, headers, body: body.to_string().into(), beforehand })
}

/// Adds members; objects that are there already take those of the new ones.
fn overlay(members: &mut Map<String, Value>, added: Map<String, Value>) {
    for (name, value) in added {
        match (members.get_mut(&name), value) {
            (Some(Value::Object(known)), Value::Object(value)) => overlay(known, value),
            (_, value) => drop(members.insert(name, value)),
        }
    }
}

/// Puts cache points into the blocks they stand behind.
fn marks_inside(members: &mut Map<String, Value>) {
    if let Some(Value::Array(blocks)) = members.get_mut("system") {
        fold(blocks);
    }
    for message in members.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(Value::Array(blocks)) = message.get_mut("content") {
            fold(blocks);
        }
    }
}

fn fold(blocks: &mut Vec<Value>) {
    for block in std::mem::take(blocks) {
        let mark =
            block.get("cachePoint").filter(|_| block.as_object().is_some_and(|block| block.len() == 1));
        match (mark, blocks.last_mut()) {
            (Some(mark), Some(Value::Object(marked))) => {
                drop(marked.insert("cachePoint".into(), mark.clone()))
            }
            _ => blocks.push(block),
        }
    }
}

/// Reads a stream: each frame holds an event of Converse under its name.
#[derive(Debug)]
struct Decoder {
    converse: Box<dyn StreamDecoder>,
    failed: bool,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()> {
        if self.failed || frame.data.is_empty() {
            return Ok(());
        }
        let value: Value = serde_json::from_slice(&frame.data).map_err(|fault| {
            Error::new(ErrorKind::BadUpstream, "provider sent a frame that is not JSON").with_source(fault)
        })?;
        if &*frame.event == b"error" {
            self.failed = true;
            out.push(Event::Error(anthropic::in_stream(&value)));
            return Ok(());
        }
        let Value::Object(events) = value else { return Ok(()) };
        for (name, event) in events {
            // Beside the event stand padding and what Bedrock measured.
            if event.is_object() && !name.starts_with("amazon-bedrock-") {
                let frame = Frame { event: name.into(), data: event.to_string().into() };
                self.converse.push(&frame, out)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        if !self.failed {
            self.converse.finish(out);
        }
    }
}

#[cfg(test)]
mod tests;
