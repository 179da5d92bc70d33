//! How one deployment is picked among those that may serve: one function each, listed in [`ALL`].

mod least_busy;
mod shuffle;

use std::fmt;
use std::str::FromStr;

use fastrand::Rng;

use crate::{Candidate, Group, RouterSettings};

/// The deployments that may serve a call now, after all filters.
#[derive(Debug, Clone, Copy)]
pub struct Pool<'a> {
    /// Their group.
    pub group: &'a Group,
    /// Their places in `group.candidates`, ascending; never empty.
    pub open: &'a [u32],
    /// The settings in force.
    pub settings: &'a RouterSettings,
}

impl<'a> Pool<'a> {
    /// The deployments with their places.
    pub fn iter(self) -> impl Iterator<Item = (u32, &'a Candidate)> {
        self.open.iter().filter_map(move |&at| Some((at, self.group.candidates.get(at as usize)?)))
    }
}

/// Picks one of a pool by its place in the group.
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
}

/// Every strategy there is.
pub const ALL: &[Strategy] = &[
    Strategy {
        name: "simple-shuffle",
        about: "picks at random, by weight, requests per minute or tokens per minute where they are set",
        pick: shuffle::pick,
    },
    Strategy {
        name: "least-busy",
        about: "picks the deployment with the fewest calls on their way",
        pick: least_busy::pick,
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
