//! The adaptive router: learns which group serves which kind of request well. LiteLLM surface §7.8.

use std::sync::Arc;

use fastrand::Rng;
use serde_json::Value;

use super::bandit::{Belief, cheapness};
use super::kinds::RequestKind;
use super::lessons::{Lessons, Turn};
use super::{Decision, Said};
use crate::{Moment, Routes};

/// Where deployments state what they are good at.
const PREFERENCES: &str = "adaptive_router_preferences";
/// Messages a conversation must have before what is said in it counts.
const FROM_MESSAGES: usize = 4;

/// An adaptive router.
#[derive(Debug, Clone)]
pub struct Adaptive {
    /// The groups it may pick.
    pub models: Vec<Arc<str>>,
    /// The group when none may serve.
    pub default: Option<Arc<str>>,
    /// What quality and cheapness weigh.
    pub weights: (f64, f64),
    /// The share of requests in which it tries out what it does not know.
    pub exploration: f64,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self { models: Vec::new(), default: None, weights: (0.7, 0.3), exploration: 1.0 }
    }
}

/// What a group states of itself.
#[derive(Debug)]
struct Candidate<'a> {
    name: &'a Arc<str>,
    start: Belief,
    price: f64,
}

impl Adaptive {
    /// The group for a prompt; first learns what the prompt says of the answer before.
    pub(super) fn decide(
        &self,
        (id, routes, team): (&str, &Routes, Option<&str>),
        said: &Said<'_>,
        lessons: &Lessons,
        rng: &mut Rng,
        now: Moment,
    ) -> Option<Decision> {
        let kind = RequestKind::of(said.text);
        self.learn((id, routes, team), said, kind, lessons, now);
        let least = said.min_quality.unwrap_or(0);
        let candidates: Vec<Candidate<'_>> = self
            .models
            .iter()
            .filter_map(|name| candidate(routes, team, name, kind))
            .filter(|(_, tier)| *tier >= least)
            .map(|(candidate, _)| candidate)
            .collect();
        let prices: Vec<f64> = candidates.iter().map(|one| one.price).collect();
        let explores = rng.f64() < self.exploration;
        let mut best: Option<(&Candidate<'_>, f64)> = None;
        for one in &candidates {
            let belief = lessons.belief(id, kind, one.name, one.start);
            let quality = if explores { belief.draw(rng) } else { belief.mean() };
            let score = self.weights.0 * quality + self.weights.1 * cheapness(one.price, &prices);
            if best.is_none_or(|(_, most)| score > most) {
                best = Some((one, score));
            }
        }
        let (model, score) = match (best, &self.default) {
            (Some((one, score)), _) => (one.name, Some(score)),
            (None, Some(default)) => (default, None),
            (None, None) => return None,
        };
        if let Some(session) = said.session {
            lessons.turn(id, session, Turn::new(Arc::clone(model), kind, said.text, now));
        }
        let cause = if explores { "exploration" } else { "exploitation" };
        Some(Decision { score, request: Some(kind), ..Decision::to(model, cause) })
    }

    /// What is believed of each group at each kind of request, as operators are shown it.
    #[must_use]
    pub fn state(&self, (id, routes, team): (&str, &Routes, Option<&str>), lessons: &Lessons) -> Vec<Value> {
        let mut cells = Vec::new();
        for kind in RequestKind::ALL {
            for name in &self.models {
                let Some((one, _)) = candidate(routes, team, name, kind) else { continue };
                let mean = lessons.belief(id, kind, name, one.start).mean();
                cells.push(serde_json::json!({
                    "request_type": kind.as_str(),
                    "model": &**name,
                    "quality_mean": (mean * 1e6).round() / 1e6,
                    "samples": lessons.samples(id, kind, name),
                }));
            }
        }
        cells
    }

    /// What the caller says now tells how good the answer before was.
    fn learn(
        &self,
        (id, routes, team): (&str, &Routes, Option<&str>),
        said: &Said<'_>,
        kind: RequestKind,
        lessons: &Lessons,
        now: Moment,
    ) {
        let Some(before) = said.session.and_then(|session| lessons.last_turn(id, session, now)) else {
            return;
        };
        if said.messages < FROM_MESSAGES {
            return;
        }
        // Thanks and farewells belong to what was talked of before.
        let kind = if kind == RequestKind::General { before.kind } else { kind };
        let (good, bad) = before.verdict(said.text);
        let Some((one, _)) = candidate(routes, team, &before.model, kind) else { return };
        lessons.learn(id, kind, &before.model, one.start, (good, bad));
    }
}

fn candidate<'a>(
    routes: &Routes,
    team: Option<&str>,
    name: &'a Arc<str>,
    kind: RequestKind,
) -> Option<(Candidate<'a>, u32)> {
    let route = routes.resolve(name, team)?;
    let deployment = &route.group.candidates.first()?.deployment;
    let stated = deployment.model_info.get(PREFERENCES);
    let tier = stated.and_then(|stated| stated.get("quality_tier")).and_then(Value::as_u64).unwrap_or(2);
    let tier = u32::try_from(tier).unwrap_or(u32::MAX);
    let strengths = stated.and_then(|stated| stated.get("strengths")).and_then(Value::as_array);
    let strong = strengths.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(kind.as_str())));
    let price = deployment.token_price.0.unwrap_or(0.0);
    Some((Candidate { name, start: Belief::at_start(tier, strong), price }, tier))
}
