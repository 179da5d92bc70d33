//! The ledger and its way into the database, on SQLite and on PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests, helpers outside of test functions among them"
)]

mod calls;
mod correct;
mod crash;
mod parts;
mod recovery;
mod retention;
mod ship;
mod speed;
#[path = "../support/mod.rs"]
mod support;
mod tools;
