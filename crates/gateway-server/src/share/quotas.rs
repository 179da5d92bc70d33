//! Rates that replicas keep together over Redis: each takes a share of what is left, by what its callers ask for.
//!
//! One script serves all accounts of a call in one round trip, and only where a share is used up; a few times a
//! second each replica brings its shares in line with demand. While Redis is away each replica goes by what it
//! counts itself, or refuses (`fail_closed_rate_limit_enforcement`).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use dashmap::DashMap;
use llm_types::Result;
use redis::Script;
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::clock::steady_ms;
use crate::config::Redis;
use crate::identity::Scope;
use crate::limits::{Account, Ask, Got, Limits, ROUND_MS, Want};
use crate::state::Shared;

/// How long to wait before Redis is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the store is left alone after it was told what shares did not cover.
const BREATH: Duration = Duration::from_millis(5);
/// Under which names windows are kept.
const PREFIX: &str = "gateway:rates";
/// Accounts that one script is asked about at once.
const MOST: usize = 500;

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("quotas.lua")));

/// An account whose rates are kept together.
#[derive(Debug, Clone)]
pub(crate) enum Holder {
    /// A key's.
    Key(Arc<Account>),
    /// A scope's.
    Scope(Arc<Scope>),
}

impl Holder {
    fn account(&self) -> &Account {
        match self {
            Self::Key(account) => account,
            Self::Scope(scope) => &scope.account,
        }
    }
}

/// Somebody with rates who pays for a call.
#[derive(Debug, Clone)]
pub(crate) struct Rated {
    /// Under which name the window is kept.
    pub(crate) name: String,
    /// The account.
    pub(crate) holder: Holder,
    /// Its limits.
    pub(crate) limits: Limits,
    /// The tokens of the call that count here, where that is not what counts elsewhere.
    pub(crate) tokens: Option<u64>,
}

impl Rated {
    fn asks(&self, ask: Ask) -> Ask {
        Ask { tokens: self.tokens.unwrap_or(ask.tokens), ..ask }
    }
}

/// What this replica shares.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    /// Whether rates are kept together now: 0 no Redis is configured, 1 it answers, 2 it is away.
    state: AtomicU64,
    /// Those who share, by name.
    active: DashMap<String, (Holder, Limits)>,
    /// One asks at a time for an account; the others wait, and mostly find that it is enough for them too.
    gates: DashMap<String, Arc<Mutex<()>>>,
    /// Questions to the store.
    asked: AtomicU64,
    /// Rung when calls used more than their shares had.
    owed: Notify,
}

impl Quotas {
    /// Whether rates are kept together.
    pub(crate) fn is_on(&self) -> bool {
        self.state.load(Relaxed) == 1
    }

    /// Whether they should be, and the store is away.
    pub(crate) fn is_away(&self) -> bool {
        self.state.load(Relaxed) == 2
    }

    /// Names and values, for metrics.
    pub(crate) fn figures(&self) -> [(&'static str, u64); 2] {
        [
            ("gateway_shared_rates_connected", u64::from(self.is_on())),
            ("gateway_shared_rates_questions_total", self.asked.load(Relaxed)),
        ]
    }

    /// Asks for what a call needs at all who have rates, unless somebody who asked meanwhile got enough. Where
    /// the store does not answer, rates are counted here from then on.
    pub(crate) async fn ask(&self, shared: &Shared, rated: Vec<Rated>, ask: Ask) {
        let Some(redis) = shared.snapshot().config.redis.clone() else { return };
        let is_short =
            |one: &Rated| one.holder.account().quota_is_short(&one.limits, one.asks(ask), steady_ms());
        let Some(first) = rated.iter().find(|one| is_short(one)) else { return };
        let gate = Arc::clone(&self.gates.entry(first.name.clone()).or_default());
        let _turn = gate.lock().await;
        if !rated.iter().any(is_short) {
            return;
        }
        let now = steady_ms();
        let wants = rated.iter().map(|one| {
            self.active.insert(one.name.clone(), (one.holder.clone(), one.limits));
            (
                one.name.clone(),
                one.holder.clone(),
                one.holder.account().quota_want(&one.limits, Some(one.asks(ask)), now),
            )
        });
        let wants: Vec<_> = wants.collect();
        self.note(self.exchange(shared, &redis, &wants, now).await);
    }

    /// Brings shares in line with demand, round by round, as long as the gateway runs.
    pub(crate) async fn run(shared: Arc<Shared>) {
        let quotas = &shared.quotas;
        loop {
            let pause = if quotas.is_away() { AGAIN } else { Duration::from_millis(ROUND_MS) };
            quotas.tell_debts(&shared, Instant::now() + pause).await;
            let Some(redis) = shared.snapshot().config.redis.clone() else {
                quotas.state.store(0, Relaxed);
                continue;
            };
            let wants = quotas.round();
            let mut done = Ok(());
            // Without anybody to ask for, it is asked whether the store is there.
            for some in wants.chunks(MOST).chain(wants.is_empty().then_some([].as_slice())) {
                done = done.and(quotas.exchange(&shared, &redis, some, steady_ms()).await);
            }
            quotas.note(done);
        }
    }

    /// Tells the store that calls used more than their shares had.
    pub(crate) fn settle_soon(&self) {
        self.owed.notify_one();
    }

    /// Until a round is over, tells the store at once what calls used beyond their shares: it has others to give to.
    async fn tell_debts(&self, shared: &Shared, until: Instant) {
        while self.is_on() && timeout_at(until, self.owed.notified()).await.is_ok() {
            let Some(redis) = shared.snapshot().config.redis.clone() else { break };
            let now = steady_ms();
            let owing = self.active.iter().filter(|one| one.value().0.account().owes());
            let wants: Vec<_> = owing
                .map(|one| {
                    let (holder, limits) = one.value();
                    (one.key().clone(), holder.clone(), holder.account().quota_want(limits, None, now))
                })
                .take(MOST)
                .collect();
            if !wants.is_empty() {
                self.note(self.exchange(shared, &redis, &wants, now).await);
            }
            tokio::time::sleep(BREATH).await;
        }
        sleep_until(until).await;
    }

    /// What to tell the store at the end of a round. Who has nothing to tell is forgotten.
    fn round(&self) -> Vec<(String, Holder, Want)> {
        let now = steady_ms();
        let mut wants = Vec::new();
        self.active.retain(|name, (holder, limits)| {
            let account = holder.account();
            let want = account.quota_want(limits, None, now);
            let tells = account.quota_turn(now);
            if tells || want.more != [0; 3] {
                wants.push((name.clone(), holder.clone(), want));
            }
            tells
        });
        if self.gates.len() > self.active.len() {
            self.gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        }
        wants
    }

    async fn exchange(
        &self,
        shared: &Shared,
        redis: &Redis,
        wants: &[(String, Holder, Want)],
        now: i64,
    ) -> Result<()> {
        self.asked.fetch_add(1, Relaxed);
        let mut line = shared.redis.line(redis).await?;
        let keys: Vec<String> = wants.iter().map(|(name, ..)| format!("{PREFIX}:{{{name}}}")).collect();
        let mut arguments = vec![shared.shipping.node().to_owned()];
        for (.., want) in wants {
            let numbers = want.limits.iter().chain(&want.more).chain([&want.age]).chain(&want.taken);
            arguments.extend(numbers.chain([&want.lacks, &want.own]).map(i64::to_string));
        }
        let answers: Vec<i64> = line.run(&SCRIPT, &keys, arguments).await?;
        for ((_, holder, want), numbers) in wants.iter().zip(answers.chunks_exact(7)) {
            let &[r, t, p, ends_in, left_r, left_t, left_p] = numbers else { continue };
            let got = Got { more: [r, t, p], ends_in, left: [left_r, left_t, left_p] };
            holder.account().quota_take(want, &got, now);
        }
        Ok(())
    }

    /// Says once when the store goes away and once when it is back.
    fn note(&self, done: Result<()>) {
        let now = if done.is_ok() { 1 } else { 2 };
        let before = self.state.swap(now, Relaxed);
        match done {
            Ok(()) if before == 2 => tracing::info!("Redis is back: rates are kept together again"),
            Err(error) if before != 2 => {
                tracing::warn!(%error, "Redis is away: rates are counted by each gateway for itself");
            }
            _ => {}
        }
    }
}
