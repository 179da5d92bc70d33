//! How to answer: the top-level parameters, from OpenAI's names (and LiteLLM's additions).

use llm_types::{Options, Reasoning, ReasoningEffort, ResponseFormat, Result};
use serde_json::{Map, Value};

use crate::fields::Fields;
use crate::json::Json;

/// Reads every option but the tool choice.
pub(super) fn decode(fields: &mut Fields<'_, '_>) -> Result<Options> {
    let capped = fields.whole("max_tokens")?;
    Ok(Options {
        max_tokens: fields.whole("max_completion_tokens")?.or(capped),
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        top_k: fields.whole("top_k")?,
        stop: stop(fields)?,
        seed: fields.integer("seed")?,
        frequency_penalty: fields.number("frequency_penalty")?,
        presence_penalty: fields.number("presence_penalty")?,
        logit_bias: fields.map("logit_bias")?,
        logprobs: fields.flag("logprobs")?,
        top_logprobs: fields.whole("top_logprobs")?,
        n: fields.whole("n")?,
        tool_choice: None,
        parallel_tool_calls: fields.flag("parallel_tool_calls")?,
        response_format: response_format(fields)?,
        reasoning: reasoning(fields)?,
        modalities: fields.texts("modalities")?,
        audio: fields.any("audio"),
        prediction: fields.any("prediction"),
        web_search: fields.any("web_search_options"),
        verbosity: fields.text("verbosity")?,
        service_tier: fields.text("service_tier")?,
        user: fields.text("user")?,
        metadata: fields.map("metadata")?,
        store: fields.flag("store")?,
        prompt_cache_key: fields.text("prompt_cache_key")?,
        safety_identifier: fields.text("safety_identifier")?,
        safety_settings: fields.any("safety_settings"),
        include_usage: include_usage(fields)?,
    })
}

fn stop(fields: &mut Fields<'_, '_>) -> Result<Vec<String>> {
    match fields.peek("stop") {
        Some(Json::String(_)) => Ok(fields.text("stop")?.into_iter().collect()),
        _ => Ok(fields.texts("stop")?.unwrap_or_default()),
    }
}

fn include_usage(fields: &mut Fields<'_, '_>) -> Result<Option<bool>> {
    Ok(fields.object("stream_options", |options| options.flag("include_usage"))?.flatten())
}

fn response_format(fields: &mut Fields<'_, '_>) -> Result<Option<ResponseFormat>> {
    fields.object("response_format", |format| match format.required_text("type")?.as_str() {
        "text" => Ok(ResponseFormat::Text),
        "json_object" => Ok(ResponseFormat::JsonObject),
        // Together AI's clients write the schema beside the type.
        "json_schema" if format.peek("schema").is_some() => schema(format),
        "json_schema" => format.required_object("json_schema", schema),
        other => Err(format.path().member("type").wrong(other, "`text`, `json_object` or `json_schema`")),
    })
}

fn schema(fields: &mut Fields<'_, '_>) -> Result<ResponseFormat> {
    Ok(ResponseFormat::JsonSchema {
        name: fields.text("name")?,
        description: fields.text("description")?,
        strict: fields.flag("strict")?,
        schema: Value::Object(fields.map("schema")?.unwrap_or_else(Map::new)),
    })
}

/// `reasoning_effort` (a word, or LiteLLM's object) and LiteLLM's `thinking`, in Anthropic's form.
fn reasoning(fields: &mut Fields<'_, '_>) -> Result<Option<Reasoning>> {
    let mut wanted: Option<Reasoning> = None;
    match fields.peek("reasoning_effort") {
        Some(Json::Object(_)) => {
            wanted = fields.object("reasoning_effort", |object| {
                let effort = effort(object, "effort")?;
                Ok(Reasoning { effort, summary: object.text("summary")?, ..Reasoning::default() })
            })?;
        }
        Some(_) => {
            let effort = effort(fields, "reasoning_effort")?;
            wanted = Some(Reasoning { effort, ..Reasoning::default() });
        }
        None => {}
    }
    let thinking = fields.object("thinking", |thinking| {
        let mut reasoning = wanted.clone().unwrap_or_default();
        match thinking.required_text("type")?.as_str() {
            "enabled" => reasoning.enabled = Some(true),
            "disabled" => reasoning.enabled = Some(false),
            "adaptive" => reasoning.adaptive = true,
            other => {
                let expected = "`enabled`, `disabled` or `adaptive`";
                return Err(thinking.path().member("type").wrong(other, expected));
            }
        }
        reasoning.budget_tokens = thinking.whole("budget_tokens")?;
        reasoning.include = thinking.text("display")?.map(|word| word != "omitted");
        Ok(reasoning)
    })?;
    Ok(thinking.or(wanted))
}

fn effort(fields: &mut Fields<'_, '_>, name: &str) -> Result<Option<ReasoningEffort>> {
    const WORDS: &str = "`none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`";
    let Some(word) = fields.text(name)? else { return Ok(None) };
    if word == "disable" {
        return Ok(Some(ReasoningEffort::None));
    }
    let effort = ReasoningEffort::from_word(&word);
    effort.map(Some).ok_or_else(|| fields.path().member(name).wrong(word, WORDS))
}
