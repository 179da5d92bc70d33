//! What each shape takes, and how what is wrong is told.

use serde_json::{Value, json};

fn problems(fields: &Value) -> Vec<String> {
    let found = super::problems(fields.as_object().unwrap());
    found.iter().map(|one| one["loc"][1].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_looks_as_it_must_passes() {
    let fine = json!({
        "tags": ["a"], "tag_rpm_limit": {"a": 5, "b": null}, "model_aliases": {"a": "b"}, "object_permission": {},
        "team_member_key_duration": "30d", "guardrails": [], "prompts": null, "allowed_model_region": "eu",
        "team_member_permissions": ["/key/generate"], "throttle_on_budget_exceeded": true,
        "default_estimated_output_tokens": 1, "rpm_limit_type": "dynamic", "allowed_cache_controls": ["no-cache"],
        "allowed_vector_store_indexes": [{"index_name": "i", "index_permissions": ["read"]}], "unknown": 5,
    });
    assert_eq!(problems(&fine), Vec::<String>::new());
}

#[test]
fn each_field_that_cannot_be_read_is_told() {
    for (field, value) in [
        ("tags", json!("a")),
        ("tags", json!([5])),
        ("guardrails", json!("x")),
        ("prompts", json!("x")),
        ("policies", json!(5)),
        ("tag_rpm_limit", json!("x")),
        ("tag_rpm_limit", json!({"a": -1})),
        ("mcp_rpm_limit", json!({"a": 1.5})),
        ("model_aliases", json!("x")),
        ("model_aliases", json!({"a": 5})),
        ("object_permission", json!(5)),
        ("team_member_key_duration", json!("bad")),
        ("allowed_model_region", json!("mars")),
        ("team_member_permissions", json!("/key/info")),
        ("team_member_permissions", json!(["/bogus"])),
        ("throttle_on_budget_exceeded", json!("yes")),
        ("default_estimated_output_tokens", json!(0)),
        ("tpm_limit_type", json!("fast")),
        ("allowed_vector_store_indexes", json!(["i"])),
    ] {
        assert_eq!(problems(&json!({ field: value })), [field], "{value}");
    }
    assert_eq!(problems(&json!({"tags": 5, "policies": 5})), ["policies", "tags"]);
}

#[test]
fn words_for_booleans_are_kept_as_booleans() {
    let said = json!({ "throttle_on_budget_exceeded": "yes", "enable_prompt_caching": "maybe", "default_estimated_output_tokens": "5" });
    let mut fields = said.as_object().unwrap().clone();
    super::settle(&mut fields);
    assert_eq!(fields["throttle_on_budget_exceeded"], json!(true));
    assert_eq!(fields["default_estimated_output_tokens"], json!(5));
    assert_eq!(problems(&Value::Object(fields)), ["enable_prompt_caching"]);
}
