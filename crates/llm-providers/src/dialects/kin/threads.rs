//! Threads and runs (`POST /threads/runs`): an agent that its operator has set up is given a conversation and
//! runs on it. OpenAI's Assistants, as Azure AI Foundry's agents have them.
//!
//! Vendor's documentation:
//! <https://learn.microsoft.com/en-us/rest/api/aifoundry/aiagents/create-thread-and-run/create-thread-and-run>.
//!
//! Runs are always asked for as a stream: a whole answer is what it told. The agent brings its own tools and
//! instructions; system messages are added to these. A run that wants a tool of the caller's is an error.

use llm_types::Result;
use serde_json::{Value, json};

use super::texts::{messages, only_text, role};
use super::{Chat, Form, Pieces, piece, said, stated, strange};
use crate::{DialectId, Target};

/// The form.
#[derive(Debug)]
pub(super) struct Threads;

impl Form for Threads {
    fn id(&self) -> DialectId {
        DialectId::Threads
    }

    fn request(&self, chat: Chat, target: &Target) -> Result<(String, Value)> {
        let (mut listed, mut instructions) = (Vec::new(), Vec::new());
        for message in messages(&chat) {
            let text = only_text(message, target)?;
            match role(message) {
                "system" => instructions.push(text),
                "assistant" => listed.push(json!({"role": "assistant", "content": text})),
                _ => listed.push(json!({"role": "user", "content": text})),
            }
        }
        let mut body = json!({"assistant_id": target.model, "stream": true, "thread": {"messages": listed}});
        if !instructions.is_empty() {
            body["additional_instructions"] = instructions.join("\n").into();
        }
        for name in ["temperature", "top_p"] {
            if let Some(value) = chat.get(name) {
                body[name] = value.clone();
            }
        }
        if let Some(cap) = chat.get("max_completion_tokens").or_else(|| chat.get("max_tokens")) {
            body["max_completion_tokens"] = cap.clone();
        }
        Ok(("/threads/runs".to_owned(), body))
    }

    fn reply(&self, reply: Value) -> Result<Value> {
        // A list of messages, newest first.
        let text = reply.pointer("/data/0/content/0/text/value").and_then(Value::as_str);
        text.map(said).ok_or_else(|| strange("it is no stream of a run"))
    }

    fn pieces(&self) -> Box<dyn Pieces> {
        Box::new(Run)
    }
}

/// The events of a run.
#[derive(Debug)]
struct Run;

impl Pieces for Run {
    fn push(&mut self, event: &str, data: Value, out: &mut Vec<Value>) -> Result<bool> {
        let words = |place: &str| data.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
        match event {
            "thread.message.delta" => {
                for part in data.pointer("/delta/content").and_then(Value::as_array).into_iter().flatten() {
                    if let Some(text) = part.pointer("/text/value").and_then(Value::as_str) {
                        out.push(piece(json!({"content": text}), None));
                    }
                }
                Ok(false)
            }
            "thread.run.completed" | "thread.run.incomplete" => {
                let is_cut = words("/incomplete_details/reason");
                let finish = if is_cut.is_empty() { "stop" } else { "length" };
                let mut last = piece(json!({}), Some(finish));
                if let Some(usage) = data.get("usage").filter(|usage| usage.is_object()) {
                    last["usage"] = usage.clone();
                }
                out.push(last);
                Ok(true)
            }
            "thread.run.requires_action" => {
                Err(stated("the agent wants a tool called, which it must do itself"))
            }
            "thread.run.failed" | "thread.run.cancelled" | "thread.run.expired" => {
                let why = words("/last_error/message");
                let state = event.rsplit('.').next().unwrap_or_default();
                Err(stated(&format!("the agent's run is {state}: {why}")))
            }
            "error" => Err(stated(&(words("/message") + &words("/error/message")))),
            _ => Ok(false),
        }
    }
}
