//! What was asked for is read back as it was written.

use super::*;

fn hints(tier: Option<&str>, search: SearchContext) -> Hints {
    let mut hints = Hints::default();
    (hints.tier, hints.search) = (tier.map(str::to_owned), search);
    hints
}

#[test]
fn nothing_is_told_where_the_columns_say_all() {
    let usage = Usage { input_tokens: 3, output_tokens: 4, total_tokens: Some(7), ..Usage::default() };
    assert_eq!(usage_told(&usage, Some(&usage), &[], &Hints::default()), "");
}

#[test]
fn what_was_asked_for_is_read_back() {
    let usage = Usage { input_tokens: 3, output_tokens: 4, ..Usage::default() };
    let read = |usage: &Usage, hints: &Hints| {
        let told: Value = serde_json::from_str(&usage_told(usage, Some(usage), &[], hints)).unwrap();
        let (tier, search) = asked_of(&told);
        (tier.map(str::to_owned), search, told["input_tokens"].as_u64())
    };
    let asked = hints(Some("priority"), SearchContext::High);
    assert_eq!(read(&usage, &asked), (Some("priority".to_owned()), SearchContext::High, Some(3)));
    let served = Usage { service_tier: Some("default".into()), ..usage };
    assert_eq!(
        read(&served, &asked),
        (None, SearchContext::High, Some(3)),
        "what was served is in the usage and beats it"
    );
    assert_eq!(asked_of(&Value::Null), (None, SearchContext::Medium));
}
