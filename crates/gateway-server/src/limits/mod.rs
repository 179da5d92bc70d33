//! Limits of a key or scope: money, requests and tokens per minute, calls at once.
//!
//! A call *reserves* before it is made and *settles* afterwards, whatever happened to it. All limits of
//! an account are checked and charged under one short lock, so concurrency cannot overshoot them.

mod account;
mod denial;
mod quota;
mod reset;

pub(crate) use account::{Account, Ask, Limits, Remaining, Reserved, Settlement};
pub(crate) use denial::{Denial, Limited};
pub(crate) use quota::{Got, ROUND_MS, Want};
pub(crate) use reset::{Calendar, next_reset, parse_duration_ms};
