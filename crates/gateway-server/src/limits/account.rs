//! The counters of one key or scope: what is spent and reserved, the current minute, the calls in flight.

use llm_types::Money;
use parking_lot::Mutex;

use super::Denial;
use super::quota::{Got, Quota, Want};

mod lease;

use lease::Lease;

/// Length of the window for requests and tokens. It starts with the first request in it, as LiteLLM's
/// limiter does (surface §4.9).
pub(crate) const WINDOW_MS: i64 = 60_000;

/// What a key or scope may use; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The most it may spend until its budget is reset.
    pub(crate) max_budget: Option<Money>,
    /// Requests a minute.
    pub(crate) rpm: Option<u64>,
    /// Tokens a minute.
    pub(crate) tpm: Option<u64>,
    /// Calls at once.
    pub(crate) parallel: Option<u32>,
}

impl Limits {
    /// Whether requests, tokens or calls at once are limited.
    pub(crate) fn has_rates(&self) -> bool {
        self.rpm.is_some() || self.tpm.is_some() || self.parallel.is_some()
    }

    /// These, and another's where there is none.
    pub(crate) fn or(&self, other: &Self) -> Self {
        Self {
            max_budget: self.max_budget.or(other.max_budget),
            rpm: self.rpm.or(other.rpm),
            tpm: self.tpm.or(other.tpm),
            parallel: self.parallel.or(other.parallel),
        }
    }
}

/// What a call may use at most, as far as is known before it is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ask {
    /// Its cost.
    pub(crate) cost: Money,
    /// Its tokens, prompt and answer.
    pub(crate) tokens: u64,
    /// Every model that may answer is known to cost nothing: budgets do not matter (surface §4.6).
    pub(crate) free: bool,
    /// It is refused where it does not fit into what is left.
    pub(crate) whole: bool,
    /// Rates are kept together with other replicas.
    pub(crate) shared: bool,
    /// What is set aside for the same call already, where this is more of it: the call itself is counted.
    pub(crate) beside: Option<Money>,
}

/// What was set aside for a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reserved {
    /// Money set aside; less than asked when it was the rest of the budget.
    pub(crate) cost: Money,
    /// Tokens counted into the window.
    pub(crate) tokens: u64,
    /// The window they were counted into, by its start.
    window: i64,
    /// The end of the window of all replicas, where they keep rates together.
    quota: Option<i64>,
    /// It is more of what was set aside before: the call is not counted by it.
    more: bool,
}

impl Reserved {
    /// Whether it counts in rates that replicas keep together.
    pub(crate) fn is_shared(self) -> bool {
        self.quota.is_some()
    }
}

/// What a call really used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Settlement {
    /// Its cost.
    pub(crate) cost: Money,
    /// Its tokens.
    pub(crate) tokens: u64,
}

/// What is left, for response headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Remaining {
    /// Requests left in the window, and the limit.
    pub(crate) requests: Option<(u64, u64)>,
    /// Tokens left in the window, and the limit.
    pub(crate) tokens: Option<(u64, u64)>,
    /// Calls that may be made at once now, and the limit.
    pub(crate) parallel: Option<(u64, u64)>,
}

impl Remaining {
    /// The smallest part that is left, in thousandths of its limit.
    pub(crate) fn least(&self) -> u64 {
        let parts = [self.requests, self.tokens, self.parallel].into_iter().flatten();
        parts.map(|(left, limit)| left.saturating_mul(1_000) / limit.max(1)).min().unwrap_or(u64::MAX)
    }
}

/// The counters of one key or scope. They outlive changes of its settings.
#[derive(Debug, Default)]
pub(crate) struct Account(Mutex<State>);

#[derive(Debug, Clone, Default)]
struct State {
    /// Present where replicas share the budget.
    lease: Option<Lease>,
    spent: Money,
    reserved: Money,
    window_start: i64,
    requests: u64,
    tokens: u64,
    in_flight: u32,
    /// Present once rates were kept together with other replicas.
    quota: Option<Box<Quota>>,
}

impl Account {
    /// An account that has already spent something.
    pub(crate) fn with_spent(spent: Money) -> Self {
        Self(Mutex::new(State { spent, ..State::default() }))
    }

    /// An account whose budget is shared with other replicas: nothing is set aside but from a lease.
    pub(crate) fn leasing(spent: Money) -> Self {
        Self(Mutex::new(State { spent, lease: Some(Lease::default()), ..State::default() }))
    }

    /// Checks every limit and sets aside what the call may use, or does neither.
    ///
    /// An ask larger than the rest of the budget is allowed when nothing else is in flight: the rest
    /// is set aside whole, so no second call can join it.
    pub(crate) fn reserve(
        &self,
        limits: &Limits,
        ask: Ask,
        now_ms: i64,
    ) -> Result<(Reserved, Remaining), Denial> {
        let mut state = self.0.lock();
        state.roll_window(now_ms);
        let cost = state.money_for(limits, ask, now_ms)?;
        if ask.beside.is_some() {
            state.reserved += cost;
            return Ok((Reserved { cost, more: true, ..Reserved::default() }, Remaining::default()));
        }
        let shared = ask.shared && limits.has_rates();
        let tokens =
            if shared { state.room_in_quota(limits, ask, now_ms)? } else { state.room(limits, ask)? };
        state.reserved += cost;
        state.requests += 1;
        state.tokens += tokens;
        state.in_flight += 1;
        let quota = state.quota.as_ref().filter(|_| shared).map(|quota| quota.ends_at());
        let reserved = Reserved { cost, tokens, window: state.window_start, quota, more: false };
        Ok((reserved, state.remaining(limits, shared)))
    }

    /// Replaces what was set aside by what was used.
    pub(crate) fn settle(&self, reserved: Reserved, used: Settlement) -> Money {
        let mut state = self.0.lock();
        state.reserved = state.reserved.saturating_sub(reserved.cost);
        state.spent += used.cost;
        if let Some(lease) = &mut state.lease {
            lease.left = lease.left.saturating_sub(used.cost);
        }
        state.in_flight = state.in_flight.saturating_sub(1);
        if state.window_start == reserved.window {
            state.tokens = state.tokens.saturating_sub(reserved.tokens).saturating_add(used.tokens);
        }
        state.settle_quota(reserved, used.tokens, true);
        state.spent
    }

    /// Requests and tokens that were counted here in the window.
    pub(crate) fn counted(&self, now_ms: i64) -> (u64, u64) {
        let mut state = self.0.lock();
        state.roll_window(now_ms);
        (state.requests, state.tokens)
    }

    /// What was spent since the last reset.
    pub(crate) fn spent(&self) -> Money {
        self.0.lock().spent
    }

    /// Sets what was spent: an administrator's correction.
    pub(crate) fn set_spent(&self, spent: Money) {
        let mut state = self.0.lock();
        state.spent = spent;
        state.ask_again();
    }

    /// Takes off what the last budget period spent.
    pub(crate) fn forgive(&self, amount: Money) {
        let mut state = self.0.lock();
        state.spent = state.spent.saturating_sub(amount);
        state.ask_again();
    }

    /// Gives back what was set aside for a call that is not made.
    pub(crate) fn release(&self, reserved: Reserved) {
        let mut state = self.0.lock();
        state.reserved = state.reserved.saturating_sub(reserved.cost);
        if reserved.more {
            return;
        }
        state.in_flight = state.in_flight.saturating_sub(1);
        if state.window_start == reserved.window {
            state.requests = state.requests.saturating_sub(1);
            state.tokens = state.tokens.saturating_sub(reserved.tokens);
        }
        state.settle_quota(reserved, 0, false);
    }

    /// What to ask of the common store of rates: for a call that waits, or because a round is over.
    pub(crate) fn quota_want(&self, limits: &Limits, need: Option<Ask>, now_ms: i64) -> Want {
        let state = self.0.lock();
        let quota = state.quota.as_deref().copied().unwrap_or_default();
        quota.want(limits, need, state.in_flight, now_ms)
    }

    /// Takes over what the store gave.
    pub(crate) fn quota_take(&self, want: &Want, got: &Got, asked_at: i64) {
        self.0.lock().quota.get_or_insert_default().take(want, got, asked_at);
    }

    /// Ends a round of demand; whether there is anything to tell the store.
    pub(crate) fn quota_turn(&self, now_ms: i64) -> bool {
        let mut state = self.0.lock();
        let in_flight = state.in_flight;
        state.quota.as_mut().is_some_and(|quota| quota.turn(in_flight, now_ms))
    }

    /// Whether the store must be told soon what calls used.
    pub(crate) fn owes(&self) -> bool {
        self.0.lock().quota.as_deref().is_some_and(Quota::owes)
    }

    /// Whether a call must ask the store first.
    pub(crate) fn quota_is_short(&self, limits: &Limits, ask: Ask, now_ms: i64) -> bool {
        let state = self.0.lock();
        let mut quota = state.quota.as_deref().copied().unwrap_or_default();
        quota.reserve(limits, ask, state.in_flight, now_ms) == Err(Denial::Quota)
    }

    /// What is spent of a budget, if there is nothing left of it as far as is known here.
    pub(crate) fn spent_of(&self, max: Money, now_ms: i64) -> Option<Money> {
        let state = self.0.lock();
        let dry = state.lease.as_ref().is_some_and(|lease| {
            let (until, of) = lease.dry;
            now_ms < until && max <= of && lease.left <= state.reserved
        });
        (dry || state.spent >= max).then_some(state.spent.max(if dry { max } else { Money::ZERO }))
    }

    /// Calls in flight.
    pub(crate) fn in_flight(&self) -> u32 {
        self.0.lock().in_flight
    }
}

impl State {
    /// Forgets that there was nothing more to be had of a shared budget.
    fn ask_again(&mut self) {
        if let Some(lease) = &mut self.lease {
            lease.dry = (0, Money::ZERO);
        }
    }

    fn roll_window(&mut self, now_ms: i64) {
        if now_ms - self.window_start >= WINDOW_MS {
            self.window_start = now_ms;
            self.requests = 0;
            self.tokens = 0;
        }
    }

    fn money_for(&mut self, limits: &Limits, ask: Ask, now_ms: i64) -> Result<Money, Denial> {
        let Some(max) = limits.max_budget.filter(|_| !ask.free) else { return Ok(ask.cost) };
        let reserved = self.reserved;
        if let Some(lease) = &mut self.lease {
            return lease.money_for(ask, (self.spent, reserved, max), now_ms);
        }
        let rest = max - self.spent - self.reserved;
        let others = reserved.saturating_sub(ask.beside.unwrap_or_default());
        if self.spent >= max || (rest < ask.cost && (ask.whole || others > Money::ZERO)) {
            return Err(Denial::Budget { spent: self.spent, reserved: self.reserved, max });
        }
        Ok(ask.cost.min(rest.max(Money::ZERO)))
    }

    /// Room in the share of rates that replicas keep together: the tokens to count now.
    fn room_in_quota(&mut self, limits: &Limits, ask: Ask, now_ms: i64) -> Result<u64, Denial> {
        let in_flight = self.in_flight;
        self.quota.get_or_insert_default().reserve(limits, ask, in_flight, now_ms)
    }

    fn settle_quota(&mut self, reserved: Reserved, used: u64, made: bool) {
        if let (Some(window), Some(quota)) = (reserved.quota, &mut self.quota) {
            quota.settle(window, (reserved.tokens, used), made);
        }
    }

    /// Room for one more call in the rates that are kept here: the tokens to count now.
    fn room(&self, limits: &Limits, ask: Ask) -> Result<u64, Denial> {
        let tokens = self.room_in_window(limits, ask)?;
        match limits.parallel {
            Some(limit) if self.in_flight >= limit => Err(Denial::Parallel { limit }),
            _ => Ok(tokens),
        }
    }

    /// How many tokens to count now. A request whose size is only an estimate is cut to what the window
    /// has left, so a window is refused only when it is used up.
    fn room_in_window(&self, limits: &Limits, ask: Ask) -> Result<u64, Denial> {
        let resets_at_ms = self.window_start + WINDOW_MS;
        if let Some(limit) = limits.rpm
            && self.requests >= limit
        {
            return Err(Denial::Requests { limit, resets_at_ms });
        }
        let Some(limit) = limits.tpm else { return Ok(ask.tokens) };
        if self.tokens >= limit {
            return Err(Denial::Tokens { limit, resets_at_ms });
        }
        Ok(ask.tokens.min(limit - self.tokens))
    }

    fn remaining(&self, limits: &Limits, shared: bool) -> Remaining {
        if let Some(quota) = self.quota.as_ref().filter(|_| shared) {
            let left = |limit: Option<u64>, what, taken: u64| {
                limit.map(|limit| (quota.left(what).saturating_sub(taken).min(limit), limit))
            };
            return Remaining {
                requests: left(limits.rpm, 0, 0),
                tokens: left(limits.tpm, 1, 0),
                parallel: left(limits.parallel.map(u64::from), 2, u64::from(self.in_flight)),
            };
        }
        let left = |limit: Option<u64>, used: u64| limit.map(|limit| (limit.saturating_sub(used), limit));
        Remaining {
            requests: left(limits.rpm, self.requests),
            tokens: left(limits.tpm, self.tokens),
            parallel: left(limits.parallel.map(u64::from), u64::from(self.in_flight)),
        }
    }
}

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;
