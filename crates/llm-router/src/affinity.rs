//! Where callers have been before: sessions, keys and prompts stay with the deployment that knows them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use dashmap::DashMap;
use foldhash::fast::FixedState;
use llm_types::DeploymentId;
use smallvec::SmallVec;

use crate::{Deployment, Group, Moment};

/// Pins kept at most; with more, the next ones are not kept until old ones expire.
const MOST: usize = 200_000;
/// How often expired pins are looked for while there are too many.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// Deployments that one prompt may be warm at.
const MOST_HOMES: usize = 3;

/// Something by which a call is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bond {
    /// A hash of who and what it is.
    pub key: u128,
    /// How long it holds after each use.
    pub ttl: Duration,
    /// It may be known at several deployments: a prompt can be warm at more than one.
    pub spreads: bool,
    /// Of a prompt's beginning: its length in tokens. Who caches longer ones only does not know it.
    pub tokens: Option<u64>,
}

impl Bond {
    /// Whether a deployment that has served the call knows it again by this.
    fn lasts_at(&self, deployment: &Deployment) -> bool {
        self.tokens.zip(deployment.cached_from).is_none_or(|(tokens, least)| tokens >= least)
    }
}

/// Where bonds lead; kept across reloads.
#[derive(Debug, Default)]
pub(crate) struct Affinity {
    pins: DashMap<u128, Homes, FixedState>,
    swept: AtomicU64,
}

/// The deployments a bond leads to, the latest first, and until when.
type Homes = SmallVec<[(DeploymentId, Moment); 1]>;

impl Affinity {
    /// The places in a group where the strongest bond that is known leads, then the next one's.
    pub(crate) fn wanted(&self, bonds: &[Bond], group: &Group, now: Moment) -> SmallVec<[u32; 4]> {
        let mut places = SmallVec::new();
        for bond in bonds {
            let Some(homes) = self.pins.get(&bond.key) else { continue };
            for (id, _) in homes.iter().filter(|(_, until)| *until > now) {
                let at = group.candidates.iter().position(|one| one.deployment.id == *id);
                if let Some(at) = at.and_then(|at| u32::try_from(at).ok())
                    && !places.contains(&at)
                {
                    places.push(at);
                }
            }
        }
        places
    }

    /// How long a bond still leads to a deployment, if it does.
    pub(crate) fn lasts(&self, bond: &Bond, id: &str, now: Moment) -> Option<Duration> {
        let homes = self.pins.get(&bond.key)?;
        let (_, until) = homes.iter().find(|(home, until)| home.as_str() == id && *until > now)?;
        Some(until.since(now))
    }

    /// A call was served: all its bonds that last there lead there now.
    pub(crate) fn bind(&self, bonds: &[Bond], deployment: &Deployment, now: Moment) {
        if bonds.is_empty() || !self.has_room(now) {
            return;
        }
        let id = &deployment.id;
        for bond in bonds.iter().filter(|bond| bond.lasts_at(deployment)) {
            let mut homes = self.pins.entry(bond.key).or_default();
            homes.retain(|(home, until)| *until > now && home != id && bond.spreads);
            homes.truncate(MOST_HOMES - 1);
            homes.insert(0, (id.clone(), now + bond.ttl));
        }
    }

    /// A deployment failed: no bond of the call leads there any more.
    pub(crate) fn release(&self, bonds: &[Bond], id: &DeploymentId) {
        for bond in bonds {
            if let Some(mut homes) = self.pins.get_mut(&bond.key) {
                homes.retain(|(home, _)| home != id);
            }
        }
    }

    fn has_room(&self, now: Moment) -> bool {
        if self.pins.len() < MOST {
            return true;
        }
        let swept = Moment(self.swept.load(Relaxed));
        if now.since(swept) >= SWEEP_EVERY && self.swept.swap(now.0, Relaxed) != now.0 {
            self.pins.retain(|_, homes| homes.iter().any(|(_, until)| *until > now));
        }
        self.pins.len() < MOST
    }
}

#[cfg(test)]
mod tests;
