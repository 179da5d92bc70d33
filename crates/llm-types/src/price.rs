//! What a model's units cost, and what a call therefore costs: exact to the nano-dollar.
//!
//! A [`Price`] is a list of rates in integer femto-dollars (10⁻¹⁵ USD) per unit. A cost is summed in
//! femto-dollars and rounded once, to [`Money`](crate::Money).
//!
//! ```
//! use llm_types::{CostContext, Meter, Money, Price, Usage};
//!
//! let price = Price::per_token(1.5e-7, 6e-7);
//! let usage = Usage { input_tokens: 1_000, output_tokens: 200, ..Usage::default() };
//! assert_eq!(price.cost(&usage, &CostContext::default()).total, Money(270_000));
//! ```

mod amount;
mod cost;
mod meter;
mod tariff;
mod wire;

pub use amount::{FemtoUsd, Ratio};
pub use cost::{Adjustment, Cost, CostContext, Host, Metered, Reach, SearchContext};
pub use meter::{Meter, Rate, Tier, When};
use serde::{Deserialize, Serialize};

/// The price of one model. Empty when nothing is known; a rate of zero is a price of zero.
///
/// Its JSON is the price part of a line of `model_prices.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Price {
    /// What a unit of each kind costs. JSON: USD per million tokens, characters or pixels, and USD
    /// per one of every other unit.
    #[serde(rename = "usd", skip_serializing_if = "Vec::is_empty", with = "wire::rates")]
    pub rates: Vec<Rate>,
    /// Rates by the size of the prompt; where there are any they replace `rates` for tokens.
    #[serde(rename = "by_prompt", skip_serializing_if = "Vec::is_empty")]
    pub by_prompt: Vec<PromptBand>,
    /// Cheaper hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off_peak: Option<Box<OffPeak>>,
    /// Factors on the token costs, by the name of what triggers them: `eu_host`, `us_host`,
    /// `regional` (see [`Host`]), a speed such as `fast`, or a data residency such as `us`.
    #[serde(rename = "times", skip_serializing_if = "Vec::is_empty", with = "wire::times")]
    pub times: Vec<(Box<str>, Ratio)>,
    /// Set by the operator: beats the cost that a provider states itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub custom: bool,
}

/// Token rates for prompts longer than `above` and no longer than `up_to` tokens.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PromptBand {
    /// The prompt has more tokens than this; zero also takes an empty prompt.
    #[serde(default)]
    pub above: u64,
    /// The prompt has at most this many tokens; a prompt beyond every band pays the last one.
    pub up_to: u64,
    /// The rates.
    #[serde(rename = "usd", with = "wire::rates")]
    pub rates: Vec<Rate>,
}

/// Rates that replace the normal ones in some hours of the week.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OffPeak {
    /// When; any one of them suffices.
    pub windows: Vec<Window>,
    /// How far the clock that decides the weekday is ahead of UTC, in minutes. Hours are UTC always.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub weekday_offset: i32,
    /// The rates.
    #[serde(rename = "usd", with = "wire::rates")]
    pub rates: Vec<Rate>,
}

/// Some hours on some weekdays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Minutes of the UTC day, `[from, to)`; `to` at or before `from` reaches into the next day.
    pub minutes: Vec<(u16, u16)>,
    /// ISO weekdays, Monday is 1; empty is every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<u8>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape serde asks for")]
fn is_zero(number: &i32) -> bool {
    *number == 0
}

impl Price {
    /// A price for input and output tokens in USD per token.
    #[must_use]
    pub fn per_token(input: f64, output: f64) -> Self {
        Self {
            rates: vec![Rate::per_unit(Meter::Input, input), Rate::per_unit(Meter::Output, output)],
            ..Self::default()
        }
    }

    /// Whether anything is known. A call to a model without a price has no cost, not a cost of zero.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.rates.is_empty() || !self.by_prompt.is_empty()
    }

    /// Whether the price is known to be zero: such a model needs no budget.
    #[must_use]
    pub fn is_free(&self) -> bool {
        let zero = |rates: &[Rate]| rates.iter().all(|rate| rate.femto == 0);
        self.is_known() && zero(&self.rates) && self.by_prompt.iter().all(|band| zero(&band.rates))
    }

    /// The plain rates of a token of the prompt and of the answer, in USD.
    #[must_use]
    pub fn usd_per_token(&self) -> (Option<f64>, Option<f64>) {
        (self.usd_per_unit(Meter::Input), self.usd_per_unit(Meter::Output))
    }

    /// The plain rate of a meter: standard tier, no condition. In USD per unit, for listings.
    #[must_use]
    pub fn usd_per_unit(&self, meter: Meter) -> Option<f64> {
        let plain =
            |rate: &&Rate| rate.meter == meter && rate.tier == Tier::Standard && rate.when == When::Always;
        let first_band = self.by_prompt.first().and_then(|band| band.rates.iter().find(plain));
        self.rates.iter().find(plain).or(first_band).map(Rate::usd)
    }
}

#[cfg(test)]
mod tests;
