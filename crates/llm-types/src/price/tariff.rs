//! The rates that hold for one call, and what its units cost by them.

use std::time::Duration;

use super::{Cost, FemtoUsd, Meter, Metered, OffPeak, Price, Rate, SearchContext, Tier, When};
use crate::Usage;

pub(super) const INPUT_KINDS: &[Meter] = &[
    Meter::Input,
    Meter::CacheRead,
    Meter::CacheWrite,
    Meter::CacheWrite1h,
    Meter::CacheReadAudio,
    Meter::CacheReadImage,
    Meter::CacheWriteAudio,
    Meter::AudioTokenIn,
    Meter::ImageTokenIn,
    Meter::VideoTokenIn,
];

pub(super) const OUTPUT_KINDS: &[Meter] =
    &[Meter::Output, Meter::Reasoning, Meter::AudioTokenOut, Meter::ImageTokenOut, Meter::VideoTokenOut];

/// So many units at a rate.
pub(super) fn charge(units: u64, femto: u64) -> FemtoUsd {
    FemtoUsd(i128::from(units).saturating_mul(i128::from(femto)))
}

/// The rates that hold for one call.
pub(super) struct Tariff<'a> {
    rates: &'a [Rate],
    tier: Tier,
    prompt: u64,
    /// Those of units that have no size.
    plain: Best,
}

/// The rate that fits best, for each kind of unit. Two are made with every call, each in one pass.
struct Best {
    /// Which kinds have a rate: a bit each.
    held: u64,
    femto: [u64; Meter::ALL.len()],
}

const _: () = assert!(Meter::ALL.len() <= u64::BITS as usize, "a bit for each kind of unit");

/// How well a rate fits: the highest crossed threshold, then the served tier.
type Rank = (u64, bool);

impl Best {
    fn of(rates: &[Rate], tier: Tier, prompt: u64) -> Self {
        let mut best = Self { held: 0, femto: [0; Meter::ALL.len()] };
        let mut ranks: [Rank; Meter::ALL.len()] = [(0, false); Meter::ALL.len()];
        for rate in rates {
            let Some(rank) = rank(rate, tier, prompt, None) else { continue };
            let (at, bit) = (rate.meter as usize, 1 << rate.meter as u32);
            if best.held & bit == 0 || rank > ranks[at] {
                best.held |= bit;
                (ranks[at], best.femto[at]) = (rank, paid(rate, tier));
            }
        }
        best
    }

    fn get(&self, meter: Meter) -> Option<u64> {
        (self.held & 1 << meter as u32 != 0).then(|| self.femto[meter as usize])
    }

    /// Lays rates over these.
    fn under(mut self, over: &Self) -> Self {
        for meter in Meter::ALL {
            if let Some(femto) = over.get(*meter) {
                self.held |= 1 << *meter as u32;
                self.femto[*meter as usize] = femto;
            }
        }
        self
    }
}

/// How well a rate fits a call; `None` when it does not.
fn rank(rate: &Rate, tier: Tier, prompt: u64, size: Option<&str>) -> Option<Rank> {
    if rate.tier != Tier::Standard && rate.tier != tier {
        return None;
    }
    Some((weight(&rate.when, prompt, size)?, rate.tier == tier))
}

/// How strongly a condition speaks for its rate; `None` when it does not hold.
fn weight(when: &When, prompt: u64, size: Option<&str>) -> Option<u64> {
    match when {
        When::Always => Some(0),
        When::Above(tokens) => (prompt > *tokens).then_some(*tokens),
        When::AtLeast(tokens) => (prompt >= *tokens).then_some(*tokens),
        When::LongerThan(seconds) => {
            let clip = size.and_then(|size| size.strip_suffix('s')?.parse::<u64>().ok());
            clip.filter(|clip| clip > seconds).map(|_| *seconds)
        }
        When::Size(named) => size.filter(|size| named.eq_ignore_ascii_case(size)).map(|_| u64::MAX),
    }
}

/// What a unit costs at a rate: in batches half, where the rate is not that of batches.
fn paid(rate: &Rate, tier: Tier) -> u64 {
    match tier {
        Tier::Batch if rate.tier != Tier::Batch && rate.meter.priced_per() > 1 => rate.femto / 2,
        _ => rate.femto,
    }
}

impl<'a> Tariff<'a> {
    pub(super) fn of(price: &'a Price, tier: Tier, prompt: u64, at: Option<i64>) -> Self {
        let bands = &price.by_prompt;
        let band = bands.iter().find(|band| prompt <= band.up_to && (prompt > band.above || band.above == 0));
        let off_peak = price.off_peak.as_deref().filter(|off_peak| at.is_some_and(|at| off_peak.holds(at)));
        let best = |rates: &[Rate]| Best::of(rates, tier, prompt);
        let plain = match (band.or(bands.last()), off_peak) {
            (Some(band), _) => best(&band.rates),
            (None, Some(off_peak)) => best(&price.rates).under(&best(&off_peak.rates)),
            (None, None) => best(&price.rates),
        };
        Self { rates: &price.rates, tier, prompt, plain }
    }

    pub(super) fn has_token_rates(&self) -> bool {
        self.token(Meter::Input).is_some() || self.token(Meter::Output).is_some()
    }

    /// The rate of a kind of unit, without fallbacks to other kinds.
    fn token(&self, meter: Meter) -> Option<u64> {
        self.plain.get(meter)
    }

    /// The first of these kinds that has a rate.
    fn first(&self, kinds: &[Meter]) -> u64 {
        kinds.iter().find_map(|kind| self.token(*kind)).unwrap_or(0)
    }

    /// So many tokens at the rate of the first of these kinds that has one.
    fn pay(&self, tokens: u64, kinds: &[Meter]) -> FemtoUsd {
        if tokens == 0 { FemtoUsd::ZERO } else { charge(tokens, self.first(kinds)) }
    }

    /// The highest rate of these kinds.
    pub(super) fn dearest(&self, kinds: &[Meter]) -> u64 {
        kinds.iter().filter_map(|kind| self.token(*kind)).max().unwrap_or(0)
    }

    /// The rate of a kind of unit of some size that fits best.
    fn best(&self, meter: Meter, size: Option<&str>) -> Option<u64> {
        let mut best: Option<(Rank, &Rate)> = None;
        for rate in self.rates.iter().filter(|rate| rate.meter == meter) {
            let Some(rank) = rank(rate, self.tier, self.prompt, size) else { continue };
            if best.as_ref().is_none_or(|(held, _)| rank > *held) {
                best = Some((rank, rate));
            }
        }
        best.map(|(_, rate)| paid(rate, self.tier))
    }

    pub(super) fn charge_input(&self, usage: &Usage, cost: &mut Cost) {
        let mut left = usage.input_tokens;
        let mut take = |wanted: Option<u64>| {
            let taken = wanted.unwrap_or(0).min(left);
            left -= taken;
            taken
        };
        let read = take(usage.cache_read_tokens);
        let parts =
            usage.cache_write_5m_tokens.unwrap_or(0).saturating_add(usage.cache_write_1h_tokens.unwrap_or(0));
        let written = take(Some(usage.cache_write_tokens.unwrap_or(0).max(parts)));
        let read_audio = usage.cache_read_audio_tokens.unwrap_or(0).min(read);
        let audio = take(usage.input_audio_tokens.map(|audio| audio.saturating_sub(read_audio)));
        let image = take(usage.input_image_tokens);
        let video = take(usage.input_video_tokens);
        let hour = usage.cache_write_1h_tokens.unwrap_or(0).min(written);

        cost.cache_read = self.pay(read - read_audio, &[Meter::CacheRead, Meter::Input])
            + self.pay(read_audio, &[Meter::CacheReadAudio, Meter::CacheRead, Meter::Input]);
        cost.cache_creation = self.pay(written - hour, &[Meter::CacheWrite, Meter::Input])
            + self.pay(hour, &[Meter::CacheWrite1h, Meter::CacheWrite, Meter::Input]);
        cost.input = self.pay(left, &[Meter::Input])
            + self.pay(audio, &[Meter::AudioTokenIn, Meter::Input])
            + self.pay(image, &[Meter::ImageTokenIn, Meter::Input])
            + self.pay(video, &[Meter::VideoTokenIn, Meter::Input]);
    }

    pub(super) fn charge_output(&self, usage: &Usage, cost: &mut Cost) {
        let mut left = usage.output_tokens;
        let mut take = |wanted: Option<u64>| {
            let taken = wanted.unwrap_or(0).min(left);
            left -= taken;
            taken
        };
        let reasoning = take(usage.reasoning_tokens);
        let audio = take(usage.output_audio_tokens);
        let image = take(usage.output_image_tokens);

        cost.reasoning = self.pay(reasoning, &[Meter::Reasoning, Meter::Output]);
        cost.output = self.pay(left, &[Meter::Output])
            + self.pay(audio, &[Meter::AudioTokenOut, Meter::Output])
            + self.pay(image, &[Meter::ImageTokenOut, Meter::Output]);
    }

    /// Models that are priced by how long a call takes. A rate named `second` is the same fact as
    /// `second_in` where both are given.
    pub(super) fn charge_time(&self, duration: Duration, cost: &mut Cost) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let by_time = |femto: u64| FemtoUsd(charge(micros, femto).0 / 1_000_000);
        cost.input += by_time(self.first(&[Meter::SecondIn, Meter::Second]));
        cost.output += by_time(self.first(&[Meter::SecondOut]));
    }

    pub(super) fn charge_request(&self, cost: &mut Cost) {
        cost.input += charge(1, self.first(&[Meter::Request]));
    }

    pub(super) fn charge_searches(&self, searches: u64, context: SearchContext, cost: &mut Cost) {
        if searches == 0 {
            return;
        }
        let size = match context {
            SearchContext::Low => "low",
            SearchContext::Medium => "medium",
            SearchContext::High => "high",
        };
        let each = self.best(Meter::WebSearch, Some(size)).unwrap_or(0);
        let once = self.best(Meter::WebSearchPrompt, Some(size)).unwrap_or(0);
        cost.tools += charge(searches, each) + charge(1, once);
    }

    pub(super) fn charge_metered(&self, metered: &Metered<'_>, cost: &mut Cost) {
        let Some(femto) = self.best(metered.meter, metered.size) else { return };
        let amount = FemtoUsd(charge(metered.thousandths, femto).0 / 1_000);
        match metered.meter {
            // Databricks units are a fact about the provider's bill, not an amount of USD.
            Meter::DbuIn | Meter::DbuOut => {}
            Meter::Output
            | Meter::AudioTokenOut
            | Meter::ImageTokenOut
            | Meter::VideoTokenOut
            | Meter::CharacterOut
            | Meter::PixelOut
            | Meter::ImageOut
            | Meter::SecondOut
            | Meter::AudioSecondOut
            | Meter::VideoSecondOut => cost.output += amount,
            Meter::Reasoning => cost.reasoning += amount,
            Meter::WebSearch
            | Meter::WebSearchPrompt
            | Meter::CodeSession
            | Meter::MapsQuery
            | Meter::FileSearch
            | Meter::Citation => cost.tools += amount,
            _ => cost.input += amount,
        }
    }
}

impl OffPeak {
    /// Whether a moment, in Unix seconds, is in one of the windows.
    fn holds(&self, at: i64) -> bool {
        const DAY: i64 = 86_400;
        let minute = at.rem_euclid(DAY) / 60;
        let days = (at + i64::from(self.weekday_offset) * 60).div_euclid(DAY);
        // The Unix epoch was a Thursday, ISO weekday 4.
        let weekday = (days + 3).rem_euclid(7) + 1;
        self.windows.iter().any(|window| {
            let on_day = window.days.is_empty() || window.days.iter().any(|day| i64::from(*day) == weekday);
            on_day
                && window.minutes.iter().any(|&(from, to)| {
                    let (from, to) = (i64::from(from), i64::from(to));
                    if from < to { (from..to).contains(&minute) } else { minute >= from || minute < to }
                })
        })
    }
}
