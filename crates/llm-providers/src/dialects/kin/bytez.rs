//! Bytez: contents are always lists of parts, parameters stand in an object, and the URL names the model.
//!
//! Vendor's documentation: <https://docs.bytez.com/model-api/docs/http-reference>.
//!
//! Its streams are bare text without a mark of their end, so that a cut could not be told from the end:
//! whoever wants a stream is given the whole answer in one piece.

use llm_types::{Error, Result};
use serde_json::{Map, Value, json};

use super::texts::{messages, role};
use super::{Chat, Form, Pieces, said, stated, strange};
use crate::left_out::note;
use crate::{DialectId, Target};

/// OpenAI's names of parameters and the vendor's.
const RENAMED: [(&str, &str); 3] = [
    ("max_completion_tokens", "max_new_tokens"),
    ("max_tokens", "max_new_tokens"),
    ("n", "num_return_sequences"),
];

/// The form.
#[derive(Debug)]
pub(super) struct Bytez;

impl Form for Bytez {
    fn id(&self) -> DialectId {
        DialectId::Bytez
    }

    fn request(&self, mut chat: Chat, target: &Target) -> Result<(String, Value)> {
        let listed: Result<Vec<Value>> =
            messages(&chat).iter().map(|message| with_parts(message, target)).collect();
        let body_messages = listed?;
        for name in ["messages", "model", "stream"] {
            chat.shift_remove(name);
        }
        let mut params = Map::new();
        for (name, value) in chat {
            let theirs = RENAMED.iter().find(|(ours, _)| *ours == name).map_or(&*name, |(_, theirs)| theirs);
            params.insert(theirs.to_owned(), value);
        }
        let body = json!({"messages": body_messages, "stream": false, "params": params});
        Ok((format!("/{}", target.model), body))
    }

    fn reply(&self, reply: Value) -> Result<Value> {
        if let Some(error) = reply.get("error").filter(|error| !error.is_null()) {
            return Err(stated(error.as_str().unwrap_or(&error.to_string())));
        }
        let output = reply.get("output").ok_or_else(|| strange("it has no `output`"))?;
        let content = output.get("content").unwrap_or(output);
        let text = match content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts.iter().filter_map(|part| part.get("text")?.as_str()).collect(),
            _ => return Err(strange("its `output` has no `content`")),
        };
        Ok(said(&text))
    }

    fn pieces(&self) -> Box<dyn Pieces> {
        Box::new(Whole)
    }
}

/// A message whose content is a list of the vendor's parts.
fn with_parts(message: &Value, target: &Target) -> Result<Value> {
    let mut parts = Vec::new();
    match message.get("content") {
        Some(Value::String(text)) => parts.push(json!({"type": "text", "text": text})),
        Some(Value::Array(list)) => {
            for one in list {
                parts.extend(part(one, target)?);
            }
        }
        _ => {}
    }
    if message.get("tool_calls").is_some() || role(message) == "tool" {
        leave_out("calls of tools and what they gave", target)?;
    }
    let role = if role(message) == "tool" { "user" } else { role(message) };
    Ok(json!({"role": role, "content": parts}))
}

/// A part of a content; nothing for one that may be left out.
fn part(part: &Value, target: &Target) -> Result<Option<Value>> {
    let kind = part.get("type").and_then(Value::as_str).unwrap_or("?");
    let url = |name: &str| {
        let place = part.get(name);
        place.and_then(|place| place.get("url").unwrap_or(place).as_str()).map(str::to_owned)
    };
    Ok(match kind {
        "text" => Some(json!({"type": "text", "text": part.get("text")})),
        "image_url" => Some(json!({"type": "image", "url": url("image_url")})),
        "video_url" => Some(json!({"type": "video", "url": url("video_url")})),
        other => {
            leave_out(&format!("parts of type `{other}`"), target)?;
            None
        }
    })
}

fn leave_out(what: &str, target: &Target) -> Result<()> {
    if target.policy.drop {
        note("messages.content");
        return Ok(());
    }
    let message = format!(
        "`messages`: {what} are not supported by this model's provider; leave them out or set `drop_params`"
    );
    Err(Error::unsupported("messages", message))
}

/// There is no stream: a whole reply stands where one was asked for.
#[derive(Debug)]
struct Whole;

impl Pieces for Whole {
    fn push(&mut self, _event: &str, _data: Value, _out: &mut Vec<Value>) -> Result<bool> {
        Err(strange("it is a stream, which was not asked for"))
    }
}
