//! Whole calls through a gateway in this process, over real sockets: every room's early answers, every
//! way a call can end, and what was booked afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests, helpers outside of test functions among them"
)]

#[path = "../support/mod.rs"]
mod support;

mod admission;
mod advice;
mod autos;
mod bad_input;
mod brought;
mod clouds;
mod connections;
mod converse;
mod doors;
mod drain;
mod endings;
mod failover;
mod figures;
mod forwarding;
mod garbage;
mod hang_up;
mod headers;
mod hedging;
mod http2;
mod keys;
mod lasting;
mod limits;
mod media;
mod mock;
mod notes;
mod prompts;
mod races;
mod reload;
mod replicas;
mod routing;
mod secrets;
mod settings;
mod settlement;
mod shares;
mod translation;
mod treatment;
