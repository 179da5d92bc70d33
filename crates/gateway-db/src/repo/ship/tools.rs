//! What a batch says of tools: what the calls of a day cost that invoked them.

use std::collections::BTreeMap;

use super::bulk::{self, Bulk, Cell};
use super::sums::told;
use crate::ledger::Outcome;

/// Sums by day and tool, in the order of their keys.
#[derive(Debug, Default)]
pub(super) struct ToolDays(BTreeMap<(i64, String), ToolSum>);

#[derive(Debug, Default)]
struct ToolSum {
    calls: i64,
    tokens: u64,
    cost: i64,
}

impl ToolDays {
    /// Adds one call: its whole cost for each tool it invoked, as LiteLLM counts.
    pub(super) fn add(&mut self, day: i64, outcome: &Outcome<'_>) {
        for tool in tools_of(outcome) {
            let sum = self.0.entry((day, tool)).or_default();
            sum.calls += 1;
            let tokens = outcome.tokens.input.saturating_add(outcome.tokens.output);
            sum.tokens = sum.tokens.saturating_add(tokens);
            sum.cost = sum.cost.saturating_add(outcome.cost.map_or(0, |cost| cost.0));
        }
    }

    pub(super) fn bulk(&self) -> Bulk<'_> {
        let mut days = Bulk::new(bulk::DAILY_TOOLS);
        for ((day, tool), sum) in &self.0 {
            let counts = [Cell::Int(sum.calls), Cell::count(sum.tokens), Cell::Int(sum.cost)];
            days.extend([Cell::Int(*day), Cell::text(tool)].into_iter().chain(counts));
        }
        days
    }
}

/// The tools that a call invoked, as they stand in the sums: PostgreSQL stores no NUL.
pub(in crate::repo) fn tools_of(outcome: &Outcome<'_>) -> Vec<String> {
    let mut tools: Vec<String> = told(outcome.tools);
    tools
        .iter_mut()
        .filter(|tool| tool.contains('\0'))
        .for_each(|tool| *tool = tool.replace('\0', "\u{fffd}"));
    tools.sort_unstable();
    tools.dedup();
    tools
}
