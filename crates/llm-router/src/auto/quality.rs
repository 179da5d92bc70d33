//! The quality router: the cheapest group that is good enough. LiteLLM surface §7.8.

use std::sync::Arc;

use serde_json::Value;

use super::scorer::Scorer;
use super::{Decision, Said};
use crate::{Deployment, Routes};

/// Where deployments state how good they are.
const PREFERENCES: &str = "litellm_routing_preferences";

/// A quality router.
#[derive(Debug, Clone)]
pub struct Quality {
    /// Tells how hard a prompt is.
    pub scorer: Scorer,
    /// The groups it may pick.
    pub models: Vec<Arc<str>>,
    /// The group when none is good enough or worse.
    pub default: Option<Arc<str>>,
    /// How good a group must be for each tier of difficulty, in the order of [`super::Tier::ALL`].
    pub needed: [u32; 4],
}

impl Default for Quality {
    fn default() -> Self {
        Self { scorer: Scorer::default(), models: Vec::new(), default: None, needed: [1, 2, 3, 4] }
    }
}

/// What a group states of itself.
#[derive(Debug)]
struct Candidate<'a> {
    name: &'a Arc<str>,
    tier: u32,
    order: i64,
    price: f64,
    keywords: Vec<String>,
}

impl Quality {
    /// The group for a prompt: one whose words are in it, the best first; else the cheapest of the tier
    /// needed, of the next better one, of the next worse one; else the default.
    pub(super) fn decide(&self, routes: &Routes, team: Option<&str>, said: &Said<'_>) -> Option<Decision> {
        let candidates: Vec<Candidate<'_>> =
            self.models.iter().filter_map(|name| candidate(routes, team, name)).collect();
        let text = said.text.to_lowercase();
        let hit =
            |one: &Candidate<'_>| one.keywords.iter().find(|word| text.contains(word.as_str())).cloned();
        let by_word = candidates.iter().filter_map(|one| Some((one, hit(one)?)));
        if let Some((one, word)) = by_word.min_by(|(a, _), (b, _)| b.tier.cmp(&a.tier).then(cheaper(a, b))) {
            let quality = Some(one.tier);
            return Some(Decision { quality, keyword: Some(word), ..Decision::to(one.name, "keyword") });
        }
        let score = self.scorer.score(said.text);
        let needed = self.needed[score.tier as usize];
        let better = candidates.iter().map(|one| one.tier).filter(|tier| *tier >= needed).min();
        let worse = || candidates.iter().map(|one| one.tier).max();
        let tier = better.or_else(worse);
        let best = candidates
            .iter()
            .filter(|one| Some(one.tier) == tier)
            .min_by(|a, b| a.order.cmp(&b.order).then(cheaper(a, b)));
        let (name, quality) = match (best, &self.default) {
            (Some(one), _) => (one.name, Some(one.tier)),
            (None, Some(default)) => (default, None),
            (None, None) => return None,
        };
        Some(Decision {
            quality,
            tier: Some(score.tier),
            score: Some(score.score),
            signals: score.signals,
            ..Decision::to(name, "quality_tier")
        })
    }
}

fn cheaper(a: &Candidate<'_>, b: &Candidate<'_>) -> std::cmp::Ordering {
    a.price.total_cmp(&b.price).then_with(|| a.name.cmp(b.name))
}

fn candidate<'a>(routes: &Routes, team: Option<&str>, name: &'a Arc<str>) -> Option<Candidate<'a>> {
    let route = routes.resolve(name, team)?;
    let deployment: &Deployment = &route.group.candidates.first()?.deployment;
    let stated = deployment.model_info.get(PREFERENCES)?;
    let tier = stated.get("quality_tier").and_then(Value::as_u64)?;
    let words = stated.get("keywords").and_then(Value::as_array).into_iter().flatten();
    Some(Candidate {
        name,
        tier: u32::try_from(tier).unwrap_or(u32::MAX),
        order: stated.get("order").and_then(Value::as_i64).unwrap_or(i64::MAX),
        // What has no price counts as the dearest.
        price: deployment.token_price.0.unwrap_or(f64::INFINITY),
        keywords: words
            .filter_map(Value::as_str)
            .map(str::to_lowercase)
            .filter(|word| !word.is_empty())
            .collect(),
    })
}
