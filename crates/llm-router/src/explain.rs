//! Why a call would go where it goes: the same plan, with somebody looking on.

use std::sync::Arc;

use fastrand::Rng;

use crate::fallback::{Lists, Spots};
use crate::plan::{Filter, Plan, Refusal, Why, Witness, watched};
use crate::run::{by_tags, wish};
use crate::strategies::usage;
use crate::{Ask, Deployment, ErrorClass, FallbackTarget, Request, Route, Router, RouterSettings};

/// Draws from which the shares of traffic are estimated.
const DRAWS: u32 = 1_000;

/// What a name leads to and who would serve.
#[derive(Debug, Default)]
pub struct Explanation<'r> {
    /// Where the name leads; `None` when nowhere.
    pub route: Option<Route<'r>>,
    /// The strategy that picks.
    pub strategy: &'static str,
    /// Every deployment of the group, in its order.
    pub considered: Vec<Considered<'r>>,
    /// Why nobody could serve.
    pub refusal: Option<Refusal>,
    /// Whether tags choose.
    pub by_tags: bool,
    /// The groups that would be tried after this one failed for no particular reason.
    pub fallbacks: Vec<&'r str>,
    /// The same after a prompt that is too long, where that has a list of its own.
    pub context_fallbacks: Option<Vec<&'r str>>,
    /// The same after a content policy refused, where that has a list of its own.
    pub content_fallbacks: Option<Vec<&'r str>>,
}

/// A deployment and what became of it.
#[derive(Debug)]
pub struct Considered<'r> {
    /// The deployment.
    pub deployment: &'r Arc<Deployment>,
    /// Why it is left out; `None` when it may serve.
    pub left_out: Option<Why>,
    /// How often it would be the one, from 0 to 1.
    pub chance: f64,
}

/// Remembers who is left out.
#[derive(Debug, Default)]
struct Notes(Vec<Option<Why>>);

impl Witness for Notes {
    fn left_out(&mut self, at: u32, why: impl FnOnce() -> Why) {
        if let Some(note) = self.0.get_mut(at as usize) {
            note.get_or_insert_with(why);
        }
    }
}

impl Router {
    /// Explains where a call would go now; nothing is called and nothing counted.
    #[must_use]
    pub fn explain<'r>(&'r self, request: Request<'r>) -> Explanation<'r> {
        let settings: &RouterSettings =
            request.controls.settings.as_ref().unwrap_or(self.routes().settings());
        let Some(route) = self.routes().resolve(request.model, request.team) else {
            return Explanation { strategy: settings.strategy.name, ..Explanation::default() };
        };
        let group = route.group;
        let mut notes = Notes(group.candidates.iter().map(|_| None).collect());
        let wanted = self.routes().affinity().wanted(request.bonds, group, self.now());
        let broke = |deployment: &Deployment| request.broke.is_some_and(|broke| broke(deployment));
        let all = (0..).zip(&group.candidates);
        let excluded: Spots = all.filter(|(_, one)| broke(&one.deployment)).map(|(at, _)| at).collect();
        let filter = Filter {
            wanted: &wanted,
            excluded: &excluded,
            tags: wish(&request, settings, group),
            ask: Ask { stream: request.stream, ..request.ask },
            ..Filter::default()
        };
        let mut chances = vec![0.0; group.candidates.len()];
        let refusal = match watched(group, filter, settings, self.now(), &mut notes) {
            Err(refusal) => Some(refusal),
            Ok(plan) => {
                let mut rng = request.controls.seed.map_or_else(Rng::new, Rng::with_seed);
                let picks = (0..DRAWS).filter_map(|_| plan.clone().pick(&mut rng));
                picks.for_each(|at| chances[at as usize] += 1.0 / f64::from(DRAWS));
                notes.limits(&plan);
                chances.iter().all(|chance| *chance == 0.0).then_some(Refusal::Limits)
            }
        };
        notes.budgets(&excluded);
        let considered = group.candidates.iter().zip(notes.0).zip(chances);
        let considered = considered.map(|((one, left_out), chance)| Considered {
            deployment: &one.deployment,
            left_out,
            chance,
        });
        let lists = Lists { controls: request.controls, settings };
        let names = [route.name, &*group.name];
        let special = |class| lists.special_targets(class, names, Some(group)).map(shown);
        Explanation {
            strategy: settings.strategy_of(&group.name).0.name,
            considered: considered.collect(),
            refusal,
            by_tags: by_tags(&request, settings, group),
            fallbacks: shown(lists.general(names, Some(group))),
            context_fallbacks: special(ErrorClass::ContextWindow),
            content_fallbacks: special(ErrorClass::ContentPolicy),
            route: Some(route),
        }
    }
}

impl Notes {
    /// Those that the strategy itself leaves out.
    fn limits(&mut self, plan: &Plan<'_>) {
        for (at, why) in usage::reached(plan) {
            self.left_out(at, || why);
        }
    }

    /// Those that are excluded for their budgets.
    fn budgets(&mut self, excluded: &[u32]) {
        for at in excluded {
            if let Some(note) = self.0.get_mut(*at as usize).filter(|note| **note == Some(Why::Excluded)) {
                *note = Some(Why::Broke);
            }
        }
    }
}

fn shown(targets: &[FallbackTarget]) -> Vec<&str> {
    targets.iter().map(|target| &*target.model).collect()
}

#[cfg(test)]
mod tests;
