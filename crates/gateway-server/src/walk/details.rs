//! What the ledger is told of what a call used: counts for its columns, and the rest as JSON.

use gateway_db::Tokens;
use llm_types::{SearchContext, Usage};
use serde::Serialize;
use serde_json::Value;

use super::asked::Hints;
use super::shares::Priced;

/// Under which names the ledger keeps what a request asked for that its price depends on: the usage does not
/// say it.
const TIER: &str = "asked_tier";
const SEARCH: &str = "asked_search_context";
/// Under which names it keeps who else worked for a call, and what the deployment asked last has used itself; null
/// where that is among the others.
pub(crate) const SHARES: &str = "shares";
pub(crate) const OWN: &str = "own";

/// What usage says beyond the ledger's own columns, who used which part of it (`own` is the part of the deployment
/// asked last), and what was asked for that has a price of its own; empty when there is nothing.
pub(super) fn usage_told(usage: &Usage, own: Option<&Usage>, shares: &[Priced], hints: &Hints) -> String {
    let tier = hints.tier.as_deref().filter(|_| usage.service_tier.is_none());
    let search = Some(hints.search).filter(|search| *search != SearchContext::default());
    if shares.is_empty() && tier.is_none() && search.is_none() {
        return json_unless(!has_details(usage), usage);
    }
    let mut told = serde_json::to_value(usage).unwrap_or_default();
    if !shares.is_empty() {
        told[SHARES] = shares.iter().map(Priced::shown).collect();
        told[OWN] = own.and_then(|own| serde_json::to_value(own).ok()).unwrap_or_default();
    }
    if let Some(tier) = tier {
        told[TIER] = tier.into();
    }
    if let Some(search) = search {
        told[SEARCH] = search.word().into();
    }
    told.to_string()
}

/// What a call asked for that has a price of its own, as [`usage_told`] wrote it: the service tier, and how much
/// web searches were to read.
pub(crate) fn asked_of(told: &Value) -> (Option<&str>, SearchContext) {
    let word = |name: &str| told.get(name).and_then(Value::as_str);
    (word(TIER), word(SEARCH).map_or(SearchContext::default(), SearchContext::of_word))
}

/// A value as JSON text, or nothing.
pub(super) fn json_unless<T: Serialize>(nothing: bool, value: &T) -> String {
    if nothing { String::new() } else { serde_json::to_string(value).unwrap_or_default() }
}

pub(super) fn tokens(usage: &Usage) -> Tokens {
    Tokens {
        input: usage.input_tokens,
        output: usage.output_tokens,
        cache_read: usage.cache_read_tokens.unwrap_or(0),
        cache_write: usage.cache_write_tokens.unwrap_or(0),
        reasoning: usage.reasoning_tokens.unwrap_or(0),
    }
}

/// Whether usage says more than the ledger's own columns hold.
fn has_details(usage: &Usage) -> bool {
    let plain = Usage {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cache_read_tokens: usage.cache_read_tokens,
        cache_write_tokens: usage.cache_write_tokens,
        reasoning_tokens: usage.reasoning_tokens,
        estimated: usage.estimated,
        ..Usage::default()
    };
    let total_is_sum =
        usage.total_tokens.is_none_or(|total| total == usage.input_tokens + usage.output_tokens);
    !total_is_sum || Usage { total_tokens: None, ..usage.clone() } != plain
}

#[cfg(test)]
mod tests;
