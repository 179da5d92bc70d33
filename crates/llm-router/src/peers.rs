//! Who shares a deployment's fate: those with the same key, and those at the same address.
//!
//! A refused key rests every deployment that signs in with it, an address where nothing works rests
//! every deployment there; both spare a deployment whose group has no other way.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hash};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use foldhash::fast::FixedState;
use llm_types::DeploymentId;

use crate::{Cause, Deployment, DeploymentState, ErrorClass, Moment};

/// Failures without a success between them, at more than one deployment of an address, that are an outage.
const OUTAGE_FAILURES: u32 = 5;
/// How long a failure of an address counts.
const OUTAGE_WINDOW: Duration = Duration::from_secs(10);

/// The deployments that share a deployment's fate.
#[derive(Debug, Default)]
pub struct Peers {
    /// Those that sign in with the same key and whose groups have another.
    credential: Vec<Peer>,
    /// The address, where it has several deployments.
    address: Option<Arc<Address>>,
}

/// One deployment and its counters.
#[derive(Debug, Clone)]
struct Peer {
    id: DeploymentId,
    state: Arc<DeploymentState>,
}

/// A provider's address with several deployments.
#[derive(Debug)]
struct Address {
    /// Those whose groups have deployments elsewhere.
    peers: Vec<Peer>,
    /// Failures since the last success.
    failures: AtomicU32,
    /// A hash of the first deployment that failed.
    first: AtomicU64,
    /// Whether another one failed since; 0 or 1.
    spread: AtomicU32,
    /// When the last failure was, milliseconds.
    last: AtomicU64,
}

/// A deployment and its counters, as routes are built of them.
pub(crate) type Known = (Arc<Deployment>, Arc<DeploymentState>);

impl Peers {
    /// Rests those that share the fate of a deployment that failed; tells who and why.
    pub(crate) fn fail(
        &self,
        own: &DeploymentId,
        class: ErrorClass,
        time: Duration,
        now: Moment,
    ) -> Vec<(DeploymentId, Cause)> {
        match class {
            ErrorClass::Authentication | ErrorClass::PaymentRequired => {
                rest(&self.credential, own, Cause::Credential, time, now)
            }
            ErrorClass::InternalServer
            | ErrorClass::BadGateway
            | ErrorClass::ServiceUnavailable
            | ErrorClass::Timeout => match &self.address {
                Some(address) if address.failed(own, now) => {
                    rest(&address.peers, own, Cause::Outage, time, now)
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Something worked at the address.
    pub(crate) fn succeed(&self) {
        if let Some(address) = &self.address
            && address.failures.load(Relaxed) != 0
        {
            address.failures.store(0, Relaxed);
        }
    }

    /// The peers of each of these deployments.
    pub(crate) fn of_all(all: &[Known]) -> Vec<Arc<Self>> {
        let credentials = bundles(all, credential);
        let addresses = bundles(all, |one| Some(address(one)));
        let credential_ways = ways(all, |one| credential(one).map(|(_, key)| key));
        let address_ways = ways(all, |one| Some(address(one)));
        let spared = |ways: &Ways<'_>, bundle: &[usize]| -> Vec<Peer> {
            let others = bundle.iter().map(|at| &all[*at]).filter(|(one, _)| ways[&group_of(one)].len() > 1);
            others.map(|(one, state)| Peer { id: one.id.clone(), state: Arc::clone(state) }).collect()
        };
        let at_address: HashMap<&str, Arc<Address>> = addresses
            .iter()
            .filter(|(_, bundle)| bundle.len() > 1)
            .map(|(name, bundle)| (*name, Arc::new(Address::of(spared(&address_ways, bundle)))))
            .collect();
        let peers = all.iter().map(|(one, _)| {
            let bundle = credential(one).and_then(|key| credentials.get(&key)).filter(|all| all.len() > 1);
            Arc::new(Self {
                credential: bundle.map(|bundle| spared(&credential_ways, bundle)).unwrap_or_default(),
                address: at_address.get(address(one)).filter(|at| !at.peers.is_empty()).cloned(),
            })
        });
        peers.collect()
    }
}

fn rest(
    peers: &[Peer],
    own: &DeploymentId,
    cause: Cause,
    time: Duration,
    now: Moment,
) -> Vec<(DeploymentId, Cause)> {
    let awake = peers.iter().filter(|peer| peer.id != *own && !peer.state.rests(now));
    let rest = |peer: &Peer| {
        peer.state.rest_for(now, time, cause);
        (peer.id.clone(), cause)
    };
    awake.map(rest).collect()
}

impl Address {
    fn of(peers: Vec<Peer>) -> Self {
        let (failures, first, spread, last) = Default::default();
        Self { peers, failures, first, spread, last }
    }

    /// Counts a failure; says whether the address is away altogether.
    fn failed(&self, own: &DeploymentId, now: Moment) -> bool {
        let name = FixedState::default().hash_one(own.as_str());
        let last = Moment(self.last.swap(now.0, Relaxed));
        if self.failures.load(Relaxed) == 0 || now.since(last) > OUTAGE_WINDOW {
            self.failures.store(0, Relaxed);
            self.spread.store(0, Relaxed);
            self.first.store(name, Relaxed);
        }
        if self.first.load(Relaxed) != name {
            self.spread.store(1, Relaxed);
        }
        let failures = self.failures.fetch_add(1, Relaxed) + 1;
        failures >= OUTAGE_FAILURES && self.spread.load(Relaxed) != 0
    }
}

/// A name as a team or everybody calls it.
type GroupName<'a> = (Option<&'a str>, &'a str);

/// The distinct keys or addresses of each group.
type Ways<'a> = HashMap<GroupName<'a>, HashSet<&'a str>>;

fn group_of(deployment: &Deployment) -> GroupName<'_> {
    (deployment.team_id.as_deref(), &deployment.group)
}

/// Where a deployment's provider is.
fn address(deployment: &Deployment) -> &str {
    deployment.target.base_url.split('?').next().unwrap_or_default()
}

/// The key and where it is used: words such as `none` stand for different keys at different addresses.
fn credential(deployment: &Deployment) -> Option<(&str, &str)> {
    deployment.target.key.as_ref().map(|key| (address(deployment), key.reveal().as_str()))
}

fn bundles<'a, K: Eq + Hash>(
    all: &'a [Known],
    key: impl Fn(&'a Deployment) -> Option<K>,
) -> HashMap<K, Vec<usize>> {
    let mut bundles: HashMap<K, Vec<usize>> = HashMap::new();
    for (at, (one, _)) in all.iter().enumerate() {
        if let Some(key) = key(one) {
            bundles.entry(key).or_default().push(at);
        }
    }
    bundles
}

fn ways<'a>(all: &'a [Known], way: impl Fn(&'a Deployment) -> Option<&'a str>) -> Ways<'a> {
    let mut ways = Ways::new();
    for (one, _) in all {
        // A deployment without a key is another way than one with a key.
        ways.entry(group_of(one)).or_default().insert(way(one).unwrap_or_default());
    }
    ways
}

#[cfg(test)]
mod tests;
