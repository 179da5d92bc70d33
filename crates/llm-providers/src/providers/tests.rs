//! The tables of providers are sorted, unique and plain.

mod recipe;

use std::collections::HashSet;

use http::Uri;

use super::{aggregators, amazon, azure, built_in, clouds, labs, local, media, prompts};
use crate::cloud::Identity;
use crate::{Auth, DialectId, ProviderSpec};

#[test]
fn tables_are_sorted() {
    for table in [
        labs::LABS,
        clouds::CLOUDS,
        amazon::AMAZON,
        azure::AZURE,
        aggregators::AGGREGATORS,
        local::LOCAL,
        media::MEDIA,
        prompts::PROMPTS,
    ] {
        assert!(table.is_sorted_by_key(|spec| spec.id.as_str()), "sort by slug: {:?}", slugs(table));
    }
}

#[test]
fn slugs_are_unique_and_plain() {
    let mut seen = HashSet::new();
    for spec in built_in() {
        let id = spec.id.as_str();
        assert!(seen.insert(id), "`{id}` stands twice");
        assert!(
            id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b)),
            "{id}"
        );
    }
    assert!(seen.len() > 80, "only {} providers", seen.len());
}

#[test]
fn urls_are_absolute_and_without_trailing_slash() {
    for spec in built_in() {
        let id = spec.id.as_str();
        assert!(spec.docs.starts_with("https://"), "{id}: docs");
        assert!(spec.prefix.is_empty() || spec.prefix.starts_with('/'), "{id}: prefix");
        assert!(!spec.prefix.ends_with('/'), "{id}: prefix");
        if spec.base_url.is_empty() {
            assert!(!spec.base_url_env.is_empty(), "{id}: an operator must be able to say where it is");
            continue;
        }
        let uri: Uri =
            ProviderSpec::filled(&spec.base_url.replace("{region}", "eu-west-1"), |_| Some("acc".to_owned()))
                .unwrap()
                .parse()
                .expect(id);
        let local = matches!(uri.host(), Some("localhost" | "127.0.0.1" | "mock.invalid"));
        let scheme = if id == "nvidia_riva" { "grpcs" } else { "https" };
        assert_eq!(uri.scheme_str(), Some(if local { "http" } else { scheme }), "{id}");
        assert!(!spec.base_url.ends_with('/'), "{id}");
    }
}

#[test]
fn keys_have_a_variable_unless_none_is_needed() {
    let by_key = |spec: &&ProviderSpec| matches!(spec.cloud.identity, Identity::Key | Identity::KeyPair);
    for spec in built_in().filter(by_key).filter(|spec| spec.auth != Auth::None) {
        assert!(!spec.key_env.is_empty(), "{}", spec.id);
    }
}

#[test]
fn a_key_variable_belongs_to_one_vendor() {
    // A shared variable would send one vendor's key to another's host.
    let mut owner = std::collections::HashMap::new();
    for spec in built_in() {
        for name in spec.key_env.iter() {
            if let Some(other) = owner.insert(name.as_ref(), spec.id.as_str()) {
                let vendor = |slug| match slug {
                    "ai21_chat" => "ai21",
                    "anthropic_text" => "anthropic",
                    "aiohttp_openai" | "openai_like" => "custom_openai",
                    "azure_ai" | "azure_speech" | "azure_text" => "azure",
                    "bedrock_mantle" => "bedrock",
                    "codestral" | "text-completion-codestral" => "mistral",
                    "cohere_chat" => "cohere",
                    "nvidia_riva" => "nvidia_nim",
                    "ollama_chat" => "ollama",
                    "text-completion-inception" => "inception",
                    "text-completion-openai" => "openai",
                    "watsonx_text" => "watsonx",
                    "qwencloud" | "qwen_ai_platform" => "dashscope",
                    other => other,
                };
                assert_eq!(vendor(other), vendor(spec.id.as_str()), "`{name}` is used by two vendors");
            }
        }
    }
}

#[test]
fn records_read_back_from_configuration() {
    for spec in built_in() {
        let text = serde_json::to_string(spec).unwrap();
        let back: ProviderSpec = serde_json::from_str(&text).unwrap();
        assert_eq!(&back, spec);
    }
}

#[test]
fn anthropic_signs_in_its_own_way() {
    let spec = built_in().find(|spec| spec.id.as_str() == "anthropic").unwrap();
    assert_eq!(spec.auth, Auth::Header("x-api-key".into()));
    assert_eq!(spec.dialect, DialectId::Anthropic);
}

#[test]
fn together_passes_effort_to_models_that_reason() {
    let spec = built_in().find(|spec| spec.id.as_str() == "together_ai").unwrap();
    let takes = |reasons: bool| {
        let quirks = spec.quirks.of_model("m", |can| reasons && can == "reasoning").unwrap();
        !quirks.unsupported.iter().any(|name| name == "reasoning_effort")
    };
    assert_eq!((takes(true), takes(false)), (true, false));
}

fn slugs(table: &[ProviderSpec]) -> Vec<&str> {
    table.iter().map(|spec| spec.id.as_str()).collect()
}
