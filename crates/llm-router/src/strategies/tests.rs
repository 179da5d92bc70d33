//! A group of deployments to pick from, for the tests of the strategies.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;

use super::*;
use crate::plan::{Filter, plan};
use crate::testing::deployment;
use crate::{Counters, Deployment, InFlight, Lar1};

/// A group under one strategy, at one moment.
pub(super) struct Bench {
    group: Arc<Group>,
    settings: RouterSettings,
    now: Cell<Moment>,
    tokens: u64,
    stream: bool,
    lar1: Option<Lar1<'static>>,
}

impl Bench {
    pub(super) fn new(strategy: &str, size: usize, set: impl Fn(usize, &mut Deployment)) -> Self {
        let settings =
            RouterSettings { strategy: strategy.parse().expect("a strategy"), ..RouterSettings::default() };
        let counters = Counters::new();
        let candidates = (0..size).map(|n| {
            let mut one = deployment(&format!("d{n}"), "m", "gpt");
            set(n, &mut one);
            let state = counters.of(&one.id);
            state.keep_latencies(10);
            Candidate::new(one.into(), state, None)
        });
        let group = Arc::new(Group::new("m".into(), candidates.collect()));
        Self { group, settings, now: Cell::new(Moment(5_000)), tokens: 0, stream: false, lar1: None }
    }

    fn copy(&self) -> Self {
        let (group, settings, now) = (Arc::clone(&self.group), self.settings.clone(), self.now.clone());
        Self { group, settings, now, ..*self }
    }

    pub(super) fn asking(&self, tokens: u64) -> Self {
        Self { tokens, ..self.copy() }
    }

    pub(super) fn streaming(&self) -> Self {
        Self { stream: true, ..self.copy() }
    }

    pub(super) fn stating(&self, lar1: Lar1<'static>) -> Self {
        Self { lar1: Some(lar1), ..self.copy() }
    }

    pub(super) fn with(&self, strategy_args: StrategyArgs) -> Self {
        let mut copy = self.copy();
        copy.settings.strategy_args = strategy_args;
        copy
    }

    fn candidate(&self, at: usize) -> &Candidate {
        &self.group.candidates[at]
    }

    pub(super) fn advance(&self, ms: u64) {
        self.now.set(self.now.get() + Duration::from_millis(ms));
    }

    pub(super) fn use_tokens(&self, tokens: &[u64]) {
        for (at, tokens) in tokens.iter().enumerate() {
            self.candidate(at).state.measures.tokens.add(*tokens, self.now.get());
        }
    }

    pub(super) fn begin(&self, at: usize) {
        self.candidate(at).state.measures.requests.add(1, self.now.get());
    }

    pub(super) fn succeed(&self, at: usize) {
        self.candidate(at).state.succeeded(self.now.get());
    }

    pub(super) fn fail(&self, at: usize) {
        self.candidate(at).state.failed(self.now.get());
    }

    pub(super) fn answer(&self, at: usize, seconds: f64, tokens: u64) {
        self.candidate(at).state.measures.ended(Duration::from_secs_f64(seconds), tokens, self.now.get());
    }

    pub(super) fn answered(&self, at: usize, ms: u64) {
        self.candidate(at).state.measures.answered(Duration::from_millis(ms), self.now.get());
    }

    pub(super) fn first_byte(&self, at: usize, seconds: f64) {
        self.candidate(at).state.measures.began(Duration::from_secs_f64(seconds), self.now.get());
    }

    pub(super) fn enter(&self, at: usize) -> InFlight {
        self.candidate(at).state.enter(None).expect("a place")
    }

    /// A call that waits for its answer from now on.
    pub(super) fn wait(&self, at: usize) -> crate::measure::Waiting<'_> {
        self.candidate(at).state.measures.wait(self.now.get())
    }

    /// All picks of one plan, in their order.
    pub(super) fn picks(&self) -> Vec<u32> {
        self.picks_with(&mut Rng::with_seed(1))
    }

    fn picks_with(&self, rng: &mut Rng) -> Vec<u32> {
        let tokens = self.tokens;
        let count = move |_: &Deployment| tokens;
        let ask = Ask { stream: self.stream, tokens: Some(&count), lar1: self.lar1, ..Ask::default() };
        let filter = Filter { ask, ..Filter::default() };
        let mut plan = plan(&self.group, filter, &self.settings, self.now.get()).expect("a plan");
        std::iter::from_fn(|| plan.pick(rng)).collect()
    }

    /// Who is picked first, as shares of 4000 plans.
    pub(super) fn shares(&self) -> Vec<f64> {
        let mut rng = Rng::with_seed(42);
        let mut shares = vec![0.0; self.group.candidates.len()];
        for _ in 0..4_000 {
            shares[self.picks_with(&mut rng)[0] as usize] += 1.0 / 4_000.0;
        }
        shares.iter().map(|share| (share * 4_000.0_f64).round() / 4_000.0).collect()
    }
}

/// Every name LiteLLM has is a strategy here, and a wrong one is told the right ones.
#[test]
fn names() {
    let names = ["simple-shuffle", "least-busy", "usage-based-routing", "usage-based-routing-v2"];
    for name in names.into_iter().chain(["latency-based-routing", "cost-based-routing", "lar1", "latency"]) {
        assert_eq!(name.parse::<Strategy>().map(|strategy| strategy.name), Ok(name));
    }
    assert!("lowest".parse::<Strategy>().is_err());
    assert!(UnknownStrategy.to_string().contains("`latency`"));
}
