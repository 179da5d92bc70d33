//! Counting, both ways.

use llm_types::Usage;
use serde_json::{Value, json};

use super::{WireUsage, write};
use crate::write::object;

fn read(value: Value) -> Option<Usage> {
    serde_json::from_value::<WireUsage>(value).unwrap().canonical()
}

#[test]
fn thoughts_and_tools_are_counted_inside() {
    let usage = read(json!({
        "promptTokenCount": 154, "toolUsePromptTokenCount": 234, "candidatesTokenCount": 155,
        "thoughtsTokenCount": 178, "totalTokenCount": 721, "cachedContentTokenCount": 100,
        "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": 100 }, { "modality": "AUDIO", "tokenCount": 54 }],
        "serviceTier": "standard",
    }))
    .unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.total()), (388, 333, 721));
    assert_eq!((usage.cache_read_tokens, usage.reasoning_tokens), (Some(100), Some(178)));
    assert_eq!((usage.input_audio_tokens, usage.input_image_tokens), (Some(54), None));
    assert_eq!(usage.service_tier.as_deref(), Some("standard"));
}

#[test]
fn thoughts_inside_the_answer_are_not_counted_twice() {
    let usage = read(json!({
        "promptTokenCount": 10, "candidatesTokenCount": 50, "thoughtsTokenCount": 20, "totalTokenCount": 60,
    }));
    assert_eq!(usage.unwrap().output_tokens, 50);
}

#[test]
fn a_record_without_counts_counts_nothing() {
    assert_eq!(read(json!({ "trafficType": "ON_DEMAND" })), None);
}

#[test]
fn what_is_written_reads_the_same() {
    let usage = Usage {
        input_tokens: 100,
        output_tokens: 60,
        total_tokens: Some(160),
        cache_read_tokens: Some(40),
        input_image_tokens: Some(30),
        reasoning_tokens: Some(20),
        output_audio_tokens: Some(5),
        ..Usage::default()
    };
    let mut out = Vec::new();
    object(&mut out, |out| write(out, &usage));
    let wire: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(wire["candidatesTokenCount"], 40);
    assert_eq!(wire["promptTokensDetails"][0], json!({ "modality": "TEXT", "tokenCount": 70 }));
    assert_eq!(read(wire), Some(usage));
}
