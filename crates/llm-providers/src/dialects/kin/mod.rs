//! Protocols that say what OpenAI's Chat Completions say, in a form of their own. A request is written in
//! OpenAI's dialect, with all that a record may say of it, and put into the [`Form`]; a reply is put into
//! OpenAI's form and read there. Whoever calls speaks OpenAI's dialect.

mod a2a;
mod bedrock;
mod bytez;
mod engine;
mod functions;
mod langflow;
mod langgraph;
mod oracle;
mod texts;
mod threads;
mod whole;

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{ChatRequest, ChatResponse, Error, ErrorKind, Event, Result};
use serde_json::{Map, Value, json};

use super::openai::chat::OpenaiChat;
use super::params;
use crate::dialect::{
    Dialect, Encoded, Frame, Framing, Glance, InvokedTools, Relay, ReplyContext, ReplyFacts, StreamDecoder,
    StreamEncoder,
};
use crate::media::MediaKind;
use crate::{Deposit, DialectId, Target};

/// A request in OpenAI's form.
type Chat = Map<String, Value>;

/// What sets a protocol apart from Chat Completions.
trait Form: Send + Sync + fmt::Debug + 'static {
    /// Which dialect it is.
    fn id(&self) -> DialectId;

    /// The request in this form: path and body.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for what the form has no place for and the target's policy does not drop.
    fn request(&self, chat: Chat, target: &Target) -> Result<(String, Value)>;

    /// Whether pictures, sounds and documents are left with the provider before the call.
    fn leaves_files(&self) -> bool {
        false
    }

    /// Takes out of a request the files that the provider wants left with it before.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] for a file that cannot be read.
    fn beforehand(&self, _body: &mut Value) -> Result<Vec<Deposit>> {
        Ok(Vec::new())
    }

    /// A whole reply in OpenAI's form.
    ///
    /// # Errors
    /// [`ErrorKind::BadUpstream`] when it is none of this form, or the error it states.
    fn reply(&self, reply: Value) -> Result<Value>;

    /// What puts a streamed reply into OpenAI's form.
    fn pieces(&self) -> Box<dyn Pieces>;

    /// How streamed replies are cut into events.
    fn framing(&self) -> Framing {
        Framing::Sse
    }
}

/// Puts the events of a stream into OpenAI's form.
trait Pieces: Send + fmt::Debug {
    /// Takes one event and appends chunks; tells whether the stream has said its end.
    ///
    /// # Errors
    /// The error the event states.
    fn push(&mut self, event: &str, data: Value, out: &mut Vec<Value>) -> Result<bool>;

    /// The body has ended: appends what was held back; tells whether the answer is whole. Forms whose
    /// streams say their end need nothing here.
    fn end(&mut self, _out: &mut Vec<Value>) -> bool {
        false
    }
}

/// The dialect of a form.
#[derive(Debug)]
pub(super) struct Kin<F>(F);

/// Generic chat of Oracle's Generative AI.
pub(super) static ORACLE: &dyn Dialect = &Kin(oracle::Generic);
/// Cohere's chat in Oracle's Generative AI.
pub(super) static ORACLE_COHERE: &dyn Dialect = &Kin(oracle::Cohere);
/// Functions where others have tools.
pub(super) static FUNCTIONS: &dyn Dialect = &Kin(functions::Functions);
/// Agent2Agent.
pub(super) static A2A: &dyn Dialect = &Kin(a2a::A2a);
/// LangGraph's runs.
pub(super) static LANGGRAPH: &dyn Dialect = &Kin(langgraph::Langgraph);
/// Langflow's runs.
pub(super) static LANGFLOW: &dyn Dialect = &Kin(langflow::Langflow);

/// Threads and runs of OpenAI's Assistants, as Azure's agents have them.
pub(super) static THREADS: &dyn Dialect = &Kin(threads::Threads);
/// Agents in Amazon Bedrock's `AgentCore`.
pub(super) static AGENTCORE: &dyn Dialect = &Kin(bedrock::Agentcore);
/// Agents for Amazon Bedrock.
pub(super) static BEDROCK_AGENT: &dyn Dialect = &Kin(bedrock::Agent);
/// Lists of parts, parameters in an object: Bytez.
pub(super) static BYTEZ: &dyn Dialect = &Kin(bytez::Bytez);
/// Agents in Google's Agent Engine.
pub(super) static AGENT_ENGINE: &dyn Dialect = &Kin(engine::Engine);

impl<F: Form> Dialect for Kin<F> {
    fn id(&self) -> DialectId {
        self.0.id()
    }

    fn glance(&self, body: &[u8]) -> Result<Glance> {
        OpenaiChat.glance(body)
    }

    fn decode_request(&self, body: &[u8]) -> Result<ChatRequest> {
        OpenaiChat.decode_request(body)
    }

    fn encode_response(&self, response: &ChatResponse, cx: &ReplyContext) -> Result<Bytes> {
        OpenaiChat.encode_response(response, cx)
    }

    fn stream_encoder(&self, cx: ReplyContext) -> Box<dyn StreamEncoder> {
        OpenaiChat.stream_encoder(cx)
    }

    fn encode_error(&self, error: &Error) -> (StatusCode, Bytes) {
        OpenaiChat.encode_error(error)
    }

    fn encode_request(&self, request: &ChatRequest, target: &Target) -> Result<Encoded> {
        let request = match target.spec.quirks.takes("functions") {
            true => Cow::Borrowed(request),
            false => params::without_functions(request, &target.policy)?,
        };
        let written = OpenaiChat.encode_request(&request, target)?;
        let chat = serde_json::from_slice(&written.body).map_err(|fault| {
            Error::new(ErrorKind::Internal, "a finished body is no JSON object").with_source(fault)
        })?;
        let (path, mut body) = self.0.request(chat, target)?;
        let left = self.0.beforehand(&mut body)?;
        let beforehand = (!left.is_empty()).then(|| left.into());
        Ok(Encoded { path, headers: written.headers, body: body.to_string().into(), beforehand })
    }

    fn takes_url(&self, kind: MediaKind, url: &str, target: &Target) -> bool {
        let left = self.0.leaves_files() && kind != MediaKind::Video;
        !left && OpenaiChat.takes_url(kind, url, target)
    }

    fn decode_response(&self, body: &[u8]) -> Result<ChatResponse> {
        let reply = match serde_json::from_slice(body) {
            Ok(reply) => self.0.reply(reply)?,
            // Some answer with a stream whoever asks.
            Err(fault) => whole::of_stream(self.0.framing(), self.0.pieces(), body).unwrap_or_else(|| {
                Err(Error::new(ErrorKind::BadUpstream, "provider reply is not JSON").with_source(fault))
            })?,
        };
        OpenaiChat.decode_response(reply.to_string().as_bytes())
    }

    fn framing(&self) -> Framing {
        self.0.framing()
    }

    fn stream_decoder(&self) -> Box<dyn StreamDecoder> {
        Box::new(Decoder { pieces: self.0.pieces(), chunks: OpenaiChat.stream_decoder(), over: false })
    }

    fn decode_error(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        OpenaiChat.decode_error(status, headers, body)
    }

    fn forward_request(&self, body: &Bytes, _glance: &Glance, target: &Target) -> Result<Encoded> {
        self.encode_request(&self.decode_request(body)?, target)
    }

    fn reply_facts(&self, body: &[u8]) -> ReplyFacts {
        match self.decode_response(body) {
            Ok(reply) => {
                let tools = InvokedTools::of(reply.choices.iter().flat_map(|choice| &choice.message.parts));
                ReplyFacts { usage: reply.usage, tools, complete: true, ..ReplyFacts::default() }
            }
            Err(error) => ReplyFacts { error: Some(error), ..ReplyFacts::default() },
        }
    }

    fn relay(&self, show_usage: bool) -> Box<dyn Relay> {
        OpenaiChat.relay(show_usage)
    }
}

/// Reads a stream of a form.
#[derive(Debug)]
struct Decoder {
    pieces: Box<dyn Pieces>,
    chunks: Box<dyn StreamDecoder>,
    over: bool,
}

impl Decoder {
    fn tell(&mut self, chunks: Vec<Value>, whole: bool, out: &mut Vec<Event>) -> Result<()> {
        for chunk in chunks {
            let frame = Frame { event: Bytes::new(), data: chunk.to_string().into() };
            self.chunks.push(&frame, out)?;
        }
        if whole {
            self.over = true;
            let done = Frame { event: Bytes::new(), data: Bytes::from_static(b"[DONE]") };
            self.chunks.push(&done, out)?;
        }
        Ok(())
    }
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()> {
        let data = whole::bare(&frame.data);
        if self.over || data.is_empty() {
            return Ok(());
        }
        if data == b"[DONE]" {
            return self.tell(Vec::new(), true, out);
        }
        let value = serde_json::from_slice(data).map_err(|fault| {
            Error::new(ErrorKind::BadUpstream, "provider sent a frame that is not JSON").with_source(fault)
        })?;
        let mut chunks = Vec::new();
        match self.pieces.push(&String::from_utf8_lossy(&frame.event), value, &mut chunks) {
            Ok(whole) => self.tell(chunks, whole, out),
            Err(error) => {
                self.tell(chunks, false, out)?;
                self.over = true;
                out.push(Event::Error(error));
                Ok(())
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        if self.over {
            return;
        }
        let mut chunks = Vec::new();
        let whole = self.pieces.end(&mut chunks);
        // What a form writes can be read: it is OpenAI's.
        if self.tell(chunks, whole, out).is_ok() && !whole {
            self.chunks.finish(out);
        }
    }
}

/// A whole reply of one answer.
#[expect(clippy::needless_pass_by_value, reason = "what is passed is made on the spot")]
fn answer(message: Value, finish: &str, usage: Option<Value>) -> Value {
    let mut reply = json!({
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    });
    if let Some(usage) = usage {
        reply["usage"] = usage;
    }
    reply
}

/// A whole reply of one text.
fn said(text: &str) -> Value {
    answer(json!({"role": "assistant", "content": text}), "stop", None)
}

/// A piece of a reply's first answer.
#[expect(clippy::needless_pass_by_value, reason = "what is passed is made on the spot")]
fn piece(delta: Value, finish: Option<&str>) -> Value {
    json!({
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    })
}

/// A reply that is not of its form.
fn strange(what: &str) -> Error {
    Error::new(ErrorKind::BadUpstream, format!("provider reply holds no answer: {what}"))
}

/// An error that a reply states in words.
fn stated(words: &str) -> Error {
    Error::new(ErrorKind::BadUpstream, if words.is_empty() { "the provider failed" } else { words })
}

#[cfg(test)]
mod tests;
