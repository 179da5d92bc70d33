//! The complexity router: a group for each tier of difficulty. LiteLLM surface §7.8.

mod compaction;
mod fit;
mod warmth;

use std::time::Duration;

use fastrand::Rng;

pub use compaction::Compaction;

use super::judge::{Classifier, Judge, Verdict};
use super::keywords::Keyword;
use super::scorer::{Scorer, Tier};
use super::signs::{is_housekeeping, is_stuck, plans};
use super::success::{Likely, likely};
use super::{Choice, Decision, Held, Lessons, Reminder, Said};
use crate::{Moment, Routes};

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
    /// Who else tells.
    pub classifier: Classifier,
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
    /// How long what was decided holds for a turn whose tools still work (`classification_mode: user_turn`).
    pub turn: Option<Duration>,
    /// A session stays with one group of each tier, and with one deployment of each group (`deployment_affinity`).
    pub sticky: bool,
    /// A conversation goes where its prompt is warm, where the call costs less there; with the tokens that an answer is
    /// expected to have (`cache_aware_routing`).
    pub cache_aware: Option<u64>,
    /// The least tier of an agent that plans (`plan_mode_min_tier`), and words by which it plans besides.
    pub plan: Option<(Tier, Vec<String>)>,
    /// Tool calls looked at, and how many alike are too many (`stall_escalation_…`).
    pub stall: Option<(usize, usize)>,
    /// An agent's housekeeping goes to the cheapest tier; words by which it is told besides.
    pub housekeeping: Option<Vec<String>>,
    /// The share of a context window that a prompt may fill (`context_window_escalation_buffer`).
    pub window: Option<f64>,
    /// Conversations that are too long for the group of their tier are made shorter (`context_compaction`).
    pub compaction: Option<Compaction>,
    /// Pictures go only to groups that take them (`modality_routing`), and whether they leave a session's group
    /// for it (`modality_pin_override`).
    pub modality: Option<bool>,
    /// What programs put beside what their users say (`reminder_markers`), in place of what is known of them.
    pub reminders: Option<Vec<Reminder>>,
}

impl Default for Complexity {
    fn default() -> Self {
        Self {
            scorer: Scorer::default(),
            classifier: Classifier::default(),
            tiers: Default::default(),
            default: None,
            rules: Vec::new(),
            escalations: vec!["LITELLM ESCALATE".into()],
            session: None,
            turn: None,
            sticky: true,
            cache_aware: None,
            plan: None,
            stall: None,
            housekeeping: Some(Vec::new()),
            window: Some(0.95),
            compaction: None,
            modality: None,
            reminders: None,
        }
    }
}

/// What the model said that tells how hard a prompt is.
#[derive(Debug, Clone, PartialEq)]
pub enum Judged {
    /// Its verdict.
    Said(Verdict),
    /// It said nothing of use.
    Failed,
}

impl Complexity {
    /// Whether a model is to be asked about a prompt: nothing else decides.
    #[must_use]
    pub fn wants_judge(&self, id: &str, said: &Said<'_>, lessons: &Lessons, now: Moment) -> bool {
        self.classifier.judge().is_some()
            && self.kept(id, said, lessons, now).is_none()
            && self.rule(said.text).is_none()
            && !self.is_housekeeping(said)
            && self.by_words(said).is_none()
    }

    /// The group for a prompt; `None` when no tier has one.
    pub(super) fn decide(
        &self,
        (id, routes, team): (&str, &Routes, Option<&str>),
        said: &Said<'_>,
        lessons: &Lessons,
        rng: &mut Rng,
        now: Moment,
    ) -> Option<Decision> {
        let place = (routes, team);
        if let Some((held, cause)) = self.kept(id, said, lessons, now) {
            let ttl = self.session.or(self.turn).unwrap_or_default();
            lessons.hold(id, said.session?, held.clone(), now + ttl);
            return self.within_reach(place, said, held, cause, rng);
        }
        let (tier, base) = self.tier(said)?;
        let (tier, base) = self.raised(said, tier, base);
        let decision = self.placed(place, said, tier, base, rng)?;
        let decision = self.where_warm(place, said, decision);
        let displaced = decision.signals.iter().any(|signal| signal.starts_with("modality_"));
        if let (Some(session), Some(ttl)) = (said.session, self.session.or(self.turn))
            && !displaced
        {
            let choice = Choice { model: decision.model.clone(), params: decision.params.clone() };
            lessons.hold(id, session, Held { choice, tier: decision.tier }, now + ttl);
        }
        Some(decision)
    }

    /// What was decided for the session or the turn before, where that holds.
    fn kept(
        &self,
        id: &str,
        said: &Said<'_>,
        lessons: &Lessons,
        now: Moment,
    ) -> Option<(Held, &'static str)> {
        let cause = match (self.session, self.turn) {
            (Some(_), _) if !self.asks_more(said.text) => "session_affinity",
            (None, Some(_)) if said.signs.goes_on => "turn_affinity",
            _ => return None,
        };
        Some((lessons.held(id, said.session?, now)?, cause))
    }

    /// What was kept, unless an agent plans now or a picture cannot be seen there: then this once elsewhere.
    fn within_reach(
        &self,
        place: (&Routes, Option<&str>),
        said: &Said<'_>,
        held: Held,
        cause: &'static str,
        rng: &mut Rng,
    ) -> Option<Decision> {
        if let Some((floor, words)) = &self.plan
            && held.tier.is_none_or(|tier| tier < *floor)
            && plans(said.text, &said.signs, words)
        {
            let base = Decision { cause: "plan_mode_floor", ..Decision::default() };
            return self.placed(place, said, *floor, base, rng);
        }
        let blind = self.modality == Some(true) && !self.sees(place, said, &held.choice.model);
        match (blind, held.tier) {
            (true, Some(tier)) => {
                let base = Decision { cause: "modality_pin_override", ..Decision::default() };
                let placed = self.placed(place, said, tier, base, rng)?;
                Some(Decision { cause: "modality_pin_override", ..placed })
            }
            _ => {
                let Held { choice, tier } = held;
                Some(Decision { tier, params: choice.params, ..Decision::to(&choice.model, cause) })
            }
        }
    }

    /// How hard a prompt is: by the operator's words, by what an agent does for itself, by its own words, by
    /// what a model said.
    fn tier(&self, said: &Said<'_>) -> Option<(Tier, Decision)> {
        if let Some((tier, word)) = self.rule(said.text) {
            let keyword = Some(word.to_owned());
            return Some((tier, Decision { keyword, cause: "keyword_rule", ..Decision::default() }));
        }
        if self.is_housekeeping(said) {
            let cheapest = Tier::ALL.into_iter().find(|tier| !self.tiers[*tier as usize].is_empty());
            let base = Decision { cause: "housekeeping", ..Decision::default() };
            return Some((cheapest.unwrap_or(Tier::Simple), base));
        }
        if let Some(decided) = self.by_words(said) {
            return Some(decided);
        }
        match &said.judged {
            Some(Judged::Said(verdict)) => {
                let Verdict { tier, score, signals } = verdict.clone();
                let cause = self.classifier.judge().map_or("llm_classifier", Judge::cause);
                Some((tier, Decision { score, signals, cause, ..Decision::default() }))
            }
            Some(Judged::Failed) | None => self.without_judge(said),
        }
    }

    /// The tier by the words alone, where these are enough.
    fn by_words(&self, said: &Said<'_>) -> Option<(Tier, Decision)> {
        if matches!(self.classifier, Classifier::Success) {
            return Some(by_success(said.text));
        }
        let score = self.scorer.score(said.text);
        let cause = self.classifier.settled_by_words(&score, &self.scorer.boundaries)?;
        let base =
            Decision { score: Some(score.score), signals: score.signals, cause, ..Decision::default() };
        Some((score.tier, base))
    }

    /// The tier where a model was to tell and did not: what the operator says of that.
    fn without_judge(&self, said: &Said<'_>) -> Option<(Tier, Decision)> {
        let score = self.scorer.score(said.text);
        let defaults = self.classifier.judge().is_some_and(|judge| judge.falls_to_default);
        let (tier, cause) = match self.classifier.tier_without_judge() {
            Some(tier) => (tier, "classifier_failed"),
            None if defaults && self.default.is_some() => (score.tier, "classifier_failed_default_model"),
            None => (score.tier, "heuristic_fallback"),
        };
        let base =
            Decision { score: Some(score.score), signals: score.signals, cause, ..Decision::default() };
        Some((tier, base))
    }

    /// The tier with what asks for more of it: the caller's words, an agent that is stuck or plans.
    fn raised(&self, said: &Said<'_>, mut tier: Tier, mut base: Decision) -> (Tier, Decision) {
        if self.asks_more(said.text) {
            tier = self.above(tier);
            base.signals.push("escalation".into());
        }
        if self.stall.is_some_and(|stall| is_stuck(said.signs.calls, stall)) {
            tier = self.above(tier);
            base.signals.push("stall_escalation".into());
        }
        if let Some((floor, words)) = &self.plan
            && tier < *floor
            && plans(said.text, &said.signs, words)
        {
            tier = *floor;
            base.signals.push("plan_mode_floor".into());
        }
        (tier, base)
    }

    fn asks_more(&self, said: &str) -> bool {
        self.escalations.iter().any(|word| said.contains(word.as_str()))
    }

    /// An agent's housekeeping; a program of the operator's judges that too.
    fn is_housekeeping(&self, said: &Said<'_>) -> bool {
        if self.classifier.judge().is_some_and(Judge::is_own) {
            return false;
        }
        let told = |words: &Vec<String>| {
            is_housekeeping(said.text, words) || is_housekeeping(said.signs.reminders, words)
        };
        self.housekeeping.as_ref().is_some_and(told)
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

    /// Every group it may pick, and the models it asks.
    pub(super) fn models(&self) -> impl Iterator<Item = &str> {
        let judge = self.classifier.judge().and_then(Judge::model);
        let compactor = self.compaction.as_ref().and_then(|how| how.model.as_deref());
        let own = self.tiers.iter().flatten().chain(&self.default).map(|choice| &*choice.model);
        own.chain(judge).chain(compactor)
    }
}

/// The tier by how likely models of each answer such a prompt well.
fn by_success(said: &str) -> (Tier, Decision) {
    let Likely { tier, success, kind } = likely(said);
    let told = Tier::ALL.iter().zip(success).map(|(tier, share)| format!("success:{tier}={share:.4}"));
    let (request, signals) = (Some(kind), told.collect());
    (tier, Decision { request, signals, cause: "heuristic_v2", ..Decision::default() })
}

#[cfg(test)]
mod tests;
