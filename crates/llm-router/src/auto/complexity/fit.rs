//! Which group of a tier serves: one that holds the prompt and takes its pictures. LiteLLM surface §7.8,
//! context-window escalation and modality routing.

use std::hash::BuildHasher as _;

use fastrand::Rng;
use foldhash::fast::FixedState;

use super::Complexity;
use crate::Routes;
use crate::auto::{Choice, Decision, Said, Tier};

/// What is known of a group for a prompt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It holds it.
    Holds,
    /// Nobody knows.
    Unknown,
    /// It does not.
    No,
}

type Place<'a> = (&'a Routes, Option<&'a str>);

impl Complexity {
    /// A group of a tier, or of another where none of its groups can serve; `base` is what is known besides.
    pub(super) fn placed(
        &self,
        place: Place<'_>,
        said: &Said<'_>,
        tier: Tier,
        base: Decision,
        rng: &mut Rng,
    ) -> Option<Decision> {
        let by_default = base.cause == "classifier_failed_default_model";
        let made = |choice: Choice, tier: Option<Tier>, base: Decision| Decision {
            model: choice.model,
            params: choice.params,
            tier,
            ..base
        };
        if let Some(default) = self.default.clone().filter(|_| by_default) {
            return Some(made(default, None, base));
        }
        let own = &self.tiers[tier as usize];
        let seen: Vec<&Choice> = own.iter().filter(|one| self.sees(place, said, &one.model)).collect();
        let held: Vec<&Choice> =
            seen.iter().copied().filter(|one| self.holds(place, said, &one.model) != Fit::No).collect();
        if let Some(choice) = self.pick(said, &held, rng) {
            return Some(made(choice.clone(), Some(tier), base));
        }
        if own.is_empty() {
            let choice = self.instead_of(tier, rng)?;
            return Some(made(choice, Some(tier), base));
        }
        self.elsewhere(place, said, (tier, seen.is_empty()), rng).map(|(choice, other)| {
            let (cause, from) = match seen.is_empty() {
                true => ("modality_escalation", "modality_escalated_from"),
                false => ("context_window_escalation", "context_window_escalated_from"),
            };
            let mut base = Decision { cause, ..base };
            base.signals.push(format!("{from}:{tier}"));
            made(choice, other, base)
        })
    }

    /// Where a prompt goes that no group of its tier can take: for pictures a higher tier, for length any tier
    /// that is known to hold it, the lowest first; else the default. A prompt too long for all stays where it was.
    fn elsewhere(
        &self,
        place: Place<'_>,
        said: &Said<'_>,
        (tier, blind): (Tier, bool),
        rng: &mut Rng,
    ) -> Option<(Choice, Option<Tier>)> {
        for other in Tier::ALL.into_iter().filter(|other| if blind { *other > tier } else { *other != tier })
        {
            let able = self.tiers[other as usize].iter().filter(|one| {
                let holds = self.holds(place, said, &one.model);
                self.sees(place, said, &one.model)
                    && if blind { holds != Fit::No } else { holds == Fit::Holds }
            });
            let able: Vec<&Choice> = able.collect();
            if let Some(choice) = rng.choice(&able) {
                return Some(((*choice).clone(), Some(other)));
            }
        }
        let able = |one: &&Choice| {
            self.sees(place, said, &one.model) && self.holds(place, said, &one.model) != Fit::No
        };
        if let Some(default) = self.default.as_ref().filter(able) {
            return Some((default.clone(), None));
        }
        let own = &self.tiers[tier as usize];
        if blind { None } else { rng.choice(own).map(|choice| (choice.clone(), Some(tier))) }
    }

    /// Where a tier has no group: the default, else the next harder tier's, else the next easier one's.
    fn instead_of(&self, tier: Tier, rng: &mut Rng) -> Option<Choice> {
        let pick = |tier: usize, rng: &mut Rng| rng.choice(&self.tiers[tier]).cloned();
        let own = tier as usize;
        self.default
            .clone()
            .or_else(|| (own + 1..4).find_map(|tier| pick(tier, rng)))
            .or_else(|| (0..own).rev().find_map(|tier| pick(tier, rng)))
    }

    /// Whether a group takes a prompt, as far as is known.
    pub(super) fn takes(&self, place: Place<'_>, said: &Said<'_>, model: &str) -> bool {
        self.sees(place, said, model) && self.holds(place, said, model) != Fit::No
    }

    /// One of several groups: of a session that names itself always the same, so that its prompt stays warm.
    fn pick<'a>(&self, said: &Said<'_>, able: &[&'a Choice], rng: &mut Rng) -> Option<&'a Choice> {
        let Some(session) = said.session.filter(|_| said.named && self.sticky) else {
            return rng.choice(able).copied();
        };
        let rank = |one: &&Choice| FixedState::with_seed(2).hash_one((session, &*one.model));
        able.iter().copied().max_by_key(|one| rank(one))
    }

    /// Whether a group takes the pictures of a prompt: every deployment of it, as far as is known.
    pub(super) fn sees(&self, (routes, team): Place<'_>, said: &Said<'_>, model: &str) -> bool {
        if self.modality.is_none() || !said.signs.images {
            return true;
        }
        let Some(route) = routes.resolve(model, team) else { return true };
        route.group.candidates.iter().all(|one| one.deployment.vision != Some(false))
    }

    /// Whether a group's context window holds a prompt: that of any deployment of it.
    fn holds(&self, place: Place<'_>, said: &Said<'_>, model: &str) -> Fit {
        // What is made shorter need not go elsewhere.
        match self.window.filter(|_| !said.shortens) {
            Some(share) => Self::within(place, said.signs.tokens, model, share),
            None => Fit::Unknown,
        }
    }

    /// Whether so many tokens are within a share of a group's context window.
    pub(super) fn within((routes, team): Place<'_>, tokens: u64, model: &str, share: f64) -> Fit {
        let Some(route) = routes.resolve(model, team).filter(|_| tokens > 0) else { return Fit::Unknown };
        #[expect(clippy::cast_precision_loss, reason = "windows are far below 2^52 tokens")]
        let fits = |limit: u64| tokens as f64 <= limit as f64 * share;
        let windows = || route.group.candidates.iter().map(|one| one.deployment.max_input_tokens);
        if windows().flatten().any(fits) {
            return Fit::Holds;
        }
        if windows().any(|window| window.is_none()) { Fit::Unknown } else { Fit::No }
    }
}
