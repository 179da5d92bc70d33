//! A provider's frames into events.
//!
//! The wire has no last frame: a stream is complete when it ends after every answer stated its finish
//! reason, or the prompt was refused. Any other end is a cut.

use llm_types::{Error, ErrorKind, Event, Finish, Part, PartKind, Result, Start};
use serde_json::Value;

use super::super::response::{blocked, citations, searches, to_openai};
use super::super::usage::WireUsage;
use super::super::wire::{camel_value, finish_of, finish_said, id_with_signature};
use super::super::{content, error};
use super::partial::Partial;
use crate::dialect::{Frame, StreamDecoder};
use crate::dialects::calls::made_id;
use crate::fields::Path;

/// Reads a stream of this dialect.
#[derive(Debug, Default)]
pub(in super::super) struct Decoder {
    started: bool,
    id: String,
    answers: Vec<Answer>,
    /// The prompt was refused.
    blocked: bool,
    /// Searches the vendor made.
    searches: u64,
    ended: bool,
}

/// The state of one answer.
#[derive(Debug, Default)]
struct Answer {
    choice: u32,
    calls: u32,
    partial: Option<Partial>,
    /// The text so far: passages are told by their place in it.
    text: String,
    /// What the answer rests on, as the frames told.
    grounding: Vec<Value>,
    finish: Option<String>,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()> {
        if self.ended || frame.data.is_empty() || frame.data == "[DONE]" {
            return Ok(());
        }
        let value: Value = serde_json::from_slice(&frame.data).map_err(|fault| {
            Error::new(
                ErrorKind::BadUpstream,
                format!("provider sent a stream frame that is not JSON: {fault}"),
            )
        })?;
        if let Some(error) = error::stated(&value) {
            self.ended = true;
            out.push(Event::Error(error));
            return Ok(());
        }
        let mut value = camel_value(value);
        self.start(&value, out);
        self.blocked |= value.get("promptFeedback").is_some_and(blocked);
        let candidates = value.get_mut("candidates").map(Value::take);
        if let Some(Value::Array(candidates)) = candidates {
            for (number, candidate) in candidates.into_iter().enumerate() {
                self.candidate(candidate, number, out)?;
            }
        }
        self.usage(&value, out);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        let finished = !self.answers.is_empty() && self.answers.iter().all(|answer| answer.finish.is_some());
        if self.ended || !(finished || self.blocked) {
            return;
        }
        self.ended = true;
        for mut answer in std::mem::take(&mut self.answers) {
            answer.end(&self.id, self.blocked, out);
        }
        if !finished && self.blocked {
            out.push(Event::Finish { choice: 0, reason: Finish::ContentFilter });
        }
        out.push(Event::Done);
    }
}

impl Decoder {
    fn start(&mut self, value: &Value, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let word = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.id = word("responseId");
        let start = Start { id: self.id.clone(), model: word("modelVersion"), ..Start::default() };
        out.push(Event::Start(start));
    }

    fn usage(&mut self, value: &Value, out: &mut Vec<Event>) {
        let wire = value.get("usageMetadata").map(|usage| serde_json::from_value::<WireUsage>(usage.clone()));
        // A record of another form counts nothing; settlement estimates then.
        let Some(mut usage) = wire.and_then(|wire| wire.ok()).and_then(|wire| wire.canonical()) else {
            return;
        };
        usage.web_searches = Some(self.searches).filter(|searches| *searches > 0);
        out.push(Event::Usage(usage));
    }

    fn candidate(&mut self, candidate: Value, number: usize, out: &mut Vec<Event>) -> Result<()> {
        let Value::Object(mut candidate) = candidate else { return Ok(()) };
        let stated =
            candidate.get("index").and_then(Value::as_u64).and_then(|index| u32::try_from(index).ok());
        let choice = stated.unwrap_or_else(|| u32::try_from(number).unwrap_or(u32::MAX));
        let at = self.answers.iter().position(|answer| answer.choice == choice).unwrap_or_else(|| {
            self.answers.push(Answer { choice, ..Answer::default() });
            self.answers.len() - 1
        });
        let answer = &mut self.answers[at];
        let parts = candidate.get_mut("content").and_then(|content| content.get_mut("parts"));
        if let Some(Value::Array(parts)) = parts.map(Value::take) {
            for part in parts {
                answer.part(part, &self.id, out)?;
            }
        }
        if let Some(value) = candidate.get("logprobsResult").and_then(to_openai) {
            out.push(Event::Logprobs { choice, value });
        }
        if let Some(reason) = candidate.get("finishReason").and_then(finish_said) {
            answer.finish = Some(reason.to_owned());
        }
        if let Some(grounding) = candidate.get("groundingMetadata") {
            self.searches = self.searches.max(searches(grounding));
        }
        let rests = ["groundingMetadata", "citationMetadata"];
        candidate.retain(|name, value| rests.contains(&name.as_str()) && !value.is_null());
        if !candidate.is_empty() {
            self.answers[at].grounding.push(Value::Object(candidate));
        }
        Ok(())
    }
}

impl Answer {
    fn part(&mut self, mut part: Value, reply: &str, out: &mut Vec<Event>) -> Result<()> {
        if self.piece_of_call(&mut part, reply, out) {
            return Ok(());
        }
        let part = content::part(part.into(), Path::Root).map_err(|error| content::bad_reply(&error))?;
        let choice = self.choice;
        match part.kind {
            PartKind::Text { text, .. } => {
                self.text.push_str(&text);
                if !text.is_empty() {
                    out.push(Event::Text { choice, text });
                }
                signed(choice, part.signature, out);
            }
            PartKind::Reasoning { text, .. } => {
                if !text.is_empty() {
                    out.push(Event::Reasoning { choice, text });
                }
                signed(choice, part.signature, out);
            }
            PartKind::ToolCall(call) => {
                self.call(Partial::new(call.id, call.name, part.signature, None), call.arguments, reply, out);
            }
            _ => out.push(Event::Part { choice, part: Box::new(Part { signature: None, ..part }) }),
        }
        Ok(())
    }

    /// Whether a part is a piece of a call whose arguments come in pieces, which is taken then.
    fn piece_of_call(&mut self, part: &mut Value, reply: &str, out: &mut Vec<Event>) -> bool {
        let signature = part.get("thoughtSignature").and_then(Value::as_str).map(str::to_owned);
        let Some(Value::Object(call)) = part.get_mut("functionCall") else { return false };
        let goes_on = call.get("willContinue").and_then(Value::as_bool).unwrap_or(false);
        let in_pieces = goes_on || call.get("partialArgs").is_some();
        let word = |name: &str| call.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = word("name");
        let continues = name.is_empty() && self.partial.is_some();
        if !in_pieces && !continues {
            return false;
        }
        if !name.is_empty() {
            self.flush(reply, out);
            self.partial = Some(Partial::new(word("id"), name, signature, call.get("args").cloned()));
        }
        if let Some(partial) = &mut self.partial {
            partial.take(call.get("partialArgs").and_then(Value::as_array).map_or(&[][..], Vec::as_slice));
        }
        if !goes_on {
            self.flush(reply, out);
        }
        true
    }

    /// Tells the call whose arguments came in pieces.
    fn flush(&mut self, reply: &str, out: &mut Vec<Event>) {
        if let Some(partial) = self.partial.take() {
            let arguments = partial.arguments();
            self.call(partial, arguments, reply, out);
        }
    }

    fn call(&mut self, call: Partial, arguments: String, reply: &str, out: &mut Vec<Event>) {
        let (choice, index) = (self.choice, self.calls);
        self.calls += 1;
        let Partial { id, name, signature, .. } = call;
        let id =
            if id.is_empty() { made_id(&[reply, &choice.to_string(), &name, &arguments], index) } else { id };
        let id = id_with_signature(&id, signature.as_deref());
        out.push(Event::ToolStart { choice, index, id, name, custom: false });
        out.push(Event::ToolArguments { choice, index, arguments });
        signed(choice, signature, out);
        out.push(Event::BlockEnd { choice });
    }

    fn end(&mut self, reply: &str, blocked: bool, out: &mut Vec<Event>) {
        self.flush(reply, out);
        let choice = self.choice;
        let mut told = Vec::new();
        for grounding in &self.grounding {
            for citation in citations(grounding, &self.text) {
                if !told.contains(&citation) {
                    told.push(citation.clone());
                    out.push(Event::Citation { choice, citation: Box::new(citation) });
                }
            }
        }
        let reason = match &self.finish {
            Some(word) => finish_of(word, self.calls > 0),
            None if blocked => Finish::ContentFilter,
            None => return,
        };
        out.push(Event::Finish { choice, reason });
    }
}

fn signed(choice: u32, signature: Option<String>, out: &mut Vec<Event>) {
    if let Some(signature) = signature {
        out.push(Event::Signature { choice, signature });
        out.push(Event::BlockEnd { choice });
    }
}
