//! From a LiteLLM price map to ours. Every key finds a place or is counted in the report.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::file;
use super::line::{Object, convert};

/// Entries of the map that are no models.
const NOT_MODELS: &[&str] = &["sample_spec", "fallback_generalizations"];

/// What became of the map's keys.
#[derive(Default)]
pub(super) struct Report {
    models: usize,
    prices: BTreeMap<String, usize>,
    dropped: BTreeMap<String, usize>,
    pub(super) problems: Vec<String>,
}

impl Report {
    /// Counts a price key that found its place.
    pub(super) fn price(&mut self, key: &str) {
        *self.prices.entry(key.to_owned()).or_default() += 1;
    }

    /// Counts something left behind.
    pub(super) fn drop(&mut self, what: impl Into<String>) {
        *self.dropped.entry(what.into()).or_default() += 1;
    }

    fn text(&self, overridden: usize) -> String {
        let values: usize = self.prices.values().sum();
        let mut text = format!(
            "{} models, {} kinds of price keys with {values} values, {overridden} overridden\nleft behind:",
            self.models,
            self.prices.len(),
        );
        for (what, count) in &self.dropped {
            let _ = write!(text, "\n  {count:>5} {what}");
        }
        text
    }
}

/// The text of `model_prices.json` for a LiteLLM map, and a report for people.
pub(crate) fn import(text: &str, overrides: &str) -> Result<(String, String), String> {
    let mut map: Object =
        serde_json::from_str(text).map_err(|error| format!("not a LiteLLM price map: {error}"))?;
    let overridden = apply_overrides(&mut map, overrides)?;
    let mut report = Report::default();
    let mut models = Vec::with_capacity(map.len());
    for (name, entry) in &map {
        if NOT_MODELS.contains(&name.as_str()) {
            report.drop(format!("entry `{name}` (not a model)"));
            continue;
        }
        let entry = entry.as_object().ok_or_else(|| format!("`{name}` is no object"))?;
        models.push((name.clone(), convert(name, entry, &mut report)));
    }
    models.sort_by(|(left, _), (right, _)| file::order(left).cmp(&file::order(right)));
    report.models = models.len();
    if !report.problems.is_empty() {
        return Err(format!("{} problems:\n  {}", report.problems.len(), report.problems.join("\n  ")));
    }
    let text = file::render("LiteLLM model_prices_and_context_window.json", &models)?;
    Ok((text, report.text(overridden)))
}

/// Lays our corrections over the map: `{"model": {"reason": "…", "set": {key: value}}}`; a `null`
/// takes a key away.
fn apply_overrides(map: &mut Object, overrides: &str) -> Result<usize, String> {
    let overrides: Object = serde_json::from_str(overrides)
        .map_err(|error| format!("the overrides are no JSON object: {error}"))?;
    for (name, correction) in &overrides {
        let reason = correction.get("reason").and_then(Value::as_str).unwrap_or_default();
        let set = correction.get("set").and_then(Value::as_object);
        let (Some(set), false) = (set, reason.trim().is_empty()) else {
            return Err(format!("the override of `{name}` needs a `reason` and an object `set`"));
        };
        let entry = map.entry(name).or_insert_with(|| json!({}));
        let entry = entry.as_object_mut().ok_or_else(|| format!("`{name}` is no object"))?;
        for (key, value) in set {
            if value.is_null() {
                entry.shift_remove(key);
            } else {
                entry.insert(key.clone(), value.clone());
            }
        }
    }
    Ok(overrides.len())
}
