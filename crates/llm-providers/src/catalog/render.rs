//! A model's record in LiteLLM's keys, for its model listings. Surface §9.3.

use llm_types::{FemtoUsd, Meter, Rate, When};
use serde_json::{Map, Value, json};

use super::{ModelInfo, keys};

impl ModelInfo {
    /// The record as an entry of LiteLLM's price map: what `/model/info` shows.
    #[must_use]
    pub fn to_litellm(&self) -> Map<String, Value> {
        let mut entry = Map::new();
        let mut put = |key: &str, value: Value| entry.insert(key.to_owned(), value);
        put("litellm_provider", (*self.provider).into());
        if let Some(mode) = &self.mode {
            put("mode", (**mode).into());
        }
        let limits = [
            ("max_tokens", self.max_tokens.or(self.max_output)),
            ("max_input_tokens", self.max_input),
            ("max_output_tokens", self.max_output),
        ];
        for (key, limit) in limits {
            if let Some(limit) = limit {
                put(key, limit.into());
            }
        }
        for (abilities, has) in [(&self.supports, true), (&self.lacks, false)] {
            for ability in abilities {
                put(&format!("supports_{ability}"), has.into());
            }
        }
        if let Some(date) = &self.retires {
            put("deprecation_date", (**date).into());
        }
        entry.extend(self.facts.clone());
        entry.extend(self.price_keys());
        entry
    }

    fn price_keys(&self) -> Map<String, Value> {
        let mut entry = plain(&self.price.rates);
        search(&self.price.rates, &mut entry);
        for rate in self.price.rates.iter().filter(|rate| rate.meter == Meter::GuardrailUnit) {
            if let When::Size(kind) = &rate.when {
                entry.entry("guardrail_cost_per_unit").or_insert_with(|| json!({}))[&**kind] = usd(rate);
            }
        }
        let mut bands: Vec<Value> = Vec::new();
        for band in &self.price.by_prompt {
            let mut rates = plain(&band.rates);
            rates.insert("range".to_owned(), json!([band.above, band.up_to]));
            bands.push(Value::Object(rates));
        }
        for rate in self.price.rates.iter().filter(|rate| rate.meter == Meter::Query) {
            if let When::Size(range) = &rate.when {
                let range: Vec<u64> = range.split('-').filter_map(|bound| bound.parse().ok()).collect();
                bands.push(json!({"input_cost_per_query": usd(rate), "max_results_range": range}));
            }
        }
        if !bands.is_empty() {
            entry.insert("tiered_pricing".to_owned(), Value::Array(bands));
        }
        for (trigger, factor) in &self.price.times {
            match keys::FACTORS.iter().find(|(_, name)| **name == **trigger) {
                Some((key, _)) => entry.insert((*key).to_owned(), factor.as_fraction().into()),
                None => {
                    let own = self.facts.get("provider_specific_entry").cloned().unwrap_or_else(|| json!({}));
                    let own = entry.entry("provider_specific_entry").or_insert(own);
                    own[&**trigger] = factor.as_fraction().into();
                    None
                }
            };
        }
        if let Some(off_peak) = &self.price.off_peak {
            entry.insert("off_peak_pricing".to_owned(), self::off_peak(off_peak));
        }
        entry
    }
}

/// The rates that have a key of their own.
fn plain(rates: &[Rate]) -> Map<String, Value> {
    let keyed = rates.iter().filter_map(|rate| Some((keys::litellm_key(&rate.key())?, usd(rate))));
    keyed.collect()
}

fn search(rates: &[Rate], entry: &mut Map<String, Value>) {
    let mut sizes = Map::new();
    for rate in rates.iter().filter(|rate| matches!(rate.meter, Meter::WebSearch | Meter::WebSearchPrompt)) {
        match &rate.when {
            When::Size(size) => {
                sizes.insert(format!("search_context_size_{size}"), usd(rate));
            }
            _ => sizes.extend(
                ["low", "medium", "high"].map(|size| (format!("search_context_size_{size}"), usd(rate))),
            ),
        }
    }
    if !sizes.is_empty() {
        entry.insert("search_context_cost_per_query".to_owned(), Value::Object(sizes));
    }
}

fn off_peak(off_peak: &llm_types::OffPeak) -> Value {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let windows: Vec<Value> = off_peak
        .windows
        .iter()
        .map(|window| {
            let hours: Vec<String> =
                window.minutes.iter().map(|(from, to)| format!("{}-{}", clock(*from), clock(*to))).collect();
            if window.days.is_empty() {
                json!({"hours_utc": hours})
            } else {
                json!({"hours_utc": hours, "weekdays": window.days})
            }
        })
        .collect();
    let mut entry = plain(&off_peak.rates);
    entry.insert("windows".to_owned(), Value::Array(windows));
    Value::Object(entry)
}

fn usd(rate: &Rate) -> Value {
    FemtoUsd(i128::from(rate.femto)).as_usd().into()
}
