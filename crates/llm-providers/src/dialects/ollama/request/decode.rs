//! A caller's request into canonical form.

use llm_types::{
    ChatRequest, Extra, NativeFields, Options, Reasoning, ReasoningEffort, ResponseFormat, Result, Tool,
    ToolKind,
};
use serde_json::Value;

use super::super::glance::control;
use super::super::wire::NATIVE;
use super::messages;
use crate::dialects::conversation;
use crate::fields::{Fields, Path};
use crate::json::Json;

/// Options without which the answer is another one: those that change which words the model picks.
const NEEDED: &[&str] = &[
    "min_p",
    "mirostat",
    "mirostat_eta",
    "mirostat_tau",
    "repeat_last_n",
    "repeat_penalty",
    "tfs_z",
    "typical_p",
];

/// Whether a caller must be told when a member is left out. What is about the server alone (`keep_alive`,
/// `options.num_ctx`) changes no answer.
fn is_needed(name: &str, value: &Value) -> bool {
    match name {
        "keep_alive" | "truncate" | "shift" => false,
        "options" => NEEDED.iter().any(|needed| value.get(needed).is_some_and(|value| !value.is_null())),
        _ => true,
    }
}

/// Reads a whole request.
pub(in super::super) fn decode(body: &[u8]) -> Result<ChatRequest> {
    let mut fields = conversation::body(body)?;
    let mut request = ChatRequest { model: fields.required_text("model")?, ..ChatRequest::default() };
    let listed = conversation::listed(&mut fields)?;
    request.messages = messages::decode(listed, &Path::Root.member("messages"))?;
    request.tools = tools(&mut fields)?;
    let mut native = Extra::default();
    request.options = options(&mut fields, &mut native)?;
    // This dialect streams unless it is told not to.
    request.stream = fields.flag("stream")?.unwrap_or(true);
    for (name, value) in fields.rest().0 {
        if !value.is_null() && control(&name).is_none() {
            native.keep(name, value);
        }
    }
    request.native = Some(NativeFields::of(NATIVE, native, is_needed));
    Ok(request)
}

fn tools(fields: &mut Fields<'_, '_>) -> Result<Vec<Tool>> {
    let root = *fields.path();
    let path = root.member("tools");
    let tools = fields.array("tools")?.unwrap_or_default();
    tools.into_iter().enumerate().map(|(index, value)| tool(value, path.element(index))).collect()
}

fn tool(value: Json<'_>, path: Path<'_>) -> Result<Tool> {
    let mut fields = Fields::of(value, path)?;
    let kind = fields.text("type")?.unwrap_or_else(|| "function".to_owned());
    if kind != "function" {
        return Err(fields.path().member("type").wrong(kind, "`function`"));
    }
    let mut tool = fields.required_object("function", |function| {
        let name = function.required_text("name")?;
        let description = function.text("description")?;
        let parameters = function.map("parameters")?.map(Value::Object);
        let kind = ToolKind::Function { parameters };
        Ok(Tool { name, description, kind, strict: None, cache: None, extra: function.rest() })
    })?;
    tool.extra.0.extend(fields.rest().0);
    Ok(tool)
}

fn options(fields: &mut Fields<'_, '_>, native: &mut Extra) -> Result<Options> {
    let mut options = fields.object("options", |said| sampling(said, native))?.unwrap_or_default();
    options.response_format = format(fields)?;
    options.reasoning = think(fields)?;
    options.logprobs = fields.flag("logprobs")?;
    options.top_logprobs = fields.whole("top_logprobs")?;
    options.include_usage = Some(true);
    Ok(options)
}

/// Reads `options`; what has no canonical form is kept as it is.
fn sampling(fields: &mut Fields<'_, '_>, native: &mut Extra) -> Result<Options> {
    let stop = match fields.peek("stop") {
        Some(Json::String(_)) => fields.text("stop")?.map(|text| vec![text]),
        _ => fields.texts("stop")?,
    };
    let endless = fields.peek("num_predict").and_then(Json::as_i64).is_some_and(|number| number < 0);
    let options = Options {
        // A negative one asks for an answer of any length.
        max_tokens: if endless { None } else { fields.whole("num_predict")? },
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        top_k: fields.whole("top_k")?,
        stop: stop.unwrap_or_default(),
        seed: fields.integer("seed")?,
        frequency_penalty: fields.number("frequency_penalty")?,
        presence_penalty: fields.number("presence_penalty")?,
        ..Options::default()
    };
    let mut rest = fields.rest().0;
    rest.retain(|_, value| !value.is_null());
    if !rest.is_empty() {
        native.keep("options", Value::Object(rest));
    }
    Ok(options)
}

/// Reads `format`: `json`, or a schema. Clients write an empty text for none.
fn format(fields: &mut Fields<'_, '_>) -> Result<Option<ResponseFormat>> {
    let found = match fields.any("format") {
        None => return Ok(None),
        Some(Value::String(word)) if word.is_empty() => return Ok(None),
        Some(Value::String(word)) if word == "json" => return Ok(Some(ResponseFormat::JsonObject)),
        Some(schema @ Value::Object(_)) => {
            let format =
                ResponseFormat::JsonSchema { name: None, description: None, schema, strict: Some(true) };
            return Ok(Some(format));
        }
        Some(other) => other,
    };
    Err(fields.path().member("format").wrong(found, "`json` or a JSON schema"))
}

/// Reads `think`: whether, or how much.
fn think(fields: &mut Fields<'_, '_>) -> Result<Option<Reasoning>> {
    let found = match fields.any("think") {
        None => return Ok(None),
        Some(Value::Bool(on)) => {
            return Ok(Some(Reasoning { enabled: Some(on), ..Reasoning::default() }));
        }
        Some(other) => other,
    };
    match found.as_str().and_then(ReasoningEffort::from_word) {
        Some(effort) => Ok(Some(Reasoning { effort: Some(effort), ..Reasoning::default() })),
        None => {
            let expected = "a boolean, `low`, `medium`, `high` or `max`";
            Err(fields.path().member("think").wrong(found, expected))
        }
    }
}
