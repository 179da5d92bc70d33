//! The configuration: LiteLLM's `config.yaml` read, checked as a whole and typed.
//!
//! A file goes through three stages: `source` turns text into a tree that remembers its lines, the
//! catalogue of keys in `raw` says what each key is, and `resolve` makes the typed [`Config`] of it.
//! Every problem is reported, not only the first.

mod cache_points;
pub mod check;
mod client_side;
mod detect;
mod doors;
mod governance;
mod jwt;
mod mask;
mod problem;
mod public_keys;
mod raw;
mod reference;
mod resolve;
mod retention;
mod source;
mod stored;
mod typed;
mod webhook;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use crate::identity::{Network, PasswordPolicy};
pub use llm_providers::Registry;

pub use cache_points::{CachePoint, CacheSpot};
pub use client_side::{BasePattern, ClientSide};
pub use detect::{Detected, MOCK_MODEL, detect};
pub use doors::{Admission, Doors, DrainDoor};
pub use governance::{KeyRule, KeyRules, RowMetadata, SignInLimits, TeamDefaults, TeamField, UserHeaders};
pub use jwt::{JwtAuth, JwtFields, JwtGrant, JwtIssuer, Unregistered};
pub use problem::{Place, Problem, Severity};
pub(crate) use public_keys::PublicKeys;
pub(crate) use reference::router_fields;
pub use reference::{config_reference, config_schema};
pub(crate) use resolve::{chatgpt_file, copilot_file, is_empty, overlaid, overridden, pause};
pub use retention::{Cron, LogRetention, Schedule};
pub use source::Env;
pub(crate) use stored::{
    COST_DISCOUNT, COST_MARGIN, FALLBACK_LISTS, FALLBACK_MODELS, Origin, PUBLIC_GROUPS, PUBLIC_LINKS,
    StoredEntries, fallback_id, public_params,
};
pub use typed::{
    AccessWindow, Allowance, Budgets, Calls, CaptureRate, Config, Database, General, HealthChecks, Keepalive,
    MediaFetch, MissingSession, Model, OnOutage, PriceMap, Priorities, Probe, Redis, Share, TokenCount,
    Trust, Unserved,
};
pub use webhook::{AuthWebhook, RoutingWebhook};

/// What a file came to: its problems, and the configuration unless one of them is an error.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration; absent when there are errors.
    pub config: Option<Config>,
    /// The environment the configuration was resolved with: the process's, and over it the file's
    /// `environment_variables`.
    pub env: Env,
    /// Everything that is wrong, in the order of the file.
    pub problems: Vec<Problem>,
    /// The files it was read from, and those that were looked for and not there.
    pub files: Vec<PathBuf>,
}

/// Reads a file and those it includes.
#[must_use]
pub fn load(path: &Path, env: &Env, registry: &Registry) -> Loaded {
    let mut problems = Vec::new();
    let (root, files) = source::read_file(path, &mut problems);
    Loaded { files, ..finish(root, env, registry, problems) }
}

/// The files a configuration is read from: the file and those it includes, there or not.
#[must_use]
pub fn files(path: &Path) -> Vec<PathBuf> {
    // What is wrong with them is told by `load`.
    source::read_file(path, &mut Vec::new()).1
}

/// Reads a text; `include` cannot be used in it.
#[must_use]
pub fn parse(text: &str, env: &Env, registry: &Registry) -> Loaded {
    let mut problems = Vec::new();
    let mut root = source::read_text(text, &Arc::from(""), &mut problems);
    if let Some(root) = &mut root {
        source::without_includes(root, &mut problems);
    }
    finish(root, env, registry, problems)
}

fn finish(root: Option<source::Node>, env: &Env, registry: &Registry, mut problems: Vec<Problem>) -> Loaded {
    let Some(mut root) = root else {
        return Loaded { config: None, env: env.clone(), problems, files: Vec::new() };
    };
    let (env, of_environment) = resolve::environment(&root, env);
    env.expand(&mut root);
    let origin = Arc::new(Origin::new(root, env.clone(), registry.clone()));
    let (config, of_sections) = origin.with(&StoredEntries::default());
    problems.extend(of_environment);
    problems.extend(of_sections);
    let failed = problems.iter().any(|problem| problem.severity == Severity::Error);
    Loaded { config: (!failed).then_some(config), env, problems, files: Vec::new() }
}

#[cfg(test)]
mod tests;
