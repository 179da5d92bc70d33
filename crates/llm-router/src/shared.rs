//! What gateways tell each other of deployments: what each used this minute, who rests, how quick they are.
//!
//! Nothing is asked on the way of a call: now and then what is new here is told, and what others told is
//! taken over. [`Teller`] remembers what was told already.

use std::collections::HashMap;
use std::time::Duration;

use llm_types::DeploymentId;

use crate::{Cause, Counters, DeploymentState, Moment};

/// What is new of one deployment since it was told last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct News {
    /// Calls begun here this minute that were not told yet.
    pub requests: u64,
    /// Tokens used here this minute that were not told yet.
    pub tokens: u64,
    /// It rests since the last time, for so much longer.
    pub rest: Option<Duration>,
    /// Milliseconds to the first byte of streams and to the end of whole answers, where they changed.
    pub latency: Option<[f32; 2]>,
}

/// Remembers what was told of each deployment.
#[derive(Debug, Default)]
pub struct Teller {
    told: HashMap<DeploymentId, Told>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Told {
    minute: u64,
    requests: u64,
    tokens: u64,
    rests_until: u64,
    latency: [f32; 2],
}

impl Teller {
    /// What is new, to be told; it counts as told from now on.
    pub fn news(&mut self, counters: &Counters, now: Moment) -> Vec<(DeploymentId, News)> {
        let mut all = Vec::new();
        counters.for_each(|id, state| {
            let told = self.told.entry(id.clone()).or_default();
            let news = told.since(state, now);
            if news != News::default() {
                all.push((id.clone(), news));
            }
        });
        all
    }

    /// Calls and tokens of this minute that were told of a deployment.
    #[must_use]
    pub fn told(&self, id: &DeploymentId, now: Moment) -> (u64, u64) {
        match self.told.get(id) {
            Some(told) if told.minute == now.minute() => (told.requests, told.tokens),
            _ => (0, 0),
        }
    }

    /// What was told has not arrived: it is told again.
    pub fn forget(&mut self) {
        self.told.clear();
    }
}

impl Told {
    fn since(&mut self, state: &DeploymentState, now: Moment) -> News {
        if self.minute != now.minute() {
            (self.minute, self.requests, self.tokens) = (now.minute(), 0, 0);
        }
        let measures = &state.measures;
        let (requests, tokens) = (measures.requests.own(now), measures.tokens.own(now));
        let until = state.rests_until().0;
        let rests = until > self.rests_until && state.rests(now) && state.cause() != Cause::Shared;
        let latency = [&measures.first, &measures.whole].map(|average| average.value());
        let news = News {
            requests: requests.saturating_sub(self.requests),
            tokens: tokens.saturating_sub(self.tokens),
            rest: rests.then(|| state.rest_left(now)),
            latency: (latency != self.latency).then_some(latency),
        };
        *self = Self { minute: self.minute, requests, tokens, rests_until: until, latency };
        news
    }
}

impl DeploymentState {
    /// Takes over what other gateways have used of it this minute.
    pub fn hear_usage(&self, requests: u64, tokens: u64, now: Moment) {
        self.measures.requests.set_others(requests, now);
        self.measures.tokens.set_others(tokens, now);
    }

    /// Rests it because another gateway does; one that rests already goes on as it does.
    pub fn hear_rest(&self, left: Duration, now: Moment) {
        if !self.rests(now) {
            self.rest_for(now, left, Cause::Shared);
        }
    }

    /// Takes over how quick it is where nothing is known here: to the first byte, and of whole answers,
    /// milliseconds; 0 is unknown.
    pub fn hear_latency(&self, [first, whole]: [f32; 2], now: Moment) {
        self.measures.first.hear(first, now);
        self.measures.whole.hear(whole, now);
    }
}

#[cfg(test)]
mod tests;
