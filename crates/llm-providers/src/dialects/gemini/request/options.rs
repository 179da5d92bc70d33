//! `generationConfig` and its neighbours into options. What no other dialect has is kept beside them.

use llm_types::{Extra, Options, Reasoning, ReasoningEffort, ResponseFormat, Result};
use serde_json::{Map, Value, json};

use super::super::schema;
use crate::fields::Fields;

/// Where left-over members of `generationConfig` are kept.
pub(super) const CONFIG: &str = "generationConfig";

/// Reads how to answer.
pub(super) fn decode(fields: &mut Fields<'_, '_>, native: &mut Extra) -> Result<Options> {
    let mut options = Options {
        safety_settings: fields.any("safetySettings"),
        service_tier: fields.text("serviceTier")?,
        store: fields.flag("store")?,
        metadata: fields.map("labels")?,
        include_usage: Some(true),
        ..Options::default()
    };
    if let Some(tier) = &mut options.service_tier {
        native.keep("serviceTier", Value::from(tier.as_str()));
        if tier == "standard" {
            "default".clone_into(tier);
        }
    }
    let rest = fields.object(CONFIG, |config| {
        sampling(config, &mut options)?;
        let mut rest = Map::new();
        options.response_format = format(config, &mut rest)?;
        options.reasoning = config.object("thinkingConfig", thinking)?;
        speech(config, &mut options, &mut rest)?;
        rest.extend(config.rest().0);
        rest.retain(|_, value| !value.is_null());
        Ok(rest)
    })?;
    if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
        native.keep(CONFIG, Value::Object(rest));
    }
    Ok(options)
}

fn sampling(config: &mut Fields<'_, '_>, options: &mut Options) -> Result<()> {
    options.max_tokens = config.whole("maxOutputTokens")?;
    options.temperature = config.number("temperature")?;
    options.top_p = config.number("topP")?;
    options.top_k = config.whole("topK")?;
    options.stop = config.texts("stopSequences")?.unwrap_or_default();
    options.seed = config.integer("seed")?;
    options.frequency_penalty = config.number("frequencyPenalty")?;
    options.presence_penalty = config.number("presencePenalty")?;
    options.n = config.whole("candidateCount")?;
    options.logprobs = config.flag("responseLogprobs")?;
    options.top_logprobs = config.whole("logprobs")?;
    let modalities = config.texts("responseModalities")?;
    options.modalities = modalities.map(|kinds| kinds.iter().map(|kind| kind.to_ascii_lowercase()).collect());
    Ok(())
}

/// The form of the answer. A type that is neither JSON nor plain text stays as it is.
fn format(config: &mut Fields<'_, '_>, rest: &mut Map<String, Value>) -> Result<Option<ResponseFormat>> {
    let mime = config.text("responseMimeType")?;
    let json_schema = match config.any("responseJsonSchema") {
        None => config.any("_responseJsonSchema"),
        found => found,
    };
    let schema = config.any("responseSchema").map(schema::from_openapi).or(json_schema);
    Ok(match (mime.as_deref(), schema) {
        (None | Some("application/json"), Some(schema)) => {
            Some(ResponseFormat::JsonSchema { name: None, description: None, schema, strict: Some(true) })
        }
        (Some("application/json"), None) => Some(ResponseFormat::JsonObject),
        (Some("text/plain"), _) => Some(ResponseFormat::Text),
        (Some(_), schema) => {
            rest.extend(mime.map(|mime| ("responseMimeType".to_owned(), Value::from(mime))));
            rest.extend(schema.map(|schema| ("responseJsonSchema".to_owned(), schema)));
            None
        }
        (None, None) => None,
    })
}

/// `thinkingConfig`: a budget (0 switches off, -1 leaves it to the model) or a level.
fn thinking(config: &mut Fields<'_, '_>) -> Result<Reasoning> {
    let mut reasoning = Reasoning { include: config.flag("includeThoughts")?, ..Reasoning::default() };
    match config.integer("thinkingBudget")? {
        Some(0) => reasoning.enabled = Some(false),
        Some(budget) if budget < 0 => reasoning.adaptive = true,
        budget => reasoning.budget_tokens = budget.and_then(|budget| u64::try_from(budget).ok()),
    }
    if let Some(level) = config.text("thinkingLevel")? {
        let word = level.to_ascii_lowercase();
        if word != "thinking_level_unspecified" {
            let effort = ReasoningEffort::from_word(&word);
            reasoning.effort = Some(effort.ok_or_else(|| {
                let path = config.path().member("thinkingLevel");
                path.wrong(level, "`MINIMAL`, `LOW`, `MEDIUM` or `HIGH`")
            })?);
        }
    }
    Ok(reasoning)
}

/// One voice is what OpenAI's `audio` can say; anything more stays as it is.
fn speech(config: &mut Fields<'_, '_>, options: &mut Options, rest: &mut Map<String, Value>) -> Result<()> {
    let Some(speech) = config.map("speechConfig")? else { return Ok(()) };
    let speech = Value::Object(speech);
    let voice = speech.pointer("/voiceConfig/prebuiltVoiceConfig/voiceName").and_then(Value::as_str);
    if let Some(voice) = voice {
        options.audio = Some(json!({ "voice": voice, "format": "pcm16" }));
    }
    if voice.is_none() || speech != speech_of(voice.unwrap_or_default()) {
        rest.insert("speechConfig".to_owned(), speech);
    }
    Ok(())
}

/// `speechConfig` of one voice.
pub(super) fn speech_of(voice: &str) -> Value {
    json!({ "voiceConfig": { "prebuiltVoiceConfig": { "voiceName": voice } } })
}
