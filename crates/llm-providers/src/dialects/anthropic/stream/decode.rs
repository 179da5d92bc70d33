//! A provider's frames into events.

use llm_types::{Error, ErrorKind, Event, Finish, Part, PartKind, Result, Start};
use serde_json::Value;

use super::super::content::{self, ANSWER_TOOL, NATIVE};
use super::super::usage::WireUsage;
use super::super::{error, response};
use super::wire::{Delta, WireEvent};
use crate::dialect::{Frame, StreamDecoder};
use crate::fields::Path;

/// Reads a stream of this dialect. It has one answer, so every event is of choice 0.
#[derive(Debug, Default)]
pub(in super::super) struct Decoder {
    started: bool,
    usage: WireUsage,
    blocks: Vec<(u64, Block)>,
    /// Calls of the caller's tools begun so far.
    calls: u32,
    /// Whether the answer came as a call of the answer tool.
    answered: bool,
    /// Whether the stream has said its end or an error: what follows is not part of it.
    ended: bool,
}

/// A block that has begun and not ended.
#[derive(Debug)]
enum Block {
    /// Text, thinking, or one that came whole.
    Plain,
    /// A call of the caller's tool: its number, and the input its beginning held, until a delta comes.
    Call { index: u32, input: Option<Value> },
    /// The answer as input of the answer tool; its beginning may hold it whole.
    Answer { input: Option<Value> },
    /// A block of this dialect only, collected until it ends.
    Native { value: Value, input: String },
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()> {
        if self.ended || frame.data.is_empty() || frame.data == "[DONE]" {
            return Ok(());
        }
        let event: WireEvent = serde_json::from_slice(&frame.data).map_err(|fault| {
            let name = String::from_utf8_lossy(&frame.event).into_owned();
            Error::new(ErrorKind::BadUpstream, format!("stream event `{name}` is not readable: {fault}"))
        })?;
        match event.kind.as_str() {
            "message_start" => self.start(event, out),
            "content_block_start" => {
                self.block_start(event.index.unwrap_or(0), event.content_block.unwrap_or_default(), out)
            }
            "content_block_delta" => self.block_delta(event, &frame.data, out),
            "content_block_stop" => self.block_stop(event.index.unwrap_or(0), out),
            "message_delta" => self.message_delta(event, out),
            "message_stop" => {
                self.ended = true;
                out.push(Event::Done);
            }
            "ping" => out.push(Event::Ping),
            kind if kind == "error" || event.error.is_some() => {
                self.ended = true;
                let stated = serde_json::from_slice(&frame.data).unwrap_or_default();
                out.push(Event::Error(error::in_stream(&stated)));
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        for _ in self.blocks.drain(..) {
            out.push(Event::BlockEnd { choice: 0 });
        }
    }
}

impl Decoder {
    fn start(&mut self, event: WireEvent, out: &mut Vec<Event>) {
        let head = event.message.unwrap_or_default();
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start(Start { id: head.id, model: head.model, ..Start::default() }));
        }
        self.count(head.usage, out);
        for (index, block) in (0..).zip(head.content.unwrap_or_default()) {
            self.block_start(index, block, out);
            self.block_stop(index, out);
        }
        self.stop(head.stop_reason, head.stop_sequence, out);
    }

    fn count(&mut self, usage: WireUsage, out: &mut Vec<Event>) {
        self.usage.update(usage);
        out.extend(self.usage.canonical().map(Event::Usage));
    }

    fn block_start(&mut self, index: u64, mut value: Value, out: &mut Vec<Event>) {
        let mut take = |name: &str| match value.get_mut(name).map(Value::take) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        let block = match take("type").as_str() {
            "text" => {
                some_text(take("text"), out);
                Block::Plain
            }
            "thinking" => {
                let (text, signature) = (take("thinking"), take("signature"));
                if !text.is_empty() {
                    out.push(Event::Reasoning { choice: 0, text });
                }
                if !signature.is_empty() {
                    out.push(Event::Signature { choice: 0, signature });
                }
                Block::Plain
            }
            "redacted_thinking" => {
                let part = Part::new(PartKind::RedactedReasoning { data: take("data") });
                out.push(Event::Part { choice: 0, part: Box::new(part) });
                Block::Plain
            }
            "tool_use" => {
                let (id, name) = (take("id"), take("name"));
                let input = value.get_mut("input").map(Value::take);
                self.call(id, name, input, out)
            }
            kind => {
                let kind = Value::from(kind);
                if let Some(map) = value.as_object_mut() {
                    map.insert("type".to_owned(), kind);
                }
                Block::Native { value, input: String::new() }
            }
        };
        self.blocks.push((index, block));
    }

    fn call(&mut self, id: String, name: String, input: Option<Value>, out: &mut Vec<Event>) -> Block {
        if name == ANSWER_TOOL {
            self.answered = true;
            return Block::Answer { input };
        }
        let index = self.calls;
        self.calls += 1;
        out.push(Event::ToolStart { choice: 0, index, id, name, custom: false });
        Block::Call { index, input }
    }

    fn block_delta(&mut self, event: WireEvent, data: &[u8], out: &mut Vec<Event>) {
        let Some(delta) = event.delta else { return };
        match delta.kind.as_str() {
            "text_delta" => some_text(delta.text.unwrap_or_default(), out),
            "thinking_delta" => {
                let text = delta.thinking.filter(|text| !text.is_empty());
                out.extend(text.map(|text| Event::Reasoning { choice: 0, text }));
            }
            "signature_delta" => {
                let signature = delta.signature.unwrap_or_default();
                out.push(Event::Signature { choice: 0, signature });
            }
            "citations_delta" => {
                out.extend(delta.citation.map(|native| Event::Citation {
                    choice: 0,
                    citation: Box::new(content::citation(native)),
                }))
            }
            "input_json_delta" => self.input(event.index.unwrap_or(0), delta, out),
            _ => self.native_delta(event.index.unwrap_or(0), data),
        }
    }

    fn block(&mut self, index: u64) -> Option<&mut Block> {
        self.blocks.iter_mut().rev().find(|(at, _)| *at == index).map(|(_, block)| block)
    }

    fn input(&mut self, index: u64, delta: Delta, out: &mut Vec<Event>) {
        let Some(piece) = delta.partial_json.filter(|piece| !piece.is_empty()) else { return };
        match self.block(index) {
            Some(Block::Call { index, input }) => {
                *input = None;
                let index = *index;
                out.push(Event::ToolArguments { choice: 0, index, arguments: piece });
            }
            Some(Block::Answer { input }) => {
                *input = None;
                out.push(Event::Text { choice: 0, text: piece });
            }
            Some(Block::Native { input, .. }) => input.push_str(&piece),
            Some(Block::Plain) | None => {}
        }
    }

    /// A delta of a kind only native blocks have, such as `compaction_delta`: its members become the
    /// block's, texts are joined.
    fn native_delta(&mut self, index: u64, data: &[u8]) {
        let mut event: Value = serde_json::from_slice(data).unwrap_or_default();
        let Some(Value::Object(delta)) = event.get_mut("delta").map(Value::take) else { return };
        let Some(Block::Native { value: Value::Object(block), .. }) = self.block(index) else { return };
        for (name, value) in delta {
            match (block.get_mut(&name), value) {
                _ if name == "type" => {}
                (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
                (_, value) => {
                    block.insert(name, value);
                }
            }
        }
    }

    fn block_stop(&mut self, index: u64, out: &mut Vec<Event>) {
        let Some(at) = self.blocks.iter().rposition(|(open, _)| *open == index) else { return };
        match self.blocks.remove(at).1 {
            Block::Plain | Block::Call { input: None, .. } | Block::Answer { input: None } => {}
            // No delta came: the beginning held the whole input, or there is none.
            Block::Call { index, input: Some(input) } => {
                out.push(Event::ToolArguments { choice: 0, index, arguments: object_text(&input) });
            }
            Block::Answer { input: Some(input) } => {
                out.push(Event::Text { choice: 0, text: object_text(&input) });
            }
            Block::Native { mut value, input } => {
                if let Ok(input) = serde_json::from_str::<Value>(&input) {
                    value["input"] = input;
                }
                let part = content::block(value.clone().into(), Path::Root)
                    .unwrap_or_else(|_| Part::new(PartKind::Native { dialect: NATIVE.to_owned(), value }));
                out.push(Event::Part { choice: 0, part: Box::new(part) });
            }
        }
        out.push(Event::BlockEnd { choice: 0 });
    }

    fn message_delta(&mut self, event: WireEvent, out: &mut Vec<Event>) {
        if let Some(usage) = event.usage {
            self.count(usage, out);
        }
        let Some(delta) = event.delta else { return };
        self.stop(delta.stop_reason, delta.stop_sequence, out);
    }

    fn stop(&self, reason: Option<String>, sequence: Option<String>, out: &mut Vec<Event>) {
        let Some(reason) = reason else { return };
        let reason = match response::finish(&reason, sequence) {
            Finish::ToolCalls if self.answered && self.calls == 0 => Finish::Stop,
            reason => reason,
        };
        out.push(Event::Finish { choice: 0, reason });
    }
}

fn some_text(text: String, out: &mut Vec<Event>) {
    if !text.is_empty() {
        out.push(Event::Text { choice: 0, text });
    }
}

/// The input as text; anything but an object counts as no input.
fn object_text(input: &Value) -> String {
    if input.is_object() { input.to_string() } else { "{}".to_owned() }
}
