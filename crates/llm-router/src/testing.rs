//! A clock that only moves when told or slept on, and deployments, for tests (feature `testing`).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use llm_providers::{ParamPolicy, ProviderSpec, Target, providers};
use llm_types::{BoxFuture, ProviderId, Timeouts};

use crate::{Clock, Deployment, Moment};

/// Sleeping moves this clock forward at once; every sleep is remembered.
#[derive(Debug, Default)]
pub struct FakeClock {
    state: Mutex<(Moment, Vec<Duration>)>,
}

impl FakeClock {
    /// A clock at this moment.
    #[must_use]
    pub fn at(now: Moment) -> Self {
        Self { state: Mutex::new((now, Vec::new())) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, time: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = state.0 + time;
    }

    /// Every sleep so far.
    #[must_use]
    pub fn sleeps(&self) -> Vec<Duration> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Moment {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.advance(wait);
            self.state.lock().unwrap_or_else(PoisonError::into_inner).1.push(wait);
        })
    }
}

/// A target for tests: a provider at an address that does not exist.
#[must_use]
pub fn target(provider: &'static str, model: &str) -> Target {
    let known = providers::built_in().find(|spec| spec.id.as_str() == provider);
    let spec = known.cloned().unwrap_or_else(|| {
        let any = providers::built_in().next().expect("there are providers");
        ProviderSpec { id: ProviderId::known(provider), ..any.clone() }
    });
    Target {
        base_url: "http://upstream.invalid".to_owned(),
        spec: Arc::new(spec),
        model: model.to_owned(),
        key: None,
        headers: http::HeaderMap::new(),
        defaults: serde_json::Map::new(),
        policy: ParamPolicy::default(),
        timeouts: Timeouts::default(),
        cloud: None,
    }
}

/// A deployment for tests, of `openai/<model>` in a group.
#[must_use]
pub fn deployment(id: &str, group: &str, model: &str) -> Deployment {
    Deployment::new(id, group, format!("openai/{model}"), target("openai", model))
}
