//! Shares of models' rates by priority, and the callbacks that switch them on.

use serde_json::{Map, Value};

use super::Section;
use crate::config::{Priorities, Share};

/// The callbacks that give shares.
const LIMITERS: [&str; 2] = ["dynamic_rate_limiter", "dynamic_rate_limiter_v3"];
/// The part of who has no priority, and how full a model must be, as LiteLLM has them.
const DEFAULTS: (f64, f64) = (0.25, 0.5);

/// The shares, where a callback switches them on, and equal ones of keys where none are said; every other callback is
/// warned of.
pub(super) fn resolve(section: &mut Section<'_, '_, '_>) -> Option<Priorities> {
    let mut on = false;
    for name in section.texts("callbacks") {
        if LIMITERS.contains(&&*name) {
            on = true;
        } else {
            let (path, at) = (section.path_of("callbacks"), section.at("callbacks"));
            let found = format!("found the callback `{name}`");
            section.cx.warning(&path, &at, &found, "no callback or log sink is run");
        }
    }
    let said = section.map("priority_reservation");
    let shares =
        said.iter().filter_map(|(name, share)| Some((name.clone(), share_of(section, name, share)?)));
    let shares: Vec<(String, Share)> = shares.collect();
    let settings = section.map("priority_reservation_settings");
    let default = part(section, &settings, "default_priority").unwrap_or(DEFAULTS.0);
    let threshold = part(section, &settings, "saturation_threshold").unwrap_or(DEFAULTS.1);
    if !on && shares.is_empty() {
        return None;
    }
    if !on {
        let (path, at) = (section.path_of("priority_reservation"), section.at("priority_reservation"));
        let found = "found shares, and no `callbacks: [dynamic_rate_limiter_v3]`";
        section.cx.warning(&path, &at, found, "they have no effect without it, as in LiteLLM");
        return None;
    }
    Some(Priorities { shares, default, threshold })
}

/// A number, or `{type: percent|rpm|tpm, value: number}`.
fn share_of(section: &mut Section<'_, '_, '_>, name: &str, said: &Value) -> Option<Share> {
    let value = said.get("value").unwrap_or(said);
    let kind = said.get("type").map_or(Some("percent"), Value::as_str);
    let share = match kind {
        Some("percent") => value.as_f64().filter(|part| (0.0..=1.0).contains(part)).map(Share::Part),
        Some("rpm") => value.as_u64().map(Share::Requests),
        Some("tpm") => value.as_u64().map(Share::Tokens),
        _ => None,
    };
    if share.is_none() {
        let expected = "expected a part from 0 to 1, or `{type: percent|rpm|tpm, value: <number>}`";
        section.error("priority_reservation", format!("found `{said}` for `{name}`"), expected);
    }
    share
}

fn part(section: &mut Section<'_, '_, '_>, settings: &Map<String, Value>, name: &str) -> Option<f64> {
    let said = settings.get(name)?;
    let part = said.as_f64().filter(|part| (0.0..=1.0).contains(part));
    if part.is_none() {
        let found = format!("found `{said}` for `{name}`");
        section.error("priority_reservation_settings", found, "expected a part from 0 to 1");
    }
    part
}
