//! Who may serve a call now, and in which order: pure, with moment and random source passed in.
//!
//! LiteLLM surface §7.1: paused and resting deployments are left out, tags are matched, the lowest
//! level is kept, deployments that already failed this call are avoided, and the strategy picks.

use std::time::Duration;

use fastrand::Rng;
use smallvec::SmallVec;

use crate::strategies::Pool;
use crate::tags::{self, TagWish};
use crate::{Candidate, Group, Moment, RouterSettings};

/// What a call rules out before the strategy picks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// Only this level; `None` keeps the lowest that can serve.
    pub level: Option<i64>,
    /// Places of deployments that must not serve.
    pub excluded: &'a [u32],
    /// Places of deployments that failed this call: avoided while others can serve.
    pub failed: &'a [u32],
    /// The tags of the request, where tag routing is on.
    pub tags: Option<TagWish<'a>>,
}

/// Why nobody can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Every deployment is paused.
    Paused,
    /// No deployment has the request's tags.
    Tags,
    /// All rest; the first is back after this time.
    Resting(Duration),
    /// No deployment is left: other levels and excluded ones only.
    Nobody,
}

/// The deployments that may serve a call, best first, picked one by one as they are needed.
#[derive(Debug)]
pub struct Plan<'a> {
    group: &'a Group,
    settings: &'a RouterSettings,
    open: SmallVec<[u32; 16]>,
}

impl Plan<'_> {
    /// The next deployment, by its place in the group; each comes once.
    pub fn pick(&mut self, rng: &mut Rng) -> Option<u32> {
        if self.open.is_empty() {
            return None;
        }
        let pool = Pool { group: self.group, open: &self.open, settings: self.settings };
        let picked = (self.settings.strategy.pick)(pool, rng)?;
        self.open.retain(|at| *at != picked);
        Some(picked)
    }

    /// How many are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether nobody is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

/// Plans a call on a group.
///
/// # Errors
/// Why nobody can serve.
pub fn plan<'a>(
    group: &'a Group,
    filter: Filter<'_>,
    settings: &'a RouterSettings,
    now: Moment,
) -> Result<Plan<'a>, Refusal> {
    let mut open: SmallVec<[u32; 16]> = SmallVec::new();
    let mut lowest = i64::MAX;
    for (at, candidate) in (0..).zip(&group.candidates) {
        if !can_serve(at, candidate, filter, now) || (candidate.level > lowest && filter.level.is_none()) {
            continue;
        }
        if candidate.level < lowest {
            lowest = candidate.level;
            open.clear();
        }
        open.push(at);
    }
    if let Some(wish) = filter.tags {
        let pool = Pool { group, open: &open, settings };
        open = tags::matching(pool, wish).ok_or(Refusal::Tags)?;
    }
    if open.is_empty() {
        return Err(refusal(group, filter, now));
    }
    if open.len() > 1 {
        prefer(&mut open, |at| !filter.failed.contains(&at));
        prefer(&mut open, |at| !group.candidates[at as usize].is_full());
    }
    Ok(Plan { group, settings, open })
}

/// How many deployments could serve right now, up to `enough`: retries are instant while there are
/// others. LiteLLM surface §7.3.
#[must_use]
pub fn healthy(group: &Group, now: Moment, enough: usize) -> usize {
    group.candidates.iter().filter(|one| !one.blocked && !one.state.rests(now)).take(enough).count()
}

fn can_serve(at: u32, candidate: &Candidate, filter: Filter<'_>, now: Moment) -> bool {
    !candidate.blocked
        && !candidate.state.rests(now)
        && filter.level.is_none_or(|level| level == candidate.level)
        && !filter.excluded.contains(&at)
}

/// Keeps those that pass, unless none does.
fn prefer(open: &mut SmallVec<[u32; 16]>, pass: impl Fn(u32) -> bool) {
    let good = open.iter().filter(|at| pass(**at)).count();
    if good > 0 && good < open.len() {
        open.retain(|at| pass(*at));
    }
}

fn refusal(group: &Group, filter: Filter<'_>, now: Moment) -> Refusal {
    let eligible = || {
        let all = (0..).zip(&group.candidates).filter(|(at, one)| {
            filter.level.is_none_or(|level| level == one.level) && !filter.excluded.contains(at)
        });
        all.map(|(_, one)| one)
    };
    if eligible().next().is_none() {
        return Refusal::Nobody;
    }
    let active = || eligible().filter(|one| !one.blocked);
    match active().map(|one| one.state.rest_left(now)).min() {
        None => Refusal::Paused,
        Some(rest) => Refusal::Resting(rest),
    }
}

#[cfg(test)]
mod tests;
