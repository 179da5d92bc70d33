//! What settlement needs of a whole reply: read in one pass where the reply is an ordinary one.

use llm_types::{Finish, Message, Part, PartKind};

use super::super::usage;
use super::super::wire::finish_of;
use super::read;
use crate::dialect::{InvokedTools, ReplyFacts};
use crate::scan::{Fault, Item, Kind, Reader};

/// What settlement needs of a whole reply.
pub(crate) fn facts(body: &[u8]) -> ReplyFacts {
    quick(body).unwrap_or_else(|| careful(body))
}

/// The facts of a reply that holds text and nothing that needs a closer look; `None` for all others.
fn quick(body: &[u8]) -> Option<ReplyFacts> {
    let mut seen = Seen::default();
    let mut reader = Reader::new(body).ok()?;
    reader.members(|reader, name| seen.top_member(reader, &name)).ok()?;
    reader.end().ok()?;
    (seen.answers > 0 && !seen.odd).then(|| ReplyFacts { complete: true, ..seen.facts })
}

#[derive(Default)]
struct Seen {
    facts: ReplyFacts,
    answers: usize,
    /// Something that only the careful way understands.
    odd: bool,
}

impl Seen {
    fn top_member(&mut self, reader: &mut Reader<'_>, name: &str) -> Result<(), Fault> {
        if name == "choices" && reader.kind() == Kind::Array {
            self.odd |= self.answers > 0;
            return reader.elements(|reader| self.choice(reader));
        }
        let value = reader.item()?;
        match name {
            "id" => self.facts.id = text(value),
            "model" => self.facts.model = text(value),
            "usage" => self.facts.usage = usage::read(value).or(self.facts.usage.take()),
            "x_groq" | "choices" => self.odd = true,
            "error" => self.odd |= !value.is_null(),
            _ => {}
        }
        Ok(())
    }

    fn choice(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.answers += 1;
        if reader.kind() != Kind::Object {
            self.odd = true;
            return reader.item().map(|_| ());
        }
        let first = self.answers == 1;
        reader.members(|reader, name| {
            if name == "message" && reader.kind() == Kind::Object {
                return reader.members(|reader, name| self.message_member(reader, &name));
            }
            let value = reader.item()?;
            match &*name {
                "finish_reason" => {
                    let finish = value.as_str().and_then(|word| finish_of(&word));
                    self.odd |= matches!(finish, Some(Finish::Other(_)));
                    if first {
                        self.facts.finish = finish;
                    }
                }
                "error" | "message" => self.odd |= !value.is_null(),
                _ => {}
            }
            Ok(())
        })
    }

    fn message_member(&mut self, reader: &mut Reader<'_>, name: &str) -> Result<(), Fault> {
        let value = reader.item()?;
        match (name, value.kind) {
            ("role", _) | (_, Kind::Null) => {}
            ("content" | "refusal", Kind::String) => {
                self.facts.answer_bytes += value.as_str().map_or(0, |text| text.len() as u64);
            }
            _ => self.odd |= value.text != "[]",
        }
        Ok(())
    }
}

fn text(value: Item<'_>) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(Into::into)
}

fn careful(body: &[u8]) -> ReplyFacts {
    match read::read(body) {
        Ok(reply) => {
            let first = reply.choices.first();
            ReplyFacts {
                id: Some(reply.id).filter(|id| !id.is_empty()),
                model: Some(reply.model).filter(|model| !model.is_empty()),
                finish: first.and_then(|choice| choice.finish.clone()),
                answer_bytes: reply.choices.iter().map(|choice| answer_bytes(&choice.message)).sum(),
                tools: InvokedTools::of(reply.choices.iter().flat_map(|choice| &choice.message.parts)),
                usage: reply.usage,
                error: None,
                complete: true,
            }
        }
        Err(error) => ReplyFacts { error: Some(error), ..ReplyFacts::default() },
    }
}

fn answer_bytes(message: &Message) -> u64 {
    let bytes = |part: &Part| match &part.kind {
        PartKind::Text { text, .. } | PartKind::Reasoning { text, .. } | PartKind::Refusal { text } => {
            text.len()
        }
        PartKind::ToolCall(call) => call.arguments.len() + call.name.len(),
        _ => 0,
    };
    message.parts.iter().map(bytes).map(|bytes| bytes as u64).sum()
}

#[cfg(test)]
mod tests;
