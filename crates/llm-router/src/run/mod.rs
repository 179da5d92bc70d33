//! Walks a plan: tries deployments, waits, falls back. Nothing outside this folder waits for anything.

mod fall_back;
mod group;
mod hedged;

use std::future::Future;
use std::sync::Arc;

use fastrand::Rng;
use llm_types::{Error, Result, seldom};

pub(crate) use group::{by_tags, wish};

use crate::fallback::{Fault, Params, Spots};
use crate::{
    Advice, Attempt, Clock, Deployment, Done, Failed, GroupError, Moment, Report, Request, Route,
    RouterSettings, Routes, error,
};

/// Routes calls over one snapshot of routes. Cheap to clone; a reload makes a new one.
#[derive(Debug, Clone)]
pub struct Router {
    routes: Arc<Routes>,
    clock: Arc<dyn Clock>,
}

impl Router {
    /// A router over these routes.
    #[must_use]
    pub fn new(routes: Arc<Routes>, clock: Arc<dyn Clock>) -> Self {
        Self { routes, clock }
    }

    /// The routes.
    #[must_use]
    pub fn routes(&self) -> &Arc<Routes> {
        &self.routes
    }

    /// The moment it is on the router's clock.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Makes a call: tries deployments of the requested group, then of its fallbacks, until one
    /// succeeds. Dropping the future gives every place back.
    ///
    /// # Errors
    /// The error of the requested group, when nobody could answer.
    pub async fn run<'r, T, F, Fut>(
        &'r self,
        request: Request<'r>,
        mut attempt: F,
    ) -> Result<Done<'r, T>, Box<Failed<'r>>>
    where
        F: FnMut(Attempt<'r>) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let mut walk = Walk::new(self, request);
        match walk.try_first(&mut attempt).await {
            Ok(done) => Ok(done),
            Err(fault) => seldom(|| walk.fall_back(fault, &mut attempt)).await,
        }
    }
}

/// One call under way.
struct Walk<'r> {
    router: &'r Router,
    request: Request<'r>,
    settings: &'r Arc<RouterSettings>,
    rng: Rng,
    began: Moment,
    report: Report,
    /// The groups that failed.
    tried: Vec<Tried<'r>>,
    last: Option<&'r Arc<Deployment>>,
}

/// A group that was tried, and what for.
struct Tried<'r> {
    name: &'r str,
    route: Option<Route<'r>>,
    params: Params<'r>,
}

/// The part of a group that is tried.
#[derive(Default)]
struct Part<'r> {
    level: Option<i64>,
    excluded: Spots,
    params: Params<'r>,
    /// What was said of its deployments.
    advice: Option<Advice>,
}

impl<'r> Walk<'r> {
    fn new(router: &'r Router, request: Request<'r>) -> Self {
        let controls = request.controls;
        Self {
            router,
            request,
            settings: controls.settings.as_ref().unwrap_or(router.routes.settings()),
            rng: controls.seed.map_or_else(Rng::new, Rng::with_seed),
            began: router.clock.now(),
            report: Report::default(),
            tried: Vec::new(),
            last: None,
        }
    }

    async fn try_first<T, F, Fut>(&mut self, attempt: &mut F) -> Result<Done<'r, T>, Fault<'r>>
    where
        F: FnMut(Attempt<'r>) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let name = self.request.model;
        let Some(route) = self.router.routes.resolve(name, self.request.team) else {
            return Err(fault(error::unknown_model(name), None));
        };
        match self.request.controls.mock_failure {
            Some(failure) => Err(fault(error::mock(name, failure), Some(route))),
            None => {
                let part = Part { params: self.request.controls.params.as_ref(), ..Part::default() };
                self.try_group(route, part, attempt).await
            }
        }
    }

    fn note(&mut self, group: &str, fault: &Fault<'r>) {
        let group = group.to_owned();
        self.report.errors.push(GroupError { group, error: fault.error.clone() });
    }

    fn failed(self, error: Error) -> Box<Failed<'r>> {
        // An unknown name that nothing was tried for is the whole story.
        let known = self.tried.len() != 1 || self.tried.iter().any(|tried| tried.route.is_some());
        let explain = known && self.settings.explain_errors && !self.request.controls.disable_fallbacks;
        let tried: Vec<&str> = self.tried.iter().skip(1).map(|tried| tried.name).collect();
        let postscript =
            explain.then(|| error::postscript(self.request.model, &self.settings.fallbacks, &tried));
        Box::new(Failed { error, postscript, deployment: self.last, report: self.report })
    }
}

fn fault(error: Error, route: Option<Route<'_>>) -> Fault<'_> {
    Fault { error, route, level: i64::MAX, failed: Spots::new(), last_word: false, params: None }
}

#[cfg(test)]
mod tests;
