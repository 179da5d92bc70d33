//! What gateways tell each other of deployments: what each used this minute, who rests, how quick they are.
//!
//! Nothing is asked on the way of a call: now and then what is new here is told, and what others told is
//! taken over. [`Teller`] remembers what was told already.

use std::collections::HashMap;
use std::time::Duration;

use llm_types::DeploymentId;

use crate::{Cause, Counters, DeploymentState, Moment};

/// What is counted of a deployment within a minute: calls begun, tokens used, and, where these are limited, tokens
/// of prompts and of answers, those that are set aside included.
pub type Counts = [u64; 4];

/// What is new of one deployment since it was told last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct News {
    /// By how much the counts of this minute changed here. What was set aside and is given back is less than before.
    pub counts: [i64; 4],
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
    counts: Counts,
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

    /// The counts of this minute that were told of a deployment.
    #[must_use]
    pub fn told(&self, id: &DeploymentId, now: Moment) -> Counts {
        match self.told.get(id) {
            Some(told) if told.minute == now.minute() => told.counts,
            _ => Counts::default(),
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
            (self.minute, self.counts) = (now.minute(), Counts::default());
        }
        let measures = &state.measures;
        let counts = measures.tallies().map(|tally| tally.own(now));
        let until = state.rests_until().0;
        let rests = until > self.rests_until && state.rests(now) && state.cause() != Cause::Shared;
        let latency = [&measures.first, &measures.whole].map(|average| average.value());
        let mut changes = [0; 4];
        for ((change, now), before) in changes.iter_mut().zip(counts).zip(self.counts) {
            *change = now.cast_signed().saturating_sub(before.cast_signed());
        }
        let news = News {
            counts: changes,
            rest: rests.then(|| state.rest_left(now)),
            latency: (latency != self.latency).then_some(latency),
        };
        *self = Self { minute: self.minute, counts, rests_until: until, latency };
        news
    }
}

impl DeploymentState {
    /// Takes over what other gateways have counted of it this minute.
    pub fn hear_counts(&self, counts: Counts, now: Moment) {
        for (tally, count) in self.measures.tallies().into_iter().zip(counts) {
            tally.set_others(count, now);
        }
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
