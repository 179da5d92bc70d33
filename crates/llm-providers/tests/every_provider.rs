//! Every provider that LiteLLM has is served under its slug, at its URL, with its variables, and for each kind of
//! call it is listed for. Differences are listed here with their reasons; the test fails on any other.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use llm_providers::operations;
use llm_providers::{Provider, Registry};
use llm_types::Operation;
use serde_json::Value;

/// URLs that differ from LiteLLM's, and why.
const URLS: &[(&str, &str)] = &[
    ("aiohttp_openai", "a server of the operator's own has no usual URL: `openai` is OpenAI"),
    ("bedrock_mantle", "`/v1` is put behind it by its routes"),
    ("databricks", "the workspace is the operator's"),
    ("lm_studio", "LM Studio's own default"),
    ("nvidia_riva", "`host:port` is written as a URL"),
    ("oobabooga", "the operator's own server"),
    ("snowflake", "the same, with the path that all its calls share"),
    ("voyage", "the URL of LiteLLM's recorded requests"),
    ("text-completion-codestral", "the dialect's path is put behind it"),
];

/// Variables of LiteLLM's that are not read as a key, and why.
const KEYS: &[(&str, &str, &str)] = &[
    ("aiohttp_openai", "OPENAI_API_KEY", "OpenAI's key does not go to another host"),
    ("custom_openai", "OPENAI_API_KEY", "OpenAI's key does not go to another host"),
    ("azure", "AZURE_PASSWORD", "Microsoft signs applications in by password no more"),
];

/// Variables that hold something else than a key: whoever signs in reads them.
const SIGN_IN: &[&str] = &[
    "AICORE_SERVICE_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN",
    "AZURE_AD_TOKEN",
    "AZURE_CLIENT_SECRET",
    "DATABRICKS_CLIENT_SECRET",
    "GIGACHAT_ACCESS_TOKEN",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "OCI_KEY",
    "VERTEXAI_CREDENTIALS",
    "WATSONX_TOKEN",
    "WATSONX_ZENAPIKEY",
];

/// Calls that a provider is listed for and we do not serve, and why.
const CALLS: &[(&str, &str, &str)] =
    &[("fal_ai", "chat", "its own models make pictures; chats there are OpenRouter's, which has a record")];

fn listed() -> Option<Vec<Value>> {
    let shared = std::env::var_os("GATEWAY_SHARED").map(PathBuf::from);
    let folder = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    match fs::read_to_string(folder.join("facts/providers.json")) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(_) => {
            eprintln!("skipped: no list of LiteLLM's providers in {}", folder.display());
            None
        }
    }
}

fn texts(one: &Value, name: &str) -> Vec<String> {
    let list = one[name].as_array().into_iter().flatten();
    list.map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Providers of models, and those of other kinds of call that we have.
fn served() -> Option<Vec<(String, Value)>> {
    let kinds = ["llm", "media/ocr/embedding"];
    let one = |one: &Value| {
        let ours = kinds.iter().any(|kind| one["category"] == **kind) && one["deprecated"] == false;
        ours.then(|| (one["slug"].as_str().unwrap().to_owned(), one.clone()))
    };
    Some(listed()?.iter().filter_map(one).collect())
}

/// Whether a provider of other things than models is one of the calls we have: reading documents comes next.
fn has_calls(one: &Value) -> bool {
    texts(one, "endpoints").iter().any(|name| operation(name).is_some() || name == "chat")
}

fn operation(name: &str) -> Option<Operation> {
    Some(match name {
        "embeddings" => Operation::Embeddings,
        "moderation" => Operation::Moderation,
        "rerank" => Operation::Rerank,
        "image_generation" => Operation::ImageGeneration,
        "image_edit" => Operation::ImageEdit,
        "image_variations" => Operation::ImageVariation,
        "audio_speech" => Operation::Speech,
        "audio_transcription" => Operation::Transcription,
        _ => return None,
    })
}

#[test]
fn every_provider_has_a_record() {
    let Some(all) = served() else { return };
    let registry = Registry::built_in();
    let missing: Vec<&str> = all
        .iter()
        .filter(|(slug, one)| {
            (one["category"] == "llm" || has_calls(one)) && registry.provider(slug).is_none()
        })
        .map(|(slug, _)| &**slug)
        .collect();
    assert!(missing.is_empty(), "no record: {missing:?}");
    let models = all.iter().filter(|(_, one)| one["category"] == "llm").count();
    eprintln!("providers: {models} of models, {} others", all.len() - models);
    assert!(models > 130, "{models}");
}

#[test]
fn every_url_and_variable_is_litellms() {
    let Some(all) = served() else { return };
    let registry = Registry::built_in();
    let mut faults = Vec::new();
    for (slug, one) in &all {
        let Some(spec) = registry.provider(slug) else { continue };
        faults.extend(url_fault(slug, one, spec));
        for name in texts(one, "api_key_env") {
            let read = spec.key_env.iter().any(|ours| *ours == name) || SIGN_IN.contains(&&*name);
            if !read && !KEYS.iter().any(|(listed, key, _)| listed == slug && *key == name) {
                faults.push(format!("{slug}: the variable `{name}` is not read"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whether LiteLLM's URL is not the record's. Where it is described in words (`https://{region}…`, `(required)`),
/// the beginning is compared.
fn url_fault(slug: &str, one: &Value, spec: &Provider) -> Option<String> {
    let theirs = one["default_base_url"].as_str().unwrap_or_default();
    let theirs = theirs.split(['(', ' ', ',']).next().unwrap_or_default().trim_end_matches('/');
    if theirs.is_empty() || theirs.contains('{') || URLS.iter().any(|(listed, _)| *listed == slug) {
        return None;
    }
    let ours = [spec.base_url.to_string(), spec.full_base_url(None)];
    let same = theirs == "from" || ours.iter().any(|ours| ours == theirs);
    (!same).then(|| format!("{slug}: `{theirs}`, ours is `{}`", ours[1]))
}

#[test]
fn every_call_a_provider_is_listed_for_is_served() {
    let Some(all) = served() else { return };
    let registry = Registry::built_in();
    let has: BTreeSet<(&str, Operation)> =
        operations::entries().map(|entry| (entry.provider, entry.operation)).collect();
    let (mut faults, mut count) = (Vec::new(), 0);
    for (slug, one) in &all {
        let Some(spec) = registry.provider(slug) else { continue };
        let names = texts(one, "endpoints");
        for name in &names {
            let Some(operation) = operation(name) else { continue };
            count += 1;
            let known = CALLS.iter().any(|(listed, call, _)| listed == slug && call == name);
            if !has.contains(&(&**slug, operation)) && !known {
                faults.push(format!("{slug}: {name}"));
            }
        }
        let chats = ["chat", "messages", "responses", "text_completion"];
        let chats = names.iter().any(|name| chats.contains(&&**name));
        let known = CALLS.iter().any(|(listed, call, _)| listed == slug && *call == "chat");
        if chats == spec.quirks.no_chat && !known {
            faults.push(format!("{slug}: chats: {chats}"));
        }
    }
    eprintln!("calls beside chat: {count} served");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count > 100, "{count}");
}
