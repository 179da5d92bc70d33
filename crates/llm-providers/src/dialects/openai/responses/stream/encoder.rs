//! Events into the frames of this API.
//!
//! Every item is announced, told in pieces and closed; frames count up from 0. Reasoning is told as a
//! summary, which is the form that callers show.

use bytes::BytesMut;
use llm_types::{Citation, Error, Event, Finish, Part, PartKind, Start, Usage};
use serde_json::{Value, json};

use super::super::namespace;
use super::super::response::{self, Head, annotation, image_item, native_item};
use super::super::wire::{item_id, reasoning_item, reply_id, state_of};
use super::items::{self, Kind, Open};
use crate::dialect::{ReplyContext, StreamEncoder};
use crate::dialects::pass::cut;
use crate::framing::sse;

/// The state of one stream being written.
#[derive(Debug)]
pub(crate) struct Encoder {
    cx: ReplyContext,
    start: Start,
    id: String,
    sequence: u64,
    begun: bool,
    ended: bool,
    /// Finished items, in their places; a place is taken when an item is announced.
    output: Vec<Value>,
    open: Vec<Open>,
    natives: Vec<Value>,
    finish: Option<Finish>,
    refused: bool,
    usage: Option<Usage>,
}

impl Encoder {
    pub(crate) fn new(cx: ReplyContext) -> Self {
        Self {
            cx,
            start: Start::default(),
            id: String::new(),
            sequence: 0,
            begun: false,
            ended: false,
            output: Vec::new(),
            open: Vec::new(),
            natives: Vec::new(),
            finish: None,
            refused: false,
            usage: None,
        }
    }

    fn send(&mut self, kind: &str, mut body: Value, out: &mut BytesMut) {
        let members = body.as_object_mut();
        let mut frame = serde_json::Map::new();
        frame.insert("type".to_owned(), json!(kind));
        frame.insert("sequence_number".to_owned(), json!(self.sequence));
        frame.extend(members.map(std::mem::take).unwrap_or_default());
        self.sequence += 1;
        sse::write(out, kind, Value::Object(frame).to_string().as_bytes());
    }

    /// The reply as it stands.
    fn reply(&self, status: &str, reason: Option<&str>, error: Option<&Error>) -> Value {
        let mut extra = self.start.extra.clone();
        if !self.natives.is_empty() && status != "in_progress" {
            extra.keep("native_blocks", json!(self.natives));
        }
        let model = &self.start.model;
        let head = Head {
            id: &self.id,
            model: if model.is_empty() { &self.cx.model } else { model },
            created: self.start.created.unwrap_or(self.cx.now),
            status,
            reason,
            error,
            usage: self.usage.as_ref().filter(|_| status != "in_progress"),
            service_tier: self.usage.as_ref().and_then(|usage| usage.service_tier.as_deref()),
            extra: &extra,
        };
        Value::Object(response::reply(&head, self.output.clone(), &self.cx))
    }

    fn begin(&mut self, start: Option<&Start>, out: &mut BytesMut) {
        if self.begun {
            return;
        }
        self.begun = true;
        self.start = start.cloned().unwrap_or_default();
        self.id = reply_id(&self.cx, &self.start.id).into_owned();
        let reply = self.reply("in_progress", None, None);
        self.send("response.created", json!({"response": reply}), out);
        self.send("response.in_progress", json!({"response": reply}), out);
    }

    /// Announces an item.
    fn announce(&mut self, prefix: &str, kind: Kind, out: &mut BytesMut) {
        let place = self.output.len();
        let open = Open { id: item_id(prefix, &self.id, place), place, kind, signature: None };
        let item = self.shown(&open, "in_progress");
        self.output.push(item.clone());
        self.open.push(open);
        self.send("response.output_item.added", json!({"output_index": place, "item": item}), out);
    }

    /// An item as it stands, in the caller's words.
    fn shown(&self, open: &Open, status: &str) -> Value {
        let mut item = open.value(status);
        namespace::name_call(&mut item, self.cx.echo.as_deref());
        item
    }

    /// An item that comes whole.
    fn whole(&mut self, item: &Value, out: &mut BytesMut) {
        self.close_all(out);
        let place = self.output.len();
        self.output.push(item.clone());
        let added = json!({"output_index": place, "item": item});
        self.send("response.output_item.added", added.clone(), out);
        self.send("response.output_item.done", added, out);
    }

    /// Closes what is not a call; calls may be told side by side.
    fn close_words(&mut self, out: &mut BytesMut) {
        while let Some(at) = self.open.iter().position(|open| !matches!(open.kind, Kind::Call { .. })) {
            let open = self.open.remove(at);
            self.close(open, out);
        }
    }

    fn close_all(&mut self, out: &mut BytesMut) {
        for open in std::mem::take(&mut self.open) {
            self.close(open, out);
        }
    }

    fn close(&mut self, mut open: Open, out: &mut BytesMut) {
        self.close_part(&mut open, out);
        let place = open.place;
        let at = json!({"item_id": open.id, "output_index": place});
        let with = |more: Value| {
            let mut all = at.clone();
            if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
                all.extend(more);
            }
            all
        };
        match &open.kind {
            Kind::Message { .. } => {}
            Kind::Reasoning { text } => {
                let part = json!({"type": "summary_text", "text": text});
                let done = with(json!({"summary_index": 0, "text": text}));
                self.send("response.reasoning_summary_text.done", done, out);
                let done = with(json!({"summary_index": 0, "part": part}));
                self.send("response.reasoning_summary_part.done", done, out);
            }
            Kind::Call { arguments, custom: true, .. } => {
                let done = with(json!({"input": arguments}));
                self.send("response.custom_tool_call_input.done", done, out);
            }
            Kind::Call { arguments, .. } => {
                let name = self.shown(&open, "completed")["name"].take();
                let done = with(json!({"name": name, "arguments": arguments}));
                self.send("response.function_call_arguments.done", done, out);
            }
        }
        let (status, _) = state_of(self.finish.as_ref(), self.refused);
        let item = self.shown(&open, status);
        if let Some(slot) = self.output.get_mut(place) {
            *slot = item.clone();
        }
        self.send("response.output_item.done", json!({"output_index": place, "item": item}), out);
    }

    /// Ends the part of a message that takes more.
    fn close_part(&mut self, open: &mut Open, out: &mut BytesMut) {
        let Kind::Message { parts, part } = &mut open.kind else { return };
        let Some(part) = part.take() else { return };
        let value = part.value();
        let (item, output, content) = (&open.id, open.place, parts.len());
        parts.push(value.clone());
        let mut done = json!({"item_id": item, "output_index": output, "content_index": content});
        if part.refusal {
            done["refusal"] = json!(part.text);
            self.send("response.refusal.done", done.clone(), out);
        } else {
            done["text"] = json!(part.text);
            done["logprobs"] = json!(part.logprobs);
            self.send("response.output_text.done", done, out);
        }
        let done = json!({"item_id": item, "output_index": output, "content_index": content, "part": value});
        self.send("response.content_part.done", done, out);
    }

    /// The message being written, with a part of this kind that takes more; its place among the open.
    fn message(&mut self, refusal: bool, out: &mut BytesMut) -> usize {
        let is_message = |open: &Open| matches!(open.kind, Kind::Message { .. });
        if !self.open.iter().any(is_message) {
            self.close_all(out);
            self.announce("msg", Kind::Message { parts: Vec::new(), part: None }, out);
        }
        let at = self.open.iter().position(is_message).unwrap_or_default();
        let same = |open: &Open| match &open.kind {
            Kind::Message { part: Some(part), .. } => part.refusal == refusal,
            _ => false,
        };
        if !same(&self.open[at]) {
            let mut open = self.open.remove(at);
            self.close_part(&mut open, out);
            let new = items::Part { refusal, ..items::Part::default() };
            let value = new.value();
            let mut content = 0;
            if let Kind::Message { parts, part } = &mut open.kind {
                content = parts.len();
                *part = Some(new);
            }
            let added = json!({
                "item_id": open.id, "output_index": open.place, "content_index": content, "part": value,
            });
            self.open.insert(at, open);
            self.send("response.content_part.added", added, out);
        }
        at
    }

    /// Adds to the part being written, by what `add` makes of it, and tells the frame it gives.
    fn add_to_part(
        &mut self,
        refusal: bool,
        out: &mut BytesMut,
        add: impl FnOnce(&mut items::Part) -> Option<(&'static str, Value)>,
    ) {
        let at = self.message(refusal, out);
        let open = &mut self.open[at];
        let (item, output) = (open.id.clone(), open.place);
        let Kind::Message { parts, part: Some(part) } = &mut open.kind else { return };
        let content = parts.len();
        let Some((kind, mut body)) = add(part) else { return };
        body["item_id"] = json!(item);
        body["output_index"] = json!(output);
        body["content_index"] = json!(content);
        self.send(kind, body, out);
    }

    fn text(&mut self, text: &str, out: &mut BytesMut) {
        self.add_to_part(false, out, |part| {
            part.text.push_str(text);
            Some(("response.output_text.delta", json!({"delta": text, "logprobs": []})))
        });
    }

    fn refusal(&mut self, text: &str, out: &mut BytesMut) {
        self.refused = true;
        self.add_to_part(true, out, |part| {
            part.text.push_str(text);
            Some(("response.refusal.delta", json!({"delta": text})))
        });
    }

    fn citation(&mut self, citation: &Citation, out: &mut BytesMut) {
        let Some(annotation) = annotation(citation) else { return };
        self.add_to_part(false, out, |part| {
            let body = json!({"annotation_index": part.annotations.len(), "annotation": annotation});
            part.annotations.push(annotation);
            Some(("response.output_text.annotation.added", body))
        });
    }

    /// Shown with the part when it is done: the pieces they belong to have been told.
    fn logprobs(&mut self, value: &Value) {
        let words = value.get("content").and_then(Value::as_array);
        for open in &mut self.open {
            if let Kind::Message { part: Some(part), .. } = &mut open.kind {
                part.logprobs.extend(words.into_iter().flatten().cloned());
            }
        }
    }

    fn reasoning(&mut self, text: &str, out: &mut BytesMut) {
        let is_reasoning = |open: &Open| matches!(open.kind, Kind::Reasoning { .. });
        if !self.open.iter().any(is_reasoning) {
            self.close_all(out);
            self.announce("rs", Kind::Reasoning { text: String::new() }, out);
            if let Some(open) = self.open.last() {
                let added = json!({
                    "item_id": open.id, "output_index": open.place, "summary_index": 0,
                    "part": {"type": "summary_text", "text": ""},
                });
                self.send("response.reasoning_summary_part.added", added, out);
            }
        }
        let Some(open) = self.open.iter_mut().find(|open| is_reasoning(open)) else { return };
        if let Kind::Reasoning { text: all } = &mut open.kind {
            all.push_str(text);
        }
        let delta = json!({
            "item_id": open.id, "output_index": open.place, "summary_index": 0, "delta": text,
        });
        self.send("response.reasoning_summary_text.delta", delta, out);
    }

    fn arguments(&mut self, index: u32, piece: &str, out: &mut BytesMut) {
        let called = self.open.iter_mut().find_map(|open| match &mut open.kind {
            Kind::Call { index: at, arguments, custom, .. } if *at == index => {
                arguments.push_str(piece);
                Some((json!({"item_id": open.id, "output_index": open.place, "delta": piece}), *custom))
            }
            _ => None,
        });
        let Some((delta, custom)) = called.filter(|_| !piece.is_empty()) else { return };
        let kind = if custom {
            "response.custom_tool_call_input.delta"
        } else {
            "response.function_call_arguments.delta"
        };
        self.send(kind, delta, out);
    }

    fn part(&mut self, part: &Part, out: &mut BytesMut) {
        let number = self.output.len();
        match &part.kind {
            PartKind::Text { text, .. } => self.text(text, out),
            PartKind::Refusal { text } => self.refusal(text, out),
            PartKind::Reasoning { text, .. } => {
                self.reasoning(text, out);
                if let Some(signature) = &part.signature {
                    self.sign(signature);
                }
            }
            PartKind::RedactedReasoning { data } => {
                let item = reasoning_item(&item_id("rs", &self.id, number), "", Some(data), true);
                self.whole(&item, out);
            }
            PartKind::Image(media) => {
                let item = image_item(media, &item_id("ig", &self.id, number));
                self.whole(&item, out);
            }
            PartKind::Native { dialect, value } => match native_item(dialect, value) {
                Some(item) => self.whole(&item, out),
                None => self.natives.push(value.clone()),
            },
            // The API has no place for these in an answer, and no provider sends them whole in a stream.
            PartKind::Audio(_)
            | PartKind::Video(_)
            | PartKind::Document(_)
            | PartKind::ToolCall(_)
            | PartKind::ToolResult(_) => {}
        }
    }

    fn sign(&mut self, signature: &str) {
        if let Some(open) = self.open.last_mut() {
            open.signature = Some(signature.to_owned());
        }
    }

    /// A block ended: what follows is a new one even if of the same kind.
    fn block_end(&mut self, out: &mut BytesMut) {
        // Of calls told side by side it is not said which one ended: they end together.
        if self.open.len() == 1 {
            self.close_all(out);
        }
    }

    fn done(&mut self, out: &mut BytesMut) {
        self.close_all(out);
        self.ended = true;
        let (status, reason) = state_of(self.finish.as_ref(), self.refused);
        let reply = self.reply(status, reason, None);
        let kind = if status == "completed" { "response.completed" } else { "response.incomplete" };
        self.send(kind, json!({"response": reply}), out);
    }

    fn fail(&mut self, error: &Error, out: &mut BytesMut) {
        self.begin(None, out);
        self.ended = true;
        let reply = self.reply("failed", None, Some(error));
        self.send("response.failed", json!({"response": reply}), out);
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut BytesMut) {
        if self.ended {
            return;
        }
        match event {
            Event::Start(start) => return self.begin(Some(start), out),
            Event::Usage(later) => {
                return self.usage.get_or_insert_with(Usage::default).update(later);
            }
            Event::Error(error) => return self.fail(error, out),
            Event::Ping => return out.extend_from_slice(b": ping\n\n"),
            _ => self.begin(None, out),
        }
        match event {
            Event::Text { choice: 0, text } => self.text(text, out),
            Event::Refusal { choice: 0, text } => self.refusal(text, out),
            Event::Reasoning { choice: 0, text } => self.reasoning(text, out),
            Event::Signature { choice: 0, signature } => self.sign(signature),
            Event::ToolStart { choice: 0, index, id, name, custom } => {
                self.close_words(out);
                let prefix = if *custom { "ctc" } else { "fc" };
                let (call_id, name) = (id.clone(), name.clone());
                let arguments = String::new();
                let kind = Kind::Call { index: *index, call_id, name, arguments, custom: *custom };
                self.announce(prefix, kind, out);
            }
            Event::ToolArguments { choice: 0, index, arguments } => self.arguments(*index, arguments, out),
            Event::Citation { choice: 0, citation } => self.citation(citation, out),
            Event::Part { choice: 0, part } => self.part(part, out),
            Event::Logprobs { choice: 0, value } => self.logprobs(value),
            Event::BlockEnd { choice: 0 } => self.block_end(out),
            Event::Finish { choice: 0, reason } => self.finish = Some(reason.clone()),
            Event::Done => self.done(out),
            // One answer only; and this API speaks no sound.
            _ => {}
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if !self.ended {
            self.fail(&cut(), out);
        }
    }
}

/// Writes an `error` event, for streams whose reply object is not known.
pub(crate) fn error_frame(error: &Error, sequence: u64, out: &mut BytesMut) {
    let stated = response::error_of(error);
    let event = json!({
        "type": "error", "code": stated["code"], "message": stated["message"], "param": error.param(),
        "sequence_number": sequence,
    });
    sse::write(out, "error", event.to_string().as_bytes());
}
