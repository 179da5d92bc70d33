//! Exact amounts finer than money, and exact factors.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Serialize, Serializer};

use crate::Money;

/// An amount of USD in femto-dollars (10⁻¹⁵ USD): what costs are summed in before they are rounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FemtoUsd(pub i128);

impl FemtoUsd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount in USD; NaN is zero.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "float to integer casts saturate")]
    pub fn from_usd(usd: f64) -> Self {
        Self((usd * 1e15).round() as i128)
    }

    /// The amount in USD, for people, headers and JSON; never for sums.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "presentation only")]
    pub fn as_usd(self) -> f64 {
        self.0 as f64 / 1e15
    }

    /// Rounded to the nearest nano-dollar, halves away from zero; out of range saturates.
    #[must_use]
    pub fn round(self) -> Money {
        const NANO: i128 = 1_000_000;
        // Amounts below 9 000 USD, which is to say all of them, need no division of 128 bits.
        if let Ok(femto) = i64::try_from(self.0) {
            const NANO: i64 = 1_000_000;
            let up = i64::from((femto % NANO).abs() >= NANO / 2) * femto.signum();
            return Money(femto / NANO + up);
        }
        let nanos = self.0.saturating_add(self.0.signum() * (NANO / 2)) / NANO;
        Money(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }

    /// The amount times a factor, to the nearest femto-dollar.
    #[must_use]
    pub fn times(self, factor: Ratio) -> Self {
        if factor == Ratio::ZERO || factor == Ratio::ONE {
            return if factor == Ratio::ZERO { Self::ZERO } else { self };
        }
        let product = self.0.saturating_mul(i128::from(factor.0));
        let one = i128::from(Ratio::ONE.0);
        Self(product.saturating_add(product.signum() * (one / 2)) / one)
    }
}

impl Add for FemtoUsd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for FemtoUsd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for FemtoUsd {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for FemtoUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl From<Money> for FemtoUsd {
    fn from(money: Money) -> Self {
        Self(i128::from(money.0) * 1_000_000)
    }
}

impl Serialize for FemtoUsd {
    /// As a number of USD.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_usd())
    }
}

/// A factor in billionths: 1.1 is 1 100 000 000. Never negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio(pub u64);

impl Ratio {
    /// Nothing of it.
    pub const ZERO: Self = Self(0);
    /// All of it.
    pub const ONE: Self = Self(1_000_000_000);

    /// A factor from a fraction such as `0.5`; NaN and negative ones are zero.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "float to integer casts saturate"
    )]
    pub fn from_fraction(fraction: f64) -> Self {
        Self((fraction * 1e9).round() as u64)
    }

    /// The factor as a fraction.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "presentation only")]
    pub fn as_fraction(self) -> f64 {
        self.0 as f64 / 1e9
    }
}
