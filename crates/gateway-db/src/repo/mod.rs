//! The verbs the rooms need, one file per kind of record.

mod budgets;
mod key_list;
mod key_row;
mod keys;
mod responses;
mod settings;
mod ship;
mod spend;

pub use budgets::DueBudget;
pub use key_list::{KeyQuery, KeySort, SortOrder};
pub use keys::{KeyChanges, KeyName};
