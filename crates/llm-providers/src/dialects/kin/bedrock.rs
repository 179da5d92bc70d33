//! Agents in Amazon Bedrock: those of `AgentCore`'s runtime, programs of their operator's own that are given a
//! prompt, and those of Agents for Bedrock, which are given the user's words.
//!
//! Vendor's documentation:
//! <https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeAgentRuntime.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeAgent.html>.
//!
//! An agent has its own memory and instructions: the last words of the user are sent, as LiteLLM does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use llm_types::{Error, Result};
use serde_json::{Value, json};

use super::texts::{messages, only_text, role};
use super::{Chat, Form, Pieces, answer, piece, said, stated, strange};
use crate::dialect::Framing;
use crate::uuid::uuid;
use crate::{DialectId, Target};

/// The last words of the user.
fn words(chat: &Chat, target: &Target) -> Result<String> {
    let last = messages(chat).iter().rfind(|message| role(message) == "user").or(messages(chat).last());
    last.map(|message| only_text(message, target)).transpose().map(Option::unwrap_or_default)
}

/// Agents of `AgentCore`.
#[derive(Debug)]
pub(super) struct Agentcore;

impl Form for Agentcore {
    fn id(&self) -> DialectId {
        DialectId::Agentcore
    }

    fn request(&self, chat: Chat, target: &Target) -> Result<(String, Value)> {
        Ok(("/invocations".to_owned(), json!({"prompt": words(&chat, target)?})))
    }

    fn reply(&self, reply: Value) -> Result<Value> {
        if let Some(error) = reply.get("error").and_then(Value::as_str) {
            return Err(stated(error));
        }
        let result = reply.get("result").or_else(|| reply.get("output")).unwrap_or(&reply);
        let text = result.as_str().map(str::to_owned).or_else(|| told(result));
        text.map(|text| said(&text)).ok_or_else(|| strange("it has no `result`"))
    }

    fn pieces(&self) -> Box<dyn Pieces> {
        Box::new(Events::default())
    }
}

/// The texts of a message of Converse's form, or of a member that holds one.
fn told(result: &Value) -> Option<String> {
    let message = result.get("message").unwrap_or(result);
    let content = message.get("content")?;
    if let Some(text) = content.as_str() {
        return Some(text.to_owned());
    }
    Some(content.as_array()?.iter().filter_map(|part| part.get("text")?.as_str()).collect())
}

/// The events of a runtime: Converse's inside `event`, the whole `message` at the end.
#[derive(Debug, Default)]
struct Events {
    wrote: bool,
    usage: Option<Value>,
    answered: bool,
}

impl Pieces for Events {
    fn push(&mut self, _event: &str, data: Value, out: &mut Vec<Value>) -> Result<bool> {
        if let Some(error) = data.get("error").and_then(Value::as_str) {
            return Err(stated(error));
        }
        if let Some(text) = data.as_str() {
            self.answered = true;
            out.push(piece(json!({"content": text}), None));
        }
        if let Some(text) = data.pointer("/event/contentBlockDelta/delta/text").and_then(Value::as_str) {
            self.wrote = true;
            out.push(piece(json!({"content": text}), None));
        }
        if let Some(usage) = data.pointer("/event/metadata/usage") {
            let count = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or_default();
            let (input, output) = (count("inputTokens"), count("outputTokens"));
            self.usage = Some(json!({
                "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
            }));
        }
        self.answered |= data.pointer("/event/messageStop").is_some();
        if data.get("message").is_some_and(|message| message["role"] == "assistant") {
            self.answered = true;
            if !self.wrote {
                out.push(piece(json!({"content": told(&data).unwrap_or_default()}), None));
            }
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

/// Agents for Bedrock.
#[derive(Debug)]
pub(super) struct Agent;

impl Form for Agent {
    fn id(&self) -> DialectId {
        DialectId::BedrockAgent
    }

    fn request(&self, chat: Chat, target: &Target) -> Result<(String, Value)> {
        let Some((agent, alias)) = target.model.split_once('/') else {
            let message = format!(
                "`model`: found the agent `{}`, expected `bedrock/agent/<agent id>/<alias id>`",
                target.model
            );
            return Err(Error::bad_param("model", message));
        };
        let path = format!("/agents/{agent}/agentAliases/{alias}/sessions/{}/text", uuid());
        Ok((path, json!({"inputText": words(&chat, target)?, "enableTrace": true})))
    }

    fn reply(&self, reply: Value) -> Result<Value> {
        let text = reply.get("completion").and_then(Value::as_str);
        text.map(|text| answer(json!({"role": "assistant", "content": text}), "stop", None))
            .ok_or_else(|| strange("it is no stream of an agent"))
    }

    fn pieces(&self) -> Box<dyn Pieces> {
        Box::new(Chunks::default())
    }

    fn framing(&self) -> Framing {
        Framing::EventStream
    }
}

/// The events of an agent: pieces of its answer in base64, and what it did meanwhile.
#[derive(Debug, Default)]
struct Chunks {
    wrote: bool,
    input: u64,
    output: u64,
}

impl Pieces for Chunks {
    fn push(&mut self, event: &str, data: Value, out: &mut Vec<Value>) -> Result<bool> {
        if let Some(kind) = event.strip_prefix("exception:").or_else(|| event.strip_prefix("error:")) {
            let words = data.get("message").and_then(Value::as_str).unwrap_or_default();
            return Err(stated(&format!("{kind}: {words}")));
        }
        if let Some(bytes) = data.get("bytes").and_then(Value::as_str) {
            let text = STANDARD.decode(bytes).map_err(|_| strange("a piece of it is no base64"))?;
            self.wrote = true;
            out.push(piece(json!({"content": String::from_utf8_lossy(&text)}), None));
        }
        for step in ["orchestrationTrace", "preProcessingTrace", "postProcessingTrace"] {
            let usage = format!("/trace/{step}/modelInvocationOutput/metadata/usage");
            let Some(usage) = data.pointer(&usage) else { continue };
            self.input += usage.get("inputTokens").and_then(Value::as_u64).unwrap_or_default();
            self.output += usage.get("outputTokens").and_then(Value::as_u64).unwrap_or_default();
        }
        Ok(false)
    }

    /// The framing tells a cut; a body that ends properly has told the answer.
    fn end(&mut self, out: &mut Vec<Value>) -> bool {
        if self.wrote {
            let mut last = piece(json!({}), Some("stop"));
            if self.input + self.output > 0 {
                last["usage"] = json!({
                    "prompt_tokens": self.input,
                    "completion_tokens": self.output,
                    "total_tokens": self.input + self.output,
                });
            }
            out.push(last);
        }
        self.wrote
    }
}
