//! Langflow's runs (`POST /api/v1/run/{flow}`): a flow is given the last words of the user and answers with a
//! text.
//!
//! Vendor's documentation: <https://docs.langflow.org/api-flows-run>.
//!
//! A flow has its own memory and its own instructions: what was said before, and system messages, are not
//! sent, as LiteLLM does not. Nor has it streams of tokens that all flows give: a streamed call is answered by
//! one piece.

use llm_types::Result;
use serde_json::{Value, json};

use super::texts::{messages, only_text, role};
use super::{Chat, Form, Pieces, piece, said, stated, strange};
use crate::{DialectId, Target};

/// The form.
#[derive(Debug)]
pub(super) struct Langflow;

impl Form for Langflow {
    fn id(&self) -> DialectId {
        DialectId::Langflow
    }

    fn request(&self, chat: Chat, target: &Target) -> Result<(String, Value)> {
        let said = messages(&chat);
        let last = said.iter().rfind(|message| role(message) == "user").or(said.last());
        let words = last.map(|message| only_text(message, target)).transpose()?.unwrap_or_default();
        let body = json!({"input_value": words, "input_type": "chat", "output_type": "chat"});
        Ok((format!("/api/v1/run/{}", target.model), body))
    }

    fn reply(&self, reply: Value) -> Result<Value> {
        Ok(said(&words(&reply)?))
    }

    fn pieces(&self) -> Box<dyn Pieces> {
        Box::new(Events)
    }
}

/// The text of a run's first output.
fn words(reply: &Value) -> Result<String> {
    let output = reply.pointer("/outputs/0/outputs/0").ok_or_else(|| {
        let detail = reply.get("detail").and_then(Value::as_str);
        detail.map_or_else(|| strange("it has no `outputs`"), stated)
    })?;
    let places = [
        "/results/message/text",
        "/results/message/data/text",
        "/outputs/message/message/text",
        "/outputs/message/message",
        "/artifacts/message",
        "/messages/0/message",
        "/results/text/text",
    ];
    let found = places.iter().find_map(|place| output.pointer(place)?.as_str());
    found.map(str::to_owned).ok_or_else(|| strange("its output is no message"))
}

/// The events of a streamed run.
#[derive(Debug)]
struct Events;

impl Pieces for Events {
    fn push(&mut self, _event: &str, data: Value, out: &mut Vec<Value>) -> Result<bool> {
        match data.get("event").and_then(Value::as_str) {
            Some("token") => {
                let chunk = data.pointer("/data/chunk").and_then(Value::as_str).unwrap_or_default();
                out.push(piece(json!({"content": chunk}), None));
                Ok(false)
            }
            Some("end") => {
                out.push(piece(json!({}), Some("stop")));
                Ok(true)
            }
            Some("error") => {
                Err(stated(data.pointer("/data/error").and_then(Value::as_str).unwrap_or_default()))
            }
            Some(_) => Ok(false),
            None => {
                out.push(piece(json!({"content": words(&data)?}), Some("stop")));
                Ok(true)
            }
        }
    }
}
