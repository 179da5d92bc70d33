//! Claims become an identity, or a reason.

use serde_json::{Map, Value, json};

use super::{claim, identify};
use crate::config::{JwtAuth, JwtFields, JwtGrant};

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn auth() -> JwtAuth {
    JwtAuth {
        admin_scope: "boss".into(),
        admin_routes: vec!["/key".into()],
        fields: JwtFields {
            user_id: Some("sub".into()),
            team_ids: Some("groups".into()),
            ..JwtFields::default()
        },
        ..JwtAuth::default()
    }
}

#[test]
fn paths_go_through_dots() {
    let claims = map(json!({"a": {"b": {"c": 1}}, "k.io": {"ns": "x"}, "a.b": 2}));
    assert_eq!(claim(&claims, "a.b.c"), Some(&json!(1)));
    assert_eq!(claim(&claims, "k\\.io.ns"), Some(&json!("x")));
    assert_eq!(claim(&claims, "a\\.b"), Some(&json!(2)));
    for missing in ["", "a.x", "a.b.c.d", "k.io.ns"] {
        assert_eq!(claim(&claims, missing), None, "{missing}");
    }
}

#[test]
fn scopes_make_administrators_by_whole_words() {
    let auth = auth();
    for (scope, admin) in [
        (json!("openid boss"), true),
        (json!(["boss"]), true),
        (json!("bosses"), false),
        (json!({"boss": true}), false),
        (json!(null), false),
    ] {
        let claims = map(json!({"sub": "ann", "scope": scope}));
        let identity = identify(&auth, &auth.fields, &claims).unwrap();
        assert_eq!(identity.role.as_deref() == Some("proxy_admin"), admin, "{scope}");
    }
}

#[test]
fn the_same_bearer_is_the_same_subject() {
    let auth = auth();
    let of = |claims: Value| identify(&auth, &auth.fields, &map(claims)).unwrap().subject;
    let one = of(json!({"iss": "i", "sub": "ann", "iat": 1}));
    assert_eq!(one, of(json!({"iss": "i", "sub": "ann", "iat": 2, "groups": ["g"]})));
    assert_ne!(one, of(json!({"iss": "j", "sub": "ann"})));
    assert_ne!(one, of(json!({"iss": "i", "sub": "bob"})));
}

#[test]
fn grants_of_several_scopes_add_up_and_empty_ones_are_everything() {
    let grant = |of: &str, models: &[&str]| JwtGrant {
        of: of.into(),
        models: models.iter().map(|model| (*model).to_owned()).collect(),
        routes: Vec::new(),
    };
    let auth = JwtAuth {
        scopes_only: true,
        scope_grants: vec![grant("a", &["x"]), grant("b", &["y"]), grant("all", &[])],
        ..auth()
    };
    let of = |scope: &str| {
        identify(&auth, &auth.fields, &map(json!({"sub": "ann", "scope": scope}))).map(|found| found.models)
    };
    assert_eq!(of("a b"), Ok(vec![vec!["x".to_owned(), "y".to_owned()]]));
    assert_eq!(of("a all"), Ok(Vec::new()));
    assert!(of("c").is_err());
}
