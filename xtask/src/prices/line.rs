//! From one entry of LiteLLM's map to one line of ours.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value, json};

use super::import::Report;
use super::keys;

pub(super) type Object = Map<String, Value>;

/// Keys that `finish` reads.
const LINE_HEAD: &[&str] =
    &["deprecation_date", "litellm_provider", "max_input_tokens", "max_output_tokens", "max_tokens", "mode"];
/// Keys that hold prose, which is not a fact about a model.
const PROSE: &[&str] = &["comment"];
/// Searches by these providers are billed once per prompt unless the entry says otherwise.
const SEARCH_BY_PROMPT: &[&str] = &["gemini", "vertex_ai", "vertex_ai-language-models"];
/// Thresholds of these providers take effect at their bound, not beyond it.
const INCLUSIVE_THRESHOLDS: &[&str] = &["xai"];
/// Time zones without summer time, and how many minutes they are ahead of UTC.
const FIXED_ZONES: &[(&str, i32)] = &[("UTC", 0), ("Asia/Shanghai", 480), ("Asia/Tokyo", 540)];

/// One model's line.
#[derive(Default)]
struct Line {
    usd: BTreeMap<(usize, String), Number>,
    by_prompt: Vec<Value>,
    off_peak: Option<Value>,
    times: Object,
    supports: Vec<String>,
    lacks: Vec<String>,
    facts: BTreeMap<String, Value>,
}

/// The line of a model; what goes wrong is told in the report.
pub(super) fn convert(name: &str, entry: &Object, report: &mut Report) -> Object {
    let provider = entry.get("litellm_provider").and_then(Value::as_str).unwrap_or_default();
    if provider.is_empty() {
        report.problems.push(format!("`{name}` has no litellm_provider"));
    }
    let inclusive = INCLUSIVE_THRESHOLDS.contains(&provider);
    let per_query = entry.get("web_search_billing_unit").is_some_and(|unit| unit == "per_query");
    let search =
        if SEARCH_BY_PROMPT.contains(&provider) && !per_query { "web_search_prompt" } else { "web_search" };
    let mut line = Line::default();
    for (key, value) in entry {
        if let Err(problem) = line.take(key, value, search, inclusive, report) {
            report.problems.push(format!("`{name}`: {problem}"));
        }
    }
    line.finish(entry, provider)
}

impl Line {
    /// Puts one fact in its place.
    fn take(
        &mut self,
        key: &str,
        value: &Value,
        search: &str,
        inclusive: bool,
        report: &mut Report,
    ) -> Result<(), String> {
        match key {
            _ if LINE_HEAD.contains(&key) => {}
            "tiered_pricing" => self.take_bands(value, report)?,
            "off_peak_pricing" => self.take_off_peak(value, report)?,
            "search_context_cost_per_query" => self.take_search(value, search, report)?,
            "web_search_billing_unit" if value == "per_query" => {}
            "provider_specific_entry" => self.take_provider_specific(value, report)?,
            "metadata" => self.take_metadata(value, report),
            _ if PROSE.contains(&key) => report.drop(format!("`{key}` (prose)")),
            _ => self.take_plain(key, value, inclusive, report)?,
        }
        Ok(())
    }

    fn take_plain(
        &mut self,
        key: &str,
        value: &Value,
        inclusive: bool,
        report: &mut Report,
    ) -> Result<(), String> {
        if let Some((rate, per)) = keys::rate_key(key, inclusive) {
            report.price(key);
            let Some(kinds) = value.as_object() else { return self.put(&rate, per, value, key) };
            return kinds
                .iter()
                .try_for_each(|(kind, price)| self.put(&format!("{rate}:{kind}"), per, price, key));
        }
        if let Some((_, trigger)) = keys::FACTORS.iter().find(|(name, _)| *name == key) {
            report.price(key);
            self.times.insert((*trigger).to_owned(), plain(value));
            return Ok(());
        }
        if let (Some(capability), Some(has)) = (key.strip_prefix("supports_"), value.as_bool()) {
            if has { &mut self.supports } else { &mut self.lacks }.push(capability.to_owned());
            return Ok(());
        }
        if key.contains("cost") || key.contains("price") || key.contains("multiplier") {
            return Err(format!("the price key `{key}` has no place"));
        }
        self.facts.insert(key.to_owned(), plain(value));
        Ok(())
    }

    /// Keeps a rate; two keys of one meaning must agree.
    fn put(&mut self, rate: &str, per: u32, value: &Value, key: &str) -> Result<(), String> {
        let price = written(value, per).ok_or_else(|| format!("`{key}` is `{value}`, expected a price"))?;
        let meter = rate.split(['>', ':', '@']).next().unwrap_or_default();
        let place = keys::STEMS.iter().position(|(_, name, _)| *name == meter).unwrap_or(keys::STEMS.len());
        match self.usd.insert((place, rate.to_owned()), price.clone()) {
            Some(other) if other != price => Err(format!("two prices for `{rate}`: `{other}` and `{price}`")),
            _ => Ok(()),
        }
    }

    fn take_bands(&mut self, value: &Value, report: &mut Report) -> Result<(), String> {
        for band in value.as_array().ok_or("tiered_pricing is no list")? {
            let band = band.as_object().ok_or("a tier is no object")?;
            let bounds = |key: &str| {
                let bounds = band.get(key)?.as_array()?;
                Some((whole(bounds.first()?)?, whole(bounds.get(1)?)?))
            };
            if let Some((from, to)) = bounds("max_results_range") {
                report.price("tiered_pricing.max_results_range");
                let value =
                    band.get("input_cost_per_query").ok_or("a tier by results has no price per query")?;
                self.put(&format!("query:{from}-{to}"), 1, value, "input_cost_per_query")?;
                continue;
            }
            let (above, up_to) = bounds("range").ok_or("a tier has no range")?;
            let mut usd = Object::new();
            for (key, value) in band.iter().filter(|(key, _)| *key != "range") {
                let (rate, per) =
                    keys::rate_key(key, false).ok_or_else(|| format!("a tier has the key `{key}`"))?;
                report.price(&format!("tiered_pricing.{key}"));
                let price = written(value, per).ok_or_else(|| format!("`{key}` is `{value}`"))?;
                usd.insert(rate, Value::Number(price));
            }
            self.by_prompt.push(json!({"above": above, "up_to": up_to, "usd": usd}));
        }
        Ok(())
    }

    fn take_off_peak(&mut self, value: &Value, report: &mut Report) -> Result<(), String> {
        let mut usd = Object::new();
        let mut off_peak = Object::new();
        for (key, value) in value.as_object().ok_or("off_peak_pricing is no object")? {
            match key.as_str() {
                "windows" => {
                    let windows = value.as_array().ok_or("windows is no list")?;
                    let windows: Result<Vec<Value>, String> = windows.iter().map(window).collect();
                    off_peak.insert("windows".to_owned(), Value::Array(windows?));
                }
                "weekday_timezone" => {
                    off_peak.insert("weekday_offset".to_owned(), fixed_offset(value)?.into());
                }
                _ => {
                    let (rate, per) =
                        keys::rate_key(key, false).ok_or_else(|| format!("off_peak_pricing has `{key}`"))?;
                    report.price(&format!("off_peak_pricing.{key}"));
                    usd.insert(
                        rate,
                        Value::Number(written(value, per).ok_or_else(|| format!("`{key}`: `{value}`"))?),
                    );
                }
            }
        }
        off_peak.insert("usd".to_owned(), Value::Object(usd));
        self.off_peak = Some(Value::Object(off_peak));
        Ok(())
    }

    fn take_search(&mut self, value: &Value, meter: &str, report: &mut Report) -> Result<(), String> {
        let sizes = value.as_object().ok_or("search_context_cost_per_query is no object")?;
        let same = sizes.len() == 3 && sizes.values().all(|price| Some(price) == sizes.values().next());
        for (size, price) in sizes {
            let size =
                size.strip_prefix("search_context_size_").ok_or_else(|| format!("unknown size `{size}`"))?;
            report.price("search_context_cost_per_query");
            let rate = if same { meter.to_owned() } else { format!("{meter}:{size}") };
            self.put(&rate, 1, price, "search_context_cost_per_query")?;
        }
        Ok(())
    }

    /// Factors are prices; everything else stays a fact.
    fn take_provider_specific(&mut self, value: &Value, report: &mut Report) -> Result<(), String> {
        let mut rest = Object::new();
        for (key, value) in value.as_object().ok_or("provider_specific_entry is no object")? {
            if value.is_number() && !key.contains('_') {
                report.price(&format!("provider_specific_entry.{key}"));
                self.times.insert(key.clone(), plain(value));
            } else {
                rest.insert(key.clone(), value.clone());
            }
        }
        if !rest.is_empty() {
            self.facts.insert("provider_specific_entry".to_owned(), Value::Object(rest));
        }
        Ok(())
    }

    fn take_metadata(&mut self, value: &Value, report: &mut Report) {
        for (key, value) in value.as_object().into_iter().flatten() {
            if key == "successor" {
                self.facts.insert(key.clone(), value.clone());
            } else {
                report.drop(format!("`metadata.{key}` (prose)"));
            }
        }
    }

    fn finish(mut self, entry: &Object, provider: &str) -> Object {
        let mut line = Object::new();
        let mut put = |key: &str, value: Value| line.insert(key.to_owned(), value);
        put("provider", provider.into());
        if let Some(mode) = entry.get("mode") {
            put("mode", mode.clone());
        }
        let limit = |key: &str| entry.get(key).and_then(whole);
        let (input, output, old) =
            (limit("max_input_tokens"), limit("max_output_tokens"), limit("max_tokens"));
        for (key, value) in [("max_input", input), ("max_output", output)] {
            if let Some(value) = value {
                put(key, value.into());
            }
        }
        if let Some(old) = old.filter(|_| old != output) {
            put("max_tokens", old.into());
        }
        let usd: Object = self.usd.into_iter().map(|((_, key), price)| (key, Value::Number(price))).collect();
        if !usd.is_empty() {
            put("usd", Value::Object(usd));
        }
        if !self.by_prompt.is_empty() {
            put("by_prompt", Value::Array(self.by_prompt));
        }
        if let Some(off_peak) = self.off_peak {
            put("off_peak", off_peak);
        }
        if !self.times.is_empty() {
            put("times", Value::Object(self.times));
        }
        for (key, mut names) in [("supports", std::mem::take(&mut self.supports)), ("lacks", self.lacks)] {
            if !names.is_empty() {
                names.sort_unstable();
                put(key, names.into());
            }
        }
        if let Some(date) = entry.get("deprecation_date") {
            put("retires", date.clone());
        }
        line.extend(self.facts);
        line
    }
}

/// A price in USD per unit as we write it: rounded to the femto-dollar, per `per` units.
fn written(value: &Value, per: u32) -> Option<Number> {
    let femto = (value.as_f64()? * 1e15).round();
    number(femto / (1e15 / f64::from(per)))
}

/// A number without a needless fraction.
fn number(value: f64) -> Option<Number> {
    match whole(&value.into()) {
        Some(integer) => Some(integer.into()),
        None => Number::from_f64(value),
    }
}

/// A JSON number that is a whole one, whichever way it is written.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole and in range"
)]
fn whole(value: &Value) -> Option<u64> {
    let float = value.as_f64()?;
    (float.fract() == 0.0 && (0.0..9e15).contains(&float)).then_some(float as u64)
}

/// A fact with whole numbers written as such.
fn plain(value: &Value) -> Value {
    whole(value).map_or_else(|| value.clone(), Into::into)
}

/// A window of cheaper hours: `{"hours_utc": "00:00-01:00" or a list, "weekdays": […]}`.
fn window(value: &Value) -> Result<Value, String> {
    let hours = match value.get("hours_utc") {
        Some(Value::Array(spans)) => spans.as_slice(),
        Some(span) => std::slice::from_ref(span),
        None => return Err("a window has no hours_utc".to_owned()),
    };
    let minutes: Option<Vec<Value>> = hours.iter().map(|span| minutes(span.as_str()?)).collect();
    let mut window = json!({"minutes": minutes.ok_or_else(|| format!("unreadable hours {hours:?}"))?});
    if let Some(days) = value.get("weekdays") {
        window["days"] = days.clone();
    }
    Ok(window)
}

/// `04:00-06:00` as minutes of the day.
fn minutes(span: &str) -> Option<Value> {
    let minute = |clock: &str| {
        let (hour, minute) = clock.split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let (from, to) = span.split_once('-')?;
    Some(json!([minute(from)?, minute(to)?]))
}

fn fixed_offset(zone: &Value) -> Result<i32, String> {
    let known = FIXED_ZONES.iter().find(|(name, _)| zone == name);
    known.map(|(_, minutes)| *minutes).ok_or_else(|| format!("the time zone {zone} is not known to be fixed"))
}
