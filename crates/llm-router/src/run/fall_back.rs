//! After a group failed for good: its other levels, then other groups.

use std::future::Future;
use std::sync::Arc;

use llm_types::Result;

use super::{Part, Tried, Walk, fault};
use crate::fallback::{Fault, Frame, Lists, Params, Step};
use crate::{Attempt, Done, Failed, FallbackTarget, Route, error};

impl<'r> Walk<'r> {
    /// Tries what is left to try, deepest first: the fallbacks of a fallback come before its
    /// siblings. Ends because no group is tried twice and each group has few levels.
    pub(super) async fn fall_back<T, F, Fut>(
        mut self,
        fault: Fault<'r>,
        attempt: &mut F,
    ) -> Result<Done<'r, T>, Box<Failed<'r>>>
    where
        F: FnMut(Attempt<'r>) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let original = fault.error.clone();
        self.note(self.request.model, &fault);
        self.tried.push(Tried { name: self.request.model, route: fault.route.clone(), params: None });
        let mut others: u32 = 0;
        let mut frames = Vec::new();
        if !self.request.controls.disable_fallbacks {
            frames.push(self.frame(fault, others));
        }
        while let Some(frame) = frames.last_mut() {
            let Some(step) = frame.next_step() else {
                frames.pop();
                continue;
            };
            match step {
                Step::Level(route, level) => {
                    let part = Part { level: Some(level), params: frame.params(), ..Part::default() };
                    match self.try_again(route, part, attempt).await {
                        Ok(done) => return Ok(done),
                        Err(fault) => frame.level_failed(level, fault),
                    }
                }
                Step::Failover(route, excluded) => {
                    let part = Part { excluded, params: frame.params(), ..Part::default() };
                    match self.try_again(route, part, attempt).await {
                        Ok(done) => return Ok(done),
                        Err(fault) => frame.failover_failed(fault),
                    }
                }
                Step::Other(target) => {
                    let route = self.router.routes.resolve(&target.model, self.request.team);
                    if !self.may_try(target, route.as_ref()) {
                        continue;
                    }
                    let (route, params) = self.stood_in_for(route, target.params.as_ref());
                    others += 1;
                    match self.try_other(target, (route, params), attempt).await {
                        Ok(done) => return Ok(done),
                        Err(fault) => frames.push(self.frame(fault, others)),
                    }
                }
            }
        }
        Err(self.failed(original))
    }

    fn frame(&self, fault: Fault<'r>, others: u32) -> Frame<'r> {
        let lists = Lists { controls: self.request.controls, settings: self.settings };
        let may_leave = !self.request.controls.stay_in_group && others < self.settings.max_fallbacks;
        Frame::new(lists, fault, may_leave)
    }

    /// Whether a fallback is new to this call and the caller may use it. The same group counts as new
    /// for other parameters.
    fn may_try(&self, target: &'r FallbackTarget, route: Option<&Route<'r>>) -> bool {
        let params = target.params.as_ref();
        let known = self.tried.iter().any(|tried| {
            let same_name = tried.name == &*target.model;
            let same_route = match (&tried.route, route) {
                (Some(one), Some(other)) => one.leads_where(other),
                _ => false,
            };
            (same_name || same_route) && same_params(tried.params, params)
        });
        !known && self.request.may_use.is_none_or(|may_use| may_use(&target.model))
    }

    /// Another part of a group that failed.
    async fn try_again<T, F, Fut>(
        &mut self,
        route: Route<'r>,
        part: Part<'r>,
        attempt: &mut F,
    ) -> Result<Done<'r, T>, Fault<'r>>
    where
        F: FnMut(Attempt<'r>) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        self.report.fallbacks += 1;
        let name = route.name;
        let tried = self.try_group(route, part, attempt).await;
        tried.inspect_err(|fault| self.note(name, fault))
    }

    /// Where a fallback leads to an auto router: the group that it names, with the parameters it sets.
    fn stood_in_for(&self, route: Option<Route<'r>>, params: Params<'r>) -> (Option<Route<'r>>, Params<'r>) {
        let first = route.as_ref().and_then(|route| route.group.candidates.first());
        let auto = first.map(|one| &one.deployment).filter(|deployment| deployment.auto.is_some());
        let named = auto.zip(self.request.stand_in).and_then(|(auto, stand_in)| stand_in(auto));
        match named {
            None => (route, params),
            Some(choice) => {
                let route = self.router.routes.resolve(&choice.model, self.request.team);
                (route, params.or(choice.params.as_ref()))
            }
        }
    }

    async fn try_other<T, F, Fut>(
        &mut self,
        target: &'r FallbackTarget,
        (route, params): (Option<Route<'r>>, Params<'r>),
        attempt: &mut F,
    ) -> Result<Done<'r, T>, Fault<'r>>
    where
        F: FnMut(Attempt<'r>) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let name: &'r str = &target.model;
        self.tried.push(Tried { name, route: route.clone(), params: target.params.as_ref() });
        let Some(route) = route else {
            self.report.fallbacks += 1;
            let fault = fault(error::unknown_model(name), None);
            self.note(name, &fault);
            return Err(fault);
        };
        self.try_again(route, Part { params, ..Part::default() }, attempt).await
    }
}

fn same_params(one: Params<'_>, other: Params<'_>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        _ => false,
    }
}
