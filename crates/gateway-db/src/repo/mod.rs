//! The verbs the rooms need, one file per kind of record.

mod budgets;
mod calls;
mod columns;
mod correct;
mod entries;
mod feed;
mod invitations;
mod key_list;
mod key_names;
mod key_row;
mod keys;
mod leases;
mod lessons;
mod partitions;
mod parts;
mod report;
mod reseal;
mod responses;
mod retention;
mod scope_row;
mod scopes;
mod settings;
mod ship;
mod slips;
mod spend;

pub(crate) use entries::row as entry_row_of;
pub(crate) use feed::Feed;
pub(crate) use key_row::row_of as key_row_of;
pub(crate) use scope_row::row_of as scope_row_of;

pub use budgets::{Carry, DueBudget, DueScope, EndedPeriods};
pub use calls::{CallsBy, CallsQuery, CallsRow, SLOW_S};
pub use correct::{Corrected, Correction, CostRange};
pub use entries::ConfigEntries;
pub use key_list::{KeyQuery, KeySort, SortOrder};
pub use key_names::KeyNames;
pub use keys::{KeyChanges, KeyName};
pub use leases::{Granted, LeaseAsk, Payer};
pub use lessons::LessonRow;
pub use report::{ReportQuery, ReportRow, SpendBy, SpendSums};
pub use reseal::Seals;
pub use retention::{CleanUp, Cleaned};
pub use scopes::{ScopeChanges, ScopeQuery};
pub use ship::LogRows;
pub use slips::{SlipName, SlipPut};
pub use spend::SPEND_ROWS_COUNTED;
