//! A caller's request body into the canonical request.

use llm_types::{ChatRequest, Extra, NativeFields, Options, Result};
use serde_json::{Map, Value};

use super::super::glance::control_of;
use super::super::wire::DIALECT;
use super::{messages, options, tools};
use crate::dialects::conversation;
use crate::fields::{Fields, Path};

/// Reads a whole request.
pub(crate) fn decode(body: &[u8]) -> Result<ChatRequest> {
    let mut fields = conversation::body(body)?;
    let model = fields.text("model")?.unwrap_or_default();
    let path = Path::Root.member("messages");
    let listed = fields.array("messages")?.ok_or_else(|| path.missing("an array of messages"))?;
    let messages = messages::decode(listed, &path)?;
    let native = legacy(&fields);
    let tools = tools::decode(&mut fields)?;
    let stream = fields.flag("stream")?.unwrap_or(false);
    let mut options = options::decode(&mut fields)?;
    options.tool_choice = tools::decode_choice(&mut fields)?;
    let mut extra = fields.rest();
    extra.0.retain(|name, _| control_of(name).is_none());
    Ok(ChatRequest { model, messages, tools, options, stream, extra, native, is_prompt: false })
}

/// Options by their OpenAI names, and the members that are none.
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] naming an option of a wrong type.
pub(in crate::dialects) fn options_of(members: Map<String, Value>) -> Result<(Options, Extra)> {
    let mut fields = Fields::of(Value::Object(members), Path::Root)?;
    let mut options = options::decode(&mut fields)?;
    options.tool_choice = tools::decode_choice(&mut fields)?;
    Ok((options, fields.rest()))
}

/// The forerunners of tools, kept as they came: a caller that sends them expects `function_call` in the
/// reply, which other dialects must know before they offer them as tools.
fn legacy(fields: &Fields<'_, '_>) -> Option<NativeFields> {
    let given = ["functions", "function_call"].into_iter().filter_map(|name| {
        let value = fields.peek(name)?.to_value();
        Some((name.to_owned(), value))
    });
    let kept = Extra(given.collect());
    (!kept.is_empty()).then(|| NativeFields { dialect: DIALECT.to_owned(), fields: kept, needed: Vec::new() })
}
