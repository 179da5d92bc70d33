//! A replica's share of rates that several replicas keep together: pure arithmetic.
//!
//! What a replica may let in it has taken from a common store before, as much as its callers asked for lately;
//! what it does not need it gives back. The shares of all replicas together are never more than the limit, and
//! none keeps what another could use for longer than two rounds.

use super::account::{Ask, Limits, WINDOW_MS};
use super::denial::Denial;

/// How often shares are brought in line with demand, in milliseconds.
pub(crate) const ROUND_MS: u64 = 250;
/// How long a replica that got less than it wanted waits before it asks again.
const DRY_MS: i64 = 100;
/// The largest part of what is left that is taken ahead of demand.
const SLICE: i64 = 8;
/// Ends of windows that differ by less are the same: they are told over a network.
const SAME_MS: i64 = 2_000;

/// Requests, tokens and places.
pub(crate) type Three = [i64; 3];
const REQUESTS: usize = 0;
const TOKENS: usize = 1;
const PLACES: usize = 2;

/// The share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Quota {
    /// When the window of all replicas ends, in Unix milliseconds of this replica's clock.
    ends_at: i64,
    /// Requests and tokens that are left of the share, and the places it has, taken ones among them. Tokens are
    /// below zero when calls used more than was set aside.
    have: Three,
    /// Requests and tokens that calls used in the window.
    used: [i64; 2],
    /// What the store had left at the last answer.
    seen: Three,
    /// Until when there is nothing more to be had.
    dry: Three,
    /// Requests and tokens asked for in this round, and in the last.
    demand: [[i64; 2]; 2],
    /// Whether tokens are limited.
    counts_tokens: bool,
}

/// What a replica wants of a store; less than zero gives back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Want {
    /// The limits, less than zero where there is none.
    pub(crate) limits: Three,
    /// Requests, tokens and places.
    pub(crate) more: Three,
    /// How old the replica's window is, in milliseconds; less than zero when it has none.
    pub(crate) age: i64,
    /// Requests and tokens it has taken in it, and the places it has.
    pub(crate) taken: Three,
    /// Tokens that a waiting call lacks; zero when none waits for tokens. The last call of a window may lack more than is
    /// left: it gets them all the same, once for all replicas.
    pub(crate) lacks: i64,
    /// Tokens of the share that are left, below zero when calls used more than it had.
    pub(crate) own: i64,
}

/// What it got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Got {
    /// Requests, tokens and places.
    pub(crate) more: Three,
    /// Milliseconds until the window ends.
    pub(crate) ends_in: i64,
    /// What is left for all.
    pub(crate) left: Three,
}

impl Quota {
    /// Whether the window goes on.
    fn holds(&self, now_ms: i64) -> bool {
        // A clock that was set back makes no window longer.
        (1..=WINDOW_MS + SAME_MS).contains(&(self.ends_at - now_ms))
    }

    /// When the window ends.
    pub(crate) fn ends_at(&self) -> i64 {
        self.ends_at
    }

    /// Takes what a call needs out of the share, or says what is missing; tells the tokens that were taken.
    ///
    /// # Errors
    /// [`Denial::Quota`] when more must be asked for first, else the limit that is reached.
    pub(crate) fn reserve(
        &mut self,
        limits: &Limits,
        ask: Ask,
        in_flight: u32,
        now_ms: i64,
    ) -> Result<u64, Denial> {
        let tokens = signed(ask.tokens);
        self.demand[0][REQUESTS] += 1;
        self.demand[0][TOKENS] = self.demand[0][TOKENS].saturating_add(tokens);
        let holds = self.holds(now_ms);
        let resets_at_ms = if holds { self.ends_at } else { now_ms + WINDOW_MS };
        let short = |what: usize| if now_ms < self.dry[what] { None } else { Some(Denial::Quota) };
        if let Some(limit) = limits.rpm
            && (!holds || self.have[REQUESTS] < 1)
        {
            return Err(short(REQUESTS).unwrap_or(Denial::Requests { limit, resets_at_ms }));
        }
        if let Some(limit) = limits.tpm
            && (!holds || self.have[TOKENS] < tokens.max(1))
        {
            return Err(short(TOKENS).unwrap_or(Denial::Tokens { limit, resets_at_ms }));
        }
        if let Some(limit) = limits.parallel
            && i64::from(in_flight) >= self.have[PLACES]
        {
            return Err(short(PLACES).unwrap_or(Denial::Parallel { limit }));
        }
        self.counts_tokens = limits.tpm.is_some();
        self.have[REQUESTS] -= i64::from(limits.rpm.is_some());
        self.used[REQUESTS] += 1;
        if self.counts_tokens {
            self.have[TOKENS] -= tokens;
            self.used[TOKENS] = self.used[TOKENS].saturating_add(tokens);
        }
        Ok(ask.tokens)
    }

    /// Replaces the tokens that were set aside in a window by those that were used; a call that was not made
    /// gives its request back.
    pub(crate) fn settle(&mut self, window: i64, (reserved, used): (u64, u64), made: bool) {
        if (window - self.ends_at).abs() > SAME_MS {
            return;
        }
        if self.counts_tokens {
            let back = signed(reserved) - signed(used);
            self.have[TOKENS] = self.have[TOKENS].saturating_add(back);
            self.used[TOKENS] = self.used[TOKENS].saturating_sub(back);
            // Calls that use more than they asked for will go on doing so.
            self.demand[0][TOKENS] = self.demand[0][TOKENS].saturating_sub(back.min(0));
        }
        if !made {
            self.have[REQUESTS] += 1;
            self.used[REQUESTS] -= 1;
        }
    }

    /// What to ask of the store for a call that is waiting, or to bring the share in line with demand.
    pub(crate) fn want(&self, limits: &Limits, need: Option<Ask>, in_flight: u32, now_ms: i64) -> Want {
        let holds = self.holds(now_ms);
        let have = if holds { self.have } else { [0, 0, self.have[PLACES]] };
        let needed: Three = need.map_or([0; 3], |ask| [1, signed(ask.tokens).max(1), 1]);
        let demand = |what: usize| self.demand[0][what].saturating_add(self.demand[1][what]);
        let in_flight = i64::from(in_flight);
        let wanted = [demand(REQUESTS), demand(TOKENS), in_flight + in_flight / 2];
        let least = [needed[REQUESTS], needed[TOKENS], in_flight + needed[PLACES]];
        let limits = [limits.rpm, limits.tpm, limits.parallel.map(u64::from)].map(|l| l.map_or(-1, signed));
        let mut more = [0; 3];
        for what in [REQUESTS, TOKENS, PLACES] {
            if limits[what] < 0 {
                continue;
            }
            // Ahead of demand no more than a part of what is left, so that others find something too.
            let ahead = (least[what] + self.seen[what].max(0) / SLICE).max(least[what]);
            let target = wanted[what].min(ahead).max(least[what]);
            more[what] = target - have[what];
            if more[what] < 0 {
                // What is given back is more than demand, not only more than may be taken ahead of it.
                more[what] = (wanted[what].max(least[what]) - have[what]).min(0);
            } else if (need.is_none() || now_ms < self.dry[what]) && least[what] <= have[what] {
                more[what] = 0;
            }
        }
        let age = if holds { WINDOW_MS - (self.ends_at - now_ms) } else { -1 };
        let taken = [0, 1].map(|what| self.used[what].saturating_add(have[what].max(0)));
        let own = have[TOKENS];
        let waits = need.is_some() && limits[TOKENS] >= 0;
        let lacks = if waits { (needed[TOKENS] - own).max(0) } else { 0 };
        Want { limits, more, age: age.max(-1), taken: [taken[0], taken[1], have[PLACES]], lacks, own }
    }

    /// Takes over what the store gave for a want.
    pub(crate) fn take(&mut self, want: &Want, got: &Got, asked_at: i64) {
        let ends_at = asked_at + got.ends_in;
        if !self.holds(asked_at) || (ends_at - self.ends_at).abs() > SAME_MS {
            self.have[REQUESTS] = 0;
            self.have[TOKENS] = 0;
            self.used = [0; 2];
            self.dry = [0; 3];
        }
        self.ends_at = ends_at;
        self.seen = got.left;
        for what in [REQUESTS, TOKENS, PLACES] {
            self.have[what] += got.more[what];
            if got.more[what] < want.more[what] {
                self.dry[what] = asked_at + DRY_MS;
            }
        }
    }

    /// Whether calls used more than the share had while little is left: others may take what is used already, unless
    /// they are told before the round is over.
    pub(crate) fn owes(&self) -> bool {
        let demand = self.demand[0][TOKENS].saturating_add(self.demand[1][TOKENS]);
        self.counts_tokens && self.have[TOKENS] < 0 && self.seen[TOKENS] < demand.saturating_mul(SLICE)
    }

    /// Ends a round: what was asked for in it is the demand of the next. Says whether there is anything to tell
    /// the store.
    pub(crate) fn turn(&mut self, in_flight: u32, now_ms: i64) -> bool {
        let idle = self.demand == [[0; 2]; 2] && in_flight == 0;
        self.demand = [[0; 2], self.demand[0]];
        let holds_some = self.holds(now_ms) && (self.have[REQUESTS] > 0 || self.have[TOKENS] > 0);
        !idle || holds_some || self.have[PLACES] > 0
    }

    /// What is left for all replicas and of the own share.
    pub(crate) fn left(&self, what: usize) -> u64 {
        u64::try_from(self.seen[what].max(0).saturating_add(self.have[what].max(0))).unwrap_or(0)
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
