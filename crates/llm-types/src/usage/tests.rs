//! Sums of usage.

use super::*;

#[test]
fn two_calls_are_summed() {
    let one = Usage {
        input_tokens: 10,
        output_tokens: 5,
        total_tokens: Some(20),
        cache_read_tokens: Some(3),
        service_tier: Some("flex".into()),
        estimated: true,
        ..Usage::default()
    };
    let other = Usage { input_tokens: 1, output_tokens: 2, reasoning_tokens: Some(1), ..Usage::default() };
    let expected = Usage {
        input_tokens: 11,
        output_tokens: 7,
        total_tokens: Some(23),
        cache_read_tokens: Some(3),
        reasoning_tokens: Some(1),
        estimated: true,
        ..Usage::default()
    };
    assert_eq!(one.with(&other), expected);
    assert_eq!(one.with(&Usage::default()).input_tokens, 10);
}
