//! The slice of a budget that one replica holds.

use gateway_db::Granted;
use llm_types::Money;

use super::{Account, Ask};
use crate::limits::Denial;

/// How long a replica that got less than it wanted waits before it asks again.
const DRY_MS: i64 = 250;
/// How long a lease is kept that nobody uses.
const IDLE_MS: i64 = 1_000;
/// How long before its end a lease in use is made longer.
const SOON_MS: i64 = 30_000;

/// A slice of the budget that other replicas cannot spend.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lease {
    /// What is left of it; what is set aside for calls in flight is still in it.
    pub(super) left: Money,
    /// When it expires, in steady milliseconds, as all times here.
    until: i64,
    /// Until when there is nothing more to be had, of a budget that is no larger than this.
    pub(super) dry: (i64, Money),
    /// When something was last set aside from it.
    used: i64,
    /// No other replica holds a part of the budget.
    alone: bool,
    /// The budget it was carved out of.
    of: Money,
    /// The store may have more under our name than we hold: it went away before it told.
    doubtful: bool,
}

impl Lease {
    fn is_idle(&self, now_ms: i64) -> bool {
        self.left > Money::ZERO && now_ms - self.used >= IDLE_MS
    }

    /// As for a budget that is not shared, of what is left of the lease. Where that is too little, more is
    /// asked for first.
    pub(super) fn money_for(
        &mut self,
        ask: Ask,
        (spent, reserved, max): (Money, Money, Money),
        now_ms: i64,
    ) -> Result<Money, Denial> {
        // Of a budget that was lowered the slice may be too large: it is asked for anew.
        let holds = now_ms < self.until && max >= self.of;
        let rest = if holds { self.left.saturating_sub(reserved) } else { Money::ZERO };
        if rest > Money::ZERO && rest >= ask.cost {
            self.used = now_ms;
            return Ok(ask.cost);
        }
        let (dry_until, dry_max) = self.dry;
        if now_ms >= dry_until || max > dry_max {
            return Err(Denial::Lease { wanted: (ask.cost - rest).max(Money(1)), max });
        }
        // The rest serves one call at a time among all replicas: who holds crumbs beside others lets them lie,
        // and so gives them back.
        let others = reserved.saturating_sub(ask.beside.unwrap_or_default());
        if rest > Money::ZERO && others == Money::ZERO && self.alone && !ask.whole {
            self.used = now_ms;
            return Ok(rest);
        }
        Err(Denial::Budget { spent, reserved, max })
    }
}

impl Account {
    /// Adds a slice of the budget, or takes off what is held too much. One that is smaller than `wanted` is the
    /// last for a while.
    pub(crate) fn grant(&self, got: &Granted, (wanted, max): (Money, Money), (now_ms, until): (i64, i64)) {
        let mut state = self.0.lock();
        state.spent = state.spent.max(got.spent);
        let Some(lease) = &mut state.lease else { return };
        lease.left = (lease.left + got.granted).max(Money::ZERO);
        lease.alone = got.elsewhere == Money::ZERO;
        lease.until = until;
        lease.of = max;
        if got.granted < wanted {
            lease.dry = (now_ms + DRY_MS, max);
        }
    }

    /// Makes the lease last longer.
    pub(crate) fn extend_lease(&self, until: i64) {
        if let Some(lease) = &mut self.0.lock().lease {
            lease.until = until;
        }
    }

    /// Puts back what could not be given back.
    pub(crate) fn keep_lease(&self, unused: Money) {
        if let Some(lease) = &mut self.0.lock().lease {
            lease.left += unused;
        }
    }

    /// Takes note that the store may have more under our name than we hold.
    pub(crate) fn doubt_lease(&self, doubtful: bool) {
        if let Some(lease) = &mut self.0.lock().lease {
            lease.doubtful = doubtful;
        }
    }

    /// Takes out what is left of a lease where the store may have more under our name: nothing is in flight, so
    /// that what we hold is nothing then.
    pub(crate) fn take_doubtful_lease(&self) -> Option<Money> {
        let mut state = self.0.lock();
        let idle = state.in_flight == 0;
        let lease = state.lease.as_mut().filter(|lease| idle && lease.doubtful)?;
        Some(std::mem::take(&mut lease.left))
    }

    /// Whether a call must ask for a lease first.
    pub(crate) fn is_short(&self, ask: Ask, max: Money, now_ms: i64) -> bool {
        let mut state = self.0.lock();
        let (spent, reserved) = (state.spent, state.reserved);
        let amounts = (spent, reserved, max);
        let lease = state.lease.as_mut();
        lease.is_some_and(|lease| matches!(lease.money_for(ask, amounts, now_ms), Err(Denial::Lease { .. })))
    }

    /// Whether there is a lease that nobody has used for a while.
    pub(crate) fn has_idle_lease(&self, now_ms: i64) -> bool {
        let state = self.0.lock();
        state.in_flight == 0 && state.lease.as_ref().is_some_and(|lease| lease.is_idle(now_ms))
    }

    /// Takes out what is left of a lease that nobody has used for a while, to give it back.
    pub(crate) fn take_idle_lease(&self, now_ms: i64) -> Option<Money> {
        let mut state = self.0.lock();
        if state.in_flight > 0 {
            return None;
        }
        let lease = state.lease.as_mut()?;
        if !lease.is_idle(now_ms) {
            return None;
        }
        Some(std::mem::take(&mut lease.left))
    }

    /// Whether a lease is idle, or about to expire in use.
    pub(crate) fn wants_tending(&self, now_ms: i64) -> bool {
        let state = self.0.lock();
        let idle = |lease: &Lease| state.in_flight == 0 && lease.is_idle(now_ms);
        let ends = |lease: &Lease| {
            (state.in_flight > 0 || lease.left > Money::ZERO) && lease.until - now_ms < SOON_MS
        };
        let doubtful = |lease: &Lease| state.in_flight == 0 && lease.doubtful;
        state.lease.as_ref().is_some_and(|lease| idle(lease) || ends(lease) || doubtful(lease))
    }

    /// Whether a lease in use is about to expire.
    pub(crate) fn lease_ends_soon(&self, now_ms: i64) -> bool {
        let state = self.0.lock();
        let in_use = |lease: &Lease| state.in_flight > 0 || lease.left > Money::ZERO;
        state.lease.as_ref().is_some_and(|lease| in_use(lease) && lease.until - now_ms < SOON_MS)
    }
}
