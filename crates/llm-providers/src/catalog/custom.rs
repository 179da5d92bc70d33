//! Prices and facts an operator sets for a deployment, laid over what the book knows.

use llm_types::{Meter, Price, Rate, Result};
use serde_json::{Map, Value};

use super::ModelInfo;
use super::litellm::{Keys, read_keys};

impl ModelInfo {
    /// What a deployment's settings in LiteLLM's keys say of its model: prices from `litellm_params`
    /// and `model_info`, the latter's limits, mode and abilities as well. Other keys are passed over.
    ///
    /// # Errors
    /// Names the first price, limit or factor that is none.
    pub fn from_litellm(params: &Map<String, Value>, model_info: &Map<String, Value>) -> Result<Self> {
        let mut info = read_keys("", model_info, Keys::Model)?;
        let of_params = read_keys("", params, Keys::Prices)?;
        info.price = overlay_price(info.price, of_params.price);
        info.price.custom =
            info.price.is_known() || !info.price.times.is_empty() || info.price.off_peak.is_some();
        Ok(info)
    }

    /// This record with an operator's settings over it.
    ///
    /// A price the operator sets replaces the book's of the same kind; one for plain input or output
    /// also takes away what the book says of that side's special cases (caches, media, reasoning,
    /// tiers, thresholds), which then pay the operator's price.
    #[must_use]
    pub fn overlaid(mut self, custom: Self) -> Self {
        if custom.price.custom {
            self.price = overlay_price(self.price, custom.price);
            self.price.custom = true;
        }
        self.mode = custom.mode.or(self.mode);
        self.max_input = custom.max_input.or(self.max_input);
        self.max_output = custom.max_output.or(self.max_output);
        self.max_tokens = custom.max_tokens.or(self.max_tokens);
        self.retires = custom.retires.or(self.retires);
        said(custom.supports, &mut self.supports, &mut self.lacks);
        said(custom.lacks, &mut self.lacks, &mut self.supports);
        self.facts.extend(custom.facts);
        self
    }
}

/// Puts abilities on one list and takes them off the other.
fn said(abilities: Vec<Box<str>>, list: &mut Vec<Box<str>>, other: &mut Vec<Box<str>>) {
    other.retain(|ability| !abilities.contains(ability));
    list.retain(|ability| !abilities.contains(ability));
    list.extend(abilities);
    list.sort_unstable();
}

fn overlay_price(mut base: Price, custom: Price) -> Price {
    let sets = |meter: Meter| custom.rates.iter().any(|rate| rate.meter == meter);
    let (input, output) = (sets(Meter::Input), sets(Meter::Output));
    let banded = !custom.by_prompt.is_empty();
    let timed = sets(Meter::Second) || sets(Meter::SecondIn) || sets(Meter::SecondOut);
    base.rates.retain(|rate| {
        let replaced =
            is_input(rate) && (input || banded || timed) || is_output(rate) && (output || banded || timed);
        let same = |own: &Rate| own.meter == rate.meter && own.tier == rate.tier && own.when == rate.when;
        !replaced && !custom.rates.iter().any(same)
    });
    if input || output || banded || timed {
        base.by_prompt.clear();
        base.off_peak = None;
        base.times.clear();
    }
    base.rates.extend(custom.rates);
    if banded {
        base.by_prompt = custom.by_prompt;
    }
    base.off_peak = custom.off_peak.or(base.off_peak);
    base.times.retain(|(trigger, _)| !custom.times.iter().any(|(own, _)| own == trigger));
    base.times.extend(custom.times);
    base
}

fn is_input(rate: &Rate) -> bool {
    matches!(
        rate.meter,
        Meter::Input
            | Meter::CacheRead
            | Meter::CacheWrite
            | Meter::CacheWrite1h
            | Meter::ExplicitCacheRead
            | Meter::CacheReadAudio
            | Meter::CacheReadImage
            | Meter::CacheWriteAudio
            | Meter::AudioTokenIn
            | Meter::ImageTokenIn
            | Meter::VideoTokenIn
            | Meter::CharacterIn
    )
}

fn is_output(rate: &Rate) -> bool {
    matches!(
        rate.meter,
        Meter::Output
            | Meter::Reasoning
            | Meter::AudioTokenOut
            | Meter::ImageTokenOut
            | Meter::VideoTokenOut
            | Meter::CharacterOut
    )
}

#[cfg(test)]
mod tests;
