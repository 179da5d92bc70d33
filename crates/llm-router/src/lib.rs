//! Model groups, balancing, retries, cooldowns and fallbacks over `llm-providers`.
//!
//! Deciding is pure, doing is separate: every rule is a function of the routes, the counters, the
//! moment and a random source; only [`Router::run`] waits.
//!
//! | question | answered by |
//! |---|---|
//! | which deployments answer to a name | [`Routes::resolve`] |
//! | which group serves what a caller says, where it asks for one that stands for others | [`auto`] |
//! | who may serve now, in which order | [`plan::plan`], with one of [`strategies::ALL`] |
//! | how a program picks by itself | [`Choose`], [`Rule`], [`Advice`] |
//! | why a call would go where it goes | [`Router::explain`] |
//! | where a caller or a prompt has been before | [`Bond`], [`prefix::bonds`] |
//! | whether, how often, after which wait to try again | [`retry`] |
//! | when a deployment rests, and whose fault a failure is | [`health`] |
//! | who rests with a deployment whose key or address failed | [`Peers`] |
//! | what gateways tell each other of deployments | [`shared`] |
//! | where to go after a group failed | [`Router::run`], by the lists of [`RouterSettings`] |
//!
//! `examples/fallback.rs` shows a call without a gateway around it.

mod affinity;
mod ask;
pub mod auto;
mod call;
mod class;
mod clock;
mod counters;
mod deployment;
mod error;
mod explain;
mod fairness;
mod fallback;
mod group;
pub mod health;
mod hedge;
mod limits;
mod measure;
mod outlier;
mod own;
mod peers;
mod places;
pub mod plan;
pub mod prefix;
mod rates;
pub mod retry;
mod run;
mod settings;
pub mod shared;
mod snapshot;
pub mod strategies;
mod tags;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod wildcard;

pub use affinity::Bond;
pub use ask::{Ask, CountTokens, Lar1, Reserved};
pub use call::{
    Attempt, Controls, Done, Failed, Fallbacks, GroupError, MockFailure, Report, Request, Rest, StandIn,
};
pub use class::{ErrorClass, status as error_status};
pub use clock::{Clock, Moment};
pub use counters::{Cause, Counters, DeploymentState, InFlight, MinuteCounts};
pub use deployment::Deployment;
pub use error::MODEL_LIMIT;
pub use explain::{Considered, Explanation};
pub use fairness::{Fairness, Tenant};
pub use group::{Candidate, Group};
pub use health::{Ticket, Used};
pub use own::{Advice, Choose, Consult, Own, Rule};
pub use peers::Peers;
pub use plan::in_region;
pub use run::Router;
pub use settings::{
    AffinityKinds, Alias, AllowedFails, FallbackMap, FallbackTarget, Hedging, Outliers, Retries,
    RouterSettings, RoutingGroup, Tuning,
};
pub use snapshot::{InferProvider, Route, Routes};
pub use strategies::{Strategy, StrategyArgs};
pub use tags::{TagPattern, TagWish};
pub use wildcard::Captures;
