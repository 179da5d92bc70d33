//! Is `model_prices.json` sorted, whole and sane?

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::file::order;
use super::keys;

const MODES: &[&str] = &[
    "audio_speech",
    "audio_transcription",
    "chat",
    "completion",
    "embedding",
    "evaluation",
    "extraction",
    "guardrail",
    "image_edit",
    "image_generation",
    "moderation",
    "ocr",
    "realtime",
    "rerank",
    "responses",
    "search",
    "vector_store",
    "video_generation",
];
const SEARCH_METERS: &[&str] = &["web_search", "web_search_prompt", "file_search"];
/// No unit costs this many USD as written; a larger figure is a slip of the decimal point.
const DEAREST: f64 = 100_000.0;

/// A summary, or every fault of the file.
pub(crate) fn check(text: &str) -> Result<String, String> {
    let mut faults = Vec::new();
    let whole: Value =
        serde_json::from_str(text).map_err(|error| format!("model_prices.json is no JSON: {error}"))?;
    let listed: Vec<&str> = strings(whole.get("providers")).collect();
    if !listed.is_sorted_by(|left, right| left < right) {
        faults.push("`providers` is not sorted and unique".to_owned());
    }
    let mut used = BTreeSet::new();
    let mut models = 0;
    let mut last: Option<String> = None;
    let lines = text.lines().enumerate().skip_while(|(_, line)| *line != "\"models\":{").skip(1);
    for (number, line) in lines {
        let Some((name, model)) = model_line(number + 1, line, &mut faults) else { continue };
        models += 1;
        if last.as_deref().is_some_and(|last| order(last) >= order(&name)) {
            faults.push(format!("line {}: `{name}` is out of order or there twice", number + 1));
        }
        let mut found = Vec::new();
        check_model(&model, &mut found);
        if let Some(provider) = model.get("provider").and_then(Value::as_str) {
            used.insert(provider.to_owned());
            if !listed.contains(&provider) {
                found.push(format!("the provider `{provider}` is not in `providers`"));
            }
        }
        faults.extend(found.into_iter().map(|fault| format!("line {}: `{name}`: {fault}", number + 1)));
        last = Some(name);
    }
    for idle in listed.iter().filter(|slug| !used.contains(**slug)) {
        faults.push(format!("the provider `{idle}` has no model"));
    }
    if whole.get("models").and_then(Value::as_object).map_or(0, Map::len) != models || models == 0 {
        faults.push(format!("{models} lines hold a model, expected one line for each model"));
    }
    if faults.is_empty() {
        return Ok(format!(
            "model_prices.json: {models} models of {} providers, {} bytes",
            used.len(),
            text.len()
        ));
    }
    Err(format!("model_prices.json has {} faults:\n  {}", faults.len(), faults.join("\n  ")))
}

/// The model of a line; lines that hold none are skipped.
fn model_line(number: usize, line: &str, faults: &mut Vec<String>) -> Option<(String, Map<String, Value>)> {
    let line = line.strip_suffix(',').unwrap_or(line);
    let (name, rest) = line.strip_prefix('"')?.split_once("\":{")?;
    if name.contains('\\') || !name.is_ascii() {
        faults.push(format!("line {number}: the name `{name}` needs escapes or is not ASCII"));
        return None;
    }
    match serde_json::from_str(&format!("{{{rest}")) {
        Ok(model) => Some((name.to_owned(), model)),
        Err(error) => {
            faults.push(format!("line {number}: `{name}` does not stand on a line of its own: {error}"));
            None
        }
    }
}

fn check_model(model: &Map<String, Value>, faults: &mut Vec<String>) {
    match model.get("mode").map(Value::as_str) {
        None => {}
        Some(Some(mode)) if MODES.contains(&mode) => {}
        Some(other) => faults.push(format!("unknown mode {other:?}")),
    }
    for key in ["max_input", "max_output", "max_tokens"] {
        if model.get(key).is_some_and(|limit| limit.as_u64().is_none()) {
            faults.push(format!("`{key}` is no whole number"));
        }
    }
    for rates in [model.get("usd"), model.get("off_peak").and_then(|off_peak| off_peak.get("usd"))] {
        check_rates(rates, faults);
    }
    let mut reached = 0;
    for band in model.get("by_prompt").and_then(Value::as_array).into_iter().flatten() {
        let bound = |key: &str| band.get(key).and_then(Value::as_u64).unwrap_or(u64::MAX);
        if bound("above") != reached || bound("up_to") <= reached {
            faults.push(format!("the band above {} does not follow the one up to {reached}", bound("above")));
        }
        reached = bound("up_to");
        check_rates(band.get("usd"), faults);
    }
    for (trigger, factor) in model.get("times").and_then(Value::as_object).into_iter().flatten() {
        if !factor.as_f64().is_some_and(|factor| (0.01..100.0).contains(&factor)) {
            faults.push(format!("the factor `{trigger}` is {factor}"));
        }
    }
    for list in ["supports", "lacks"] {
        if !strings(model.get(list)).is_sorted_by(|left, right| left < right) {
            faults.push(format!("`{list}` is not sorted and unique"));
        }
    }
    if let Some(both) =
        strings(model.get("supports")).find(|has| strings(model.get("lacks")).any(|lack| lack == *has))
    {
        faults.push(format!("`{both}` is both supported and lacking"));
    }
    if model.get("retires").is_some_and(|date| !date.as_str().is_some_and(is_date)) {
        faults.push(format!("`retires` is {}, expected YYYY-MM-DD", model["retires"]));
    }
}

fn check_rates(rates: Option<&Value>, faults: &mut Vec<String>) {
    for (key, price) in rates.and_then(Value::as_object).into_iter().flatten() {
        let (rest, tier) = key.split_once('@').unwrap_or((key, "flex"));
        let meter = rest.split([':', '>']).next().unwrap_or_default();
        if !keys::STEMS.iter().any(|(_, name, _)| *name == meter) && !SEARCH_METERS.contains(&meter) {
            faults.push(format!("`{key}` has the unknown unit `{meter}`"));
        }
        if !keys::TIERS.iter().any(|(_, name)| *name == tier) {
            faults.push(format!("`{key}` has the unknown tier `{tier}`"));
        }
        if !price.as_f64().is_some_and(|price| (0.0..DEAREST).contains(&price)) {
            faults.push(format!("`{key}` is {price}, expected USD from 0 to {DEAREST}"));
        }
    }
}

fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a text is a date, `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let within = |part: &str, digits: usize, range: std::ops::RangeInclusive<u16>| {
        part.len() == digits && part.parse().is_ok_and(|number| range.contains(&number))
    };
    within(year, 4, 2000..=2100) && within(month, 2, 1..=12) && within(day, 2, 1..=31)
}
