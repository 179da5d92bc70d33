//! `cache_control_injection_points`: a list of `{location, role, index, control}`.

use llm_types::{CacheMark, CacheTtl, Role};

use super::section::text_of;
use super::{Context, Section};
use crate::config::source::{Node, Tree};
use crate::config::{CachePoint, CacheSpot};

const KEY: &str = "cache_control_injection_points";
const ROLES: [(&str, Role); 4] =
    [("system", Role::System), ("user", Role::User), ("assistant", Role::Assistant), ("tool", Role::Tool)];

/// The points of an entry; what is wrong is reported and left out.
pub(super) fn of(section: &mut Section<'_, '_, '_>) -> Box<[CachePoint]> {
    let Some(node) = section.value(KEY) else { return Box::default() };
    if !matches!(node.tree, Tree::List(_)) {
        section.wrong(KEY, node, "expected a list of {location, role, index, control}");
    }
    let path = section.path_of(KEY);
    let one = |(at, entry): (usize, &Node)| point(section.cx, &format!("{path}[{at}]"), entry);
    node.items().iter().enumerate().filter_map(one).collect()
}

fn point(cx: &mut Context<'_>, path: &str, entry: &Node) -> Option<CachePoint> {
    let (spot, mark) = (spot(cx, path, entry), mark(cx, path, entry));
    Some(CachePoint { spot: spot?, mark: mark? })
}

/// LiteLLM takes the number where both a number and a role are given.
fn spot(cx: &mut Context<'_>, path: &str, entry: &Node) -> Option<CacheSpot> {
    match text(entry, "location").as_deref() {
        Some("message") => {}
        Some("tool_config") => return Some(CacheSpot::Tools),
        other => {
            wrong(cx, path, entry, "location", other, "`message` or `tool_config`");
            return None;
        }
    }
    if let Some(index) = text(entry, "index") {
        let number = index.trim().parse().ok();
        if number.is_none() {
            wrong(cx, path, entry, "index", Some(&index), "the number of a message; -1 is the last");
        }
        return number.map(CacheSpot::Message);
    }
    let role = text(entry, "role");
    let known = ROLES.iter().find(|(name, _)| Some(*name) == role.as_deref());
    if known.is_none() {
        wrong(
            cx,
            path,
            entry,
            "role",
            role.as_deref(),
            "`system`, `user`, `assistant` or `tool`, or else `index`",
        );
    }
    known.map(|(_, role)| CacheSpot::Role(*role))
}

fn mark(cx: &mut Context<'_>, path: &str, entry: &Node) -> Option<CacheMark> {
    let Some(control) = entry.member("control").filter(|control| !control.is_null()) else {
        return Some(CacheMark::default());
    };
    let path = format!("{path}.control");
    let kind = text(control, "type");
    if kind.as_deref() != Some("ephemeral") {
        wrong(cx, &path, control, "type", kind.as_deref(), "`ephemeral`");
        return None;
    }
    match text(control, "ttl").as_deref() {
        None => Some(CacheMark::default()),
        Some("5m") => Some(CacheMark { ttl: Some(CacheTtl::FiveMinutes) }),
        Some("1h") => Some(CacheMark { ttl: Some(CacheTtl::OneHour) }),
        other => {
            wrong(cx, &path, control, "ttl", other, "`5m` or `1h`");
            None
        }
    }
}

fn text(entry: &Node, key: &str) -> Option<String> {
    entry.member(key).filter(|value| !value.is_null()).and_then(text_of)
}

fn wrong(cx: &mut Context<'_>, path: &str, entry: &Node, key: &str, found: Option<&str>, expected: &str) {
    let at = entry.member(key).map_or(&entry.at, |member| &member.at);
    let found = found.map_or_else(|| "found none".to_owned(), |found| format!("found `{found}`"));
    cx.error(&format!("{path}.{key}"), at, found, format!("expected {expected}"));
}

#[cfg(test)]
mod tests;
