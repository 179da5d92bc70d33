//! What a batch says of deployments: how many calls of a day ended how, and how long they took.

use std::collections::BTreeMap;

use super::bulk::{self, Bulk, Cell};
use crate::ledger::Outcome;
use crate::repo::calls::SLOW_S;

/// Day and, by whole seconds where it was slow, how long; status; then model group, deployment, model, provider, error.
type Key<'a> = (i64, i64, u16, [&'a str; 5]);

/// Sums of calls, in the order of their keys.
#[derive(Debug, Default)]
pub(super) struct CallDays<'a>(BTreeMap<Key<'a>, CallSum>);

#[derive(Debug, Default)]
struct CallSum {
    calls: i64,
    cached: i64,
    output_tokens: u64,
    duration_us: u64,
    streamed: i64,
    first_byte_us: u64,
}

impl<'a> CallDays<'a> {
    /// Adds one call.
    pub(super) fn add(&mut self, day: i64, outcome: &Outcome<'a>) {
        let seconds = i64::try_from(outcome.duration_us / 1_000_000).unwrap_or(i64::MAX);
        let slow_s = if seconds >= SLOW_S { seconds } else { 0 };
        let names = [outcome.model_group, outcome.deployment, outcome.model, outcome.provider, outcome.error];
        self.0.entry((day, slow_s, outcome.status, names)).or_default().add(outcome);
    }

    pub(super) fn bulk(&self) -> Bulk<'a> {
        let mut days = Bulk::new(bulk::DAILY_CALLS);
        for ((day, slow_s, status, [group, deployment, model, provider, error]), sum) in &self.0 {
            days.push(Cell::Int(*day));
            days.extend([group, deployment, model, provider].map(|name| Cell::text(name)));
            days.extend([Cell::Int(i64::from(*status)), Cell::text(error), Cell::Int(*slow_s)]);
            days.extend([
                Cell::Int(sum.calls),
                Cell::Int(sum.cached),
                Cell::count(sum.output_tokens),
                Cell::count(sum.duration_us),
                Cell::Int(sum.streamed),
                Cell::count(sum.first_byte_us),
            ]);
        }
        days
    }
}

impl CallSum {
    /// What a cache answered says nothing of a deployment, and a call without an answer nothing of time by token.
    fn add(&mut self, outcome: &Outcome<'_>) {
        self.calls += 1;
        if outcome.flags.cache_hit {
            self.cached += 1;
            return;
        }
        if outcome.tokens.output > 0 {
            self.output_tokens = self.output_tokens.saturating_add(outcome.tokens.output);
            self.duration_us = self.duration_us.saturating_add(outcome.duration_us);
        }
        if let Some(us) = outcome.first_byte_us.filter(|_| outcome.flags.stream) {
            self.streamed += 1;
            self.first_byte_us = self.first_byte_us.saturating_add(us);
        }
    }
}
