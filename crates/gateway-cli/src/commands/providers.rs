//! `gateway providers`: who can be called, and which environment variables hold their keys.

use gateway_server::config::{Env, Registry};
use serde_json::{Value, json};

use super::load;
use crate::args::ProvidersArgs;
use crate::render::{self, Exit, Failure};

/// Lists the providers; a key that is set is marked, never shown.
///
/// # Errors
/// When the configuration cannot be served.
pub(crate) fn run(args: &ProvidersArgs) -> Result<Exit, Failure> {
    let env = Env::of_process();
    let registry = match &args.config {
        Some(path) => load::file(path, &env, false)?.registry,
        None => Registry::built_in(),
    };
    if args.json {
        render::data(format!("{:#}", listed(&registry)));
        return Ok(Exit::Success);
    }
    for provider in registry.all() {
        let names: Vec<&str> = provider.key_env.iter().map(AsRef::as_ref).collect();
        let mark = if env.first(names.iter().copied()).is_some() { "*" } else { " " };
        render::data(
            format!("{mark} {:<24} {:<28} {}", provider.id, provider.name, names.join(", ")).trim_end(),
        );
    }
    render::talk("* a key is set; call a model as `provider/model`");
    Ok(Exit::Success)
}

/// The built-in providers as their records say it.
pub(crate) fn records() -> Value {
    listed(&Registry::built_in())
}

fn listed(registry: &Registry) -> Value {
    let record = |provider: &&std::sync::Arc<_>| json!(***provider);
    registry.all().iter().map(record).collect()
}
