//! Requests: a caller's into canonical form, and canonical ones for a provider.

use llm_types::{ChatRequest, Error, ErrorKind, Part, PartKind, Result};
use serde_json::{Value, json};

use super::super::chat::OpenaiChat;
use super::PATH;
use crate::Target;
use crate::dialect::{Dialect as _, Encoded};
use crate::dialects::conversation;
use crate::dialects::params::leave_out;
use crate::fields::Fields;
use crate::json::Json;

/// Why a parameter cannot be said.
const NO_SUCH: &str = "its completions have no such parameter";

/// Reads a whole request: that of a chat in which the user says the prompt.
pub(super) fn decode(body: &[u8]) -> Result<ChatRequest> {
    let mut fields = conversation::body(body)?;
    let drops = fields.peek("drop_params").and_then(Json::as_bool) == Some(true);
    let prompt = prompt(&mut fields)?;
    refuse(&mut fields, drops)?;
    let logprobs = fields.whole("logprobs")?;
    let mut chat = fields.rest().0;
    chat.insert("messages".to_owned(), json!([{ "role": "user", "content": prompt }]));
    if let Some(alternatives) = logprobs {
        chat.insert("logprobs".to_owned(), Value::Bool(true));
        if alternatives > 0 {
            chat.insert("top_logprobs".to_owned(), alternatives.into());
        }
    }
    let request = OpenaiChat.decode_request(Value::Object(chat).to_string().as_bytes())?;
    Ok(ChatRequest { is_prompt: true, ..request })
}

/// The one prompt a chat can be asked.
fn prompt(fields: &mut Fields<'_, '_>) -> Result<String> {
    let path = *fields.path();
    let path = path.member("prompt");
    let ids = |found: &Value| {
        let message = format!(
            "`prompt`: found token ids ({found:.40}), which cannot be turned into text here; give the prompt as a string"
        );
        Error::bad_param("prompt", message)
    };
    match fields.take("prompt") {
        None => Err(path.missing("a string")),
        Some(Json::String(text)) => Ok(text.into_owned()),
        Some(Json::Array(mut list)) => match (list.pop(), list.len()) {
            (Some(Json::String(text)), 0) => Ok(text.into_owned()),
            (Some(id @ (Json::Number(_) | Json::Array(_))), _) => Err(ids(&id.into_value())),
            (Some(Json::String(_)), more) => {
                let message = format!("`prompt`: found {} prompts where one was expected", more + 1);
                Err(Error::unsupported("prompt", message))
            }
            (Some(other), _) => Err(path.element(0).wrong(other, "a string")),
            (None, _) => Err(path.wrong(Value::Array(Vec::new()), "a string")),
        },
        Some(other) => Err(path.wrong(other, "a string or a list of one string")),
    }
}

/// What a chat cannot say: refused unless the caller lets it be dropped.
fn refuse(fields: &mut Fields<'_, '_>, drops: bool) -> Result<()> {
    let suffix = fields.text("suffix")?.is_some_and(|suffix| !suffix.is_empty());
    let echo = fields.flag("echo")?.unwrap_or(false);
    let n = fields.peek("n").and_then(Json::as_u64).unwrap_or(1);
    let best_of = fields.whole("best_of")?.is_some_and(|best_of| best_of > n);
    for (name, given) in [("suffix", suffix), ("echo", echo), ("best_of", best_of)] {
        if given && !drops {
            let message = format!(
                "`{name}` is taken by providers with completions of their own only; leave it out or set `drop_params`"
            );
            return Err(Error::unsupported(name, message));
        }
    }
    Ok(())
}

/// Writes a request for a provider: a chat's, its conversation as one text.
pub(super) fn encode(request: &ChatRequest, target: &Target) -> Result<Encoded> {
    let prompt = said(request, target)?;
    let mut request = request.clone();
    request.messages.clear();
    let alternatives = request.options.top_logprobs.take();
    let logprobs = request.options.logprobs.take().filter(|on| *on);
    let logprobs = match logprobs {
        Some(_) if !target.spec.quirks.takes("logprobs") => {
            leave_out(&target.policy, "logprobs", NO_SUCH).map(|()| None)?
        }
        asked => asked,
    };
    if request.options.reasoning.as_ref().is_some_and(|asked| asked.effort.is_none()) {
        leave_out(&target.policy, "thinking", NO_SUCH)?;
        request.options.reasoning = None;
    }
    let chat = OpenaiChat.encode_request(&request, target)?;
    let mut body: Value = serde_json::from_slice(&chat.body).map_err(|error| {
        Error::new(ErrorKind::Internal, "a request that was just written cannot be read").with_source(error)
    })?;
    if let Some(members) = body.as_object_mut() {
        // In place of the messages, so that the prompt stands where a reader looks for it.
        if let Some(messages) = members.get_mut("messages") {
            *messages = Value::Null;
        }
        let renamed = std::mem::take(members).into_iter().map(|(name, value)| match name.as_str() {
            "messages" => ("prompt".to_owned(), Value::String(prompt.clone())),
            _ => (name, value),
        });
        *members = renamed.collect();
        if let Some(Value::Array(stops)) = members.get("stop")
            && let [stop] = stops.as_slice()
        {
            // The older and shorter form, which all vendors of completions take.
            let stop = stop.clone();
            members.insert("stop".to_owned(), stop);
        }
        if logprobs.is_some() {
            members.insert("logprobs".to_owned(), alternatives.unwrap_or(1).into());
        }
    }
    Ok(Encoded { path: PATH.to_owned(), body: body.to_string().into(), ..chat })
}

/// The conversation as one text: a line break between messages.
fn said(request: &ChatRequest, target: &Target) -> Result<String> {
    let mut texts = Vec::with_capacity(request.messages.len());
    for (index, message) in request.messages.iter().enumerate() {
        let foreign = |part: &&Part| !matches!(part.kind, PartKind::Text { .. } | PartKind::Reasoning { .. });
        if message.parts.iter().any(|part| foreign(&part)) && !target.policy.drop {
            let message = format!(
                "`messages[{index}]`: completions take text only; leave out what is none or set `drop_params`"
            );
            return Err(Error::unsupported("messages", message));
        }
        texts.push(message.parts.iter().map(words).collect::<String>());
    }
    let breaks = !target.spec.quirks.prompt_without_breaks;
    Ok(texts.join(if breaks { "\n" } else { "" }))
}

/// A part in words; where the rest is left out, what a tool said is still said.
fn words(part: &Part) -> String {
    match &part.kind {
        PartKind::Text { text, .. } => text.clone(),
        PartKind::ToolResult(result) => result.parts.iter().map(words).collect(),
        _ => String::new(),
    }
}
