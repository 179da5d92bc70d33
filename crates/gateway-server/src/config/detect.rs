//! The start without a file: what the environment has keys for becomes callable.
//!
//! What is found is written as a `config.yaml` and then read like any other, so that there is one way
//! into the typed configuration and the operator can keep the file and change it.

use std::fmt::Write as _;

use llm_providers::{ProviderSpec, Registry};
use serde_json::Value;

use super::{Env, Loaded, parse};

/// Models that get a name of their own beside `<provider>/*`, by provider.
const FRIENDLY: &[(&str, &[&str])] = &[
    ("anthropic", &["claude-sonnet-4-5", "claude-haiku-4-5"]),
    ("deepseek", &["deepseek-chat"]),
    ("gemini", &["gemini-2.5-flash", "gemini-2.5-pro"]),
    ("groq", &["llama-3.3-70b-versatile"]),
    ("mistral", &["mistral-large-latest"]),
    ("openai", &["gpt-4o", "gpt-4o-mini"]),
    ("xai", &["grok-4"]),
];

/// The name of the built-in model for when nothing is found.
pub const MOCK_MODEL: &str = "mock";

/// What the built-in model says.
const MOCK_ANSWER: &str = "Hello from the gateway! No provider is set up yet: set OPENAI_API_KEY, ANTHROPIC_API_KEY or another key, \
     start Ollama, or write a config.yaml.";

/// What was found, and the configuration made of it.
#[derive(Debug)]
pub struct Detected {
    /// The providers, with the environment variable that has their key; Ollama has none.
    pub providers: Vec<(String, Option<String>)>,
    /// The configuration as a file: no secret in it.
    pub yaml: String,
    /// The configuration.
    pub loaded: Loaded,
}

/// Looks for providers' keys in the environment.
///
/// `ollama` has the models of an Ollama that answers on this machine, empty when there is none: asking
/// it is the caller's. Without a master key in the environment everybody who can reach the gateway is
/// let in, so the caller listens on loopback only or brings a key.
#[must_use]
pub fn detect(env: &Env, registry: &Registry, ollama: &[String]) -> Detected {
    let mut yaml = String::from("model_list:\n");
    let mut providers = Vec::new();
    for provider in registry.all() {
        let slug = provider.id.as_str();
        let Some((variable, _)) = env.first(provider.key_env.iter().map(AsRef::as_ref)) else { continue };
        // Without an address there is nothing to call.
        let has_account = provider.account_env().all(|name| env.first([name]).is_some());
        let addressed = (!provider.base_url.is_empty() && has_account)
            || env.first(provider.base_url_env.iter().map(AsRef::as_ref)).is_some();
        let project = provider.project_env();
        let is_placed = addressed && is_billed(env, provider);
        if !is_placed || (!project.is_empty() && env.first(project.iter().map(AsRef::as_ref)).is_none()) {
            continue;
        }
        let key = format!("os.environ/{variable}");
        entry(&mut yaml, &format!("{slug}/*"), &[("model", &format!("{slug}/*")), ("api_key", &key)]);
        let friendly =
            FRIENDLY.iter().find(|(known, _)| *known == slug).map_or(&[][..], |(_, models)| models);
        for model in friendly {
            entry(&mut yaml, model, &[("model", &format!("{slug}/{model}")), ("api_key", &key)]);
        }
        providers.push((slug.to_owned(), Some(variable.to_owned())));
    }
    if !ollama.is_empty() && registry.provider("ollama_chat").is_some() {
        // Its chat, not its completion of prompts, which LiteLLM calls `ollama`: it knows tools.
        entry(&mut yaml, "ollama/*", &[("model", "ollama_chat/*")]);
        for model in ollama {
            entry(&mut yaml, model, &[("model", &format!("ollama_chat/{model}"))]);
        }
        providers.push(("ollama".to_owned(), None));
    }
    if providers.is_empty() {
        // The address is never called; port 9 is the discard service's.
        let params = [
            ("model", "openai/mock"),
            ("api_base", "http://127.0.0.1:9/v1"),
            ("api_key", "none"),
            ("mock_response", MOCK_ANSWER),
        ];
        entry(&mut yaml, MOCK_MODEL, &params);
    }
    if env.value("LITELLM_MASTER_KEY").is_none() {
        yaml.push_str("general_settings:\n  dangerously_permit_weak_or_unset_master_key: true\n");
    }
    let loaded = parse(&yaml, env, registry);
    Detected { providers, yaml, loaded }
}

/// Whether the environment says who pays, where a provider wants to be told in each request.
fn is_billed(env: &Env, provider: &ProviderSpec) -> bool {
    let cloud = &provider.cloud;
    let asked = cloud.shell.with.iter().any(|(_, text)| text.contains("{project}"));
    let mut settings = cloud.more.iter().chain([&cloud.project]);
    !asked || settings.any(|setting| env.first(setting.env.iter().map(AsRef::as_ref)).is_some())
}

/// One entry; JSON strings are YAML strings.
fn entry(yaml: &mut String, name: &str, params: &[(&str, &str)]) {
    let written = write!(yaml, "  - model_name: {}\n    litellm_params:\n", Value::from(name));
    written.expect("writing to a string cannot fail");
    for (key, value) in params {
        writeln!(yaml, "      {key}: {}", Value::from(*value)).expect("writing to a string cannot fail");
    }
}

#[cfg(test)]
mod tests;
