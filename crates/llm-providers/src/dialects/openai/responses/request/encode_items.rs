//! Canonical messages into this API's items.

use llm_types::{Error, Message, Part, PartKind, Result, Role, ToolCall, ToolResult};
use serde_json::{Map, Value, json};

use super::super::wire::unsealed;
use super::content;
use crate::ParamPolicy;
use crate::left_out::note;

/// What messages become.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The first message, if it is one text of the operator.
    pub(super) instructions: Option<String>,
    /// All others.
    pub(super) items: Vec<Value>,
}

/// Writes messages.
pub(super) fn encode(messages: &[Message], policy: &ParamPolicy) -> Result<Said> {
    let mut said = Said::default();
    let mut rest = messages;
    if let [first, behind @ ..] = messages
        && first.role == Role::System
        && let [Part { kind: PartKind::Text { text, .. }, .. }] = first.parts.as_slice()
    {
        said.instructions = Some(text.clone()).filter(|text| !text.is_empty());
        rest = behind;
    }
    let skipped = messages.len() - rest.len();
    for (index, message) in rest.iter().enumerate() {
        let mut writer = Writer { items: &mut said.items, index: index + skipped, policy };
        match message.role {
            Role::Assistant => writer.assistant(message)?,
            Role::Tool => writer.results(message)?,
            Role::User | Role::System | Role::Developer => writer.message(message)?,
        }
    }
    Ok(said)
}

struct Writer<'w> {
    items: &'w mut Vec<Value>,
    index: usize,
    policy: &'w ParamPolicy,
}

impl Writer<'_> {
    fn cannot(&self, at: usize, noun: &str) -> Error {
        let index = self.index;
        let message = format!("`messages[{index}].content[{at}]`: OpenAI Responses has no part like {noun}");
        Error::unsupported("messages", message)
    }

    fn part(&self, at: usize, part: &Part, by_model: bool, out: &mut Vec<Value>) -> Result<()> {
        match content::written(part, by_model) {
            Ok(value) => out.push(value),
            Err(_) if self.policy.drop && matches!(part.kind, PartKind::Native { .. }) => {
                note("messages.content");
            }
            Err(noun) => return Err(self.cannot(at, noun)),
        }
        Ok(())
    }

    fn message(&mut self, message: &Message) -> Result<()> {
        let role = match message.role {
            Role::System => "system",
            Role::Developer => "developer",
            _ => "user",
        };
        let mut content = Vec::new();
        for (at, part) in message.parts.iter().enumerate() {
            if let PartKind::ToolResult(result) = &part.kind {
                self.result(result)?;
            } else {
                self.part(at, part, false, &mut content)?;
            }
        }
        let only_results = content.is_empty() && !message.parts.is_empty();
        if !only_results {
            let content = match content.as_slice() {
                [] => json!(""),
                [one] if one["type"] == "input_text" => one["text"].clone(),
                _ => Value::Array(content),
            };
            self.items.push(json!({"type": "message", "role": role, "content": content}));
        }
        Ok(())
    }

    /// What the model said, each thing an item, in its order.
    fn assistant(&mut self, message: &Message) -> Result<()> {
        let mut content = Vec::new();
        for (at, part) in message.parts.iter().enumerate() {
            match &part.kind {
                PartKind::Reasoning { text, .. } => {
                    self.flush(&mut content);
                    self.reasoning(text, part.signature.as_deref());
                }
                PartKind::RedactedReasoning { data } => {
                    self.flush(&mut content);
                    self.reasoning("", Some(data));
                }
                PartKind::ToolCall(call) => {
                    self.flush(&mut content);
                    self.items.push(written_call(call));
                }
                PartKind::ToolResult(result) => {
                    self.flush(&mut content);
                    self.result(result)?;
                }
                PartKind::Native { value, .. } if content::is_item(part) => {
                    self.flush(&mut content);
                    self.items.push(value.clone());
                }
                PartKind::Image(_) | PartKind::Document(_) => {
                    // Pictures the model made are shown to it as the user's.
                    self.flush(&mut content);
                    let mut shown = Vec::new();
                    self.part(at, part, false, &mut shown)?;
                    self.items.push(json!({"type": "message", "role": "user", "content": shown}));
                }
                PartKind::Text { text, .. } if text.is_empty() => {}
                _ => self.part(at, part, true, &mut content)?,
            }
        }
        self.flush(&mut content);
        Ok(())
    }

    /// Reasoning of other vendors means nothing here; without encrypted content there is nothing to
    /// send back.
    fn reasoning(&mut self, text: &str, signature: Option<&str>) {
        let Some((id, encrypted)) = signature.and_then(unsealed) else { return note("thinking") };
        let mut item = Map::new();
        item.insert("type".to_owned(), json!("reasoning"));
        item.insert("id".to_owned(), json!(id));
        let summary =
            if text.is_empty() { json!([]) } else { json!([{"type": "summary_text", "text": text}]) };
        item.insert("summary".to_owned(), summary);
        item.insert("encrypted_content".to_owned(), json!(encrypted));
        self.items.push(Value::Object(item));
    }

    /// Ends a message of the model. One text is written the short way, which needs no id.
    fn flush(&mut self, content: &mut Vec<Value>) {
        let content = std::mem::take(content);
        let item = match content.as_slice() {
            [] => return,
            [one] if one["type"] == "output_text" => {
                json!({"type": "message", "role": "assistant", "content": one["text"]})
            }
            _ => json!({
                "type": "message", "id": format!("msg_{}", self.items.len()), "role": "assistant",
                "status": "completed", "content": content,
            }),
        };
        self.items.push(item);
    }

    fn results(&mut self, message: &Message) -> Result<()> {
        for (at, part) in message.parts.iter().enumerate() {
            match &part.kind {
                PartKind::ToolResult(result) => self.result(result)?,
                _ => return Err(self.cannot(at, "something else among the results of tools")),
            }
        }
        Ok(())
    }

    fn result(&mut self, result: &ToolResult) -> Result<()> {
        let custom = self.items.iter().rev().any(|item| {
            item["type"] == "custom_tool_call" && item["call_id"].as_str() == Some(result.call_id.as_str())
        });
        let mut parts = Vec::new();
        for (at, part) in result.parts.iter().enumerate() {
            self.part(at, part, false, &mut parts)?;
        }
        let output = match parts.as_slice() {
            [] => json!(""),
            [one] if one["type"] == "input_text" => one["text"].clone(),
            _ => Value::Array(parts),
        };
        let kind = if custom { "custom_tool_call_output" } else { "function_call_output" };
        self.items.push(json!({"type": kind, "call_id": result.call_id, "output": output}));
        Ok(())
    }
}

fn written_call(call: &ToolCall) -> Value {
    if call.custom {
        return json!({
            "type": "custom_tool_call", "call_id": call.id, "name": call.name, "input": call.arguments,
        });
    }
    let arguments = if call.arguments.trim().is_empty() { "{}" } else { call.arguments.as_str() };
    json!({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments})
}
