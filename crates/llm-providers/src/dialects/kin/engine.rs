//! Agents in Google's Agent Engine (`:streamQuery`): a Python application of the operator's that is given the
//! user's words and tells events of Google's Agent Development Kit, one JSON object a line.
//!
//! Vendor's documentation:
//! <https://docs.cloud.google.com/agent-builder/agent-engine/use/adk>.
//!
//! An agent has its own memory and instructions: the last words of the user are sent, as LiteLLM does. It
//! begins a session for each call.

use llm_types::Result;
use serde_json::{Value, json};

use super::texts::{messages, only_text, role};
use super::{Chat, Form, Pieces, answer, piece, stated, strange};
use crate::dialect::Framing;
use crate::{DialectId, Target};

/// Who is speaking where the caller names no user: the application wants a name.
const NOBODY: &str = "default-user-id";

/// The form.
#[derive(Debug)]
pub(super) struct Engine;

impl Form for Engine {
    fn id(&self) -> DialectId {
        DialectId::AgentEngine
    }

    fn request(&self, chat: Chat, target: &Target) -> Result<(String, Value)> {
        let last = messages(&chat).iter().rfind(|message| role(message) == "user").or(messages(&chat).last());
        let words = last.map(|message| only_text(message, target)).transpose()?.unwrap_or_default();
        let user = chat.get("user").and_then(Value::as_str).unwrap_or(NOBODY);
        let body =
            json!({"class_method": "async_stream_query", "input": {"message": words, "user_id": user}});
        Ok(("/".to_owned(), body))
    }

    fn reply(&self, reply: Value) -> Result<Value> {
        // One event alone: the whole answer.
        let mut chunks = Vec::new();
        let mut events = Events::default();
        events.push("", reply, &mut chunks)?;
        if !events.end(&mut chunks) {
            return Err(strange("it tells no event of an agent"));
        }
        let text: String =
            chunks.iter().filter_map(|chunk| chunk.pointer("/choices/0/delta/content")?.as_str()).collect();
        let usage = chunks.iter().find_map(|chunk| chunk.get("usage")).cloned();
        Ok(answer(json!({"role": "assistant", "content": text}), "stop", usage))
    }

    fn pieces(&self) -> Box<dyn Pieces> {
        Box::new(Events::default())
    }

    fn framing(&self) -> Framing {
        Framing::Ndjson
    }
}

/// The events of a run. Where an answer comes in parts, an event with the whole of it comes behind them.
#[derive(Debug, Default)]
struct Events {
    seen: bool,
    in_parts: bool,
    usage: Option<Value>,
}

impl Pieces for Events {
    fn push(&mut self, _event: &str, data: Value, out: &mut Vec<Value>) -> Result<bool> {
        let words = |name: &str| data.get(name).and_then(Value::as_str);
        if let Some(message) = words("error_message").or(words("errorMessage")) {
            return Err(stated(message));
        }
        if let Some(error) = data.get("error").filter(|error| !error.is_null()) {
            let message = error.get("message").and_then(Value::as_str);
            return Err(stated(message.or(words("message")).unwrap_or_default()));
        }
        self.seen |= data.get("content").is_some() || words("author").is_some();
        let count = |names: [&str; 2]| {
            let counted = data.get("usage_metadata").or_else(|| data.get("usageMetadata"))?;
            names.iter().find_map(|name| counted.get(*name)?.as_u64())
        };
        if let Some(input) = count(["prompt_token_count", "promptTokenCount"]) {
            let output = count(["candidates_token_count", "candidatesTokenCount"]).unwrap_or_default();
            self.usage = Some(json!({
                "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
            }));
        }
        let parts = data.pointer("/content/parts").and_then(Value::as_array);
        let own = data.pointer("/content/role").and_then(Value::as_str) != Some("user");
        let said = |part: &Value| part.get("thought").and_then(Value::as_bool) != Some(true);
        let text: String = parts
            .into_iter()
            .flatten()
            .filter(|part| own && said(part))
            .filter_map(|part| part.get("text")?.as_str())
            .collect();
        let partial = data.get("partial").and_then(Value::as_bool) == Some(true);
        let again = self.in_parts && !partial && !text.is_empty();
        if !text.is_empty() {
            self.in_parts = partial;
        }
        if !text.is_empty() && !again {
            out.push(piece(json!({"content": text}), None));
        }
        Ok(false)
    }

    fn end(&mut self, out: &mut Vec<Value>) -> bool {
        if self.seen {
            let mut last = piece(json!({}), Some("stop"));
            if let Some(usage) = self.usage.take() {
                last["usage"] = usage;
            }
            out.push(last);
        }
        self.seen
    }
}
