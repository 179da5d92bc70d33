//! The tables as the database library sees them; private to this crate, one file per table.

pub(crate) mod change_feed;
pub(crate) mod config_entries;
pub(crate) mod daily_spend;
pub(crate) mod responses;
pub(crate) mod scopes;
pub(crate) mod settings;
pub(crate) mod spend_log;
pub(crate) mod verification_keys;
