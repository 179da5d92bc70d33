//! A public model name and the deployments behind it.

use std::sync::Arc;

use crate::outlier::Look;
use crate::{Deployment, DeploymentState, Peers};

/// The deployments that answer to one name, in the order of the configuration.
#[derive(Debug)]
pub struct Group {
    /// The name as written: a model name, a wildcard pattern or `*`.
    pub name: Arc<str>,
    /// The deployments and their counters.
    pub candidates: Box<[Candidate]>,
    /// It is routed by tags, whatever the router says.
    pub by_tags: bool,
    /// When outliers were looked for last.
    pub(crate) looked: Look,
    /// The distinct `order` levels, lowest first; deployments without one come after all others.
    pub levels: Box<[i64]>,
}

/// A deployment, its counters, and what every choice reads of it, side by side in memory.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What was configured.
    pub deployment: Arc<Deployment>,
    /// What happened since.
    pub state: Arc<DeploymentState>,
    /// Most requests at the same time, all defaults applied.
    pub parallel_limit: Option<u32>,
    /// The level of `order`.
    pub level: i64,
    /// Paused by the operator.
    pub blocked: bool,
    /// Its weights for `simple-shuffle`, in the order they are asked: weight, requests and tokens per
    /// minute; what is not set is 0.
    pub shares: [f64; 3],
    /// The deployments that share its key or its provider's address.
    pub peers: Arc<Peers>,
}

impl Candidate {
    /// A deployment and its counters; `parallel` is the limit of deployments that set none.
    #[must_use]
    pub fn new(deployment: Arc<Deployment>, state: Arc<DeploymentState>, parallel: Option<u32>) -> Self {
        let weight = deployment.weight.unwrap_or_default().max(0.0);
        Self {
            parallel_limit: deployment.parallel_limit(parallel),
            level: deployment.level(),
            blocked: deployment.blocked,
            shares: [weight, share(deployment.rpm), share(deployment.tpm)],
            deployment,
            state,
            peers: Arc::default(),
        }
    }

    /// The same with the deployments that share its fate.
    #[must_use]
    pub(crate) fn among(self, peers: Arc<Peers>) -> Self {
        Self { peers, ..self }
    }

    /// Whether it has no place for another call.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.parallel_limit.is_some_and(|limit| self.state.in_flight() >= limit)
    }
}

impl Group {
    /// A group of these deployments.
    #[must_use]
    pub fn new(name: Arc<str>, candidates: Vec<Candidate>) -> Self {
        let mut levels: Vec<i64> = candidates.iter().map(|one| one.level).collect();
        levels.sort_unstable();
        levels.dedup();
        let by_tags = candidates.iter().any(|one| one.deployment.tag_filtering);
        let looked = Look::default();
        Self { name, candidates: candidates.into(), by_tags, looked, levels: levels.into() }
    }

    /// Whether there is only one deployment: retries wait, and most cooldowns spare it.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.candidates.len() == 1
    }

    /// Whether it answers to names that match a pattern.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.name.contains('*')
    }
}

#[expect(clippy::cast_precision_loss, reason = "limits are far below 2^52, and shares need no more")]
fn share(limit: Option<u64>) -> f64 {
    limit.unwrap_or_default() as f64
}
