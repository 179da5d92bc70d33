//! Agent2Agent (`message/send` and `message/stream`, JSON-RPC 2.0): an agent is sent one message and answers
//! with a message or a task.
//!
//! Protocol: <https://a2a-protocol.org/v0.3.0/specification/>.
//!
//! A conversation is one message, its turns a line each, as LiteLLM writes it; pictures and files are parts of
//! it. Lost: roles other than as words, calls of tools of the past (their results are told). An agent settles
//! sampling and length itself.

use llm_types::{Error, Result};
use serde_json::{Value, json};

use super::texts::{messages, role, streams, text};
use super::{Chat, Form, Pieces, piece, said, stated, strange};
use crate::left_out::note;
use crate::uuid::uuid;
use crate::{DialectId, Target};

/// The form.
#[derive(Debug)]
pub(super) struct A2a;

impl Form for A2a {
    fn id(&self) -> DialectId {
        DialectId::A2a
    }

    fn request(&self, chat: Chat, target: &Target) -> Result<(String, Value)> {
        let lines: Vec<String> = messages(&chat)
            .iter()
            .map(|message| (role(message), text(message.get("content"))))
            .filter(|(_, text)| !text.is_empty())
            .map(|(role, text)| format!("{role}: {text}"))
            .collect();
        let mut parts = vec![json!({"kind": "text", "text": lines.join("\n")})];
        parts.extend(files(&chat, target)?);
        let message = json!({"kind": "message", "role": "user", "parts": parts, "messageId": uuid()});
        let body = if streams(&chat) {
            // LiteLLM says `stream` too; JSON-RPC has no such member and ignores it.
            json!({"jsonrpc": "2.0", "id": uuid(), "method": "message/stream",
                   "params": {"message": message}, "stream": true})
        } else {
            json!({"jsonrpc": "2.0", "id": uuid(), "method": "message/send",
                   "params": {"message": message, "configuration": {"blocking": true}}})
        };
        Ok((String::new(), body))
    }

    fn reply(&self, reply: Value) -> Result<Value> {
        let result = result(&reply)?;
        let state = state(result);
        if let Some(error) = failed(&state, result) {
            return Err(error);
        }
        let words = match (answered(result), state.as_str()) {
            (words, _) if !words.is_empty() => words,
            (_, "submitted" | "working") => return Err(stated("the agent answered before it was done")),
            // What an agent wants to know is in its last status.
            _ => of_status(result),
        };
        let mut whole = said(&words);
        whole["id"] = reply.get("id").cloned().unwrap_or_default();
        Ok(whole)
    }

    fn pieces(&self) -> Box<dyn Pieces> {
        Box::new(Updates::default())
    }
}

/// Pictures and files of all messages.
fn files(chat: &Chat, target: &Target) -> Result<Vec<Value>> {
    let mut files = Vec::new();
    for part in messages(chat).iter().filter_map(|message| message.get("content")?.as_array()).flatten() {
        let url = part.pointer("/image_url/url").or_else(|| part.pointer("/video_url/url"));
        let data = url.or_else(|| part.pointer("/file/file_data")).and_then(Value::as_str);
        let name = part.pointer("/file/filename");
        let mut file = match data {
            Some(data) => place(data),
            None if part.get("text").is_some() => continue,
            None if target.policy.drop => {
                note("messages.content");
                continue;
            }
            None => {
                let kind = part.get("type").and_then(Value::as_str).unwrap_or("?");
                let message = format!(
                    "`messages`: parts of type `{kind}` are not supported by this model's provider: agents take \
                     texts and files; leave them out or set `drop_params`"
                );
                return Err(Error::unsupported("messages", message));
            }
        };
        if let Some(name) = name {
            file["name"] = name.clone();
        }
        files.push(json!({"kind": "file", "file": file}));
    }
    Ok(files)
}

/// Where a file's bytes are.
fn place(url: &str) -> Value {
    match url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((mime, data)) => json!({"bytes": data, "mimeType": mime}),
        None => json!({"uri": url}),
    }
}

/// What a response of JSON-RPC holds.
fn result(reply: &Value) -> Result<&Value> {
    if let Some(error) = reply.get("error").filter(|error| !error.is_null()) {
        return Err(stated(error.get("message").and_then(Value::as_str).unwrap_or_default()));
    }
    reply.get("result").ok_or_else(|| strange("it has no `result`"))
}

fn state(result: &Value) -> String {
    result.pointer("/status/state").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The error of a task that came to nothing.
fn failed(state: &str, result: &Value) -> Option<Error> {
    let lost = matches!(state, "failed" | "canceled" | "rejected" | "auth-required");
    lost.then(|| stated(&format!("the agent's task is {state}: {}", of_status(result))))
}

/// What a message says or a task has made.
fn answered(result: &Value) -> String {
    let artifacts = result.get("artifacts").and_then(Value::as_array).into_iter().flatten();
    let made: String = artifacts.map(|artifact| texts(artifact.get("parts"))).collect();
    if made.is_empty() { texts(result.get("parts")) } else { made }
}

fn of_status(result: &Value) -> String {
    texts(result.pointer("/status/message/parts"))
}

/// The texts of parts; data as JSON, files by their names.
fn texts(parts: Option<&Value>) -> String {
    let parts = parts.and_then(Value::as_array).into_iter().flatten();
    let words = parts.filter_map(|part| {
        if let Some(text) = part.get("text").and_then(Value::as_str) {
            return Some(text.to_owned());
        }
        let file = part.pointer("/file/uri").or_else(|| part.pointer("/file/name")).and_then(Value::as_str);
        file.map(str::to_owned).or_else(|| part.get("data").map(Value::to_string))
    });
    words.collect()
}

/// Updates of a task.
#[derive(Debug, Default)]
struct Updates {
    /// Whether the answer has begun.
    wrote: bool,
}

impl Updates {
    fn write(&mut self, words: &str, out: &mut Vec<Value>) {
        if !words.is_empty() {
            self.wrote = true;
            out.push(piece(json!({"content": words}), None));
        }
    }
}

impl Pieces for Updates {
    fn push(&mut self, _event: &str, data: Value, out: &mut Vec<Value>) -> Result<bool> {
        let result = result(&data)?;
        let state = state(result);
        if let Some(error) = failed(&state, result) {
            return Err(error);
        }
        let kind = result.get("kind").and_then(Value::as_str).unwrap_or_default();
        let over = match kind {
            "artifact-update" => {
                self.write(&texts(result.pointer("/artifact/parts")), out);
                false
            }
            "status-update" => {
                let last = result.get("final").and_then(Value::as_bool) == Some(true);
                let words = of_status(result);
                match last {
                    // What an agent says while it works is not yet its answer.
                    false if !words.is_empty() => out.push(piece(json!({"reasoning_content": words}), None)),
                    true if !self.wrote => self.write(&words, out),
                    _ => {}
                }
                last
            }
            _ => {
                self.write(&answered(result), out);
                kind == "message" || matches!(state.as_str(), "completed" | "input-required")
            }
        };
        if over {
            out.push(piece(json!({}), Some("stop")));
        }
        Ok(over)
    }
}
