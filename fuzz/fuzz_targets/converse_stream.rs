#![no_main]
//! See `fuzz/checks/dialect.rs`; the same check runs on seeded inputs in `llm-providers/tests/fuzz_smoke.rs`.

#[path = "../checks/dialect.rs"]
#[allow(dead_code, reason = "one of several checks")]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::converse_stream(data));
