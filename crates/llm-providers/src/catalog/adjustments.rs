//! What an operator takes off and adds, vendor by vendor: `cost_discount_config` and
//! `cost_margin_config`. LiteLLM surface §9.1.

use std::collections::HashMap;

use llm_types::{Adjustment, Error, FemtoUsd, Ratio, Result};
use serde_json::{Map, Value};

/// The name under which a margin holds for every vendor without one of its own.
const GLOBAL: &str = "global";

/// Discounts and margins by vendor. Look a vendor's up when a deployment is configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adjustments {
    discounts: HashMap<Box<str>, Ratio>,
    margins: HashMap<Box<str>, (Ratio, FemtoUsd)>,
}

impl Adjustments {
    /// From LiteLLM's settings: discounts `{vendor: fraction}`; margins `{vendor or "global": fraction}`,
    /// or `{"percentage": fraction, "fixed_amount": USD per call}` instead of the fraction.
    ///
    /// # Errors
    /// Names the first setting that is none: a discount is between 0 and 1, a margin is not negative.
    pub fn from_litellm(discounts: &Map<String, Value>, margins: &Map<String, Value>) -> Result<Self> {
        let mut adjustments = Self::default();
        for (vendor, value) in discounts {
            let fraction = fraction(value).filter(|fraction| *fraction <= 1.0);
            let fraction = fraction.ok_or_else(|| {
                bad("cost_discount_config", vendor, value, "a fraction from 0 to 1, such as `0.05` for 5 %")
            })?;
            adjustments.discounts.insert(vendor.as_str().into(), Ratio::from_fraction(fraction));
        }
        for (vendor, value) in margins {
            let margin = margin(value).ok_or_else(|| {
                let expected = "a fraction such as `0.1` for 10 %, or `percentage` and `fixed_amount`";
                bad("cost_margin_config", vendor, value, expected)
            })?;
            adjustments.margins.insert(vendor.as_str().into(), margin);
        }
        Ok(adjustments)
    }

    /// What holds for a vendor.
    #[must_use]
    pub fn of(&self, provider: &str) -> Adjustment {
        let (margin, margin_fixed) =
            self.margins.get(provider).or_else(|| self.margins.get(GLOBAL)).copied().unwrap_or_default();
        Adjustment {
            discount: self.discounts.get(provider).copied().unwrap_or_default(),
            margin,
            margin_fixed,
        }
    }
}

fn fraction(value: &Value) -> Option<f64> {
    value.as_f64().filter(|fraction| (0.0..=1e6).contains(fraction))
}

fn margin(value: &Value) -> Option<(Ratio, FemtoUsd)> {
    let Value::Object(parts) = value else {
        return Some((Ratio::from_fraction(fraction(value)?), FemtoUsd::ZERO));
    };
    if parts.is_empty() || parts.keys().any(|key| key != "percentage" && key != "fixed_amount") {
        return None;
    }
    let part = |key: &str| parts.get(key).map_or(Some(0.0), fraction);
    Some((Ratio::from_fraction(part("percentage")?), FemtoUsd::from_usd(part("fixed_amount")?)))
}

fn bad(setting: &str, vendor: &str, value: &Value, expected: &str) -> Error {
    Error::bad_param(setting, format!("`{setting}.{vendor}` is `{value}`, expected {expected}"))
}

#[cfg(test)]
mod tests;
