//! The start without a file.

use llm_providers::Registry;

use super::{Detected, MOCK_MODEL, detect};
use crate::config::Env;

fn detected(variables: &[(&str, &str)], ollama: &[&str]) -> Detected {
    let env: Env = variables.iter().copied().collect();
    let ollama: Vec<_> = ollama.iter().map(|model| (*model).to_owned()).collect();
    detect(&env, &Registry::built_in(), &ollama)
}

fn names(detected: &Detected) -> Vec<String> {
    let config = detected.loaded.config.as_ref().expect("a configuration");
    config.models.iter().map(|model| model.deployment.group.to_string()).collect()
}

#[test]
fn keys_become_wildcards_and_names() {
    let detected = detected(&[("OPENAI_API_KEY", "sk-planted"), ("GROQ_API_KEY", "gsk-planted")], &[]);
    assert_eq!(detected.loaded.problems, []);
    let names = names(&detected);
    for name in ["openai/*", "gpt-4o-mini", "groq/*"] {
        assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
    }
    let found: Vec<_> = detected.providers.iter().map(|(slug, _)| slug.as_str()).collect();
    assert_eq!(found, ["groq", "openai", "text-completion-openai"]);
    assert!(!detected.yaml.contains("planted"), "{}", detected.yaml);
    let config = detected.loaded.config.unwrap();
    assert!(config.models.iter().all(|model| model.deployment.target.key.is_some()));
}

#[test]
fn every_provider_with_a_key_is_callable() {
    for provider in Registry::built_in().all() {
        let Some(variable) = provider.key_env.first() else { continue };
        let account: Vec<_> = provider.account_env().map(|name| (name, "acc")).collect();
        let account = account.into_iter();
        let project = provider.project_env().first().map(|name| (name.as_ref(), "team"));
        let without: Vec<_> = account.clone().chain([(variable.as_ref(), "planted")]).collect();
        if project.is_some() {
            let found = detected(&without, &[]);
            assert_eq!((found.loaded.problems, found.providers.len()), (vec![], 0), "{}", provider.id);
        }
        let env: Vec<_> = without.into_iter().chain(project).collect();
        let detected = detected(&env, &[]);
        assert_eq!(detected.loaded.problems, [], "{}", provider.id);
        let found = detected.providers.iter().any(|(slug, _)| slug == provider.id.as_str());
        // Of IBM's models nobody knows who pays.
        let is_billed = !provider.id.as_str().starts_with("watsonx");
        assert_eq!(found, !provider.base_url.is_empty() && is_billed, "{}", provider.id);
    }
}

#[test]
fn ibms_models_are_found_with_a_project() {
    let detected = detected(&[("WATSONX_API_KEY", "planted"), ("WATSONX_PROJECT_ID", "p")], &[]);
    assert_eq!(detected.loaded.problems, []);
    let found: Vec<_> = detected.providers.iter().map(|(slug, _)| slug.as_str()).collect();
    assert_eq!(found, ["watsonx", "watsonx_text"]);
}

#[test]
fn ollama_is_found_by_its_models() {
    let detected = detected(&[], &["qwen2.5:7b"]);
    assert_eq!(detected.loaded.problems, []);
    assert_eq!(names(&detected), ["ollama/*", "qwen2.5:7b"]);
}

#[test]
fn nothing_found_gives_the_built_in_model() {
    let detected = detected(&[], &[]);
    assert_eq!(detected.loaded.problems, []);
    assert_eq!(names(&detected), [MOCK_MODEL]);
    assert!(detected.loaded.config.unwrap().models[0].mock_response.is_some());
}

#[test]
fn the_master_key_of_the_environment_is_kept() {
    let detected = detected(&[("LITELLM_MASTER_KEY", "sk-some-master")], &[]);
    assert!(detected.loaded.config.unwrap().general.master_key.is_some());
    assert!(!detected.yaml.contains("dangerously"));
}
