//! What settings say about parts, and for which calls they hold.

use serde_json::json;

use super::*;

fn map(value: Value) -> JsonMap {
    serde_json::from_value(value).unwrap()
}

/// One line per part: its account, its money, its requests, its tokens.
fn told(settings: &KeySettings) -> Vec<String> {
    let line = |part: PartSpec| {
        let Limits { max_budget, rpm, tpm, .. } = part.limits;
        let usd = max_budget.map(Money::as_usd);
        format!("{} {usd:?} {rpm:?} {tpm:?}", part.id("key:k").member)
    };
    parts_of_key(settings).into_iter().map(line).collect()
}

#[test]
fn a_key_without_such_settings_has_no_parts() {
    assert_eq!(told(&KeySettings::default()), [""; 0]);
}

#[test]
fn every_place_of_litellms_is_read() {
    let settings = KeySettings {
        model_rpm_limit: map(json!({"gpt": 3})),
        model_tpm_limit: map(json!({"gpt": 50, "claude": 60})),
        metadata: map(json!({"model_rpm_limit": {"gpt": 9, "old": 1}, "tag_rpm_limit": {"red": 2}})),
        model_max_budget: map(json!({
            "gpt": {"budget_limit": 0.5, "time_period": "1d"},
            "claude": {"max_budget": "2", "budget_duration": "30d"},
            "plain": 1.5,
            "wrong": {"budget_duration": "1d"},
        })),
        extra: map(json!({"budget_limits": [{"budget_duration": "1h", "max_budget": 1}, {"max_budget": 9}]})),
        ..KeySettings::default()
    };
    assert_eq!(
        told(&settings),
        [
            "gpt None Some(3) Some(50)",
            "old None Some(1) None",
            "claude None None Some(60)",
            "#red None Some(2) None",
            "gpt@1d Some(0.5) None None",
            "claude@30d Some(2.0) None None",
            "plain@ Some(1.5) None None",
            "@1h Some(1.0) None None",
            "@ Some(9.0) None None",
        ]
    );
}

#[test]
fn a_project_counts_prompts_and_answers_apart() {
    let settings = ScopeSettings {
        extra: map(json!({"model_itpm_limit": {"gpt": 5, "wrong": "many"}, "model_otpm_limit": null})),
        metadata: map(json!({"model_itpm_limit": {"old": 1}, "model_otpm_limit": {"gpt": 7}})),
        ..ScopeSettings::default()
    };
    let told = |part: PartSpec| (part.id("project:p").member, part.limits.tpm, part.counts);
    let parts: Vec<_> = directed_parts(&settings).into_iter().map(told).collect();
    let expected = [
        ("gpt!input".to_owned(), Some(5), Some(TokenCount::Input)),
        ("gpt!output".to_owned(), Some(7), Some(TokenCount::Output)),
    ];
    assert_eq!(parts, expected);
}

#[test]
fn models_are_meant_with_or_without_their_provider() {
    let holds = |name: &str, asked: &str| For::Model(name.to_owned()).holds(asked, &[]);
    assert!(holds("gpt", "gpt") && holds("openai/gpt", "gpt") && holds("gpt", "openai/gpt"));
    assert!(!holds("gpt", "gpt-4") && !holds("openai/gpt", "azure/gpt"));
    let red = For::Tag("red".to_owned());
    assert!(red.holds("gpt", &["red".to_owned()]) && !red.holds("red", &[]));
    assert!(For::All.holds("any", &[]));
}
