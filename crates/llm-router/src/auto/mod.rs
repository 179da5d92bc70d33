//! Groups that stand for others: an auto router reads what a caller says and names the group that serves.
//! LiteLLM surface §7.8.
//!
//! Deciding is pure: what it goes by is passed in, random source and moment included. What a semantic router
//! needs of the world, the prompt as a point, its owner fetches.

mod adaptive;
mod bandit;
mod complexity;
mod judge;
mod keywords;
mod kinds;
mod lessons;
mod quality;
mod reminders;
mod scorer;
mod semantic;
mod signs;
mod success;

use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Map, Value};

pub use adaptive::Adaptive;
pub use bandit::{Belief, cheapness};
pub use complexity::{Compaction, Complexity, Judged, Rule};
pub use judge::{Capability, Classifier, Forecast, Judge, Pair, Question, Verdict, Webhook, Who};
pub use keywords::Keyword;
pub use kinds::RequestKind;
pub use lessons::{Held, Lesson, Lessons};
pub use quality::Quality;
pub use reminders::{Reminder, without};
pub use scorer::{Custom, Dimension, Score, Scorer, Tier};
pub use semantic::{Index, Place, Semantic};
pub use signs::{Called, PLAN_TOOL, Signs};

use crate::{Moment, Routes};

/// What auto routers' models begin with.
pub const PREFIX: &str = "auto_router/";

/// An auto router.
#[derive(Debug, Clone)]
pub enum AutoRouter {
    /// By meaning.
    Semantic(Semantic),
    /// By how hard the prompt is.
    Complexity(Box<Complexity>),
    /// By how good the answer must be.
    Quality(Box<Quality>),
    /// By what was learnt.
    Adaptive(Adaptive),
}

/// What is known of a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said<'a> {
    /// What the caller said last, without what its program put beside it.
    pub text: &'a str,
    /// Messages of the conversation.
    pub messages: usize,
    /// The conversation, where it is known.
    pub session: Option<u128>,
    /// The caller named the conversation; else it is known by how it began.
    pub named: bool,
    /// The most tokens that the caller takes for an answer.
    pub most_output: Option<u64>,
    /// Where it is too long for a group it is made shorter, and need not go elsewhere.
    pub shortens: bool,
    /// Where the beginning of the conversation is warm.
    pub warm: &'a [Warmth],
    /// The least quality tier the caller takes (`x-litellm-min-quality-tier`).
    pub min_quality: Option<u32>,
    /// What the conversation shows besides.
    pub signs: Signs<'a>,
    /// What the model said that tells how hard it is, where one was asked.
    pub judged: Option<&'a Judged>,
}

/// A group whose provider has the beginning of a conversation in its cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warmth {
    /// The group.
    pub model: Arc<str>,
    /// How much of it, in tokens, as the provider said.
    pub tokens: u64,
}

/// A group and what is asked of it besides.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The group.
    pub model: Arc<str>,
    /// Request parameters to set.
    pub params: Option<Arc<Map<String, Value>>>,
}

/// Where a request goes, and why.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// The group.
    pub model: Arc<str>,
    /// Request parameters to set.
    pub params: Option<Arc<Map<String, Value>>>,
    /// The kind of router: `semantic`, `complexity`, `quality`, `adaptive`.
    pub kind: &'static str,
    /// What decided.
    pub cause: &'static str,
    /// How hard the prompt is.
    pub tier: Option<Tier>,
    /// The number that decided.
    pub score: Option<f64>,
    /// The word that decided.
    pub keyword: Option<String>,
    /// The quality tier of the group.
    pub quality: Option<u32>,
    /// The kind of request.
    pub request: Option<RequestKind>,
    /// What was found in the prompt.
    pub signals: Vec<String>,
}

impl Decision {
    fn to(model: &Arc<str>, cause: &'static str) -> Self {
        Self { model: Arc::clone(model), cause, ..Self::default() }
    }
}

impl AutoRouter {
    /// What programs put beside what their users say: as the router's own configuration says, else as is known of
    /// a program that calls itself so.
    #[must_use]
    pub fn reminders(&self, user_agent: Option<&str>) -> Vec<Reminder> {
        match self {
            Self::Complexity(router) => router.reminders.clone(),
            _ => None,
        }
        .unwrap_or_else(|| Reminder::of(user_agent))
    }

    /// The group for a request; `None` when the router has none, or is a semantic one, which needs the prompt
    /// as a point. `id` is the router's deployment.
    #[must_use]
    pub fn decide(
        &self,
        (id, routes, team): (&str, &Routes, Option<&str>),
        said: &Said<'_>,
        lessons: &Lessons,
        rng: &mut Rng,
        now: Moment,
    ) -> Option<Decision> {
        let (kind, decision) = match self {
            Self::Semantic(_) => return None,
            Self::Complexity(router) => {
                ("complexity", router.decide((id, routes, team), said, lessons, rng, now))
            }
            Self::Quality(router) => ("quality", router.decide(routes, team, said)),
            Self::Adaptive(router) => {
                ("adaptive", router.decide((id, routes, team), said, lessons, rng, now))
            }
        };
        decision.map(|decision| Decision { kind, ..decision })
    }

    /// Whether it goes by what of a conversation is warm where.
    #[must_use]
    pub fn is_cache_aware(&self) -> bool {
        matches!(self, Self::Complexity(router) if router.cache_aware.is_some())
    }

    /// Whether it makes conversations shorter that are too long.
    #[must_use]
    pub fn compacts(&self) -> bool {
        matches!(self, Self::Complexity(router) if router.compaction.is_some())
    }

    /// Every group it may name, for checks of the configuration.
    #[must_use]
    pub fn models(&self) -> Vec<&str> {
        match self {
            Self::Semantic(router) => {
                let routes = router.routes.iter().map(|route| &*route.name);
                routes.chain(router.default.as_deref()).chain([&*router.embedding]).collect()
            }
            Self::Complexity(router) => router.models().collect(),
            Self::Quality(router) => {
                router.models.iter().chain(&router.default).map(|name| &**name).collect()
            }
            Self::Adaptive(router) => {
                router.models.iter().chain(&router.default).map(|name| &**name).collect()
            }
        }
    }
}

/// A pattern of a dimension of the operator's own, which finds text whatever its case; `None` where it is none.
#[must_use]
pub fn pattern(text: &str) -> Option<regex_lite::Regex> {
    regex_lite::RegexBuilder::new(text).case_insensitive(true).build().ok()
}

#[cfg(test)]
mod tests;
