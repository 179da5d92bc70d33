//! `generationConfig` and the members beside it.

use llm_types::{Options, ResponseFormat, Result};
use serde_json::{Map, Value};

use super::super::models::{Thinking, Traits};
use super::super::schema;
use super::judge::Judge;
use super::options::speech_of;
use super::thinking;
use crate::left_out::note;

/// The most texts in `stopSequences`: "up to 5", says the API reference.
const MAX_STOPS: usize = 5;

/// Members of `generationConfig` that callers of other dialects may give at the top of their request.
const NAMES: &[&str] = &[
    "audioTimestamp",
    "enableAffectiveDialog",
    "enableEnhancedCivicAnswers",
    "imageConfig",
    "mediaResolution",
    "modelConfig",
    "responseModalities",
    "routingConfig",
    "speechConfig",
    "thinkingConfig",
];

/// Whether a member belongs into `generationConfig`.
pub(super) fn is_config(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The member of `generationConfig` that an OpenAI parameter is.
pub(in super::super) fn config_name(param: &str) -> Option<&'static str> {
    Some(match param {
        "max_tokens" | "max_completion_tokens" => "maxOutputTokens",
        "temperature" => "temperature",
        "top_p" => "topP",
        "top_k" => "topK",
        "stop" => "stopSequences",
        "seed" => "seed",
        "frequency_penalty" => "frequencyPenalty",
        "presence_penalty" => "presencePenalty",
        "n" => "candidateCount",
        "logprobs" => "responseLogprobs",
        "top_logprobs" => "logprobs",
        "reasoning_effort" | "thinking" => "thinkingConfig",
        "modalities" => "responseModalities",
        "audio" => "speechConfig",
        _ => return None,
    })
}

/// Writes `generationConfig`; `kept` is what a caller of this dialect said beside the options.
pub(super) fn config(
    options: &Options,
    traits: Traits,
    judge: Judge<'_>,
    own: bool,
    kept: Map<String, Value>,
) -> Result<Map<String, Value>> {
    let mut out = Map::new();
    sampling(&mut out, options, traits, judge, own)?;
    limits(&mut out, options, judge)?;
    format(&mut out, options.response_format.as_ref(), traits)?;
    if let Some(reasoning) = &options.reasoning
        && let Some(thinking) = thinking::config(reasoning, traits, judge, own)?
    {
        out.insert("thinkingConfig".to_owned(), Value::Object(thinking));
    }
    if let Some(kinds) = &options.modalities
        && judge.takes("modalities")?
    {
        let kinds: Vec<Value> = kinds.iter().map(|kind| Value::from(kind.to_ascii_uppercase())).collect();
        out.insert("responseModalities".to_owned(), Value::Array(kinds));
    }
    if let Some(audio) = options.audio.as_ref().filter(|_| own || traits.speech) {
        let voice = audio.get("voice").map(|voice| voice.get("id").unwrap_or(voice));
        let voice = voice.and_then(Value::as_str).unwrap_or_default();
        out.insert("speechConfig".to_owned(), speech_of(voice));
    }
    out.extend(kept);
    Ok(out)
}

fn sampling(
    out: &mut Map<String, Value>,
    options: &Options,
    traits: Traits,
    judge: Judge<'_>,
    own: bool,
) -> Result<()> {
    // The vendor's default for these models, which LiteLLM always states.
    let usual = (traits.third && !own).then_some(1.0);
    if let Some(heat) = options.temperature.or(usual)
        && judge.takes("temperature")?
    {
        out.insert("temperature".to_owned(), Value::from(heat));
    }
    let mut put = |name: &'static str, value: Option<Value>| -> Result<()> {
        if let (Some(value), Some(member)) = (value, config_name(name))
            && judge.takes(name)?
        {
            out.insert(member.to_owned(), value);
        }
        Ok(())
    };
    put("top_p", options.top_p.map(Value::from))?;
    put("top_k", options.top_k.map(Value::from))?;
    put("seed", options.seed.map(Value::from))?;
    // Models of the third generation refuse penalties; LiteLLM leaves them out, unless the vendor's record says
    // that they are refused.
    let refused = traits.third && !own;
    for (name, penalty) in
        [("presence_penalty", options.presence_penalty), ("frequency_penalty", options.frequency_penalty)]
    {
        match penalty {
            Some(_) if refused && judge.knows(name) => note(name),
            penalty => put(name, penalty.map(Value::from))?,
        }
    }
    put("n", options.n.map(Value::from))?;
    put("logprobs", options.logprobs.map(Value::from))?;
    put("top_logprobs", options.top_logprobs.map(Value::from))
}

fn limits(out: &mut Map<String, Value>, options: &Options, judge: Judge<'_>) -> Result<()> {
    if let Some(limit) = options.max_tokens
        && judge.takes("max_tokens")?
    {
        out.insert("maxOutputTokens".to_owned(), Value::from(limit));
    }
    let mut stops = &options.stop[..];
    if stops.len() > MAX_STOPS {
        judge.leave_out("stop", "it takes up to 5 texts")?;
        stops = &stops[..MAX_STOPS];
    }
    if !stops.is_empty() && judge.takes("stop")? {
        out.insert("stopSequences".to_owned(), Value::from(stops));
    }
    Ok(())
}

fn format(out: &mut Map<String, Value>, format: Option<&ResponseFormat>, traits: Traits) -> Result<()> {
    let (mime, member) = match format {
        None => return Ok(()),
        Some(ResponseFormat::Text) => ("text/plain", None),
        Some(ResponseFormat::JsonObject) => ("application/json", None),
        Some(ResponseFormat::JsonSchema { schema, .. }) => {
            let older = (!traits.json_schema).then(|| schema::to_openapi(schema)).flatten();
            let member = match older {
                Some(schema) => ("responseSchema", schema),
                None => ("responseJsonSchema", schema.clone()),
            };
            ("application/json", Some(member))
        }
    };
    out.insert("responseMimeType".to_owned(), Value::from(mime));
    out.extend(member.map(|(name, schema)| (name.to_owned(), schema)));
    Ok(())
}

/// How closely to look at pictures, for models that are told once for all of them: the closest asked
/// for.
pub(super) fn resolution(details: impl Iterator<Item = String>, traits: Traits) -> Option<&'static str> {
    if matches!(traits.thinking, Thinking::Level { .. }) {
        return None;
    }
    details.filter_map(|detail| level(&detail)).max_by_key(|(rank, _)| *rank).map(|(_, name)| name)
}

/// The vendor's word for OpenAI's `detail`, and its rank.
pub(super) fn level(detail: &str) -> Option<(u8, &'static str)> {
    match detail {
        "low" => Some((0, "MEDIA_RESOLUTION_LOW")),
        "medium" => Some((1, "MEDIA_RESOLUTION_MEDIUM")),
        "high" => Some((2, "MEDIA_RESOLUTION_HIGH")),
        _ => None,
    }
}
