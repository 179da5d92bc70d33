//! Requests become changes, or refusals that name every field.

use gateway_db::Change;
use llm_types::Money;
use serde_json::json;

use super::super::refusal::Refusal;
use super::{Fields, Moment, settings_of};

fn moment() -> Moment {
    Moment { now: 1_000_000_000_000, calendar: crate::limits::Calendar::default() }
}

fn patch(body: &serde_json::Value) -> Result<gateway_db::KeyPatch, Refusal> {
    Fields::read(body.to_string().as_bytes())?.patch(&moment())
}

#[test]
fn fields_are_typed_and_unknown_ones_kept() {
    let body = json!({
        "key_alias": "a", "max_budget": 1.5, "rpm_limit": 3, "duration": "30s", "models": ["m"],
        "guardrails": ["g"], "team_id": null,
    });
    let patch = patch(&body).unwrap();
    assert_eq!(patch.alias, Change::Set("a".to_owned()));
    assert_eq!(patch.max_budget, Change::Set(Money(1_500_000_000)));
    assert_eq!(patch.team_id, Change::Clear);
    assert_eq!(patch.user_id, Change::Keep);
    assert_eq!(patch.expires_at, Change::Set(1_000_000_030_000));
    assert_eq!(patch.extra["guardrails"], json!(["g"]));
    let settings = settings_of(patch);
    assert_eq!(settings.models, ["m"]);
    assert_eq!(settings.rpm_limit, Some(3));
}

#[test]
fn every_wrong_type_is_reported() {
    let Err(Refusal::Fields(problems)) = patch(&json!({ "rpm_limit": "many", "models": "m", "blocked": 3 }))
    else {
        panic!("expected field problems");
    };
    let names: Vec<_> = problems.iter().map(|problem| problem["loc"][1].as_str().unwrap()).collect();
    assert_eq!(names, ["models", "rpm_limit", "blocked"]);
}

#[test]
fn senseless_values_are_refused_by_name() {
    for (body, param) in [
        (json!({ "max_budget": -1 }), "max_budget"),
        (json!({ "max_budget": "nan" }), "max_budget"),
        (json!({ "soft_budget": 1e300 }), "soft_budget"),
        (json!({ "spend": 9_223_372_037_u64 }), "spend"),
        (json!({ "duration": "soon" }), "duration"),
        (json!({ "budget_duration": "1 fortnight" }), "budget_duration"),
    ] {
        let Err(Refusal::Error(error)) = patch(&body) else { panic!("{body} was accepted") };
        assert_eq!(error.param(), Some(param));
    }
}

#[test]
fn key_types_stand_for_routes() {
    assert_eq!(patch(&json!({ "key_type": "llm_api" })).unwrap().allowed_routes.unwrap(), ["llm_api_routes"]);
    assert!(matches!(patch(&json!({ "key_type": "vip" })), Err(Refusal::Fields(_))));
}

#[test]
fn a_wrong_type_is_told_before_a_value_that_makes_no_sense() {
    let Err(Refusal::Fields(problems)) = patch(&json!({ "max_budget": -1, "models": ["a", 2] })) else {
        panic!("expected field problems");
    };
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0]["loc"], json!(["body", "models", 1]));
}

#[test]
fn everything_that_is_missing_is_told_once() {
    let mut fields = Fields::read(br#"{"b": 3, "d": null}"#).unwrap();
    for name in ["a", "b"] {
        assert_eq!(fields.required(name), "");
    }
    assert!(fields.required_texts("c").is_empty());
    assert!(fields.required_any("d").is_null());
    let Err(Refusal::Fields(problems)) = fields.finish() else { panic!("expected field problems") };
    let told: Vec<_> = problems.iter().map(|it| (it["loc"][1].as_str(), it["type"].as_str())).collect();
    let missing = |name| (Some(name), Some("missing"));
    assert_eq!(told, [missing("a"), (Some("b"), Some("string_type")), missing("c"), missing("d")]);
}
