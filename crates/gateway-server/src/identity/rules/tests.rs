//! What settings say of calls is read from both of its places.

use gateway_db::JsonMap;
use serde_json::{Value, json};

use super::Rules;

fn map(value: Value) -> JsonMap {
    let Value::Object(map) = value else { panic!("{value} is no map") };
    map
}

#[test]
fn a_field_wins_over_metadata_and_null_says_nothing() {
    let extra = map(json!({"tags": ["a"], "enforced_params": null}));
    let metadata = map(json!({"tags": ["b"], "enforced_params": ["user"], "service_account_id": "ci"}));
    let rules = Rules::of(&extra, &metadata);
    assert_eq!(rules.tags, ["a"]);
    assert_eq!(rules.required, ["user"]);
    assert!(rules.is_service && !rules.is_empty() && !rules.is_silent);
    let metadata = map(json!({"spend_logs_metadata": {"cost": 1}, "turn_off_message_logging": true}));
    let rules = Rules::of(&JsonMap::new(), &metadata);
    assert!(rules.is_silent && rules.notes["cost"] == 1);
    assert!(Rules::of(&map(json!({"tags": []})), &map(json!({"cost-centre": 42}))).is_empty());
}

#[test]
fn an_answer_is_as_long_as_its_model_is_said_to_make_it() {
    let extra = map(json!({
        "default_estimated_output_tokens": 100,
        "default_estimated_output_tokens_per_model": {"openai/gpt": 700, "odd": "many"},
    }));
    let rules = Rules::of(&extra, &JsonMap::new());
    assert_eq!(rules.answer_of("gpt"), Some(700));
    assert_eq!(rules.answer_of("openai/gpt"), Some(700));
    assert_eq!(rules.answer_of("odd"), Some(100));
    assert_eq!(Rules::default().answer_of("gpt"), None);
}
