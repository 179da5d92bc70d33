//! What is said of a user comes back, but for what must not be known.

use gateway_db::{ScopeId, ScopeKind, ScopeRecord, ScopeSettings};
use llm_types::Money;
use serde_json::{Map, Value, json};

use super::{read, resource};

fn record(settings: ScopeSettings) -> ScopeRecord {
    ScopeRecord {
        id: ScopeId::new(ScopeKind::User, "ann"),
        settings,
        spend: Money::ZERO,
        total_spend: Money::ZERO,
        created_at: 0,
        created_by: None,
        updated_at: 0,
        updated_by: None,
        deleted_at: None,
        deleted_by: None,
        version: 1,
    }
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn a_user_comes_back_as_it_was_said() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let said = read(&map(&json!({
        "schemas": ["x"],
        "userName": "Ann@corp.example",
        "externalId": "x-1",
        "password": "secret",
        "active": "False",
        "name": {"givenName": "Ann", "familyName": "O"},
        "emails": [{"value": "a@home.example"}, {"value": "ann@corp.example", "primary": true}],
        enterprise: {"department": "Ops"},
    })))
    .unwrap();
    assert_eq!((said.email.as_deref(), said.alias.as_deref()), (Some("ann@corp.example"), Some("Ann")));
    assert!(!said.active && said.groups.is_none());
    let metadata = said.metadata(&map(&json!({"own": 1})).into_iter().collect());
    assert_eq!(metadata["scim_active"], false);
    assert_eq!((&metadata["own"], &metadata["scim_metadata"]["familyName"]), (&json!(1), &json!("O")));
    let mut settings =
        ScopeSettings { email: said.email, alias: said.alias, blocked: true, metadata, ..Default::default() };
    settings.extra.insert("scim".to_owned(), json!(said.kept));
    let shown = resource(&record(settings.clone()), &[("t".to_owned(), "Team".to_owned())], "/scim/v2");
    assert!(!Value::Object(shown.clone()).to_string().contains("secret"));
    for (name, expected) in [
        ("id", json!("ann")),
        ("userName", json!("Ann@corp.example")),
        ("externalId", json!("x-1")),
        ("active", json!(false)),
        ("schemas", json!([super::SCHEMA, enterprise])),
        ("name", json!({"givenName": "Ann", "familyName": "O"})),
    ] {
        assert_eq!(shown[name], expected, "{name}");
    }
    assert_eq!(shown["groups"][0]["value"], "t");
    assert_eq!(shown["emails"].as_array().unwrap().len(), 2);
    settings.email = Some("new@corp.example".to_owned());
    let shown = resource(&record(settings), &[], "/scim/v2");
    assert_eq!(
        shown["emails"],
        json!([{"value": "new@corp.example", "primary": true}]),
        "what holds is shown"
    );
}

#[test]
fn a_user_that_scim_did_not_make_is_shown() {
    let shown = resource(&record(ScopeSettings::default()), &[], "https://gw.example/scim/v2");
    assert_eq!((&shown["userName"], &shown["active"]), (&json!("ann"), &json!(true)));
    assert_eq!(shown["meta"]["location"], "https://gw.example/scim/v2/Users/ann");
}

#[test]
fn what_is_wrong_is_named() {
    for (wrong, name) in [
        (json!({}), "userName"),
        (json!({"userName": " "}), "userName"),
        (json!({"userName": 7}), "userName"),
        (json!({"userName": "x".repeat(300)}), "userName"),
        (json!({"userName": "a", "active": "maybe"}), "active"),
        (json!({"userName": "a", "groups": [{"display": "x"}]}), "groups"),
    ] {
        let fault = read(&map(&wrong)).unwrap_err().body();
        assert_eq!(fault["scimType"], "invalidValue", "{wrong}");
        assert!(fault["detail"].as_str().unwrap().contains(name), "{fault}");
    }
}
