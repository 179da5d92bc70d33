//! Operators' prices over the book's.

use llm_types::{CostContext, Money, Usage};
use serde_json::{Value, json};

use super::*;

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn custom(params: &Value, info: &Value) -> ModelInfo {
    ModelInfo::from_litellm(&object(params), &object(info)).expect("sound settings")
}

fn base() -> ModelInfo {
    serde_json::from_value(json!({
        "provider": "openai", "mode": "chat", "max_input": 1000, "max_output": 100,
        "usd": {"input": 1, "input>200k": 2, "output": 3, "cache_read": 0.5, "reasoning": 4, "web_search": 0.01},
        "supports": ["vision"], "lacks": ["reasoning"],
    }))
    .expect("a record")
}

fn nanos(info: &ModelInfo, usage: &Usage) -> i64 {
    info.price.cost(usage, &CostContext::default()).total.0
}

#[test]
fn observed_custom_price() {
    let info = custom(
        &json!({"model": "openai/x", "input_cost_per_token": 0.001, "output_cost_per_token": 0.002}),
        &json!({}),
    );
    let used = Usage { input_tokens: 10, output_tokens: 20, ..Usage::default() };
    assert_eq!(nanos(&info, &used), Money::from_usd(0.05).0);
    assert!(info.price.custom && info.facts.is_empty());
}

#[test]
fn an_own_price_takes_the_sides_special_cases_away() {
    let info = base().overlaid(custom(&json!({"input_cost_per_token": "1e-5"}), &json!({})));
    let used = Usage {
        input_tokens: 300_000,
        output_tokens: 10,
        cache_read_tokens: Some(1_000),
        reasoning_tokens: Some(5),
        ..Usage::default()
    };
    assert_eq!(nanos(&info, &used), 300_000 * 10_000 + 5 * 3_000 + 5 * 4_000);
    assert!(info.price.rates.iter().any(|rate| rate.meter == Meter::WebSearch), "tools keep their price");
}

#[test]
fn an_own_special_price_leaves_the_rest() {
    let info = base().overlaid(custom(&json!({}), &json!({"cache_read_input_token_cost": 0})));
    let used = Usage { input_tokens: 100, cache_read_tokens: Some(40), ..Usage::default() };
    assert_eq!(nanos(&info, &used), 60 * 1_000);
}

#[test]
fn params_beat_model_info_and_an_own_price_per_second_replaces_tokens() {
    let both = custom(&json!({"input_cost_per_token": 2e-6}), &json!({"input_cost_per_token": 1e-6}));
    assert_eq!(nanos(&both, &Usage { input_tokens: 1, ..Usage::default() }), 2_000);
    let timed = base().overlaid(custom(&json!({"input_cost_per_second": 0.02}), &json!({})));
    let context = CostContext { duration: std::time::Duration::from_millis(250), ..CostContext::default() };
    let used = Usage { input_tokens: 9, output_tokens: 9, ..Usage::default() };
    assert_eq!(timed.price.cost(&used, &context).total, Money(5_000_000));
}

#[test]
fn zero_is_an_own_price() {
    let free = base()
        .overlaid(custom(&json!({"input_cost_per_token": 0, "output_cost_per_token": 0.0}), &json!({})));
    assert_eq!(nanos(&free, &Usage { input_tokens: 9, output_tokens: 9, ..Usage::default() }), 0);
    assert!(
        custom(&json!({"input_cost_per_token": 0, "output_cost_per_token": 0}), &json!({})).price.is_free()
    );
}

#[test]
fn bands_and_factors_may_be_set() {
    let info = base().overlaid(custom(
        &json!({}),
        &json!({
            "tiered_pricing": [
                {"range": [0, 10], "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6},
                {"range": [10, 100.0], "input_cost_per_token": 2e-6, "output_cost_per_token": 2e-6}],
            "regional_endpoint_uplift_multiplier": 1.5,
        }),
    ));
    assert_eq!(nanos(&info, &Usage { input_tokens: 10, ..Usage::default() }), 10_000);
    assert_eq!(nanos(&info, &Usage { input_tokens: 11, ..Usage::default() }), 22_000);
    let regional = CostContext { host: llm_types::Host::Regional, ..CostContext::default() };
    let used = Usage { input_tokens: 2, ..Usage::default() };
    assert_eq!(info.price.cost(&used, &regional).total, Money(3_000));
}

#[test]
fn limits_and_abilities_come_from_model_info_only() {
    let said = custom(
        &json!({"max_tokens": 7, "temperature": 0.5, "supports_vision": true}),
        &json!({"id": "x", "max_input_tokens": 32000.0, "supports_reasoning": true, "supports_vision": false, "mode": null,
            "prompt_cache_min_tokens": 600}),
    );
    assert_eq!(said.cached_from(), Some(600));
    assert!(!said.price.custom && said.max_tokens.is_none() && said.facts.len() == 1);
    let info = base().overlaid(said);
    assert_eq!((base().cached_from(), info.cached_from()), (None, Some(600)));
    assert_eq!(
        (info.max_input, info.max_output, info.mode.as_deref()),
        (Some(32_000), Some(100), Some("chat"))
    );
    assert_eq!(
        (info.supports("reasoning"), info.supports("vision"), info.supports("pdf_input")),
        (Some(true), Some(false), None)
    );
}

#[test]
fn what_is_no_price_is_refused_by_name() {
    for (key, value) in [
        ("input_cost_per_token", json!("cheap")),
        ("output_cost_per_token", json!(-1)),
        ("tiered_pricing", json!(3)),
        ("off_peak_pricing", json!({"windows": [{"hours_utc": "25:00-26:00"}]})),
        ("search_context_cost_per_query", json!({"search_context_size_low": []})),
        ("regional_endpoint_uplift_multiplier", json!("much")),
    ] {
        let settings = Map::from_iter([(key.to_owned(), value)]);
        let error = ModelInfo::from_litellm(&settings, &Map::new()).expect_err(key);
        assert!(error.message().contains(key), "{}", error.message());
    }
}
