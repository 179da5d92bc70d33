//! Names that point at models: fallbacks, aliases and settings of groups whose target does not exist.

use super::Context;
use crate::config::Config;
use crate::config::raw::nearest;
use crate::config::source::Node;

/// Warns of every group named in a fallback, an alias or a setting of groups that no model has.
pub(crate) fn check(cx: &mut Context<'_>, root: &Node, config: &Config) {
    let router = &config.router;
    let lists = [
        ("fallbacks", &router.fallbacks),
        ("context_window_fallbacks", &router.context_window_fallbacks),
        ("content_policy_fallbacks", &router.content_policy_fallbacks),
    ];
    for (key, map) in lists {
        for (group, targets) in map.iter() {
            let names = targets.iter().map(|target| &*target.model);
            for name in names.chain((group != "*").then_some(group)) {
                one(cx, root, &[key, group], name, config);
            }
        }
    }
    for target in &router.default_fallbacks {
        one(cx, root, &["default_fallbacks"], &target.model, config);
    }
    for (alias, target) in &router.aliases {
        one(cx, root, &["model_group_alias", alias], &target.model, config);
    }
    for group in &router.routing_groups {
        for name in &group.models {
            one(cx, root, &["routing_groups", &group.name], name, config);
        }
    }
    let by_group = [
        ("weights", router.weights.keys().collect::<Vec<_>>()),
        ("model_group_retry_policy", router.group_retry_policy.keys().collect()),
        ("model_group_affinity_config", router.group_affinity.keys().collect()),
    ];
    for (key, mut names) in by_group {
        names.sort_unstable();
        for name in names {
            one(cx, root, &[key, name], name, config);
        }
    }
}

fn one(cx: &mut Context<'_>, root: &Node, path: &[&str], name: &str, config: &Config) {
    if exists(name, config) {
        return;
    }
    let near = nearest(name, config.models.iter().map(|model| &*model.deployment.group));
    let given = |section: &&str| root.member(section).and_then(|node| node.member(path[0])).is_some();
    let section =
        ["router_settings", "litellm_settings"].into_iter().find(given).unwrap_or("router_settings");
    let at = root.member(section).and_then(|node| node.member(path[0])).unwrap_or(root).at.clone();
    let path = format!("{section}.{}", path.join("."));
    let problem =
        cx.warning(&path, &at, format!("found `{name}`, a name that no model has"), "it is never called");
    problem.hint = near.map(|near| format!("did you mean `{near}`?"));
}

/// The groups that auto routers name.
pub(super) fn of_auto_routers(cx: &mut Context<'_>, root: &Node, config: &Config) {
    for model in &config.models {
        let Some(router) = &model.deployment.auto else { continue };
        for name in router.models().into_iter().filter(|name| !name.is_empty() && !exists(name, config)) {
            let at = root.member("model_list").unwrap_or(root).at.clone();
            let found = format!(
                "found `{name}` in the auto router `{}`, a name that no model has",
                model.deployment.group
            );
            let problem = cx.warning("model_list", &at, found, "calls that it sends there fail");
            problem.hint = nearest(name, config.models.iter().map(|model| &*model.deployment.group))
                .map(|near| format!("did you mean `{near}`?"));
        }
    }
}

/// Whether a call by this name finds something: a group, an alias, an id, a model that is not served
/// yet (which has its own warning), or any wildcard, whose reach is not known here.
fn exists(name: &str, config: &Config) -> bool {
    let matches = |pattern: &str| pattern == name || (pattern.contains('*') && wildcard(pattern, name));
    config.router.aliases.contains_key(name)
        || config.router.routing_groups.iter().any(|group| group.name == name)
        || config.calls.aliases.iter().any(|(alias, _)| alias == name)
        || config.unserved.iter().any(|unserved| matches(&unserved.name))
        || config.models.iter().any(|model| {
            let deployment = &model.deployment;
            matches(&deployment.group) || deployment.id.as_str() == name || &*deployment.model == name
        })
}

/// Whether a pattern with `*` takes a name.
fn wildcard(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| name.strip_prefix(start)) else { return false };
    let parts: Vec<_> = parts.collect();
    for (index, part) in parts.iter().enumerate() {
        if index + 1 == parts.len() {
            return rest.ends_with(part);
        }
        let Some(found) = rest.find(part) else { return false };
        rest = &rest[found + part.len()..];
    }
    rest.is_empty()
}
