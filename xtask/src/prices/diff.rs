//! What changed between two price books, for the people who review it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

type Models = BTreeMap<String, Map<String, Value>>;

/// How many models of each group are named before the rest is only counted.
const NAMED: usize = 60;

/// A summary of two `model_prices.json` texts.
pub(crate) fn diff(old: &str, new: &str) -> Result<String, String> {
    let (old, new) = (models(old)?, models(new)?);
    let added: Vec<String> = new.keys().filter(|name| !old.contains_key(*name)).cloned().collect();
    let gone: Vec<String> = old.keys().filter(|name| !new.contains_key(*name)).cloned().collect();
    let (mut prices, mut facts) = (Vec::new(), Vec::new());
    for (name, new) in &new {
        let Some(old) = old.get(name) else { continue };
        let changed = changes(old, new);
        let of_price = |(key, _): &&(String, String)| key.starts_with("usd.") || is_price_part(key);
        let told: Vec<&str> = changed.iter().filter(of_price).map(|(_, text)| text.as_str()).collect();
        if !told.is_empty() {
            prices.push(format!("{name}: {}", told.join(", ")));
        }
        let told: Vec<&str> =
            changed.iter().filter(|change| !of_price(change)).map(|(key, _)| key.as_str()).collect();
        if !told.is_empty() {
            facts.push(format!("{name}: {}", told.join(", ")));
        }
    }
    let mut text = format!(
        "{} models → {}: {} new, {} gone, {} with new prices, {} with other news",
        old.len(),
        new.len(),
        added.len(),
        gone.len(),
        prices.len(),
        facts.len()
    );
    for (title, list) in [("New prices", prices), ("New", added), ("Gone", gone), ("Other news", facts)] {
        section(&mut text, title, &list);
    }
    Ok(text)
}

fn section(text: &mut String, title: &str, list: &[String]) {
    if list.is_empty() {
        return;
    }
    let _ = write!(text, "\n\n{title}");
    for item in list.iter().take(NAMED) {
        let _ = write!(text, "\n  {item}");
    }
    if list.len() > NAMED {
        let _ = write!(text, "\n  … and {} more", list.len() - NAMED);
    }
}

fn models(text: &str) -> Result<Models, String> {
    let whole: Value =
        serde_json::from_str(text).map_err(|error| format!("not a model_prices.json: {error}"))?;
    let models =
        whole.get("models").and_then(Value::as_object).ok_or("not a model_prices.json: no `models`")?;
    Ok(models
        .iter()
        .map(|(name, model)| (name.clone(), model.as_object().cloned().unwrap_or_default()))
        .collect())
}

fn is_price_part(key: &str) -> bool {
    ["by_prompt", "off_peak", "times"].contains(&key)
}

/// Every changed key with a sentence about it; prices one by one.
fn changes(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<(String, String)> {
    let mut changes = Vec::new();
    let keys = |old: &Map<String, Value>, new: &Map<String, Value>| -> Vec<String> {
        let more = new.keys().filter(|key| !old.contains_key(*key));
        old.keys().chain(more).cloned().collect()
    };
    for key in keys(old, new) {
        let (was, is) = (old.get(&key), new.get(&key));
        if was == is {
            continue;
        }
        if key != "usd" {
            changes.push((key.clone(), format!("{key} changed")));
            continue;
        }
        let empty = Map::new();
        let rates = |value: Option<&Value>| value.and_then(Value::as_object).unwrap_or(&empty).clone();
        let (was, is) = (rates(was), rates(is));
        for rate in keys(&was, &is) {
            if was.get(&rate) != is.get(&rate) {
                changes.push((format!("usd.{rate}"), price_change(&rate, was.get(&rate), is.get(&rate))));
            }
        }
    }
    changes
}

fn price_change(rate: &str, was: Option<&Value>, is: Option<&Value>) -> String {
    let show = |price: Option<&Value>| price.map_or("none".to_owned(), ToString::to_string);
    let number = |price: Option<&Value>| price.and_then(Value::as_f64);
    let percent = match (number(was), number(is)) {
        (Some(was), Some(is)) if was > 0.0 => format!(" ({:+.0} %)", (is / was - 1.0) * 100.0),
        _ => String::new(),
    };
    format!("{rate} {} → {}{percent}", show(was), show(is))
}
