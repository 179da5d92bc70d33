//! Inside one group: tries deployments, waits between tries, gives up.

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use llm_types::{Error, Result, seldom};

use super::{Part, Walk};
use crate::class::ErrorClass;
use crate::counters::InFlight;
use crate::fairness::Tenant;
use crate::fallback::{Fault, Lists, Params, Spots, is_last_word};
use crate::health::{Blame, Failure, Place, Ticket, blame, record_failure};
use crate::limits::Limits;
use crate::plan::{Filter, Refusal, healthy, plan};
use crate::rates::{self, Asked};
use crate::retry::{self, Allowance, Situation};
use crate::strategies::CUSTOM;
use crate::tags::TagWish;
use crate::{
    Ask, Attempt, Candidate, Clock, Done, Group, Moment, Request, Route, RouterSettings, error, outlier,
};

impl<'r> Walk<'r> {
    /// Tries deployments of one group until one succeeds or no retry is left.
    pub(super) async fn try_group<T, F, Fut>(
        &mut self,
        route: Route<'r>,
        mut part: Part<'r>,
        attempt: &mut F,
    ) -> Result<Done<'r, T>, Fault<'r>>
    where
        F: FnMut(Attempt<'r>) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let mut state = GroupState::default();
        if let Some(consult) = self.request.consult
            && self.settings.strategy_of(&route.group.name).0.name == CUSTOM
        {
            part.advice = consult(route.group).await;
        }
        let mut begun = self.begin_group();
        loop {
            let now = begun.take().unwrap_or_else(|| self.router.clock.now());
            let wait = match self.pick(&route, &part, &state.failed, now) {
                Err(refusal) => self.after_refusal(&route, &refusal, &mut state),
                Ok(at) => {
                    state.at = at;
                    let mut candidate = &route.group.candidates[at as usize];
                    let mut limits = Limits::of(&self.request, &candidate.deployment, self.settings);
                    let entered = enter(&*self.router.clock, candidate, &limits, self.turn(), now).await;
                    let Some((mut place, mut began)) = entered else {
                        state.first.get_or_insert_with(|| {
                            error::no_place(route.name, limits.any().unwrap_or_default())
                        });
                        return Err(state.give_up(route, part.params));
                    };
                    let ask = Ask { stream: self.request.stream, ..self.request.ask };
                    let Ok(held) = rates::take(candidate, &ask, self.settings, began) else {
                        // Others were quicker: whoever picks now sees it.
                        continue;
                    };
                    place.hold(held);
                    let waiting = candidate.state.measures.wait(began);
                    let next = self.attempt(&route, candidate, &limits, part.params);
                    let mut model = next.model.clone();
                    let (answer, rival) = match self.settings.hedging.filter(|_| self.request.stream) {
                        None => (attempt(next).await, None),
                        Some(hedging) => {
                            let first = (&route, &part, at);
                            seldom(|| {
                                let own = attempt(next);
                                self.hedged(&hedging, first, own, attempt)
                            })
                            .await
                        }
                    };
                    drop(waiting);
                    if let Some(rival) = rival {
                        state.at = rival.at;
                        candidate = &route.group.candidates[rival.at as usize];
                        limits = Limits::of(&self.request, &candidate.deployment, self.settings);
                        (model, place, began) = (rival.model, rival.place, rival.began);
                        self.last = Some(&candidate.deployment);
                    }
                    match answer {
                        Ok(value) => {
                            return Ok(self.done(value, &route, candidate, model, (place, began)));
                        }
                        Err(error) => {
                            place.give_back();
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

    /// Counts the retries of a group anew. Its first choice is made at the moment the call began, where nothing has been
    /// waited for since: that is given then.
    fn begin_group(&mut self) -> Option<Moment> {
        self.report.retries = 0;
        self.report.max_retries = self.request.controls.num_retries.unwrap_or(self.settings.num_retries);
        let is_first = self.report.attempts == 0 && self.tried.is_empty() && self.request.consult.is_none();
        is_first.then_some(self.began)
    }

    pub(super) fn attempt(
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
        (place, began): (InFlight, Moment),
    ) -> Done<'r, T> {
        let now = self.router.clock.now();
        candidate.state.succeeded(now);
        candidate.peers.succeed();
        self.router.routes.affinity().bind(self.request.bonds, &candidate.deployment, now);
        let took = now.since(began);
        if self.request.stream {
            candidate.state.measures.began(took, now);
        } else {
            candidate.state.measures.answered(took, now);
        }
        self.look_for_outliers(route, now);
        let (deployment, group) = (&candidate.deployment, route.name);
        let whose = (route.group.is_single(), self.unaccountable(route));
        let ticket = Ticket::new(place, candidate, self.settings, began, whose);
        Done { value, deployment, model, group, ticket, report: std::mem::take(&mut self.report) }
    }

    /// Judges the deployments of a group by each other, where the operator wants it.
    fn look_for_outliers(&mut self, route: &Route<'r>, now: Moment) {
        if let Some(outliers) = &self.settings.outliers {
            self.report.rests.extend(outlier::look(route.group, self.request.stream, outliers, now));
        }
    }

    pub(super) fn pick(
        &mut self,
        route: &Route<'r>,
        part: &Part<'r>,
        failed: &[u32],
        now: Moment,
    ) -> Result<u32, Refusal> {
        let controls = self.request.controls;
        let tags = wish(&self.request, self.settings, route.group);
        let mut excluded = part.excluded.clone();
        if let Some(pinned) = &controls.pinned {
            let others = (0..).zip(&route.group.candidates);
            excluded.extend(others.filter(|(_, one)| one.deployment.id != *pinned).map(|(at, _)| at));
        }
        if let Some(broke) = self.request.broke {
            let all = (0..).zip(&route.group.candidates);
            excluded.extend(all.filter(|(_, one)| broke(&one.deployment)).map(|(at, _)| at));
        }
        if let Some(fits) = self.request.fits {
            let all = (0..).zip(&route.group.candidates);
            excluded.extend(all.filter(|(_, one)| !fits(&one.deployment)).map(|(at, _)| at));
        }
        let ask = Ask { stream: self.request.stream, advice: part.advice.as_ref(), ..self.request.ask };
        let wanted = match self.request.bonds {
            [] => Spots::new(),
            bonds => self.router.routes.affinity().wanted(bonds, route.group, now),
        };
        let filter = Filter { level: part.level, excluded: &excluded, failed, tags, ask, wanted: &wanted };
        let mut plan = plan(route.group, filter, self.settings, now)?;
        plan.pick(&mut self.rng).ok_or(Refusal::Limits)
    }

    /// Nobody can serve: the wait before looking again, where a retry policy insists.
    fn after_refusal(
        &mut self,
        route: &Route<'r>,
        refusal: &Refusal,
        state: &mut GroupState,
    ) -> Option<Duration> {
        let now = self.router.clock.now();
        if let Some(wait) = self.patience(refusal, now) {
            return Some(wait);
        }
        let ask = Ask { stream: self.request.stream, ..self.request.ask };
        let asked = Asked { ask, enforced: self.settings.enforce_limits, now };
        let refused = || error::refused(route.name, route.group, refusal, self.settings, &asked);
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

    /// How long a call with a priority waits for the first deployment that is back from its rest, where
    /// that is before its time is over. LiteLLM surface §7.7.
    fn patience(&self, refusal: &Refusal, now: Moment) -> Option<Duration> {
        let Refusal::Resting(left) = refusal else { return None };
        let limit = self.request.controls.timeout.or(self.settings.timeout)?;
        let waited = now.since(self.began);
        (self.priority().is_some() && !left.is_zero() && waited + *left < limit).then_some(*left)
    }

    /// How urgent the call is; lower numbers come first.
    fn priority(&self) -> Option<i64> {
        self.request.controls.priority.or(self.settings.default_priority)
    }

    /// When its turn comes where calls wait.
    fn turn(&self) -> (Option<i64>, Option<Tenant>) {
        (self.priority(), self.request.controls.tenant)
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
        let (state_of, peers) = (&candidate.state, &candidate.peers);
        let place = Place { state: state_of, peers, deployment, settings: self.settings };
        self.report.rests.extend(record_failure(place, failure, now));
        if !self.request.bonds.is_empty() && blame(failure) == Blame::Deployment {
            self.router.routes.affinity().release(self.request.bonds, &deployment.id);
        }
        self.look_for_outliers(route, now);
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

/// Whether tags choose: the operator says so, or the caller does. What the operator says no caller takes back.
pub(crate) fn by_tags(request: &Request<'_>, settings: &RouterSettings, group: &Group) -> bool {
    settings.tag_filtering || group.by_tags || request.controls.tag_filtering
}

/// What a request asks of the deployments' tags, where tags choose.
pub(crate) fn wish<'a>(
    request: &Request<'a>,
    settings: &'a RouterSettings,
    group: &Group,
) -> Option<TagWish<'a>> {
    by_tags(request, settings, group).then_some(TagWish {
        tags: &request.controls.tags,
        any: settings.tag_match_any,
        prefix: &settings.tag_prefix,
        user_agent: request.ask.user_agent,
    })
}

/// Takes a place at a deployment, waiting for one no longer than the attempt may take, and says when it has it.
async fn enter(
    clock: &dyn Clock,
    candidate: &Candidate,
    limits: &Limits,
    (priority, tenant): (Option<i64>, Option<Tenant>),
    now: Moment,
) -> Option<(InFlight, Moment)> {
    if let Some(place) = candidate.state.enter(candidate.parallel_limit) {
        return Some((place, now));
    }
    let priority = priority.unwrap_or(i64::MAX);
    let mut place = pin!(candidate.state.wait_for_place(candidate.parallel_limit, priority, tenant));
    let Some(limit) = limits.any() else {
        let place = place.await;
        return Some((place, clock.now()));
    };
    let mut late = clock.sleep(limit);
    let place = poll_fn(|cx| match place.as_mut().poll(cx) {
        Poll::Ready(place) => Poll::Ready(Some(place)),
        Poll::Pending => late.as_mut().poll(cx).map(|()| None),
    })
    .await?;
    Some((place, clock.now()))
}
