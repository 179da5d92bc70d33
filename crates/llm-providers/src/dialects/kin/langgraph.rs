//! LangGraph's stateless runs (`POST /runs/wait`, `POST /runs/stream`): a graph is given messages and answers
//! with its state, whose last message is the answer.
//!
//! Vendor's documentation: <https://langchain-ai.github.io/langgraph/cloud/reference/api/api_ref.html>.
//!
//! Streams are states too: the answer's words are told as they grow. A stream that ends properly is whole when
//! its last state ends with an answer; no event of its own says so. A graph settles sampling and length itself.

use llm_types::Result;
use serde_json::{Value, json};

use super::texts::{messages, role, streams, text};
use super::{Chat, Form, Pieces, answer, piece, stated, strange};
use crate::{DialectId, Target};

/// The form.
#[derive(Debug)]
pub(super) struct Langgraph;

impl Form for Langgraph {
    fn id(&self) -> DialectId {
        DialectId::Langgraph
    }

    fn request(&self, chat: Chat, target: &Target) -> Result<(String, Value)> {
        let path = if streams(&chat) { "/runs/stream" } else { "/runs/wait" };
        let listed: Vec<Value> = messages(&chat).iter().map(message).collect();
        Ok((path.to_owned(), json!({"assistant_id": target.model, "input": {"messages": listed}})))
    }

    fn reply(&self, reply: Value) -> Result<Value> {
        if let Some(error) = reply.get("__error__") {
            return Err(stated(error.get("message").and_then(Value::as_str).unwrap_or_default()));
        }
        let last = last(&reply).ok_or_else(|| strange("its state ends with no message of an assistant"))?;
        let message = json!({"role": "assistant", "content": text(last.get("content"))});
        Ok(answer(message, "stop", usage(last)))
    }

    fn pieces(&self) -> Box<dyn Pieces> {
        Box::new(States::default())
    }
}

/// A message in LangChain's words: texts alone, media as parts, calls and results as OpenAI has them.
fn message(message: &Value) -> Value {
    let content = message.get("content");
    let media = content
        .and_then(Value::as_array)
        .is_some_and(|parts| parts.iter().any(|part| part["type"] != "text"));
    let content = if media { content.cloned().unwrap_or_default() } else { text(content).into() };
    let role = if role(message) == "user" { "human" } else { role(message) };
    let mut out = json!({"role": role, "content": content});
    for name in ["tool_calls", "tool_call_id"] {
        if let Some(value) = message.get(name) {
            out[name] = value.clone();
        }
    }
    out
}

/// The answer of a state: its last message, if an assistant's.
fn last(state: &Value) -> Option<&Value> {
    let listed = state.get("messages").or_else(|| state.pointer("/values/messages"));
    // Some graphs' state is the list itself.
    let listed = listed.unwrap_or(state).as_array()?;
    let last = listed.last()?;
    let word = last.get("type").or_else(|| last.get("role")).and_then(Value::as_str);
    matches!(word, Some("ai" | "AIMessage" | "AIMessageChunk" | "assistant")).then_some(last)
}

fn usage(message: &Value) -> Option<Value> {
    let counted = message.get("usage_metadata").filter(|counted| counted.is_object())?;
    let count = |name: &str| counted.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (input, output) = (count("input_tokens"), count("output_tokens"));
    Some(json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output}))
}

/// The states of a stream.
#[derive(Debug, Default)]
struct States {
    /// The answer so far, and what of it was told.
    words: String,
    told: usize,
    usage: Option<Value>,
    answered: bool,
}

impl States {
    fn state(&mut self, state: &Value, out: &mut Vec<Value>) {
        let Some(last) = last(state) else {
            self.answered = false;
            return;
        };
        let words = text(last.get("content"));
        self.answered = true;
        self.usage = usage(last);
        if let Some(more) = words.strip_prefix(self.words.get(..self.told).unwrap_or_default()) {
            if !more.is_empty() {
                out.push(piece(json!({"content": more}), None));
            }
            self.told = words.len();
        } else {
            // The graph went on with another message: what was told stays, the new one follows.
            out.push(piece(json!({"content": words}), None));
            self.told = words.len();
        }
        self.words = words;
    }
}

impl Pieces for States {
    fn push(&mut self, event: &str, data: Value, out: &mut Vec<Value>) -> Result<bool> {
        match event {
            "values" => self.state(&data, out),
            "error" => {
                let words = data.get("message").or_else(|| data.get("error")).and_then(Value::as_str);
                return Err(stated(words.unwrap_or_default()));
            }
            // `metadata`, `end`, and states of steps, which come whole afterwards.
            _ => {}
        }
        Ok(false)
    }

    fn end(&mut self, out: &mut Vec<Value>) -> bool {
        if self.answered {
            let mut last = piece(json!({}), Some("stop"));
            if let Some(usage) = self.usage.take() {
                last["usage"] = usage;
            }
            out.push(last);
        }
        self.answered
    }
}
