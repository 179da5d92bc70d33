//! Why a call was not let in, in LiteLLM's words and statuses (surface §4.7–§4.9).

use std::time::Duration;

use http::StatusCode;
use llm_types::{Error, ErrorKind, Money, Origin, Retry};

use super::account::WINDOW_MS;
use crate::clock::wall_of;

/// A limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// Nothing of the budget is left for this call.
    Budget {
        /// What is spent.
        spent: Money,
        /// What calls in flight have set aside.
        reserved: Money,
        /// The budget.
        max: Money,
    },
    /// The slice of the budget that this replica has is too small: it must ask for more.
    Lease {
        /// How much more.
        wanted: Money,
        /// The budget.
        max: Money,
    },
    /// The share of common rates that this replica has is used up: it must ask for more.
    Quota,
    /// Too many requests in the window.
    Requests {
        /// The limit.
        limit: u64,
        /// When the window ends, in steady milliseconds.
        resets_at_ms: i64,
    },
    /// Too many tokens in the window.
    Tokens {
        /// The limit.
        limit: u64,
        /// When the window ends, in steady milliseconds.
        resets_at_ms: i64,
    },
    /// Too many calls at once.
    Parallel {
        /// The limit.
        limit: u32,
    },
}

/// Whose limit it is, in LiteLLM's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limited {
    /// As budgets name it: `Team=t1`. A key is named without its secret.
    pub(crate) payer: String,
    /// As rates name its kind: `team`.
    pub(crate) scope: &'static str,
    /// As rates name it: `t1`; a key by its digest in hex.
    pub(crate) value: String,
    /// What is said where a budget is spent, where that is not the usual sentence.
    pub(crate) exceeded: Option<String>,
    /// What is said where a rate is used up, where that is not the usual sentence; `{}` stands for what of it.
    pub(crate) used_up: Option<String>,
}

impl Limited {
    fn spent(&self, spent: Money, max: Money) -> String {
        if let Some(sentence) = &self.exceeded {
            return sentence.clone();
        }
        let gap = if self.payer.is_empty() { "" } else { " " };
        let (payer, spent, max) = (&self.payer, spent.as_usd(), max.as_usd());
        format!("Budget has been exceeded! {payer}{gap}Current cost: {spent}, Max budget: {max}")
    }
}

impl Denial {
    /// The error a caller sees.
    pub(crate) fn into_error(self, who: &Limited, now_ms: i64) -> Error {
        match self {
            Self::Budget { spent, reserved, max } => {
                Error::new(ErrorKind::BudgetExceeded, who.spent(spent + reserved, max))
                    .with_vendor_type("budget_exceeded")
                    .with_status(StatusCode::UNPROCESSABLE_ENTITY)
            }
            // It is asked for more before a call is refused; a call that is still here was unlucky.
            Self::Quota => {
                Error::new(ErrorKind::Overloaded, "too many calls share what is left of a limit: try again")
                    .with_origin(Origin::Gateway)
            }
            // Where more could be had it was asked for; a call that is still here finds nothing.
            Self::Lease { max, .. } => {
                Self::Budget { spent: max, reserved: Money::ZERO, max }.into_error(who, now_ms)
            }
            Self::Requests { limit, resets_at_ms } => limited(who, "requests", limit, (resets_at_ms, now_ms)),
            Self::Tokens { limit, resets_at_ms } => limited(who, "tokens", limit, (resets_at_ms, now_ms)),
            Self::Parallel { limit } => {
                limited(who, "max_parallel_requests", u64::from(limit), (now_ms + WINDOW_MS, now_ms))
            }
        }
    }
}

/// A limit of time: its code is the word of the `rate_limit_type` header, its retry the wait.
fn limited(who: &Limited, what: &str, limit: u64, (resets_at_ms, now_ms): (i64, i64)) -> Error {
    let resets =
        jiff::Timestamp::from_millisecond(wall_of(resets_at_ms)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let usual = || {
        let at = resets.strftime("%Y-%m-%d %H:%M:%S UTC");
        let (scope, value) = (who.scope, &who.value);
        format!(
            "Rate limit exceeded for {scope}: {value}. Limit type: {what}. Current limit: {limit}, Remaining: 0. Limit \
             resets at: {at}"
        )
    };
    let words = who.used_up.as_ref().map_or_else(usual, |sentence| sentence.replacen("{}", what, 1));
    Error::new(ErrorKind::RateLimited, words)
        .with_origin(Origin::Gateway)
        .with_retry(Retry::After(Duration::from_millis(u64::try_from(resets_at_ms - now_ms).unwrap_or(0))))
        .with_code(what)
        .with_vendor_type("throttling_error")
}
