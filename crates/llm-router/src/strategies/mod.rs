//! How one deployment is picked among those that may serve: one function each, listed in [`ALL`].

mod cost;
mod custom;
pub(crate) mod ewma;
mod lar1;
mod latency;
mod least_busy;
mod shuffle;
pub(crate) mod usage;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use fastrand::Rng;

use crate::{Ask, Candidate, Group, Moment, RouterSettings};

/// The deployments that may serve a call now, after all filters.
#[derive(Debug, Clone, Copy)]
pub struct Pool<'a> {
    /// Their group.
    pub group: &'a Group,
    /// Their places in `group.candidates`, ascending; never empty.
    pub open: &'a [u32],
    /// The settings in force.
    pub settings: &'a RouterSettings,
    /// The options of the strategy in force.
    pub args: &'a StrategyArgs,
    /// What is known of the request.
    pub ask: Ask<'a>,
    /// The moment it is.
    pub now: Moment,
}

/// Options of strategies (`routing_strategy_args`). LiteLLM surface §7.2.
#[derive(Debug, Clone, PartialEq)]
pub struct StrategyArgs {
    /// How long a latency counts (`ttl`); default an hour.
    pub ttl: Duration,
    /// How much slower than the quickest a deployment may be, as a share (`lowest_latency_buffer`).
    pub latency_buffer: f64,
    /// Latencies kept of a deployment (`max_latency_list_size`); default 10.
    pub latencies: usize,
    /// Which percentile of the times to the first byte counts, from 0 to 100, instead of their mean
    /// (`ttft_percentile`).
    pub first_byte_percentile: Option<f64>,
    /// `confidence_threshold_low`, `_medium` and `_high` of `lar1`.
    pub confidence: [f64; 3],
}

impl Default for StrategyArgs {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(3600),
            latency_buffer: 0.0,
            latencies: 10,
            first_byte_percentile: None,
            confidence: [0.3, 0.5, 0.7],
        }
    }
}

impl<'a> Pool<'a> {
    /// The deployments with their places.
    pub fn iter(self) -> impl Iterator<Item = (u32, &'a Candidate)> {
        self.open.iter().filter_map(move |&at| Some((at, self.group.candidates.get(at as usize)?)))
    }
}

/// Picks one of a pool by its place in the group; `None` when all are at their limits of this minute.
pub type Pick = fn(Pool<'_>, &mut Rng) -> Option<u32>;

/// A way to pick (`routing_strategy`).
#[derive(Clone, Copy)]
pub struct Strategy {
    /// The name in the configuration.
    pub name: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    /// The function.
    pub pick: Pick,
    /// It reads lists of latencies, which are kept only then.
    pub lists: bool,
    /// It leaves deployments out that are at their limits.
    pub limits: bool,
}

/// The strategy that asks somebody else.
pub const CUSTOM: &str = "custom";

/// Every strategy there is.
pub const ALL: &[Strategy] = &[
    Strategy {
        name: "simple-shuffle",
        about: "picks at random, by weight, requests per minute or tokens per minute where they are set",
        pick: shuffle::pick,
        lists: false,
        limits: false,
    },
    Strategy {
        name: "least-busy",
        about: "picks the deployment with the fewest calls on their way",
        pick: least_busy::pick,
        lists: false,
        limits: false,
    },
    Strategy {
        name: "usage-based-routing",
        about: "picks the deployment with the fewest tokens this minute, within `tpm` and `rpm`",
        pick: usage::first_version,
        lists: false,
        limits: true,
    },
    Strategy {
        name: "usage-based-routing-v2",
        about: "the same, counting calls on their way, at random among equals",
        pick: usage::second_version,
        lists: false,
        limits: true,
    },
    Strategy {
        name: "latency-based-routing",
        about: "picks one of the quickest by the mean of their last latencies, within `tpm` and `rpm`",
        pick: latency::pick,
        lists: true,
        limits: true,
    },
    Strategy {
        name: "cost-based-routing",
        about: "picks the cheapest deployment, within `tpm` and `rpm`",
        pick: cost::pick,
        lists: false,
        limits: true,
    },
    Strategy {
        name: "lar1",
        about: "picks a kind of model by the confidence that `metadata.lar1` states",
        pick: lar1::pick,
        lists: false,
        limits: false,
    },
    Strategy {
        name: CUSTOM,
        about: "picks as a program of the operator's says (`routing_webhook`), else as `simple-shuffle`",
        pick: custom::pick,
        lists: false,
        limits: false,
    },
    Strategy {
        name: "latency",
        about: "picks the better of two by latency, load and failures, which follow trouble within a few calls",
        pick: ewma::pick,
        lists: false,
        limits: false,
    },
];

impl Default for Strategy {
    fn default() -> Self {
        ALL[0]
    }
}

impl PartialEq for Strategy {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Strategy {}

impl fmt::Debug for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        ALL.iter().find(|strategy| strategy.name == name).copied().ok_or(UnknownStrategy)
    }
}

/// No strategy of that name; [`ALL`] has those there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownStrategy;

impl fmt::Display for UnknownStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown routing strategy, expected one of:")?;
        ALL.iter().try_for_each(|strategy| write!(f, " `{}`", strategy.name))
    }
}

impl std::error::Error for UnknownStrategy {}

#[cfg(test)]
mod tests;
