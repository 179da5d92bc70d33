//! A group narrowed down to who may serve a call, rule by rule.

use super::{Filter, Open, Refusal, Why, Witness};
use crate::rates::{self, Asked};
use crate::strategies::{Pool, StrategyArgs};
use crate::{Ask, Candidate, Group, Moment, RouterSettings, tags};

/// Calls on their way at which a deployment is too busy for callers that were there before, as a multiple
/// of what the others have, and the number from which that counts.
const BUSY: (u32, u32) = (2, 8);

/// A group while it is narrowed down.
pub(super) struct Narrowing<'a, 'w, W> {
    pub(super) open: Open,
    group: &'a Group,
    filter: Filter<'a>,
    settings: &'a RouterSettings,
    now: Moment,
    witness: &'w mut W,
}

impl<'a, 'w, W: Witness> Narrowing<'a, 'w, W> {
    /// Those that are not paused, resting, excluded or of another level than the one asked for.
    pub(super) fn new(
        group: &'a Group,
        filter: Filter<'a>,
        settings: &'a RouterSettings,
        now: Moment,
        witness: &'w mut W,
    ) -> Self {
        let mut open = Open::with_capacity(group.candidates.len());
        for (at, candidate) in (0..).zip(&group.candidates) {
            match hindrance(at, candidate, filter, now) {
                None => open.push(at),
                Some(why) => witness.left_out(at, || why),
            }
        }
        Self { open, group, filter, settings, now, witness }
    }

    fn candidate(&self, at: u32) -> &'a Candidate {
        &self.group.candidates[at as usize]
    }

    /// Leaves those out that cannot take the request. LiteLLM surface §7.1 steps 4, 6 and 7.
    pub(super) fn able(&mut self) -> Result<(), Refusal> {
        if self.open.is_empty() {
            return Err(self.refusal());
        }
        if self.settings.health_routing {
            self.prefer(|_, one, now| (!one.state.is_ill(now)).then_some(()).ok_or(Why::Ill));
        }
        let settings = self.settings;
        let bound = self.filter.ask.region.is_some();
        if !settings.enforce_limits && !settings.pre_call_checks && !bound {
            return Ok(());
        }
        let mut limited = false;
        let open = std::mem::take(&mut self.open);
        for at in open {
            let why = self.inability(self.candidate(at));
            match why {
                None => self.open.push(at),
                Some(why) => {
                    limited |= matches!(
                        why,
                        Why::Requests(_) | Why::Tokens(_) | Why::InputTokens(_) | Why::OutputTokens(_)
                    );
                    self.witness.left_out(at, || why);
                }
            }
        }
        match self.open.is_empty() {
            true if limited => Err(Refusal::Limits),
            true => Err(Refusal::Unable),
            false => Ok(()),
        }
    }

    /// Why a deployment cannot take the request.
    fn inability(&self, one: &Candidate) -> Option<Why> {
        let (deployment, ask) = (&one.deployment, &self.filter.ask);
        // Where a caller may be served is no matter of switches.
        if let Some(region) = ask.region
            && !in_region(deployment.region.as_deref(), region)
        {
            return Some(Why::Region);
        }
        if !self.settings.enforce_limits && !self.settings.pre_call_checks {
            return None;
        }
        let asked = Asked { ask: *ask, enforced: self.settings.enforce_limits, now: self.now };
        if let Some(reached) = rates::reached(one, &asked) {
            return Some(reached.why());
        }
        if !self.settings.pre_call_checks {
            return None;
        }
        if let Some(limit) = deployment.max_input_tokens
            && let Some(tokens) = ask.tokens_beyond(limit, deployment)
        {
            return Some(Why::TooLong { tokens, limit });
        }
        (ask.structured && deployment.structured == Some(false)).then_some(Why::Unstructured)
    }

    /// Keeps those with the request's tags. LiteLLM surface §7.1 step 8.
    pub(super) fn tagged(&mut self) -> Result<(), Refusal> {
        let Some(wish) = self.filter.tags else { return Ok(()) };
        let Self { group, settings, now, .. } = *self;
        let args = &StrategyArgs::default();
        let pool = Pool { group, open: &self.open, settings, args, ask: self.filter.ask, now };
        let matching = tags::matching(pool, wish);
        for at in &self.open {
            if matching.as_ref().is_none_or(|matching| !matching.contains(at)) {
                self.witness.left_out(*at, || Why::Tags);
            }
        }
        self.open = matching.ok_or(Refusal::Tags)?;
        Ok(())
    }

    /// Leaves those out that rules of the program's own keep from the call, and those that advice does not name where
    /// nobody else may serve. LiteLLM surface §7.1 step 9.
    pub(super) fn ruled(&mut self) -> Result<(), Refusal> {
        let (ask, now) = (self.filter.ask, self.now);
        let rules = &self.settings.own.rules;
        let advice = ask.advice.filter(|advice| advice.only);
        if rules.is_empty() && advice.is_none() {
            return Ok(());
        }
        let open = std::mem::take(&mut self.open);
        for at in open {
            let one = self.candidate(at);
            let against = rules.iter().find(|rule| !rule.keeps(one, &ask, now));
            let why = match against {
                Some(rule) => Some(Why::Rule(rule.name().to_owned())),
                None => {
                    advice.filter(|advice| !advice.order.contains(&one.deployment.id)).map(|_| Why::Unadvised)
                }
            };
            match why {
                None => self.open.push(at),
                Some(why) => self.witness.left_out(at, || why),
            }
        }
        if self.open.is_empty() { Err(Refusal::Nobody) } else { Ok(()) }
    }

    /// Keeps the lowest level. LiteLLM surface §7.1 step 10.
    pub(super) fn lowest_level(&mut self) {
        if self.filter.level.is_some() || self.group.levels.len() < 2 {
            return;
        }
        let lowest = self.open.iter().map(|at| self.candidate(*at).level).min().unwrap_or(i64::MAX);
        self.prefer(|_, one, _| if one.level == lowest { Ok(()) } else { Err(Why::Level(one.level)) });
    }

    /// Avoids who failed this call, who is tried after a rest, who is full; keeps to who served before.
    pub(super) fn preferred(&mut self) {
        if self.open.len() < 2 {
            return;
        }
        if !self.filter.failed.is_empty() {
            let failed = self.filter.failed;
            self.prefer(|at, _, _| if failed.contains(&at) { Err(Why::FailedBefore) } else { Ok(()) });
        }
        self.prefer(|_, one, now| {
            let tried = one.state.is_on_trial(now) && one.state.in_flight() > 0;
            if tried { Err(Why::OnTrial) } else { Ok(()) }
        });
        self.prefer(|_, one, _| if one.is_full() { Err(Why::Full) } else { Ok(()) });
        self.keep_to_wanted();
    }

    /// Keeps the first of those wanted that is open and not much busier than the others.
    fn keep_to_wanted(&mut self) {
        let filter = self.filter;
        let mut wanted = filter.wanted.iter().copied().filter(|at| self.open.contains(at));
        if let Some(found) = wanted.find(|at| !self.is_too_busy(*at)) {
            self.prefer(|at, _, _| if at == found { Ok(()) } else { Err(Why::Elsewhere) });
        }
    }

    fn is_too_busy(&self, at: u32) -> bool {
        let (times, from) = BUSY;
        let load = |at: u32| self.candidate(at).state.in_flight();
        let own = load(at);
        if own < from {
            return false;
        }
        let all: u32 = self.open.iter().map(|at| load(*at)).sum();
        let others = u32::try_from(self.open.len()).unwrap_or(u32::MAX).saturating_sub(1).max(1);
        own > times * (all - own).div_ceil(others)
    }

    /// Keeps those that pass, unless none does.
    fn prefer(&mut self, pass: impl Fn(u32, &Candidate, Moment) -> Result<(), Why>) {
        let now = self.now;
        let good = self.open.iter().filter(|at| pass(**at, self.candidate(**at), now).is_ok()).count();
        if good == 0 || good == self.open.len() {
            return;
        }
        let open = std::mem::take(&mut self.open);
        for at in open {
            match pass(at, self.candidate(at), now) {
                Ok(()) => self.open.push(at),
                Err(why) => self.witness.left_out(at, || why),
            }
        }
    }

    fn refusal(&self) -> Refusal {
        let filter = self.filter;
        let eligible = || {
            let all = (0..).zip(&self.group.candidates).filter(|(at, one)| {
                filter.level.is_none_or(|level| level == one.level) && !filter.excluded.contains(at)
            });
            all.map(|(_, one)| one)
        };
        if eligible().next().is_none() {
            return Refusal::Nobody;
        }
        let open = || eligible().filter(|one| !one.blocked);
        let free = || open().filter(|one| unfit(one, filter.ask).is_none());
        match free().map(|one| one.state.rest_left(self.now)).min() {
            None if open().any(|one| unfit(one, filter.ask) == Some(Why::Reserved)) => Refusal::Reserved,
            None if open().next().is_some() => Refusal::Unable,
            None => Refusal::Paused,
            Some(rest) => Refusal::Resting(rest),
        }
    }
}

/// What keeps a deployment from serving anybody now, or this call.
fn hindrance(at: u32, candidate: &Candidate, filter: Filter<'_>, now: Moment) -> Option<Why> {
    if candidate.blocked {
        return Some(Why::Paused);
    }
    if let Some(why) = unfit(candidate, filter.ask) {
        return Some(why);
    }
    if candidate.state.rests(now) {
        return Some(Why::Resting(candidate.state.rest_left(now), candidate.state.cause()));
    }
    if filter.level.is_some_and(|level| level != candidate.level) {
        return Some(Why::Level(candidate.level));
    }
    filter.excluded.contains(&at).then_some(Why::Excluded)
}

/// What keeps a deployment from this caller or request whatever its state. LiteLLM surface §7.1 step 2.
fn unfit(candidate: &Candidate, ask: Ask<'_>) -> Option<Why> {
    let deployment = &candidate.deployment;
    if deployment.auto.is_some() {
        return Some(Why::Auto);
    }
    if ask.reserved.is_some_and(|reserved| reserved(deployment)) {
        return Some(Why::Reserved);
    }
    (ask.web_search && deployment.web_search == Some(false)).then_some(Why::NoWebSearch)
}

/// Parts of clouds' names for places in the European Union and in the United States, where these do not begin
/// with `eu` and `us`.
const EU: [&str; 10] = [
    "westeurope",
    "northeurope",
    "sweden",
    "france",
    "germany",
    "italy",
    "poland",
    "spain",
    "austria",
    "finland",
];
const US: [&str; 3] = ["eastus", "westus", "centralus"];

/// Whether a place lies in a region: `eu` holds `eu-west-1`, `europe-west4` and `swedencentral`, `us` holds
/// `us-east-1` and `eastus2`; any other region holds the places whose names begin so.
#[must_use]
pub fn in_region(place: Option<&str>, region: &str) -> bool {
    let Some(place) = place.map(str::to_ascii_lowercase) else { return false };
    let region = region.to_ascii_lowercase();
    let parts: &[&str] = match &*region {
        "eu" => &EU,
        "us" => &US,
        _ => &[],
    };
    place.starts_with(&region) || parts.iter().any(|part| place.contains(part))
}
