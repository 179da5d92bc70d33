//! What one look tells.

use llm_types::ErrorKind;
use serde_json::{Value, json};

use super::glance;
use crate::dialect::Control;

fn look(body: &Value) -> llm_types::Result<crate::dialect::Glance> {
    glance(body.to_string().as_bytes())
}

#[test]
fn rooms_learn_caps_numbers_and_tools() {
    let seen = look(&json!({
        "contents": [{ "parts": [{ "text": "Hi" }] }],
        "generation_config": { "max_output_tokens": 100, "candidateCount": 3, "temperature": 0 },
        "tools": [{ "googleSearch": {} }],
        "tags": ["a"],
    }))
    .unwrap();
    assert_eq!((seen.max_tokens, seen.n, seen.has_tools, seen.sampled), (Some(100), 3, true, true));
    assert!(seen.prompt_bytes > 20 && seen.include_usage && !seen.stream && seen.model.is_empty());
    assert_eq!(seen.controls.iter().map(|(control, _)| *control).collect::<Vec<_>>(), [Control::Tags]);
}

#[test]
fn both_spellings_of_one_member_are_given_twice() {
    let body = br#"{"contents":[],"generationConfig":{"maxOutputTokens":1},"generation_config":{"maxOutputTokens":9}}"#;
    let error = glance(body).unwrap_err();
    assert_eq!((error.kind(), error.param()), (ErrorKind::BadRequest, Some("generationConfig")));
}

#[test]
fn a_cap_given_twice_counts_at_its_largest() {
    let body = br#"{"contents":[],"generationConfig":{"maxOutputTokens":1,"max_output_tokens":9}}"#;
    assert_eq!(glance(body).unwrap().max_tokens, Some(9));
}

#[test]
fn wrong_types_are_named() {
    for (body, param) in [
        (json!({}), "contents"),
        (json!({ "contents": "Hi" }), "contents"),
        (json!({ "contents": [], "generationConfig": 7 }), "generationConfig"),
        (
            json!({ "contents": [], "generationConfig": { "maxOutputTokens": "many" } }),
            "generationConfig.maxOutputTokens",
        ),
    ] {
        assert_eq!(look(&body).unwrap_err().param(), Some(param), "{body}");
    }
}
