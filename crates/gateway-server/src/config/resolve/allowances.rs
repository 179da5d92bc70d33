//! Budgets that the configuration sets: of providers, tags and deployments.

use super::Section;
use super::calls::period;
use crate::config::Allowance;
use crate::identity::amount_and_period;
use crate::limits::parse_duration_ms;

/// `{name: {budget_limit, time_period}}`, or with LiteLLM's other words `max_budget` and `budget_duration`.
pub(super) fn by_name(section: &mut Section<'_, '_, '_>, key: &str) -> Vec<(String, Allowance)> {
    let mut budgets = Vec::new();
    for (name, said) in section.map(key) {
        let read = amount_and_period(&said);
        match read.filter(|(_, period)| period.is_none_or(|period| parse_duration_ms(period).is_some())) {
            Some((max, period)) => {
                budgets.push((name, Allowance { max, period: period.map(str::to_owned) }));
            }
            None => section.error(
                key,
                format!("found `{said}` for `{name}`"),
                "expected `{budget_limit: <USD, 9223372036 at most>, time_period: <such as 1d>}`",
            ),
        }
    }
    budgets
}

/// `max_budget` and `budget_duration` of one entry.
pub(super) fn of_entry(section: &mut Section<'_, '_, '_>) -> Option<Allowance> {
    let period = period(section, "budget_duration");
    section.usd("max_budget").map(|max| Allowance { max, period })
}
