//! The canonical stream: what happens while an answer is being made.

use serde_json::Value;

use crate::{ChatResponse, Choice, Citation, Error, Extra, Finish, Part, PartKind, Usage};

/// How a stream begins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Start {
    /// The provider's id of the reply.
    pub id: String,
    /// The model that answers, in the provider's words.
    pub model: String,
    /// When it began, in Unix seconds, where the provider says.
    pub created: Option<i64>,
    /// Top-level fields without canonical meaning.
    pub extra: Extra,
}

/// One thing that happened. `choice` counts answers from 0.
///
/// A stream is `Start`, then content, then per choice one `Finish`, then `Done`; `Usage` may come at
/// any time and a later one completes an earlier one. A stream that ends without `Done` was cut.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "usage comes once or twice in a stream")]
pub enum Event {
    /// The reply begins.
    Start(Start),
    /// More text.
    Text {
        /// Which answer.
        choice: u32,
        /// The text.
        text: String,
    },
    /// More reasoning text.
    Reasoning {
        /// Which answer.
        choice: u32,
        /// The text.
        text: String,
    },
    /// The signature of the part being written (reasoning, or the text or call before it).
    Signature {
        /// Which answer.
        choice: u32,
        /// The vendor's opaque signature.
        signature: String,
    },
    /// More of a refusal.
    Refusal {
        /// Which answer.
        choice: u32,
        /// The text.
        text: String,
    },
    /// A tool call begins.
    ToolStart {
        /// Which answer.
        choice: u32,
        /// Which call of that answer, from 0, in the order calls began.
        index: u32,
        /// The call's id.
        id: String,
        /// The tool.
        name: String,
        /// True for a tool that takes free text.
        custom: bool,
    },
    /// More of a tool call's arguments.
    ToolArguments {
        /// Which answer.
        choice: u32,
        /// Which call of that answer.
        index: u32,
        /// The next piece of the argument text.
        arguments: String,
    },
    /// A source for the text being written.
    Citation {
        /// Which answer.
        choice: u32,
        /// The source.
        citation: Box<Citation>,
    },
    /// A part that comes whole: a picture, redacted reasoning, a native block.
    Part {
        /// Which answer.
        choice: u32,
        /// The part.
        part: Box<Part>,
    },
    /// A block of content ended; what follows belongs to a new part even if of the same kind.
    BlockEnd {
        /// Which answer.
        choice: u32,
    },
    /// Log-probabilities of the text just written, in OpenAI's form.
    Logprobs {
        /// Which answer.
        choice: u32,
        /// The record.
        value: Value,
    },
    /// Spoken output (OpenAI `delta.audio`).
    Audio {
        /// Which answer.
        choice: u32,
        /// The vendor's delta.
        value: Value,
    },
    /// An answer ended.
    Finish {
        /// Which answer.
        choice: u32,
        /// Why.
        reason: Finish,
    },
    /// What the call has consumed so far.
    Usage(Usage),
    /// The provider is alive (Anthropic `ping`, SSE comments).
    Ping,
    /// The provider failed in the middle of the answer.
    Error(Error),
    /// The provider says that the stream is complete.
    Done,
}

impl ChatResponse {
    /// The stream that tells this reply: what a caller who waits for a stream gets of an answer that came
    /// whole.
    #[must_use]
    pub fn into_events(self) -> Vec<Event> {
        let Self { id, model, created, choices, usage, service_tier, extra } = self;
        let mut events = vec![Event::Start(Start { id, model, created, extra })];
        choices.into_iter().for_each(|choice| tell(choice, &mut events));
        if let Some(mut usage) = usage {
            usage.service_tier = usage.service_tier.or(service_tier);
            events.push(Event::Usage(usage));
        }
        events.push(Event::Done);
        events
    }
}

fn tell(answer: Choice, events: &mut Vec<Event>) {
    let choice = answer.index;
    let (mut calls, mut logprobs) = (0, answer.logprobs);
    for part in answer.message.parts {
        let is_text = matches!(part.kind, PartKind::Text { .. });
        tell_part(choice, part, &mut calls, events);
        // They are of all the answer's text, and are told while text is.
        let told = if is_text { logprobs.take() } else { None };
        events.extend(told.map(|value| Event::Logprobs { choice, value }));
        events.push(Event::BlockEnd { choice });
    }
    events.extend(logprobs.map(|value| Event::Logprobs { choice, value }));
    if let Some(reason) = answer.finish {
        events.push(Event::Finish { choice, reason });
    }
}

fn tell_part(choice: u32, mut part: Part, calls: &mut u32, events: &mut Vec<Event>) {
    let signature = part.signature.take();
    match part.kind {
        PartKind::Text { text, citations } => {
            events.push(Event::Text { choice, text });
            let told = citations.into_iter().map(Box::new);
            events.extend(told.map(|citation| Event::Citation { choice, citation }));
        }
        PartKind::Reasoning { text, .. } => events.push(Event::Reasoning { choice, text }),
        PartKind::Refusal { text } => events.push(Event::Refusal { choice, text }),
        PartKind::ToolCall(call) => {
            let index = *calls;
            *calls += 1;
            let (id, name, custom, arguments) = (call.id, call.name, call.custom, call.arguments);
            events.push(Event::ToolStart { choice, index, id, name, custom });
            events.push(Event::ToolArguments { choice, index, arguments });
        }
        kind => {
            let part = Part { kind, signature, ..part };
            return events.push(Event::Part { choice, part: Box::new(part) });
        }
    }
    events.extend(signature.map(|signature| Event::Signature { choice, signature }));
}

#[cfg(test)]
mod tests;
