//! The shared store, on SQLite and on PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests, helpers outside of test functions among them"
)]

mod audit;
mod entries;
mod import;
mod invitations;
mod keys;
mod leases;
mod lessons;
mod lists;
mod responses;
mod schema;
mod scopes;
mod settings;
mod slips;
#[path = "../support/mod.rs"]
mod support;
mod token_keys;
