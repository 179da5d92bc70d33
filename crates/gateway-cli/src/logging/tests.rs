//! Whose word decides what is logged.

use std::ffi::OsString;

use super::{DEFAULT, DETAILED, directives, is_on};
use crate::args::ServeArgs;

fn check(args: &ServeArgs, env: &[(&str, &str)], expect: &str) {
    let env =
        |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
    assert_eq!(directives(args, &env), expect);
}

#[test]
fn the_first_word_that_is_said_counts() {
    let silent = ServeArgs::default();
    let detailed = ServeArgs { detailed_debug: true, ..ServeArgs::default() };
    check(&silent, &[], DEFAULT);
    check(&silent, &[("LITELLM_LOG", "ERROR")], "error");
    check(&silent, &[("LITELLM_LOG", "WARNING")], "warn");
    check(&silent, &[("LITELLM_LOG", "nonsense")], DEFAULT);
    check(&silent, &[("LITELLM_LOG", "ERROR"), ("RUST_LOG", "trace")], "trace");
    check(&silent, &[("LITELLM_LOG", "ERROR"), ("RUST_LOG", "")], "error");
    check(&detailed, &[("LITELLM_LOG", "ERROR")], DETAILED);
}

#[test]
fn yes_has_the_spellings_of_litellm() {
    for (text, expect) in [("true", true), ("True", true), ("1", true), ("false", false), ("", false)] {
        assert_eq!(is_on(Some(text.into())), expect, "{text}");
    }
    assert!(!is_on(None));
}
