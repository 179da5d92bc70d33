//! The model access groups that have a budget. Every call asks, and most gateways have none.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;

/// Their names.
#[derive(Debug, Default)]
pub(crate) struct BudgetedGroups(ArcSwap<HashSet<String>>);

impl BudgetedGroups {
    /// Whether none has a budget.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.load().is_empty()
    }

    /// Whether a group has a budget.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.load().contains(name)
    }

    /// Notes that a group has a budget, or has none any more.
    pub(super) fn note(&self, name: &str, has: bool) {
        if self.has(name) == has {
            return;
        }
        self.0.rcu(|names| {
            let mut names = HashSet::clone(names);
            if has {
                names.insert(name.to_owned());
            } else {
                names.remove(name);
            }
            Arc::new(names)
        });
    }
}
