//! What targets say they take is what they take.

use std::sync::Arc;

use super::{openai_params, sample};
use crate::dialects::OPENAI_CHAT;
use crate::{PARAMS, Registry, Target};

fn taken(slug: &str, model: &str) -> Vec<&'static str> {
    let registry = Registry::built_in();
    let target = Target::bare(Arc::clone(registry.provider(slug).unwrap()), model);
    openai_params(&target.routed().for_model(|_| false))
}

#[test]
fn records_families_and_dialects_decide() {
    let cases = [
        ("groq", "llama-3.3-70b-versatile", "temperature", true),
        ("groq", "llama-3.3-70b-versatile", "reasoning_effort", false),
        ("morph", "morph-v3-fast", "tools", false),
        ("openai", "gpt-4o", "reasoning_effort", false),
        ("openai", "gpt-5", "reasoning_effort", true),
        ("openai", "gpt-5", "stop", false),
        ("anthropic", "claude-sonnet-4-5", "thinking", true),
        ("anthropic", "claude-sonnet-4-5", "logit_bias", false),
        ("mistral", "magistral-medium-2506", "reasoning_effort", true),
        ("mistral", "mistral-large-latest", "reasoning_effort", false),
    ];
    for (slug, model, param, expected) in cases {
        assert_eq!(taken(slug, model).contains(&param), expected, "{slug}/{model}: {param}");
    }
    assert!(taken("morph", "morph-v3-fast").contains(&"stream"), "streams are asked for everywhere");
}

#[test]
fn every_sample_is_a_request() {
    for param in PARAMS {
        let body = serde_json::json!({"model": "m", "messages": [], (*param): sample(param)});
        OPENAI_CHAT
            .decode_request(body.to_string().as_bytes())
            .unwrap_or_else(|error| panic!("{param}: {error}"));
    }
}
