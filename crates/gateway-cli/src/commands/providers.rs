//! `gateway providers`: who can be called, and which environment variables hold their keys.

use gateway_server::config::{Env, Registry};
use serde_json::{Value, json};

use crate::args::ListArgs;
use crate::render::{self, Exit};

/// Lists the providers; a key that is set is marked, never shown.
pub(crate) fn run(args: &ListArgs) -> Exit {
    if args.json {
        render::data(format!("{:#}", records()));
        return Exit::Success;
    }
    let env = Env::of_process();
    for provider in Registry::built_in().all() {
        let names: Vec<&str> = provider.key_env.iter().map(AsRef::as_ref).collect();
        let mark = if env.first(names.iter().copied()).is_some() { "*" } else { " " };
        render::data(
            format!("{mark} {:<24} {:<28} {}", provider.id, provider.name, names.join(", ")).trim_end(),
        );
    }
    render::talk("* a key is set; call a model as `provider/model`");
    Exit::Success
}

/// The providers as their records say it.
pub(crate) fn records() -> Value {
    let record = |provider: &&std::sync::Arc<_>| json!(***provider);
    Registry::built_in().all().iter().map(record).collect()
}
