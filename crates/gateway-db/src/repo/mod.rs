//! The verbs the rooms need, one file per kind of record.

mod budgets;
mod columns;
mod feed;
mod key_list;
mod key_row;
mod keys;
mod responses;
mod scope_row;
mod scopes;
mod settings;
mod ship;
mod spend;

pub use budgets::{DueBudget, DueScope};
pub use key_list::{KeyQuery, KeySort, SortOrder};
pub use keys::{KeyChanges, KeyName};
pub use scopes::{ScopeChanges, ScopeQuery};
