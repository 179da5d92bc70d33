//! Ways to pick that a program brings along: a strategy of its own, rules of its own, and advice that it has to wait for.
//!
//! ```
//! use std::sync::Arc;
//!
//! use llm_router::strategies::Pool;
//! use llm_router::{Ask, Candidate, Choose, Moment, Own, Rule, RouterSettings};
//!
//! /// Picks the deployment with the most tokens left this minute.
//! #[derive(Debug)]
//! struct Roomiest;
//!
//! impl Choose for Roomiest {
//!     fn choose(&self, pool: Pool<'_>, _: &mut fastrand::Rng) -> Option<u32> {
//!         let room = |one: &Candidate| {
//!             one.deployment.tpm.unwrap_or(u64::MAX).saturating_sub(one.state.tokens_this_minute(pool.now))
//!         };
//!         pool.iter().max_by_key(|(_, one)| room(one)).map(|(at, _)| at)
//!     }
//! }
//!
//! /// Streams go to deployments in Europe only.
//! #[derive(Debug)]
//! struct StreamsStayInEurope;
//!
//! impl Rule for StreamsStayInEurope {
//!     fn name(&self) -> &str {
//!         "streams stay in Europe"
//!     }
//!
//!     fn keeps(&self, one: &Candidate, ask: &Ask<'_>, _: Moment) -> bool {
//!         !ask.stream || one.deployment.region.as_deref().is_some_and(|region| region.starts_with("eu"))
//!     }
//! }
//!
//! let settings = RouterSettings {
//!     strategy: "custom".parse()?,
//!     own: Own { strategy: Some(Arc::new(Roomiest)), rules: vec![Arc::new(StreamsStayInEurope)] },
//!     ..RouterSettings::default()
//! };
//! # assert_eq!(settings.own.rules[0].name(), "streams stay in Europe");
//! # Ok::<(), llm_router::strategies::UnknownStrategy>(())
//! ```

use std::fmt;
use std::sync::Arc;

use fastrand::Rng;
use llm_types::{BoxFuture, DeploymentId};

use crate::strategies::Pool;
use crate::{Ask, Candidate, Group, Moment};

/// A way to pick, for the strategy `custom`.
pub trait Choose: fmt::Debug + Send + Sync {
    /// Picks one of a pool by its place in the group. `None`, or a place that is not in the pool, leaves the choice to
    /// `simple-shuffle`. It is called on the way of every call: it must not wait.
    fn choose(&self, pool: Pool<'_>, rng: &mut Rng) -> Option<u32>;
}

/// A rule that says who may serve, asked after all others that hold for the call (LiteLLM surface §7.1 step 9).
pub trait Rule: fmt::Debug + Send + Sync {
    /// What it is called where it is told why a deployment was left out.
    fn name(&self) -> &str;

    /// Whether a deployment may serve. Where no deployment may, the call is refused.
    fn keeps(&self, candidate: &Candidate, ask: &Ask<'_>, now: Moment) -> bool;
}

/// What a program brings along.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Its strategy; without one `custom` goes by advice, and without that by `simple-shuffle`.
    pub strategy: Option<Arc<dyn Choose>>,
    /// Its rules, which hold whatever the strategy.
    pub rules: Vec<Arc<dyn Rule>>,
}

impl PartialEq for Own {
    /// The same strategy and the same rules, not equal ones.
    fn eq(&self, other: &Self) -> bool {
        let strategies = match (&self.strategy, &other.strategy) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        let rules = self.rules.iter().zip(&other.rules).all(|(one, other)| Arc::ptr_eq(one, other));
        strategies && self.rules.len() == other.rules.len() && rules
    }
}

/// What somebody said of the deployments of a group, for the strategy `custom`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advice {
    /// Who should serve, the best first; those that cannot serve now are passed over.
    pub order: Vec<DeploymentId>,
    /// Nobody else may.
    pub only: bool,
}

/// Asks for advice on a group, once for each time that it is tried; `None` is no opinion. Only groups whose strategy is
/// `custom` are asked about.
pub type Consult<'r> = &'r (dyn Fn(&'r Group) -> BoxFuture<'r, Option<Advice>> + Sync);

#[cfg(test)]
mod tests;
