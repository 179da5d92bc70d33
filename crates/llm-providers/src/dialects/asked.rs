//! Which of OpenAI's parameters a target can be asked for: each is tried on the dialect itself, so that the
//! answer is never other than what a call gets.

use serde_json::{Map, Value, json};

use super::{OPENAI_CHAT, dialect};
use crate::{PARAMS, ParamPolicy, Target};

/// OpenAI's names of the parameters that a target takes, in the order of the alphabet.
#[must_use]
pub fn openai_params(target: &Target) -> Vec<&'static str> {
    let plain = Target { policy: ParamPolicy::default(), defaults: Map::new(), ..target.clone() };
    let quirks = &plain.spec.quirks;
    let left_out = |param: &str| quirks.ignored.iter().any(|listed| *listed == *param);
    let mut taken: Vec<&str> = PARAMS
        .iter()
        .copied()
        .filter(|param| quirks.takes(param) && !left_out(param) && is_written(param, &plain))
        .collect();
    taken.extend(["stream", "stream_options", "extra_headers"]);
    taken.sort_unstable();
    taken
}

fn is_written(param: &str, target: &Target) -> bool {
    let mut body = json!({
        "model": "m",
        "messages": [{"role": "user", "content": "x"}],
        param: sample(param),
    });
    if matches!(param, "tool_choice" | "parallel_tool_calls") {
        body["tools"] = sample("tools");
    }
    if param == "top_logprobs" {
        body["logprobs"] = true.into();
    }
    let request = serde_json::to_vec(&body).ok().and_then(|body| OPENAI_CHAT.decode_request(&body).ok());
    request.is_some_and(|request| dialect(target.spec.dialect).encode_request(&request, target).is_ok())
}

/// A value that every vendor with the parameter takes.
fn sample(param: &str) -> Value {
    match param {
        "audio" => json!({"voice": "alloy", "format": "wav"}),
        "functions" => json!([{"name": "f", "parameters": {"type": "object", "properties": {}}}]),
        "logit_bias" => json!({"1": 1}),
        "logprobs" | "parallel_tool_calls" | "store" => true.into(),
        "modalities" => json!(["text"]),
        "prediction" => json!({"type": "content", "content": "x"}),
        "prompt_cache_key" | "safety_identifier" | "stop" | "user" => "x".into(),
        "reasoning_effort" | "verbosity" => "low".into(),
        "response_format" => {
            let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
            json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}})
        }
        "service_tier" | "tool_choice" => "auto".into(),
        "thinking" => json!({"type": "enabled", "budget_tokens": 1024}),
        "tools" => {
            json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}])
        }
        "web_search_options" => json!({}),
        "max_completion_tokens" | "max_tokens" => 4096.into(),
        // Whole numbers: `temperature` at 1 is what every model takes.
        _ => 1.into(),
    }
}

#[cfg(test)]
mod tests;
