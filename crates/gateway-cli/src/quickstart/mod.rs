//! Serving without a configuration file: the models come from what is found on this machine, the
//! administrator's key is made here.
//!
//! What is found is written as a `config.yaml` by `gateway_server::config::detect` and read like any
//! other, so there is no second way to configure anything.

mod master_key;
mod ollama;

use gateway_server::config::{self, Env, Loaded, MOCK_MODEL, Registry};
use serde_json::Value;

pub(crate) use master_key::MasterKey;

use crate::args::ServeArgs;

/// A configuration nobody wrote.
#[derive(Debug)]
pub(crate) struct Found {
    /// What it came to.
    pub(crate) loaded: Loaded,
    /// What was found, a line each, for the person at the terminal.
    pub(crate) lines: Vec<String>,
}

/// The models of `--model`, else of the keys in the environment and a local Ollama, else the mock model.
pub(crate) fn find(args: &ServeArgs, env: &Env, registry: &Registry) -> Found {
    match &args.model {
        Some(model) => single(model, args, env, registry),
        None => detect(env, registry, &ollama::models(env)),
    }
}

fn detect(env: &Env, registry: &Registry, ollama: &[String]) -> Found {
    let detected = config::detect(env, registry, ollama);
    let mut lines: Vec<String> = detected
        .providers
        .iter()
        .map(|(provider, variable)| match variable {
            Some(variable) => format!("{provider}/* ({variable})"),
            None => format!("{provider}/*"),
        })
        .collect();
    lines.extend(ollama.iter().map(|model| format!("{model} (Ollama)")));
    if lines.is_empty() {
        lines.push(format!("{MOCK_MODEL} (made-up answers: no provider's key and no Ollama was found)"));
    }
    Found { loaded: detected.loaded, lines }
}

/// One entry, as `--model`, `--alias` and `--api_base` describe it. JSON strings are YAML strings.
fn single(model: &str, args: &ServeArgs, env: &Env, registry: &Registry) -> Found {
    let name = args.alias.as_deref().unwrap_or(model);
    let mut yaml = format!("model_list:\n  - model_name: {}\n    litellm_params:\n", Value::from(name));
    yaml.push_str(&format!("      model: {}\n", Value::from(model)));
    if let Some(base) = &args.api_base {
        yaml.push_str(&format!("      api_base: {}\n", Value::from(base.as_str())));
    }
    if env.value("LITELLM_MASTER_KEY").is_none() {
        // One is made before anybody is let in.
        yaml.push_str("general_settings:\n  dangerously_permit_weak_or_unset_master_key: true\n");
    }
    let lines = vec![format!("{name} ({})", args.api_base.as_deref().unwrap_or(model))];
    Found { loaded: config::parse(&yaml, env, registry), lines }
}

#[cfg(test)]
mod tests;
