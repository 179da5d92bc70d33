//! From consumption to cost. LiteLLM surface §9.1.

use std::ops::Add;
use std::time::Duration;

use serde::Serialize;

use super::tariff::{INPUT_KINDS, OUTPUT_KINDS, Tariff, charge};
use super::{FemtoUsd, Meter, Price, Ratio, Tier};
use crate::{Money, Usage};

/// What a cost depends on beside price and usage. The default is a plain call.
#[derive(Debug, Clone, Copy, Default)]
pub struct CostContext<'a> {
    /// The tier the caller asked for; the served one in the usage beats it.
    pub tier: Option<&'a str>,
    /// When the call was made, in Unix seconds: decides off-peak hours. `None` pays the normal rate.
    pub at: Option<i64>,
    /// How long the call took, for models without token prices that are priced by wall time. Zero for
    /// models whose seconds are seconds of media: those are listed in `metered`.
    pub duration: Duration,
    /// How much the web searches were to read.
    pub search: SearchContext,
    /// Which of a provider's hosts answered.
    pub host: Host,
    /// The provider's word for a special speed (`fast`).
    pub speed: Option<&'a str>,
    /// The provider's word for where the data stayed (`us`).
    pub residency: Option<&'a str>,
    /// Consumption that is not tokens: images, seconds, pages, queries.
    pub metered: &'a [Metered<'a>],
    /// Discount and margin.
    pub adjustment: Adjustment,
}

/// Consumption that is not tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metered<'a> {
    /// What is counted.
    pub meter: Meter,
    /// How many, in thousandths: 1.5 seconds are 1 500.
    pub thousandths: u64,
    /// The size, resolution or quality, in the provider's word.
    pub size: Option<&'a str>,
}

/// How much a web search reads (`search_context_size`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SearchContext {
    /// Little.
    Low,
    /// The default.
    #[default]
    Medium,
    /// Much.
    High,
}

impl SearchContext {
    /// By the word of `search_context_size`; other words are the default.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        match word {
            "low" => Self::Low,
            "high" => Self::High,
            _ => Self::Medium,
        }
    }

    /// The word of it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Which of a provider's hosts answered; some have a factor in [`Price::times`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Host {
    /// The usual one.
    #[default]
    Global,
    /// One that processes in the EU (`eu.api.openai.com`): `eu_host`.
    Eu,
    /// One that processes in the US (`us.api.openai.com`): `us_host`.
    Us,
    /// A regional endpoint (a Vertex location other than `global`): `regional`.
    Regional,
}

/// What a request may ask for that makes it dearer than usual; for reservations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// A service tier: the dearest of them may be served.
    pub tiers: bool,
    /// A special speed, or where the data stays: all factors of the model may count.
    pub factors: bool,
}

/// What an operator takes off and adds, provider by provider or globally: first the discount, then
/// the margin on what is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adjustment {
    /// The part taken off.
    pub discount: Ratio,
    /// The part added.
    pub margin: Ratio,
    /// The amount added per call.
    pub margin_fixed: FemtoUsd,
}

impl Adjustment {
    /// From fractions (`0.5` is 50 %) and USD per call.
    #[must_use]
    pub fn new(discount: f64, margin: f64, margin_fixed_usd: f64) -> Self {
        Self {
            discount: Ratio::from_fraction(discount),
            margin: Ratio::from_fraction(margin),
            margin_fixed: FemtoUsd::from_usd(margin_fixed_usd),
        }
    }
}

/// What a call cost. `input` to `other` are disjoint parts that sum to `original`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// What is charged: `exact`, rounded once.
    pub total: Money,
    /// What is charged, before rounding.
    pub exact: FemtoUsd,
    /// Before discount and margin.
    pub original: FemtoUsd,
    /// What the discount took off.
    pub discount: FemtoUsd,
    /// What the margin added.
    pub margin: FemtoUsd,
    /// Prompt tokens that came from no cache and went to none, of every kind; media and time in.
    pub input: FemtoUsd,
    /// Answer tokens without reasoning, of every kind; media and time out.
    pub output: FemtoUsd,
    /// Prompt tokens read from a cache.
    pub cache_read: FemtoUsd,
    /// Prompt tokens written to a cache.
    pub cache_creation: FemtoUsd,
    /// Reasoning tokens.
    pub reasoning: FemtoUsd,
    /// Searches, sessions and other tools of the provider.
    pub tools: FemtoUsd,
    /// The cost the provider stated, when that was used: it has no parts.
    pub stated: FemtoUsd,
}

impl Price {
    /// What a call cost.
    ///
    /// The provider's own statement wins unless the operator set this price. A tier, a crossed
    /// threshold or an off-peak hour replaces the rate of a kind of token where it has one; a kind
    /// without a rate pays the one it is a case of (cached and media tokens pay `input`, reasoning
    /// pays `output`); nothing is counted twice when a provider's details exceed its totals. Where the
    /// provider counts what is paid for apart, that counts.
    #[must_use]
    pub fn cost(&self, usage: &Usage, context: &CostContext<'_>) -> Cost {
        let mut cost = Cost::default();
        if let Some(stated) = usage.stated_cost.filter(|_| !self.custom) {
            cost.stated = stated.into();
            return cost.settled(context.adjustment);
        }
        let usage = &*usage.paid_for();
        let word = usage.service_tier.as_deref().or(context.tier);
        let tariff =
            Tariff::of(self, word.map_or(Tier::Standard, Tier::of_word), usage.input_tokens, context.at);
        let by_tokens = tariff.has_token_rates();
        if by_tokens {
            tariff.charge_input(usage, &mut cost);
            tariff.charge_output(usage, &mut cost);
        } else if usage.units.is_none() {
            tariff.charge_time(context.duration, &mut cost);
        }
        tariff.charge_request(&mut cost);
        cost.scale(self.factor(context, usage));
        tariff.charge_searches(usage.web_searches.unwrap_or(0), context.search, &mut cost);
        if let Some(units) = &usage.units {
            // Tokens that nobody counted price nothing: the pictures or seconds do.
            let told = usage.input_tokens > 0 || usage.output_tokens > 0;
            let told = by_tokens && told && !usage.estimated;
            for (meter, thousandths, size) in units.metered(self, told) {
                tariff.charge_metered(&Metered { meter, thousandths, size }, &mut cost);
            }
        }
        for metered in context.metered {
            tariff.charge_metered(metered, &mut cost);
        }
        cost.settled(context.adjustment)
    }

    /// The most that a call with at most so many tokens can cost, whatever part of them turns out
    /// to be cached, media or reasoning, and whatever the request asks for within its reach; for
    /// reservations. Tools and what the context lists as metered come on top of it, as in [`Price::cost`].
    #[must_use]
    pub fn worst_case(
        &self,
        input_tokens: u64,
        max_output_tokens: u64,
        context: &CostContext<'_>,
        reach: Reach,
    ) -> Money {
        let mut factor = self.factor(context, &Usage::default());
        if reach.factors {
            factor = factor.max(self.greatest_factor());
        }
        let tiers = if reach.tiers { &Tier::ALL[..] } else { &[Tier::Standard] };
        let mut worst = Money::ZERO;
        for tier in tiers {
            // Off-peak hours are cheaper and may end before the answer does: they are not counted on.
            let tariff = Tariff::of(self, *tier, input_tokens, None);
            let mut cost = Cost {
                input: charge(input_tokens, tariff.dearest(INPUT_KINDS)),
                output: charge(max_output_tokens, tariff.dearest(OUTPUT_KINDS)),
                ..Cost::default()
            };
            if !tariff.has_token_rates() {
                tariff.charge_time(context.duration, &mut cost);
            }
            tariff.charge_request(&mut cost);
            cost.scale(factor);
            for metered in context.metered {
                tariff.charge_metered(metered, &mut cost);
            }
            worst = worst.max(cost.settled(context.adjustment).total);
        }
        worst
    }

    /// The product of every factor on token costs that the context triggers; what was served beats what is
    /// known of the call.
    fn factor(&self, context: &CostContext<'_>, usage: &Usage) -> Ratio {
        if self.times.is_empty() {
            return Ratio::ONE;
        }
        let host = match context.host {
            Host::Global => None,
            Host::Eu => Some("eu_host"),
            Host::Us => Some("us_host"),
            Host::Regional => Some("regional"),
        };
        let speed = usage.speed.as_deref().or(context.speed);
        let triggers = [host, speed, usage.inference_geo.as_deref().or(context.residency)];
        let factor = |trigger: &str| self.times.iter().find(|(name, _)| name.eq_ignore_ascii_case(trigger));
        product(triggers.into_iter().flatten().filter_map(factor).map(|(_, factor)| *factor))
    }

    /// The product of all factors that make a call dearer.
    fn greatest_factor(&self) -> Ratio {
        product(self.times.iter().map(|(_, factor)| *factor).filter(|factor| *factor > Ratio::ONE))
    }
}

fn product(factors: impl Iterator<Item = Ratio>) -> Ratio {
    factors.fold(Ratio::ONE, |product, factor| {
        Ratio(u64::try_from(FemtoUsd(i128::from(product.0)).times(factor).0).unwrap_or(u64::MAX))
    })
}

impl Add for Cost {
    type Output = Self;

    /// What two deployments cost that worked for one call: each was rounded on its own.
    fn add(self, other: Self) -> Self {
        Self {
            total: self.total + other.total,
            exact: self.exact + other.exact,
            original: self.original + other.original,
            discount: self.discount + other.discount,
            margin: self.margin + other.margin,
            input: self.input + other.input,
            output: self.output + other.output,
            cache_read: self.cache_read + other.cache_read,
            cache_creation: self.cache_creation + other.cache_creation,
            reasoning: self.reasoning + other.reasoning,
            tools: self.tools + other.tools,
            stated: self.stated + other.stated,
        }
    }
}

impl Cost {
    fn scale(&mut self, factor: Ratio) {
        if factor == Ratio::ONE {
            return;
        }
        for part in [
            &mut self.input,
            &mut self.output,
            &mut self.cache_read,
            &mut self.cache_creation,
            &mut self.reasoning,
        ] {
            *part = part.times(factor);
        }
    }

    fn settled(mut self, adjustment: Adjustment) -> Self {
        self.original = self.input
            + self.output
            + self.cache_read
            + self.cache_creation
            + self.reasoning
            + self.tools
            + self.stated;
        self.discount = self.original.times(adjustment.discount);
        let discounted = self.original - self.discount;
        self.margin = discounted.times(adjustment.margin) + adjustment.margin_fixed;
        self.exact = discounted + self.margin;
        self.total = self.exact.round();
        self
    }
}
