//! Money as an integer number of nano-dollars (10⁻⁹ USD): sums are exact.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// An amount of USD in nano-dollars. Addition saturates instead of wrapping.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount there is: about 9.2 billion USD.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount in USD, rounded to the nearest nano-dollar; NaN is zero, out of range saturates.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "float to integer casts saturate")]
    pub fn from_usd(usd: f64) -> Self {
        Self((usd * 1e9).round() as i64)
    }

    /// An amount in USD that can be counted exactly; `None` for what is no number or beyond [`Money::MAX`].
    #[must_use]
    pub fn of_usd(usd: f64) -> Option<Self> {
        // At this size neighbouring floats are two thousand nano-dollars apart: the last of them is out.
        let most = Self::MAX.as_usd();
        (usd > -most && usd < most).then(|| Self::from_usd(usd))
    }

    /// The amount in USD, for people and JSON; never for sums.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "presentation only")]
    pub fn as_usd(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The difference, but never below zero.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(0))
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let whole = self.0.unsigned_abs() / 1_000_000_000;
        let part = self.0.unsigned_abs() % 1_000_000_000;
        write!(f, "{sign}${whole}.{part:09}")
    }
}

#[cfg(test)]
mod tests;
