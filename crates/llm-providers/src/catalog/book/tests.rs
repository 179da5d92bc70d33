//! The built-in book is whole, found by LiteLLM's rules, and agrees with LiteLLM's map to the nano-dollar.

use std::path::PathBuf;

use llm_types::{CostContext, Meter, Reach, Usage};
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;
use crate::catalog::Image;

fn lookup(provider: &str, model: &str) -> Option<Box<str>> {
    PriceBook::builtin().lookup(&ModelQuery::new(provider, model)).map(|info| info.name.clone())
}

/// LiteLLM's own map, or `None` with a word about it where the shared facts are absent.
fn litellm_map() -> Option<Map<String, Value>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = std::env::var_os("GATEWAY_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let file = shared.join("prices/litellm-1.106.2-model-prices.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("SKIPPED: {} is absent; set GATEWAY_SHARED to compare with LiteLLM's map", file.display());
        return None;
    };
    let mut map: Map<String, Value> = serde_json::from_str(&text).expect("a JSON object");
    map.retain(|name, _| name != "sample_spec" && name != "fallback_generalizations");
    Some(map)
}

#[test]
fn the_builtin_book_is_whole() {
    let book = PriceBook::from_json(BUILTIN).expect("a sound book");
    assert_eq!(book.count(), PriceBook::builtin().count());
    assert!(book.count() > 4_000, "{}", book.count());
}

#[test]
fn every_line_is_found_by_its_name_and_survives_writing() {
    let book = PriceBook::builtin();
    for (name, line) in book.entries() {
        let info = book.find(name).expect("every listed name is found");
        assert_eq!(&*info.name, name);
        let written = serde_json::to_value(&info).expect("JSON");
        assert_eq!(written, serde_json::from_slice::<Value>(line).map(floats).expect("JSON"), "{name}");
    }
    for absent in ["", "0", "gpt-4o-", "zzzz", "~"] {
        assert!(book.find(absent).is_none(), "{absent}");
    }
}

/// Prices are written from floats: `5` as `5.0`.
fn floats(value: Value) -> Value {
    fn walk(value: &mut Value, priced: bool) {
        match value {
            Value::Number(number) if priced => *value = number.as_f64().into(),
            Value::Object(object) => {
                object
                    .iter_mut()
                    .for_each(|(key, value)| walk(value, priced || key == "usd" || key == "times"));
            }
            Value::Array(list) => list.iter_mut().for_each(|value| walk(value, false)),
            _ => {}
        }
    }
    let mut value = value;
    walk(&mut value, false);
    value
}

#[test]
fn names_are_found_by_litellms_rules() {
    for (provider, model, expected) in [
        ("openai", "gpt-4o", Some("gpt-4o")),
        ("openai", "openai/gpt-4o", Some("gpt-4o")),
        ("openai", "GPT-4o", Some("gpt-4o")),
        ("azure", "gpt-4o", Some("azure/gpt-4o")),
        ("azure", "my-deployment", None),
        ("openai", "anything", None),
        ("groq", "gpt-4o", None),
        ("anthropic", "claude-opus-4-6", Some("claude-opus-4-6")),
        ("bedrock", "anthropic.claude-opus-4-6-v1", Some("anthropic.claude-opus-4-6-v1")),
        ("bedrock", "converse/anthropic.claude-opus-4-6-v1", Some("anthropic.claude-opus-4-6-v1")),
        ("bedrock", "sa.anthropic.claude-opus-4-6-v1", Some("anthropic.claude-opus-4-6-v1")),
        ("bedrock", "anthropic.claude-opus-4-6-v1:51k", Some("anthropic.claude-opus-4-6-v1")),
        (
            "bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/anthropic.claude-opus-4-6-v1",
            Some("anthropic.claude-opus-4-6-v1"),
        ),
        ("gemini", "gemini-2.5-flash", Some("gemini/gemini-2.5-flash")),
        ("gemini", "gemini-2.5-flash-001", Some("gemini/gemini-2.5-flash")),
        ("vertex_ai", "gemini-2.5-flash", Some("gemini-2.5-flash")),
        ("openrouter", "openai/gpt-4o", None),
    ] {
        assert_eq!(lookup(provider, model).as_deref(), expected, "{provider} {model}");
    }
}

#[test]
fn base_model_and_region_come_first() {
    let book = PriceBook::builtin();
    let name = |query: ModelQuery<'_>| book.lookup(&query).map(|info| info.name.clone());
    let azure = ModelQuery::new("azure", "my-deployment");
    assert_eq!(name(azure.with_base_model(Some("gpt-4o"))).as_deref(), Some("azure/gpt-4o"));
    assert_eq!(name(azure.with_base_model(Some("azure/gpt-4o"))).as_deref(), Some("azure/gpt-4o"));
    let other = ModelQuery::new("openai", "house-model").with_base_model(Some("claude-opus-4-6"));
    assert_eq!(name(other).as_deref(), Some("claude-opus-4-6"), "an operator may name anybody's model");
    let regional = ModelQuery::new("bedrock", "anthropic.claude-v2:1").with_region(Some("us-east-1"));
    assert_eq!(name(regional).as_deref(), Some("bedrock/us-east-1/anthropic.claude-v2:1"));
}

#[test]
fn images_are_priced_by_size_and_quality() {
    let book = PriceBook::builtin();
    let name = |provider, model, size, quality| {
        let query = ModelQuery::new(provider, model).with_image(Some(Image { size, quality }));
        book.lookup(&query).map(|info| info.name.clone())
    };
    let high = name("azure", "gpt-image-1", "1024x1536", Some("high"));
    assert_eq!(high.as_deref(), Some("azure/high/1024-x-1536/gpt-image-1"));
    let standard = name("azure", "dall-e-3", "1024x1024", None);
    assert_eq!(standard.as_deref(), Some("azure/standard/1024-x-1024/dall-e-3"));
    let any = name("azure", "gpt-image-1", "auto", Some("auto"));
    assert_eq!(any.as_deref(), Some("azure/gpt-image-1"), "an unlisted image is the model itself");
}

#[test]
fn broken_books_are_refused() {
    for (text, problem) in [
        ("{}", "found no line"),
        ("{\n\"models\":{\n\n}\n}\n", "found no model"),
        ("{\n\"models\":{\n\"b\":{},\n\"a\":{}\n}\n}\n", "`a` is out of order"),
        ("{\n\"models\":{\n\"a\":{\"usd\":{\"inptu\":1}}\n}\n}\n", "the line of `a` is unreadable"),
    ] {
        let error = PriceBook::from_json(text.as_bytes()).expect_err(problem);
        assert!(error.message().contains(problem), "{}", error.message());
    }
}

#[test]
fn litellms_map_reads_as_the_builtin_book() {
    let Some(map) = litellm_map() else { return };
    let theirs = PriceBook::from_litellm(&map).expect("a sound map");
    let ours = PriceBook::builtin();
    assert_eq!(theirs.names().collect::<Vec<_>>(), ours.names().collect::<Vec<_>>());
    for (mut theirs, mut ours) in theirs.models().zip(ours.models()) {
        for info in [&mut theirs, &mut ours] {
            info.price.rates.sort_by_key(llm_types::Rate::key);
            info.price.times.sort();
            if let Some(off_peak) = &mut info.price.off_peak {
                off_peak.rates.sort_by_key(llm_types::Rate::key);
            }
            for band in &mut info.price.by_prompt {
                band.rates.sort_by_key(llm_types::Rate::key);
            }
        }
        assert_eq!(theirs, ours);
    }
}

#[test]
fn records_read_back_as_litellm_writes_them() {
    let Some(map) = litellm_map() else { return };
    let book = PriceBook::builtin();
    const LOST: &[&str] =
        &["comment", "metadata", "web_search_billing_unit", "input_cost_per_token_cache_hit"];
    for (name, entry) in &map {
        let ours = book.find(name).expect("every model is in the book").to_litellm();
        for (key, theirs) in entry.as_object().expect("an object") {
            if LOST.contains(&key.as_str()) || key == "max_tokens" || key == "off_peak_pricing" {
                continue;
            }
            let ours = ours.get(key).unwrap_or_else(|| panic!("{name}: `{key}` is lost"));
            assert!(close(theirs, ours), "{name}: `{key}` is {theirs} there and {ours} here");
        }
    }
}

/// Equal, but for numbers below a femto-dollar.
fn close(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            (left.as_f64().unwrap_or(f64::NAN) - right.as_f64().unwrap_or(f64::NAN)).abs() < 1e-15
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| close(value, other)))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| close(left, right))
        }
        _ => left == right,
    }
}

/// §9.1 again, in floats and LiteLLM's keys, for a call without tools in a tier (`""`, `_priority` …).
fn by_the_map(entry: &Value, usage: &Usage, tier: &str) -> Option<f64> {
    let prompt = usage.input_tokens;
    let inclusive = entry["litellm_provider"] == "xai";
    let bands = entry["tiered_pricing"].as_array().filter(|bands| bands[0].get("range").is_some());
    let band = bands.map(|bands| {
        let fits = |band: &&Value| prompt as f64 <= band["range"][1].as_f64().expect("a bound");
        bands.iter().find(fits).unwrap_or_else(|| bands.last().expect("a band"))
    });
    let rate = |stem: &str| -> Option<f64> {
        if let Some(band) = band {
            return band[stem].as_f64();
        }
        let price = |key: String| entry[format!("{key}{tier}")].as_f64().or(entry[&key].as_f64());
        let mut best = price(stem.to_owned());
        for thousands in [100, 128, 200, 272, 512] {
            let crossed = if inclusive { prompt >= thousands * 1_000 } else { prompt > thousands * 1_000 };
            let above = price(format!("{stem}_above_{thousands}k_tokens"));
            best = if crossed { above.or(best) } else { best };
        }
        best
    };
    let (input, output) = (rate("input_cost_per_token"), rate("output_cost_per_token"));
    if input.is_none() && output.is_none() {
        return None;
    }
    let (input, output) = (input.unwrap_or(0.0), output.unwrap_or(0.0));
    let read =
        rate("cache_read_input_token_cost").or(rate("input_cost_per_token_cache_hit")).unwrap_or(input);
    let write = rate("cache_creation_input_token_cost").unwrap_or(input);
    let write_1h = rate("cache_creation_input_token_cost_above_1hr").unwrap_or(write);
    let audio = rate("input_cost_per_audio_token").unwrap_or(input);
    let reasoning = rate("output_cost_per_reasoning_token").unwrap_or(output);
    let tokens = |count: Option<u64>| count.unwrap_or(0) as f64;
    let (cached, hour) = (tokens(usage.cache_read_tokens), tokens(usage.cache_write_1h_tokens));
    let written = tokens(usage.cache_write_tokens);
    let (heard, thought) = (tokens(usage.input_audio_tokens), tokens(usage.reasoning_tokens));
    Some(
        (prompt as f64 - cached - written - heard) * input
            + cached * read
            + (written - hour) * write
            + hour * write_1h
            + heard * audio
            + (usage.output_tokens as f64 - thought) * output
            + thought * reasoning
            + entry["input_cost_per_request"].as_f64().unwrap_or(0.0),
    )
}

#[test]
fn every_models_cost_is_litellms_to_the_nano_dollar() {
    let Some(map) = litellm_map() else { return };
    let book = PriceBook::builtin();
    let (mut compared, mut unpriced) = (0, 0);
    for (name, entry) in &map {
        let provider = entry["litellm_provider"].as_str().expect("a vendor");
        let found =
            book.lookup(&ModelQuery::new(provider, name)).unwrap_or_else(|| panic!("{name} is not found"));
        // A bare name that is listed with its vendor as well is found with its vendor.
        assert!(*found.name == **name || *found.name == *format!("{provider}/{name}"), "{provider} {name}");
        let found = book.find(name).expect("every model is in the book");
        for (index, prompt) in [1_000, 128_000, 130_000, 201_000, 300_000, 600_000].into_iter().enumerate() {
            let (tier, suffix) =
                [("standard", ""), ("flex", "_flex"), ("priority", "_priority")][(index + name.len()) % 3];
            let usage = Usage {
                input_tokens: prompt,
                output_tokens: 500,
                cache_read_tokens: Some(200),
                cache_write_tokens: Some(100),
                cache_write_1h_tokens: Some(40),
                input_audio_tokens: Some(30),
                reasoning_tokens: Some(120),
                service_tier: Some(tier.into()),
                ..Usage::default()
            };
            let Some(expected) = by_the_map(entry, &usage, suffix) else {
                unpriced += 1;
                assert!(found.price.usd_per_unit(Meter::Input).is_none(), "{name}");
                continue;
            };
            let cost = found.price.cost(&usage, &CostContext::default()).exact.as_usd();
            assert!((cost - expected).abs() <= 1e-9, "{name} at {prompt}: {cost}, expected {expected}");
            compared += 1;
        }
    }
    println!("{compared} costs compared, {unpriced} without a token price");
    assert!(compared > 15_000, "{compared}");
}

/// Usage of every shape, its details within its totals or not.
fn any_usage() -> impl Strategy<Value = Usage> {
    let tokens = || prop_oneof![Just(None), (0..600_000_u64).prop_map(Some)];
    let totals = (0..600_000_u64, 0..100_000_u64);
    (totals, (tokens(), tokens(), tokens(), tokens()), (tokens(), tokens(), tokens(), tokens())).prop_map(
        |((input_tokens, output_tokens), (read, write, hour, audio), (image, video, reasoning, spoken))| {
            Usage {
                input_tokens,
                output_tokens,
                cache_read_tokens: read,
                cache_write_tokens: write,
                cache_write_1h_tokens: hour,
                cache_read_audio_tokens: audio,
                input_audio_tokens: audio,
                input_image_tokens: image,
                input_video_tokens: video,
                reasoning_tokens: reasoning,
                output_audio_tokens: spoken,
                ..Usage::default()
            }
        },
    )
}

proptest! {
    #[test]
    fn no_call_costs_more_than_was_reserved(
        at in 0..4_000_usize,
        usage in any_usage(),
        tier in prop_oneof![Just(None), Just(Some("flex")), Just(Some("priority")), Just(Some("batch"))],
    ) {
        let book = PriceBook::builtin();
        let name = book.names().nth(at).expect("a model");
        let price = book.find(name).expect("a model").price;
        let context = CostContext { tier, ..CostContext::default() };
        let cost = price.cost(&usage, &context);
        let bound = price.worst_case(
            usage.input_tokens,
            usage.output_tokens,
            &context,
            Reach { tiers: tier.is_some(), factors: false },
        );
        prop_assert!(cost.total <= bound, "{name}: {} is more than {bound}", cost.total);
        let parts = [cost.input, cost.output, cost.cache_read, cost.cache_creation, cost.reasoning, cost.tools];
        prop_assert_eq!(parts.into_iter().sum::<llm_types::FemtoUsd>(), cost.original);
        prop_assert!(parts.iter().all(|part| part.0 >= 0));
    }

    #[test]
    fn any_text_is_looked_up_without_harm(provider in "[a-z_]{0,8}", model in "\\PC{0,40}") {
        let found = PriceBook::builtin().lookup(&ModelQuery::new(&provider, &model));
        prop_assert!(found.is_none_or(|info| same_vendor(&provider, &info.provider)));
    }
}
