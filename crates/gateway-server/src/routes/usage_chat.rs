//! `POST /usage/ai/chat`: a model of the gateway answers questions about spend, with tools that look the figures up.
//!
//! The model is asked as the caller would ask it: the same key, the same limits, the same bill. Figures come from the
//! daily sums, and who is no administrator sees their own. The answer is a stream of events as LiteLLM's page reads
//! them: `status`, `tool_call`, `chunk`, then `done` or `error`.

mod figures;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use jiff::Timestamp;
use llm_types::{Error, ErrorKind, Result};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{self, Sender};

use self::figures::{Sees, TOOLS};
use super::utils::object;
use super::{Door, models, operators_only};
use crate::answer::{self, ReplyBody};
use crate::clock::now_ms;
use crate::door::{ConnState, read_body};
use crate::state::Core;
use crate::walk::{self, Caller, Role};

const PATH: &str = "/usage/ai/chat";
const CHAT: Door = Door::chat(llm_providers::DialectId::OpenaiChat, "acompletion", Some(false));
/// The most bytes of a question.
const LIMIT: usize = 1024 * 1024;
/// The messages of a conversation that are looked at, the last ones.
const MESSAGES: usize = 20;
/// How often the model is asked for one answer.
const ROUNDS: usize = 6;
/// The longest answer that is taken, bytes.
const REPLY_LIMIT: usize = 4 * 1024 * 1024;
/// Events that may wait for a slow caller.
const EVENTS: usize = 16;

/// Answers a question, in events.
pub(super) async fn answer(
    core: &Arc<Core>,
    conn: &ConnState,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let (mut head, body) = request.into_parts();
    let asked = async {
        let caller = models::enter(core, conn, &snapshot, &head, PATH).await?;
        let sees = sees(&caller)?;
        let body = object(&read_body(body, LIMIT).await?)?;
        let messages = messages(&body)?;
        let model = body.get("model").and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        Ok((sees, messages, model))
    };
    let (sees, messages, model) = match asked.await {
        Ok(asked) => asked,
        Err(error) => return answer::openai_error(&error),
    };
    for name in [CONTENT_LENGTH, ACCEPT_ENCODING] {
        head.headers.remove(name);
    }
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let (events, pieces) = mpsc::channel(EVENTS);
    let conn = ConnState::new(conn.peer);
    let chat = Chat { core: Arc::clone(core), conn, head, sees, model, messages, events: Events(events) };
    tokio::spawn(chat.run());
    answer::event_stream(ReplyBody::Piped(pieces))
}

/// Whose figures a caller sees.
fn sees(caller: &Caller) -> Result<Sees> {
    let user = match caller {
        Caller::Operator => None,
        Caller::Key(entry) => entry.record.settings.user_id.clone(),
    };
    match (caller.role(), user) {
        (Role::Admin | Role::Viewer, _) => Ok(Sees::All),
        (Role::Other, Some(user)) => Ok(Sees::Own(user)),
        (Role::Other, None) => Err(operators_only(caller, PATH)),
    }
}

/// The conversation, checked.
fn messages(body: &Map<String, Value>) -> Result<Vec<Value>> {
    let bad = |words: String| Error::bad_param("messages", words);
    let Some(said) = body.get("messages").and_then(Value::as_array).filter(|said| !said.is_empty()) else {
        return Err(bad(
            "`messages` is missing, expected a list of messages of `user` and `assistant`".to_owned()
        ));
    };
    for (at, message) in said.iter().enumerate() {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        if role != "user" && role != "assistant" {
            return Err(bad(format!("`messages[{at}].role` is `{role}`, expected `user` or `assistant`")));
        }
        if !message.get("content").is_some_and(Value::is_string) {
            return Err(bad(format!("`messages[{at}].content` is no text, expected text in quotes")));
        }
    }
    let member = |message: &Value, name: &str| message.get(name).cloned().unwrap_or_default();
    let last = said.iter().skip(said.len().saturating_sub(MESSAGES));
    Ok(last.map(|one| json!({ "role": member(one, "role"), "content": member(one, "content") })).collect())
}

/// Where events go. A caller who has left wants no more of them.
struct Events(Sender<Bytes>);

/// The caller has left.
struct Gone;

impl Events {
    async fn tell(&self, event: &Value) -> std::result::Result<(), Gone> {
        self.0.send(format!("data: {event}\n\n").into()).await.map_err(|_| Gone)
    }
}

/// One conversation.
struct Chat {
    core: Arc<Core>,
    conn: ConnState,
    head: Parts,
    sees: Sees,
    model: String,
    messages: Vec<Value>,
    events: Events,
}

impl Chat {
    async fn run(mut self) {
        let told = match self.converse().await {
            Ok(Ok(())) => self.events.tell(&json!({ "type": "done" })).await,
            Ok(Err(message)) => self.events.tell(&json!({ "type": "error", "message": message })).await,
            Err(gone) => Err(gone),
        };
        if told.is_err() {
            tracing::debug!("the caller of `{PATH}` has left");
        }
    }

    /// Asks the model until it answers in words.
    async fn converse(&mut self) -> std::result::Result<std::result::Result<(), String>, Gone> {
        let today =
            Timestamp::from_millisecond(now_ms()).unwrap_or_default().strftime("%Y-%m-%d").to_string();
        self.messages.insert(0, json!({ "role": "system", "content": instructions(&self.sees, &today) }));
        for round in 0..ROUNDS {
            let status = if round == 0 { "Thinking..." } else { "Analyzing results..." };
            self.events.tell(&json!({ "type": "status", "message": status })).await?;
            let message = match self.ask().await {
                Ok(message) => message,
                Err(words) => return Ok(Err(words)),
            };
            let calls = message.get("tool_calls").and_then(Value::as_array).cloned().unwrap_or_default();
            if calls.is_empty() {
                let content = message.get("content").and_then(Value::as_str).unwrap_or_default();
                self.events.tell(&json!({ "type": "chunk", "content": content })).await?;
                return Ok(Ok(()));
            }
            self.messages.push(message);
            for call in &calls {
                self.use_tool(call).await?;
            }
        }
        Ok(Err(format!("the model asked for figures {ROUNDS} times and gave no answer")))
    }

    /// One question to the model: its message, or why there is none.
    async fn ask(&self) -> std::result::Result<Value, String> {
        let tools: Vec<Value> =
            TOOLS.iter().filter(|tool| tool.is_for(&self.sees)).map(figures::Tool::told).collect();
        let mut body = json!({ "messages": self.messages, "tools": tools });
        if !self.model.is_empty() {
            body["model"] = self.model.clone().into();
        }
        let entrance = CHAT.entrance(PATH, None);
        let body = body.to_string().into();
        let reply = walk::within(&self.core, &self.conn, entrance, self.head.clone(), body).await;
        let status = reply.status();
        let told = read(reply).await?;
        let told: Value =
            serde_json::from_slice(&told).map_err(|_| "the model's answer is not JSON".to_owned())?;
        if status != StatusCode::OK {
            let words = told.pointer("/error/message").and_then(Value::as_str);
            return Err(
                words.map_or_else(|| format!("the model's answer has status {status}"), str::to_owned)
            );
        }
        told.pointer("/choices/0/message")
            .cloned()
            .ok_or_else(|| "the model's answer has no message".to_owned())
    }

    /// Looks up what the model wants to know.
    async fn use_tool(&mut self, call: &Value) -> std::result::Result<(), Gone> {
        let word = |path: &str| call.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let name = word("/function/name").to_owned();
        let arguments = arguments_of(word("/function/arguments"));
        let tool = TOOLS.iter().find(|tool| tool.name == name && tool.is_for(&self.sees));
        let label = tool.map_or("an unknown tool", |tool| tool.label);
        let mut event = json!({
            "type": "tool_call", "tool_name": name, "tool_label": label, "status": "running",
            "arguments": arguments.as_ref().unwrap_or(&Value::Null),
        });
        self.events.tell(&event).await?;
        let found = match (tool, arguments) {
            (Some(tool), Ok(arguments)) => tool.look_up(&self.core.shared, &self.sees, &arguments).await,
            (Some(_), Err(error)) => Err(error),
            (None, _) => Err(Error::new(ErrorKind::BadRequest, format!("there is no tool `{name}`"))),
        };
        event["status"] = if found.is_ok() { "complete".into() } else { "error".into() };
        let told = found.unwrap_or_else(|error| {
            event["error"] = error.message().into();
            format!("The figures could not be looked up: {}", error.message())
        });
        self.events.tell(&event).await?;
        self.messages.push(json!({ "role": "tool", "tool_call_id": word("/id"), "content": told }));
        Ok(())
    }
}

/// What a model says to a tool: one with nothing to say writes an empty object, or nothing at all.
fn arguments_of(said: &str) -> Result<Value> {
    if said.trim().is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_str(said)
        .map_err(|fault| Error::new(ErrorKind::BadRequest, format!("the arguments are not JSON: {fault}")))
}

/// A reply, whole.
async fn read(reply: Response<ReplyBody>) -> std::result::Result<Bytes, String> {
    let mut body = reply.into_body();
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| error.to_string())?;
        all.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        if all.len() > REPLY_LIMIT {
            return Err("the model's answer is longer than 4 MB".to_owned());
        }
    }
    Ok(all.into())
}

/// What the model is told of its task.
fn instructions(sees: &Sees, today: &str) -> String {
    let tools: Vec<String> = TOOLS
        .iter()
        .filter(|tool| tool.is_for(sees))
        .map(|tool| format!("- `{}`: {}", tool.name, tool.about))
        .collect();
    format!(
        "You answer questions about what was spent on language models through this gateway. Look the figures up with \
         your tools before you answer, with as many of them as the question needs, and say nothing that they do not \
         show; where they show nothing, say that. Be brief, give amounts in dollars, and put what is compared in order \
         of size.\n\nYour tools:\n{}\n\nToday is {today} (UTC); take words such as `this week` from that.",
        tools.join("\n")
    )
}

#[cfg(test)]
mod tests;
