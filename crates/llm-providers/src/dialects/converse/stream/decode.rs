//! A provider's frames into events.

use llm_types::{Error, ErrorKind, Event, Finish, Media, MediaSource, Part, PartKind, Result, Start};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::content::{self, ANSWER_TOOL, NATIVE};
use super::super::usage::{self, WireUsage};
use super::super::{error, response};
use super::is_failure;
use crate::dialect::{Frame, StreamDecoder};

/// Any event: the members of all kinds, each present in its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireEvent {
    content_block_index: u64,
    start: Option<Value>,
    delta: Option<Delta>,
    stop_reason: Option<String>,
    additional_model_response_fields: Value,
    usage: Option<WireUsage>,
    service_tier: Value,
}

/// The delta of `contentBlockDelta`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Delta {
    text: Option<String>,
    tool_use: Option<ToolDelta>,
    tool_result: Option<Vec<Value>>,
    reasoning_content: Option<ReasoningDelta>,
    citation: Option<Value>,
    image: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ToolDelta {
    input: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ReasoningDelta {
    text: Option<String>,
    signature: Option<String>,
    redacted_content: Option<String>,
}

/// Reads a stream of this dialect. It has one answer, so every event is of choice 0.
#[derive(Debug, Default)]
pub(in super::super) struct Decoder {
    started: bool,
    blocks: Vec<(u64, Block)>,
    /// Calls of the caller's tools begun so far.
    calls: u32,
    /// Whether the answer came as a call of the answer tool.
    answered: bool,
    /// What the end of the answer told beside its reason.
    details: Value,
    /// Whether the answer has stopped; its usage may follow.
    stopped: bool,
    /// Whether the stream has said its end or an error: what follows is not part of it.
    ended: bool,
}

/// A block that has begun and not ended.
#[derive(Debug)]
enum Block {
    /// Text or reasoning.
    Plain,
    /// A call of the caller's tool: its number, and whether input came.
    Call { index: u32, has_input: bool },
    /// The answer as input of the answer tool.
    Answer,
    /// A picture, its bytes in base64 so far.
    Image { format: String, data: String },
    /// A block of this dialect only, collected until it ends.
    Native { value: Value, input: String },
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()> {
        if self.ended {
            return Ok(());
        }
        if let Some(name) = is_failure(&frame.event) {
            self.ended = true;
            out.push(Event::Error(error::in_stream(&name, &frame.data)));
            return Ok(());
        }
        if !KNOWN.contains(&&*frame.event) {
            return Ok(());
        }
        let event: WireEvent = serde_json::from_slice(&frame.data).map_err(|fault| {
            let name = String::from_utf8_lossy(&frame.event).into_owned();
            Error::new(ErrorKind::BadUpstream, format!("stream event `{name}` is not readable: {fault}"))
        })?;
        self.start(out);
        match &*frame.event {
            b"contentBlockStart" => {
                self.block_start(event.content_block_index, event.start.unwrap_or_default(), out);
            }
            b"contentBlockDelta" => {
                self.block_delta(event.content_block_index, event.delta.unwrap_or_default(), out);
            }
            b"contentBlockStop" => self.block_stop(event.content_block_index, out),
            b"messageStop" => self.message_stop(event, out),
            b"metadata" => self.metadata(event, out),
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        for _ in self.blocks.drain(..) {
            out.push(Event::BlockEnd { choice: 0 });
        }
        // The usage record is missing, but the answer was said to be complete.
        if self.stopped && !self.ended {
            self.ended = true;
            out.push(Event::Done);
        }
    }
}

const KNOWN: &[&[u8]] = &[
    b"messageStart",
    b"contentBlockStart",
    b"contentBlockDelta",
    b"contentBlockStop",
    b"messageStop",
    b"metadata",
];

impl Decoder {
    fn start(&mut self, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start(Start::default()));
        }
    }

    fn block_start(&mut self, index: u64, start: Value, out: &mut Vec<Event>) {
        let word =
            |pointer: &str| start.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let of_server = |name: &&str| {
            start.get(*name).and_then(|call| call.get("type")?.as_str()).is_some_and(content::is_server_tool)
        };
        let native = ["toolUse", "toolResult"].iter().any(of_server);
        let block = if native || start.get("toolResult").is_some() {
            Block::Native { value: start, input: String::new() }
        } else if start.get("toolUse").is_some() {
            self.call(word("/toolUse/toolUseId"), word("/toolUse/name"), out)
        } else if start.get("image").is_some() {
            Block::Image { format: word("/image/format"), data: String::new() }
        } else {
            Block::Plain
        };
        self.blocks.push((index, block));
    }

    fn call(&mut self, id: String, name: String, out: &mut Vec<Event>) -> Block {
        if name == ANSWER_TOOL {
            self.answered = true;
            return Block::Answer;
        }
        let index = self.calls;
        self.calls += 1;
        out.push(Event::ToolStart { choice: 0, index, id, name, custom: false });
        Block::Call { index, has_input: false }
    }

    /// The open block of an index. Text and reasoning begin with their first delta.
    fn block(&mut self, index: u64) -> &mut Block {
        let at = self.blocks.iter().rposition(|(open, _)| *open == index).unwrap_or_else(|| {
            self.blocks.push((index, Block::Plain));
            self.blocks.len() - 1
        });
        &mut self.blocks[at].1
    }

    fn block_delta(&mut self, index: u64, delta: Delta, out: &mut Vec<Event>) {
        let block = self.block(index);
        if let Some(text) = delta.text.filter(|text| !text.is_empty()) {
            out.push(Event::Text { choice: 0, text });
        }
        if let Some(reasoning) = delta.reasoning_content {
            thought(reasoning, out);
        }
        if let Some(native) = delta.citation {
            out.push(Event::Citation { choice: 0, citation: Box::new(content::citation(native)) });
        }
        if let Some(tool) = delta.tool_use {
            input(block, tool.input, out);
        }
        if let (Block::Native { value, .. }, Some(results)) = (&mut *block, delta.tool_result) {
            let list =
                value["toolResult"].as_object_mut().map(|map| map.entry("content").or_insert(json!([])));
            if let Some(Value::Array(list)) = list {
                list.extend(results);
            }
        }
        let bytes =
            delta.image.as_ref().and_then(|image| image.pointer("/source/bytes")).and_then(Value::as_str);
        if let (Block::Image { data, .. }, Some(bytes)) = (block, bytes) {
            data.push_str(bytes);
        }
    }

    fn block_stop(&mut self, index: u64, out: &mut Vec<Event>) {
        let Some(at) = self.blocks.iter().rposition(|(open, _)| *open == index) else { return };
        match self.blocks.remove(at).1 {
            Block::Plain | Block::Call { has_input: true, .. } | Block::Answer => {}
            Block::Call { index, has_input: false } => {
                out.push(Event::ToolArguments { choice: 0, index, arguments: "{}".to_owned() });
            }
            Block::Image { format, data } => {
                let media = Media::new(MediaSource::Base64(data), Some(content::image_mime(&format)));
                out.push(Event::Part { choice: 0, part: Box::new(Part::new(PartKind::Image(media))) });
            }
            Block::Native { mut value, input } => {
                if let (Some(call), Ok(input)) =
                    (value.get_mut("toolUse"), serde_json::from_str::<Value>(&input))
                {
                    call["input"] = input;
                }
                let part = Part::new(PartKind::Native { dialect: NATIVE.to_owned(), value });
                out.push(Event::Part { choice: 0, part: Box::new(part) });
            }
        }
        out.push(Event::BlockEnd { choice: 0 });
    }

    fn message_stop(&mut self, event: WireEvent, out: &mut Vec<Event>) {
        self.stopped = true;
        self.details = event.additional_model_response_fields;
        let Some(reason) = event.stop_reason else { return };
        let reason = match response::finish(&reason, response::stop_text(&self.details)) {
            Finish::ToolCalls if self.answered && self.calls == 0 => Finish::Stop,
            reason => reason,
        };
        out.push(Event::Finish { choice: 0, reason });
    }

    fn metadata(&mut self, event: WireEvent, out: &mut Vec<Event>) {
        if let Some(mut used) = event.usage.and_then(|wire| wire.canonical()) {
            usage::add_details(&mut used, &self.details);
            used.service_tier = event.service_tier.get("type").and_then(Value::as_str).map(str::to_owned);
            out.push(Event::Usage(used));
        }
        if self.stopped {
            self.ended = true;
            out.push(Event::Done);
        }
    }
}

fn thought(delta: ReasoningDelta, out: &mut Vec<Event>) {
    if let Some(text) = delta.text.filter(|text| !text.is_empty()) {
        out.push(Event::Reasoning { choice: 0, text });
    }
    if let Some(signature) = delta.signature.filter(|signature| !signature.is_empty()) {
        out.push(Event::Signature { choice: 0, signature });
    }
    if let Some(data) = delta.redacted_content {
        let part = Part::new(PartKind::RedactedReasoning { data });
        out.push(Event::Part { choice: 0, part: Box::new(part) });
    }
}

/// Input of a call: text in pieces, or (as some models send it) the whole value.
fn input(block: &mut Block, value: Value, out: &mut Vec<Event>) {
    let piece = match value {
        Value::String(piece) => piece,
        Value::Null => return,
        whole => whole.to_string(),
    };
    if piece.is_empty() {
        return;
    }
    match block {
        Block::Call { index, has_input } => {
            *has_input = true;
            out.push(Event::ToolArguments { choice: 0, index: *index, arguments: piece });
        }
        Block::Answer => out.push(Event::Text { choice: 0, text: piece }),
        Block::Native { input, .. } => input.push_str(&piece),
        Block::Plain | Block::Image { .. } => {}
    }
}
