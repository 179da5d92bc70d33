//! A group is as able as the ablest of its deployments.

use serde_json::{Map, Value, json};

use super::join;

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

#[test]
fn the_highest_limit_and_price_and_any_ability_count() {
    let mut entry = map(&json!({"max_input_tokens": null, "input_cost_per_token": null, "mode": null}));
    for info in [
        json!({"max_input_tokens": 10, "input_cost_per_token": 2e-6, "supports_vision": true, "mode": "chat"}),
        json!({"max_input_tokens": 30, "input_cost_per_token": 1e-6, "supports_vision": false, "id": "x"}),
        json!({"supports_reasoning": false, "mode": "completion"}),
    ] {
        join(&mut entry, &map(&info));
    }
    let expected = json!({
        "max_input_tokens": 30, "input_cost_per_token": 2e-6, "mode": "chat",
        "supports_vision": true, "supports_reasoning": false,
    });
    assert_eq!(Value::Object(entry), expected);
}
