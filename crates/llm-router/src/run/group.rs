//! Inside one group: tries deployments, waits between tries, gives up.

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use llm_types::{Error, Result};

use super::{Part, Walk};
use crate::class::ErrorClass;
use crate::counters::InFlight;
use crate::fallback::{Fault, Lists, Params, Spots, is_last_word};
use crate::health::{Failure, Ticket, record_failure};
use crate::limits::Limits;
use crate::plan::{Filter, Refusal, healthy, plan};
use crate::retry::{self, Allowance, Situation};
use crate::tags::TagWish;
use crate::{Attempt, Candidate, Clock, Done, Rest, Route, error};

impl<'r> Walk<'r> {
    /// Tries deployments of one group until one succeeds or no retry is left.
    pub(super) async fn try_group<T, F, Fut>(
        &mut self,
        route: Route<'r>,
        part: Part<'r>,
        attempt: &mut F,
    ) -> Result<Done<'r, T>, Fault<'r>>
    where
        F: FnMut(Attempt<'r>) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let mut state = GroupState::default();
        self.report.retries = 0;
        self.report.max_retries = self.request.controls.num_retries.unwrap_or(self.settings.num_retries);
        loop {
            let wait = match self.pick(&route, &part, &state.failed) {
                Err(refusal) => self.after_refusal(&route, &refusal, &mut state),
                Ok(at) => {
                    state.at = at;
                    let candidate = &route.group.candidates[at as usize];
                    let limits = Limits::of(&self.request, &candidate.deployment, self.settings);
                    let Some(place) = enter(&*self.router.clock, candidate, &limits).await else {
                        state.first.get_or_insert_with(|| {
                            error::no_place(route.name, limits.any().unwrap_or_default())
                        });
                        return Err(state.give_up(route, part.params));
                    };
                    let next = self.attempt(&route, candidate, &limits, part.params);
                    let model = next.model.clone();
                    match attempt(next).await {
                        Ok(value) => return Ok(self.done(value, &route, candidate, model, place)),
                        Err(error) => {
                            drop(place);
                            self.after_error(&route, candidate, &limits, error, &mut state)
                        }
                    }
                }
            };
            match wait {
                None => return Err(state.give_up(route, part.params)),
                Some(wait) if wait.is_zero() => {}
                Some(wait) => self.router.clock.sleep(wait).await,
            }
        }
    }

    fn attempt(
        &mut self,
        route: &Route<'r>,
        candidate: &'r Candidate,
        limits: &Limits,
        params: Params<'r>,
    ) -> Attempt<'r> {
        self.last = Some(&candidate.deployment);
        self.report.attempts += 1;
        Attempt {
            deployment: &candidate.deployment,
            model: route.model(&candidate.deployment),
            group: route.name,
            number: self.report.attempts,
            fallbacks: self.report.fallbacks,
            timeout: limits.whole,
            first_byte: limits.first_byte,
            params,
        }
    }

    fn done<T>(
        &mut self,
        value: T,
        route: &Route<'r>,
        candidate: &'r Candidate,
        model: Cow<'r, str>,
        place: InFlight,
    ) -> Done<'r, T> {
        candidate.state.succeeded(self.router.clock.now());
        let (deployment, group) = (&candidate.deployment, route.name);
        let unaccountable = self.unaccountable(route);
        let ticket = Ticket::new(place, deployment, self.settings, route.group.is_single(), unaccountable);
        Done { value, deployment, model, group, ticket, report: std::mem::take(&mut self.report) }
    }

    fn pick(&mut self, route: &Route<'r>, part: &Part<'r>, failed: &[u32]) -> Result<u32, Refusal> {
        let controls = self.request.controls;
        let by_tags = controls.tag_filtering.unwrap_or(self.settings.tag_filtering);
        let wish = TagWish { tags: &controls.tags, any: self.settings.tag_match_any };
        let tags = by_tags.then_some(wish);
        let mut excluded = part.excluded.clone();
        if let Some(pinned) = &controls.pinned {
            let others = (0..).zip(&route.group.candidates);
            excluded.extend(others.filter(|(_, one)| one.deployment.id != *pinned).map(|(at, _)| at));
        }
        let filter = Filter { level: part.level, excluded: &excluded, failed, tags };
        let mut plan = plan(route.group, filter, self.settings, self.router.clock.now())?;
        plan.pick(&mut self.rng).ok_or(Refusal::Nobody)
    }

    /// Nobody can serve: the wait before looking again, where a retry policy insists.
    fn after_refusal(
        &mut self,
        route: &Route<'r>,
        refusal: &Refusal,
        state: &mut GroupState,
    ) -> Option<Duration> {
        let now = self.router.clock.now();
        let refused = || error::refused(route.name, route.group, refusal, self.settings, now);
        let error = state.first.get_or_insert_with(refused);
        let allowance = state.allowance.filter(|allowance| allowance.by_policy)?;
        if self.report.retries >= allowance.retries {
            return None;
        }
        let situation = Situation { deployments: 0, healthy: 0, special_fallback: false };
        let wait = retry::wait(error, self.report.retries, situation, self.settings, &mut self.rng);
        self.report.retries += 1;
        Some(wait)
    }

    /// A try failed: counts it and says how long to wait before the next one, if there may be one.
    fn after_error(
        &mut self,
        route: &Route<'r>,
        candidate: &Candidate,
        limits: &Limits,
        error: Error,
        state: &mut GroupState,
    ) -> Option<Duration> {
        let (group, deployment) = (route.group, &candidate.deployment);
        let now = self.router.clock.now();
        let class = ErrorClass::of(&error);
        let by_caller = self.unaccountable(route)
            || (limits.by_caller && class == ErrorClass::Timeout)
            || (group.is_wildcard() && class == ErrorClass::NotFound);
        let failure = Failure { error: &error, lone: group.is_single(), by_caller };
        if let Some(time) = record_failure(&candidate.state, failure, deployment, self.settings, now) {
            self.report.rests.push(Rest { deployment: deployment.id.clone(), time });
        }
        state.note(candidate.level, is_last_word(&error));

        let requested = self.request.controls.num_retries;
        let names = [route.name, &*group.name];
        let allowance = *state
            .allowance
            .get_or_insert_with(|| retry::allowance(&error, names, requested, deployment, self.settings));
        self.report.max_retries = allowance.retries;
        let lists = Lists { controls: self.request.controls, settings: self.settings };
        let situation = Situation {
            deployments: group.candidates.len(),
            healthy: healthy(group, now, 1),
            special_fallback: !self.request.controls.disable_fallbacks && lists.has_special(class),
        };
        let may = self.report.retries < allowance.retries
            && (allowance.by_policy || retry::may_retry(&error, situation));
        let wait =
            may.then(|| retry::wait(&error, self.report.retries, situation, self.settings, &mut self.rng));
        self.report.retries += u32::from(may);
        state.first.get_or_insert(error);
        wait
    }

    /// Whether failures say nothing of the deployments: the caller brought its own key, or any name at
    /// all leads here.
    fn unaccountable(&self, route: &Route<'r>) -> bool {
        self.request.controls.own_credentials || &*route.group.name == "*"
    }
}

/// What happened in one group so far.
#[derive(Default)]
struct GroupState {
    /// The place of the deployment that is tried.
    at: u32,
    failed: Spots,
    first: Option<Error>,
    allowance: Option<Allowance>,
    level: Option<i64>,
    last_word: bool,
}

impl GroupState {
    fn note(&mut self, level: i64, last_word: bool) {
        if !self.failed.contains(&self.at) {
            self.failed.push(self.at);
        }
        self.level = self.level.max(Some(level));
        self.last_word = last_word;
    }

    fn give_up<'r>(self, route: Route<'r>, params: Params<'r>) -> Fault<'r> {
        let nobody = || error::unknown_model(route.name);
        Fault {
            error: self.first.unwrap_or_else(nobody),
            level: self.level.unwrap_or(i64::MAX),
            failed: self.failed,
            last_word: self.last_word,
            params,
            route: Some(route),
        }
    }
}

/// Takes a place at a deployment, waiting for one no longer than the attempt may take.
async fn enter(clock: &dyn Clock, candidate: &Candidate, limits: &Limits) -> Option<InFlight> {
    if let Some(place) = candidate.state.enter(candidate.parallel_limit) {
        return Some(place);
    }
    let mut place = pin!(candidate.state.wait_for_place(candidate.parallel_limit));
    let Some(limit) = limits.any() else {
        return Some(place.await);
    };
    let mut late = clock.sleep(limit);
    poll_fn(|cx| match place.as_mut().poll(cx) {
        Poll::Ready(place) => Poll::Ready(Some(place)),
        Poll::Pending => late.as_mut().poll(cx).map(|()| None),
    })
    .await
}
