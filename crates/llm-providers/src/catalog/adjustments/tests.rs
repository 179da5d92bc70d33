//! Discounts and margins find their vendor.

use llm_types::{CostContext, Price, Usage};
use serde_json::json;

use super::*;

fn read(discounts: &Value, margins: &Value) -> Result<Adjustments> {
    let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
    Adjustments::from_litellm(&object(discounts), &object(margins))
}

#[test]
fn observed_discount_then_margin() {
    let adjustments = read(&json!({"openai": 0.5}), &json!({"openai": 0.1})).expect("sound settings");
    let used = Usage { input_tokens: 5, output_tokens: 2, ..Usage::default() };
    let cost = |provider| {
        let context = CostContext { adjustment: adjustments.of(provider), ..CostContext::default() };
        Price::per_token(1.5e-7, 6e-7).cost(&used, &context).exact.as_usd()
    };
    assert_eq!(cost("openai"), 1.0725e-06);
    assert_eq!(cost("groq"), 1.95e-06);
}

#[test]
fn a_vendors_own_margin_replaces_the_global_one() {
    let margins =
        json!({"global": {"percentage": 0.05, "fixed_amount": 0.001}, "groq": {"fixed_amount": 0.002}});
    let adjustments = read(&json!({}), &margins).expect("sound settings");
    assert_eq!(adjustments.of("openai"), Adjustment::new(0.0, 0.05, 0.001));
    assert_eq!(adjustments.of("groq"), Adjustment::new(0.0, 0.0, 0.002));
}

#[test]
fn settings_that_are_none_are_refused_by_name() {
    for (discounts, margins) in [
        (json!({"openai": 1.5}), json!({})),
        (json!({"openai": "5%"}), json!({})),
        (json!({}), json!({"openai": -0.1})),
        (json!({}), json!({"openai": {"percent": 0.1}})),
        (json!({}), json!({"openai": {}})),
    ] {
        let error = read(&discounts, &margins).expect_err("refused");
        assert!(error.message().contains("_config.openai` is `"), "{}", error.message());
    }
}
