//! CONTRIBUTING.md's recipe for a compatible vendor, followed to the letter: its record is this one, and nothing
//! else is needed to ask the vendor.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::profiles::CHAT;
use crate::dialects::OPENAI_CHAT;
use crate::{Auth, PreparedTarget, ProviderSpec, Quirks, Registry, Target};

const RECIPE: &str = include_str!("../../../../../CONTRIBUTING.md");

#[rustfmt::skip]
const HOUSE: &[ProviderSpec] = &[
    crate::providers::
provider! {
    id: "house", name: "House of Models",
    docs: "https://docs.house.example/api",
    base_url: "https://api.house.example/v1", prefix: "",
    base_url_env: ["HOUSE_API_BASE"], key_env: ["HOUSE_API_KEY"],
    auth: Auth::Bearer, dialect: OpenaiChat,
    quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..CHAT },
},
];

/// Lines without their indentation.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_record_is_the_one_in_the_recipe() {
    let (_, rest) = RECIPE.split_once("```rust\n   provider! {").expect("the recipe begins with a record");
    let (told, _) = rest.split_once("```").expect("which ends");
    let (_, here) = include_str!("recipe.rs").split_once("\nprovider! {").expect("the record above");
    let (here, _) = here.split_once("\n];").expect("which ends");
    assert_eq!(lines(told), lines(here));
}

#[test]
fn the_vendor_is_asked_at_its_url_with_its_key_and_in_its_words() {
    let registry = Registry::built_in().with(HOUSE.iter().cloned()).unwrap();
    let (provider, model) = registry.split_model("house/large-1").unwrap();
    let mut target = Target::bare(Arc::clone(provider), model);
    target.key = Some(llm_types::Secret::new("k-1".to_owned()));
    let asked = json!({ "model": "any", "max_completion_tokens": 5, "messages": [{ "role": "user", "content": "Hi" }] });
    let body = Bytes::from(asked.to_string());
    let glance = OPENAI_CHAT.glance(&body).unwrap();
    let encoded = OPENAI_CHAT.forward_request(&body, &glance, &target).unwrap();
    let request = PreparedTarget::new(Arc::new(target)).request(encoded).unwrap();
    assert_eq!(request.uri, "https://api.house.example/v1/chat/completions");
    assert_eq!(request.headers["authorization"], "Bearer k-1");
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!((&sent["model"], &sent["max_tokens"]), (&json!("large-1"), &json!(5)));
    assert!(sent.get("max_completion_tokens").is_none(), "{sent}");
}
