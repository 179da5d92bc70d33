#![no_main]
//! See `fuzz/checks/cohere.rs`; the same check runs on seeded inputs in `llm-providers/tests/fuzz_cohere.rs`.

#[path = "../checks/cohere.rs"]
#[allow(dead_code, reason = "one of several checks")]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::stream(data));
