//! How values read.

use http::HeaderMap;
use llm_types::Money;

use super::{Numbers, ProviderNames, text};

#[test]
fn money_and_times_read_as_litellm_writes_them() {
    let mut numbers = Numbers::new();
    assert_eq!(numbers.usd(Money(1_950)), "0.00000195");
    assert_eq!(numbers.usd(Money(0)), "0");
    assert_eq!(numbers.usd(Money(2_500_000_000)), "2.5");
    assert_eq!(numbers.usd(Money(-12_000_000_000)), "-12");
    assert_eq!(numbers.usd(Money(30_000_000_000)), "30");
    assert_eq!(numbers.millis(1_234), "1.234");
    assert_eq!(numbers.millis(7), "0.007");
    assert_eq!(numbers.count(0), "0");
    assert_eq!(numbers.count(10), "10");
    assert_eq!(numbers.count(u64::MAX), u64::MAX.to_string().as_str());
}

#[test]
fn texts_cannot_break_a_header() {
    assert_eq!(text("a\r\nset-cookie: x"), "aset-cookie: x");
}

#[test]
fn provider_headers_are_copied_under_a_prefix() {
    let names = ProviderNames::default();
    let mut from = HeaderMap::new();
    from.insert("x-request-id", "r1".parse().unwrap());
    for _ in 0..2 {
        let mut to = HeaderMap::new();
        names.copy(&from, &mut to);
        assert_eq!(to["llm_provider-x-request-id"], "r1");
    }
}
