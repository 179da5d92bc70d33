//! `access_windows`: times of the day at which a deployment is kept for some teams.

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::section::text_of;
use super::{Context, Section};
use crate::config::AccessWindow;
use crate::config::raw::MODEL_INFO;
use crate::config::source::{Node, Tree};

const KEY: &str = "access_windows";

/// The windows of an entry; what is wrong is reported and left out.
pub(super) fn of(cx: &mut Context<'_>, path: &str, info: Option<&Node>) -> Box<[AccessWindow]> {
    let mut section = Section::open(cx, path, info, MODEL_INFO);
    let Some(node) = section.value(KEY) else { return Box::default() };
    if !matches!(node.tree, Tree::List(_)) {
        section.wrong(KEY, node, "expected a list of {start, end, timezone, team_ids}");
    }
    let path = section.path_of(KEY);
    let one = |(at, entry): (usize, &Node)| window(section.cx, &format!("{path}[{at}]"), entry);
    node.items().iter().enumerate().filter_map(one).collect()
}

fn window(cx: &mut Context<'_>, path: &str, entry: &Node) -> Option<AccessWindow> {
    let start = time(cx, path, entry, "start");
    let end = time(cx, path, entry, "end");
    let name = entry.member("timezone").and_then(text_of).unwrap_or_default();
    let zone = TimeZone::get(&name).ok();
    if zone.is_none() {
        let found = if name.is_empty() { "found none".to_owned() } else { format!("found `{name}`") };
        let expected = "expected the name of a time zone such as `Europe/Berlin`";
        cx.error(&format!("{path}.timezone"), &entry.at, found, expected);
    }
    let teams: Vec<String> =
        entry.member("team_ids").map(Node::items).unwrap_or_default().iter().filter_map(text_of).collect();
    if teams.is_empty() {
        let path = format!("{path}.team_ids");
        cx.error(&path, &entry.at, "found none", "expected the ids of the teams it is kept for");
    }
    let (start, end, zone) = (start?, end?, zone?);
    if start == end {
        cx.error(path, &entry.at, "found a window that ends when it starts", "expected two different times");
    }
    (start != end && !teams.is_empty()).then_some(AccessWindow { start, end, zone, teams })
}

fn time(cx: &mut Context<'_>, path: &str, entry: &Node, key: &str) -> Option<Time> {
    let text = entry.member(key).and_then(text_of).unwrap_or_default();
    let time = text.parse().ok();
    if time.is_none() {
        let found = if text.is_empty() { "found none".to_owned() } else { format!("found `{text}`") };
        cx.error(&format!("{path}.{key}"), &entry.at, found, "expected a time of the day such as `22:00`");
    }
    time
}

#[cfg(test)]
mod tests;
