//! How to answer: the top-level parameters.

use llm_types::{Extra, Options, Reasoning, ReasoningEffort, ResponseFormat, Result};
use serde_json::{Map, Value, json};

use crate::fields::Fields;
use crate::json::Json;

/// Reads every option but tools and their choice. What only this API has goes to `kept`.
pub(super) fn decode(fields: &mut Fields<'_, '_>, kept: &mut Extra) -> Result<Options> {
    let top_logprobs = fields.whole("top_logprobs")?;
    let (response_format, verbosity) = text(fields)?;
    Ok(Options {
        max_tokens: fields.whole("max_output_tokens")?,
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        logprobs: (wants_logprobs(fields) || top_logprobs.is_some_and(|count| count > 0)).then_some(true),
        top_logprobs,
        parallel_tool_calls: fields.flag("parallel_tool_calls")?,
        response_format,
        reasoning: reasoning(fields, kept)?,
        verbosity,
        service_tier: fields.text("service_tier")?,
        user: fields.text("user")?,
        metadata: fields.map("metadata")?,
        store: fields.flag("store")?,
        prompt_cache_key: fields.text("prompt_cache_key")?,
        safety_identifier: fields.text("safety_identifier")?,
        ..Options::default()
    })
}

fn wants_logprobs(fields: &Fields<'_, '_>) -> bool {
    let asked =
        |list: &Vec<Json<'_>>| list.iter().any(|one| one.as_str() == Some("message.output_text.logprobs"));
    fields.peek("include").and_then(Json::as_array).is_some_and(asked)
}

fn text(fields: &mut Fields<'_, '_>) -> Result<(Option<ResponseFormat>, Option<String>)> {
    let said = fields.object("text", |text| {
        let verbosity = text.text("verbosity")?;
        let format = text.object("format", |format| match format.required_text("type")?.as_str() {
            "text" => Ok(ResponseFormat::Text),
            "json_object" => Ok(ResponseFormat::JsonObject),
            "json_schema" => Ok(ResponseFormat::JsonSchema {
                name: format.text("name")?,
                description: format.text("description")?,
                strict: format.flag("strict")?,
                schema: Value::Object(format.map("schema")?.unwrap_or_else(Map::new)),
            }),
            other => Err(format.path().member("type").wrong(other, "`text`, `json_object` or `json_schema`")),
        })?;
        Ok((format, verbosity))
    })?;
    Ok(said.unwrap_or_default())
}

fn reasoning(fields: &mut Fields<'_, '_>, kept: &mut Extra) -> Result<Option<Reasoning>> {
    const WORDS: &str = "`none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`";
    let reasoning = fields.object("reasoning", |object| {
        let effort = match object.text("effort")? {
            None => None,
            Some(word) => Some(
                ReasoningEffort::from_word(&word)
                    .ok_or_else(|| object.path().member("effort").wrong(word, WORDS))?,
            ),
        };
        let older = object.text("generate_summary")?;
        let summary = object.text("summary")?.or(older);
        let mut rest = object.rest();
        rest.0.retain(|_, value| !value.is_null());
        if !rest.is_empty() {
            kept.keep("reasoning", Value::Object(rest.0));
        }
        let include = summary.is_some().then_some(true);
        Ok(Reasoning { effort, summary, include, ..Reasoning::default() })
    })?;
    Ok(reasoning.filter(|reasoning| *reasoning != Reasoning::default()))
}

/// `text.format` for a provider.
pub(super) fn written_format(format: &ResponseFormat) -> Value {
    match format {
        ResponseFormat::Text => json!({"type": "text"}),
        ResponseFormat::JsonObject => json!({"type": "json_object"}),
        ResponseFormat::JsonSchema { name, description, schema, strict } => {
            let name = name.as_deref().unwrap_or("response");
            let mut format = json!({"type": "json_schema", "name": name, "schema": schema});
            if let Some(description) = description {
                format["description"] = json!(description);
            }
            if let Some(strict) = strict {
                format["strict"] = json!(strict);
            }
            format
        }
    }
}
