//! From what the file says to what the gateway reads: one file per section, all problems together.

mod allowances;
mod auto;
mod cache_points;
mod calls;
mod client_side;
mod cloud;
mod context;
mod doors;
mod general;
mod governance;
mod grpc;
mod hook;
mod identity;
mod jwt;
mod media;
mod models;
mod names;
mod overlay;
mod owner;
mod priorities;
mod providers;
mod redis;
mod retention;
mod router;
mod routing;
mod section;
mod session;
mod target;
mod template;
mod webhook;
mod windows;

pub(crate) use calls::pause;
pub(crate) use cloud::{INTERNAL_ISSUER, SOURCE, chatgpt_file, copilot_file, issuer};
pub(crate) use overlay::{is_empty, overlaid, overridden};

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use context::Context;
use models::Credentials;
pub(crate) use section::Section;
use section::text_of;

use super::raw::{CREDENTIAL, ROUTER, TOP};
use super::source::{Env, Node, Tree};
use super::{Config, Origin, Problem, StoredEntries};

/// Makes the typed configuration of a tree in which `os.environ/…` is already replaced, and of entries that are
/// kept in the database. Without errors among the problems the configuration is complete; what is wrong with a
/// stored entry leaves only the entry out.
pub(crate) fn resolve(origin: &Arc<Origin>, stored: &StoredEntries) -> (Config, Vec<Problem>) {
    let (root, env, registry) = (&origin.root, &origin.env, &origin.registry);
    let mut cx = Context::new(env);
    let mut top = Section::open(&mut cx, "", Some(root), TOP);
    top.review();
    let registry = &providers::resolve(&mut cx, root.member("providers"), registry);
    let mut general = general::resolve(&mut cx, root.member("general_settings"));
    general.auth_webhook = webhook::resolve(&mut cx, root.member("general_settings"));
    general.log_retention = retention::resolve(&mut cx, root.member("general_settings"));
    general.jwt = jwt::resolve(&mut cx, root.member("general_settings"));
    let litellm = root.member("litellm_settings");
    let media = media::resolve(&mut cx, litellm, root.member("general_settings"));
    let (calls, mut budgets) = calls::resolve(&mut cx, litellm, stored, media);
    budgets.key_rules.teams_only = general.teams_only;
    let mut router = router::resolve(&mut cx, root.member("router_settings"), litellm, stored);
    router.health_routing |= general.health_routing;
    let mut credentials = credentials(&mut cx, root.member("credential_list"), "credential_list");
    credentials.extend(self::credentials(&mut cx, Some(&stored.credentials), "stored_credentials"));
    let mut section = Section::open(&mut cx, "router_settings", root.member("router_settings"), ROUTER);
    let skip_invalid = section.is_on("ignore_invalid_deployments");
    // LiteLLM reads these in either section.
    let staleness = section.seconds("health_check_staleness_threshold");
    general.health.staleness = general.health.staleness.or(staleness);
    general.health.ignore_transient |= section.is_on("health_check_ignore_transient_errors");
    let redis = redis::resolve(&mut section);
    budgets.providers = allowances::by_name(&mut section, "provider_budget_config");
    let params = section.mapping("default_litellm_params").map(Node::members).unwrap_or_default();
    let redis = redis::coordination(&mut cx, root.member("general_settings")).or(redis);
    let routing_webhook = hook::resolve(&mut cx, root.member("router_settings"), &router);
    let defaults = target::Defaults {
        registry,
        drop_params: calls.drop_params,
        skip_invalid,
        params,
        timeout: router.timeout,
        stream_timeout: router.stream_timeout,
    };
    cx.clouds = calls::clouds(&mut cx, litellm);
    let mut models = models::Models::default();
    models::resolve(&mut cx, root.member("model_list"), "model_list", &credentials, defaults, &mut models);
    let defaults = target::Defaults { skip_invalid: true, ..defaults };
    models::resolve(&mut cx, Some(&stored.models), "stored_models", &credentials, defaults, &mut models);
    let registry = registry.clone();
    let (models, unserved) = (models.callable, models.unserved);
    let origin = Arc::clone(origin);
    let config = Config {
        general,
        calls,
        budgets,
        router,
        routing_webhook,
        models,
        redis,
        unserved,
        registry,
        origin,
    };
    names::check(&mut cx, root, &config);
    names::of_auto_routers(&mut cx, root, &config);
    (config, cx.problems)
}

/// What `environment_variables` adds to the environment: the file's values win, as in LiteLLM, which
/// exports them.
pub(crate) fn environment(root: &Node, env: &Env) -> (Env, Vec<Problem>) {
    let mut overlaid = env.clone();
    let mut cx = Context::new(env);
    let node = root.member("environment_variables").filter(|node| !node.is_null());
    if let Some(node) = node.filter(|node| !matches!(node.tree, Tree::Map(_))) {
        cx.error("environment_variables", &node.at, format!("found {}", node.kind()), "expected a mapping");
    }
    for member in node.map(Node::members).unwrap_or_default() {
        let mut value = member.value.clone();
        env.expand(&mut value);
        let path = format!("environment_variables.{}", member.key);
        match (&value.tree, text_of(&value)) {
            (_, Some(text)) => overlaid.set(&member.key, &text),
            (Tree::Null, _) => {}
            (Tree::Unset(name), _) => {
                let found =
                    format!("found `os.environ/{name}`, but the environment variable `{name}` is not set");
                cx.warning(&path, &value.at, found, format!("`{}` is not set either", member.key));
            }
            _ => {
                let found = format!("found {}", value.kind());
                cx.error(&path, &value.at, found, "expected text");
            }
        }
    }
    (overlaid, cx.problems)
}

fn credentials<'t>(cx: &mut Context<'_>, node: Option<&'t Node>, list: &str) -> Credentials<'t> {
    let mut credentials = HashMap::new();
    let Some(node) = node.filter(|node| !node.is_null()) else { return credentials };
    if !matches!(node.tree, Tree::List(_)) {
        cx.error(list, &node.at, format!("found {}", node.kind()), "expected a list of credentials");
    }
    for (index, item) in node.items().iter().enumerate() {
        let mut section = Section::open(cx, &format!("{list}[{index}]"), Some(item), CREDENTIAL);
        section.review();
        let values = section.mapping("credential_values").map(Node::members).unwrap_or_default();
        match section.text("credential_name") {
            Some(name) => drop(credentials.insert(name, values)),
            None if section.gives("credential_name") => {}
            None => section.error("credential_name", "found no `credential_name`", "expected text"),
        }
    }
    credentials
}

#[cfg(test)]
mod tests;
