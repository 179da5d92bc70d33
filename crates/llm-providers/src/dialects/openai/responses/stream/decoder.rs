//! Frames of this API into events.
//!
//! The stream ends with `response.completed`, `response.incomplete`, `response.failed` or `error`; any
//! other end is a cut. Recorded vendors differ: some send items only when they are done, some only in
//! the last frame, some no `arguments.done`; what was told in pieces is not told again.

use llm_types::{Error, ErrorKind, Event, Finish, Part, PartKind, Result, Start};
use serde_json::{Value, json};

use super::super::namespace;
use super::super::request::annotation_of;
use super::super::response::{error_event, error_of_reply, logprobs, output_item, read_usage};
use super::super::wire::{finish_of, sealed};
use crate::dialect::{Frame, StreamDecoder};
use crate::scan::{self, Item, Kind};

/// The state of one stream.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    started: bool,
    ended: bool,
    /// Items told so far, by their place in the output.
    items: Vec<Seen>,
    calls: u32,
    searches: u64,
}

/// What of an item has been told.
#[derive(Debug, Default)]
struct Seen {
    place: u64,
    /// The number of the call, if it is one.
    call: Option<u32>,
    /// Whether pieces of it have been told.
    told: bool,
    /// The summary part of the last piece.
    summary: Option<u64>,
    /// The content part of the last piece.
    content: Option<u64>,
    done: bool,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()> {
        let data = frame.data.trim_ascii();
        if self.ended || data.is_empty() || data == b"[DONE]" {
            return Ok(());
        }
        let event = scan::value(data).map_err(|fault| {
            Error::new(
                ErrorKind::BadUpstream,
                format!("the provider's stream holds a frame that is not JSON: {fault}"),
            )
        })?;
        self.event(event, out);
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<Event>) {}
}

impl Decoder {
    fn event(&mut self, event: Item<'_>, out: &mut Vec<Event>) {
        let kind = text(event, "type");
        if let Some(reply) = event.member("response").filter(|reply| reply.kind == Kind::Object) {
            self.reply(&kind, reply, out);
            return;
        }
        match kind.as_str() {
            "response.output_item.added" => self.added(event, out),
            "response.output_item.done" => self.item_done(event, out),
            "response.output_text.delta" => self.text(event, out),
            "response.refusal.delta" => {
                self.piece(event, out).told = true;
                out.push(Event::Refusal { choice: 0, text: text(event, "delta") });
            }
            "response.reasoning_summary_text.delta" => self.thought(event, "summary_index", out),
            "response.reasoning_text.delta" => self.thought(event, "content_index", out),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.arguments(event, out);
            }
            "response.output_text.annotation.added" => {
                self.piece(event, out);
                if let Some(annotation) = event.member("annotation").and_then(json_of) {
                    out.push(Event::Citation { choice: 0, citation: Box::new(annotation_of(annotation)) });
                }
            }
            "error" => self.fail(error_event(event), out),
            "" if event.member("error").is_some() => self.fail(error_event(event), out),
            _ => {}
        }
    }

    fn begin(&mut self, reply: Option<Item<'_>>, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            let said = |name: &str| reply.map(|reply| text(reply, name)).unwrap_or_default();
            let created = reply.and_then(|reply| reply.member("created_at")?.text.parse::<f64>().ok());
            #[expect(clippy::cast_possible_truncation, reason = "seconds; casts from float saturate")]
            let created = created.map(|seconds| seconds as i64);
            let start = Start { id: said("id"), model: said("model"), created, ..Start::default() };
            out.push(Event::Start(start));
        }
    }

    fn reply(&mut self, kind: &str, reply: Item<'_>, out: &mut Vec<Event>) {
        self.begin(Some(reply), out);
        match kind {
            "response.completed" | "response.incomplete" => {
                self.rest(reply, out);
                self.usage(reply, out);
                self.ended = true;
                out.push(Event::Finish { choice: 0, reason: self.reason(reply) });
                out.push(Event::Done);
            }
            "response.failed" | "response.cancelled" => {
                self.usage(reply, out);
                self.fail(error_of_reply(reply), out);
            }
            _ => out.push(Event::Ping),
        }
    }

    fn reason(&self, reply: Item<'_>) -> Finish {
        finish_of(reply, self.calls > 0)
    }

    fn usage(&self, reply: Item<'_>, out: &mut Vec<Event>) {
        if let Some(mut usage) = read_usage(reply) {
            usage.web_searches = usage.web_searches.or((self.searches > 0).then_some(self.searches));
            out.push(Event::Usage(usage));
        }
    }

    fn fail(&mut self, error: Error, out: &mut Vec<Event>) {
        self.ended = true;
        out.push(Event::Error(error));
    }

    /// Items that only the last frame holds.
    fn rest(&mut self, reply: Item<'_>, out: &mut Vec<Event>) {
        let Some(output) = reply.member("output") else { return };
        if !self.items.is_empty() {
            return;
        }
        let mut place = 0;
        output.elements(|item| {
            if let Some(value) = json_of(item) {
                self.whole(place, value, out);
            }
            place += 1;
        });
    }

    fn slot(&mut self, place: u64) -> &mut Seen {
        let known = self.items.iter().position(|seen| seen.place == place && !seen.done);
        let at = known.unwrap_or_else(|| {
            self.items.push(Seen { place, ..Seen::default() });
            self.items.len() - 1
        });
        &mut self.items[at]
    }

    /// The item a piece belongs to.
    fn piece(&mut self, event: Item<'_>, out: &mut Vec<Event>) -> &mut Seen {
        self.begin(None, out);
        self.slot(place(event))
    }

    fn added(&mut self, event: Item<'_>, out: &mut Vec<Event>) {
        self.begin(None, out);
        let Some(item) = event.member("item") else { return };
        let kind = text(item, "type");
        let custom = kind == "custom_tool_call";
        let named = !text(item, "name").is_empty();
        if (kind == "function_call" || custom) && named {
            let index = self.calls;
            self.calls += 1;
            self.slot(place(event)).call = Some(index);
            let id = [text(item, "call_id"), text(item, "id")].into_iter().find(|id| !id.is_empty());
            let id = id.unwrap_or_else(|| format!("call_{index}"));
            let name = namespace::joined(Some(&text(item, "namespace")), text(item, "name"));
            out.push(Event::ToolStart { choice: 0, index, id, name, custom });
        } else {
            self.slot(place(event));
        }
    }

    fn text(&mut self, event: Item<'_>, out: &mut Vec<Event>) {
        let part = event.member("content_index").and_then(|index| index.as_u64());
        let seen = self.piece(event, out);
        seen.told = true;
        if seen.content.is_some() && seen.content != part {
            out.push(Event::BlockEnd { choice: 0 });
        }
        seen.content = part;
        out.push(Event::Text { choice: 0, text: text(event, "delta") });
        let words = event.member("logprobs").and_then(json_of);
        if let Some(Value::Array(words)) =
            words.filter(|words| words.as_array().is_some_and(|w| !w.is_empty()))
        {
            out.push(Event::Logprobs { choice: 0, value: json!({"content": words, "refusal": null}) });
        }
    }

    /// A piece of a summary or of the thoughts themselves; parts stand apart.
    fn thought(&mut self, event: Item<'_>, index: &str, out: &mut Vec<Event>) {
        let part = event.member(index).and_then(|index| index.as_u64());
        let seen = self.piece(event, out);
        let joint = if seen.told && seen.summary != part { "\n\n" } else { "" };
        seen.told = true;
        seen.summary = part;
        out.push(Event::Reasoning { choice: 0, text: format!("{joint}{}", text(event, "delta")) });
    }

    fn arguments(&mut self, event: Item<'_>, out: &mut Vec<Event>) {
        let seen = self.piece(event, out);
        let Some(index) = seen.call else { return };
        seen.told = true;
        out.push(Event::ToolArguments { choice: 0, index, arguments: text(event, "delta") });
    }

    fn item_done(&mut self, event: Item<'_>, out: &mut Vec<Event>) {
        self.begin(None, out);
        if let Some(value) = event.member("item").and_then(json_of) {
            self.whole(place(event), value, out);
        }
    }

    /// An item that is complete: what of it was not told in pieces is told now.
    fn whole(&mut self, place: u64, item: Value, out: &mut Vec<Event>) {
        let seen = self.slot(place);
        let (told, call) = (seen.told, seen.call);
        seen.done = true;
        let kind = item.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.searches += u64::from(kind == "web_search_call");
        match kind.as_str() {
            "message" if told => {}
            "reasoning" if told => out.extend(seal(&item)),
            "function_call" | "custom_tool_call" if call.is_some() => {
                let index = call.unwrap_or_default();
                for part in output_item(item) {
                    if let PartKind::ToolCall(call) = part.kind
                        && !told
                        && !call.arguments.is_empty()
                    {
                        out.push(Event::ToolArguments { choice: 0, index, arguments: call.arguments });
                    }
                    out.extend(part.signature.map(|signature| Event::Signature { choice: 0, signature }));
                }
            }
            _ => {
                let words = logprobs(&item);
                for part in output_item(item) {
                    self.part(part, out);
                }
                if !words.is_empty() {
                    out.push(Event::Logprobs {
                        choice: 0,
                        value: json!({"content": words, "refusal": null}),
                    });
                }
            }
        }
        out.push(Event::BlockEnd { choice: 0 });
    }

    fn part(&mut self, part: Part, out: &mut Vec<Event>) {
        let choice = 0;
        match part.kind {
            PartKind::Text { text, citations } => {
                out.push(Event::Text { choice, text });
                let told = citations.into_iter().map(Box::new);
                out.extend(told.map(|citation| Event::Citation { choice, citation }));
            }
            PartKind::Refusal { text } => out.push(Event::Refusal { choice, text }),
            PartKind::Reasoning { text, .. } => {
                out.push(Event::Reasoning { choice, text });
                out.extend(part.signature.map(|signature| Event::Signature { choice, signature }));
            }
            PartKind::ToolCall(call) => {
                let index = self.calls;
                self.calls += 1;
                let (id, name, custom) = (call.id, call.name, call.custom);
                out.push(Event::ToolStart { choice, index, id, name, custom });
                out.push(Event::ToolArguments { choice, index, arguments: call.arguments });
                out.extend(part.signature.map(|signature| Event::Signature { choice, signature }));
            }
            _ => out.push(Event::Part { choice, part: Box::new(part) }),
        }
    }
}

/// The signature of reasoning whose text was told in pieces.
fn seal(item: &Value) -> Option<Event> {
    let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
    let encrypted = item.get("encrypted_content")?.as_str().filter(|encrypted| !encrypted.is_empty())?;
    Some(Event::Signature { choice: 0, signature: sealed(id, encrypted) })
}

fn place(event: Item<'_>) -> u64 {
    event.member("output_index").and_then(|index| index.as_u64()).unwrap_or(0)
}

fn text(item: Item<'_>, name: &str) -> String {
    item.member(name).and_then(|value| value.as_str()).unwrap_or_default().into_owned()
}

fn json_of(item: Item<'_>) -> Option<Value> {
    serde_json::from_str(item.text).ok()
}
