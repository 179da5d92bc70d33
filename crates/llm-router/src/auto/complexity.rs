//! The complexity router: a group for each tier of difficulty. LiteLLM surface §7.8.

use std::time::Duration;

use fastrand::Rng;

use super::keywords::Keyword;
use super::scorer::{Scorer, Tier};
use super::{Choice, Decision, Held, Lessons, Said};
use crate::Moment;

/// Words that name a tier themselves (`keyword_tier_rules`).
#[derive(Debug, Clone)]
pub struct Rule {
    /// Any of these.
    pub keywords: Vec<Keyword>,
    /// The tier.
    pub tier: Tier,
}

/// A complexity router.
#[derive(Debug, Clone)]
pub struct Complexity {
    /// Tells how hard a prompt is.
    pub scorer: Scorer,
    /// The groups of each tier, in the order of [`Tier::ALL`]; one of several is picked at random.
    pub tiers: [Vec<Choice>; 4],
    /// The group where a tier has none.
    pub default: Option<Choice>,
    /// Rules that go before the score; the first that fits counts.
    pub rules: Vec<Rule>,
    /// Words, exactly so, by which a caller asks for the next tier (`escalation_keywords`).
    pub escalations: Vec<String>,
    /// How long a session stays with its group after its last call (`session_affinity`).
    pub session: Option<Duration>,
}

impl Default for Complexity {
    fn default() -> Self {
        Self {
            scorer: Scorer::default(),
            tiers: Default::default(),
            default: None,
            rules: Vec::new(),
            escalations: vec!["LITELLM ESCALATE".into()],
            session: None,
        }
    }
}

impl Complexity {
    /// The group for a prompt; `None` when no tier has one.
    pub(super) fn decide(
        &self,
        id: &str,
        said: &Said<'_>,
        lessons: &Lessons,
        rng: &mut Rng,
        now: Moment,
    ) -> Option<Decision> {
        let asks_more = self.escalations.iter().any(|word| said.text.contains(word.as_str()));
        let session = said.session.filter(|_| self.session.is_some());
        if let Some(held) = session.and_then(|session| lessons.held(id, session, now)).filter(|_| !asks_more)
        {
            let ttl = self.session.unwrap_or_default();
            lessons.hold(id, session?, held.clone(), now + ttl);
            return Some(Decision { tier: held.tier, ..Decision::of(held.choice, "session_affinity") });
        }
        let mut decision = self.by_words(said.text, asks_more, rng)?;
        decision.kind = "complexity";
        if let (Some(session), Some(ttl)) = (session, self.session) {
            let choice = Choice { model: decision.model.clone(), params: decision.params.clone() };
            lessons.hold(id, session, Held { choice, tier: decision.tier }, now + ttl);
        }
        Some(decision)
    }

    fn by_words(&self, said: &str, asks_more: bool, rng: &mut Rng) -> Option<Decision> {
        let (mut tier, mut base) = match self.rule(said) {
            Some((tier, word)) => {
                let base =
                    Decision { keyword: Some(word.to_owned()), cause: "keyword_rule", ..Decision::default() };
                (tier, base)
            }
            None => {
                let score = self.scorer.score(said);
                let cause = if score.overridden { "reasoning_override" } else { "heuristic_scorer" };
                let (signals, sum) = (score.signals, Some(score.score));
                (score.tier, Decision { score: sum, signals, cause, ..Decision::default() })
            }
        };
        if asks_more {
            tier = self.above(tier);
            base.signals.push("escalation".into());
        }
        let choice = self.choice(tier, rng)?;
        Some(Decision { model: choice.model, params: choice.params, tier: Some(tier), ..base })
    }

    fn rule(&self, said: &str) -> Option<(Tier, &str)> {
        if self.rules.is_empty() {
            return None;
        }
        let text = said.to_lowercase();
        self.rules.iter().find_map(|rule| {
            let hit = rule.keywords.iter().find(|word| word.is_in(&text))?;
            Some((rule.tier, hit.as_str()))
        })
    }

    /// The next tier that has a group.
    fn above(&self, tier: Tier) -> Tier {
        let next = Tier::ALL.into_iter().find(|one| *one > tier && !self.tiers[*one as usize].is_empty());
        next.unwrap_or(tier)
    }

    /// A group of a tier; where it has none the default, else the next harder tier's, else the next easier
    /// one's.
    fn choice(&self, tier: Tier, rng: &mut Rng) -> Option<Choice> {
        let pick = |tier: usize, rng: &mut Rng| rng.choice(&self.tiers[tier]).cloned();
        let own = tier as usize;
        pick(own, rng)
            .or_else(|| self.default.clone())
            .or_else(|| (own + 1..4).find_map(|tier| pick(tier, rng)))
            .or_else(|| (0..own).rev().find_map(|tier| pick(tier, rng)))
    }

    /// Every group it may pick.
    pub(super) fn models(&self) -> impl Iterator<Item = &str> {
        self.tiers.iter().flatten().chain(&self.default).map(|choice| &*choice.model)
    }
}
