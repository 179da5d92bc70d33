//! Usage records as this API writes them; they are read like those of Chat Completions.

use llm_types::{Money, Usage};
use serde_json::{Value, json};

/// A `usage` object. The details are always there, as the reference demands.
pub(super) fn written(usage: &Usage) -> Value {
    let mut input = json!({"cached_tokens": usage.cache_read_tokens.unwrap_or(0)});
    let more = [
        ("cache_write_tokens", usage.cache_write_tokens),
        ("audio_tokens", usage.input_audio_tokens),
        ("image_tokens", usage.input_image_tokens),
    ];
    for (name, tokens) in more {
        if let Some(tokens) = tokens {
            input[name] = tokens.into();
        }
    }
    let mut output = json!({"reasoning_tokens": usage.reasoning_tokens.unwrap_or(0)});
    for (name, tokens) in
        [("audio_tokens", usage.output_audio_tokens), ("image_tokens", usage.output_image_tokens)]
    {
        if let Some(tokens) = tokens {
            output[name] = tokens.into();
        }
    }
    let mut record = json!({
        "input_tokens": usage.input_tokens,
        "input_tokens_details": input,
        "output_tokens": usage.output_tokens,
        "output_tokens_details": output,
        "total_tokens": usage.total(),
    });
    if let Some(searches) = usage.web_searches {
        record["server_tool_use"] = json!({"web_search_requests": searches});
    }
    if let Some(cost) = usage.stated_cost.map(Money::as_usd) {
        record["cost"] = cost.into();
    }
    record
}
