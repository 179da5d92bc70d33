//! What is believed of a group's quality: a Beta distribution, and draws of it.

use fastrand::Rng;

/// The weight of what is believed before anything was seen.
const COLD_START: f64 = 10.0;
/// No belief grows beyond this many observations: what comes later is dropped.
const MOST: f64 = 200.0;
/// The highest quality believed at the start.
const HIGHEST_START: f64 = 0.95;
/// What being declared strong at a kind of request adds.
const STRENGTH: f64 = 0.3;

/// The believed quality of one group at one kind of request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Belief {
    /// Successes, the assumed ones included.
    pub good: f64,
    /// Failures, the assumed ones included.
    pub bad: f64,
}

impl Belief {
    /// What is believed of a group of this quality tier (1 to 3) before anything was seen.
    #[must_use]
    pub fn at_start(tier: u32, strong: bool) -> Self {
        let base = match tier {
            0 | 1 => 0.3,
            2 => 0.5,
            _ => 0.7,
        };
        let mean = f64::min(HIGHEST_START, base + if strong { STRENGTH } else { 0.0 });
        Self { good: mean * COLD_START, bad: (1.0 - mean) * COLD_START }
    }

    /// The quality to be expected, from 0 to 1.
    #[must_use]
    pub fn mean(self) -> f64 {
        self.good / (self.good + self.bad)
    }

    /// The belief after more was seen.
    #[must_use]
    pub fn after(self, good: f64, bad: f64) -> Self {
        let next = Self { good: self.good + good, bad: self.bad + bad };
        if next.good + next.bad > MOST { self } else { next }
    }

    /// A draw of the quality, from 0 to 1.
    #[must_use]
    pub fn draw(self, rng: &mut Rng) -> f64 {
        let (good, bad) = (gamma(self.good, rng), gamma(self.bad, rng));
        if good + bad > 0.0 { good / (good + bad) } else { 0.5 }
    }
}

/// A draw of the gamma distribution (Marsaglia and Tsang, "A simple method for generating gamma variables").
fn gamma(shape: f64, rng: &mut Rng) -> f64 {
    if shape < 1.0 {
        let lift = rng.f64().max(f64::MIN_POSITIVE).powf(1.0 / shape.max(1e-6));
        return gamma(shape + 1.0, rng) * lift;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(rng);
        let v = (1.0 + c * x).powi(3);
        let u = rng.f64().max(f64::MIN_POSITIVE);
        if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// A draw of the normal distribution (Box and Muller).
fn normal(rng: &mut Rng) -> f64 {
    let (u, v) = (rng.f64().max(f64::MIN_POSITIVE), rng.f64());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// What is cheap counts for: 1 the cheapest, 0 the dearest, one half where all cost the same.
#[must_use]
pub fn cheapness(price: f64, all: &[f64]) -> f64 {
    let (low, high) = all
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), one| (low.min(*one), high.max(*one)));
    if high > low { 1.0 - (price - low) / (high - low) } else { 0.5 }
}
