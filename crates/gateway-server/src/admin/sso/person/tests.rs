//! What a provider says becomes a person, or a reason.

use serde_json::{Map, Value, json};

use super::super::provider::{Provider, of_env};
use super::{read, together};
use crate::config::Env;

fn env(more: &[(&str, &str)]) -> Env {
    let own = [
        ("GENERIC_CLIENT_ID", "id"),
        ("GENERIC_CLIENT_SECRET", "secret"),
        ("GENERIC_AUTHORIZATION_ENDPOINT", "https://idp/authorize"),
        ("GENERIC_TOKEN_ENDPOINT", "https://idp/token"),
        ("GENERIC_USERINFO_ENDPOINT", "https://idp/userinfo"),
    ];
    own.iter().chain(more).map(|(name, value)| (*name, *value)).collect()
}

fn provider(env: &Env) -> Provider {
    of_env(env, None).unwrap().unwrap()
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[test]
fn what_lacks_is_named() {
    let lacking: Env = [("GENERIC_CLIENT_ID", "id")].into_iter().collect();
    let missing = of_env(&lacking, None).unwrap_err().missing;
    assert_eq!(missing.len(), 4, "{missing:?}");
    assert!(of_env(&Env::default(), None).unwrap().is_none());
    let google: Env = [("GOOGLE_CLIENT_ID", "id"), ("GOOGLE_CLIENT_SECRET", "s")].into_iter().collect();
    assert_eq!(provider(&google).name, "google");
    let microsoft: Env =
        [("MICROSOFT_CLIENT_ID", "id"), ("MICROSOFT_CLIENT_SECRET", "s")].into_iter().collect();
    assert_eq!(of_env(&microsoft, None).unwrap_err().missing, ["MICROSOFT_TENANT"]);
    assert!(!format!("{:?}", provider(&env(&[]))).contains("secret\""));
}

#[test]
fn only_whole_domains_are_let_in() {
    let env = env(&[("ALLOWED_EMAIL_DOMAINS", "corp.example, other.example")]);
    for (email, is_in) in [
        (json!("ann@corp.example"), true),
        (json!("ann@OTHER.example"), true),
        (json!("ann@evil-corp.example"), false),
        (json!("ann@corp.example.evil"), false),
        (json!("@corp.example"), false),
        (json!("corp.example"), false),
        (Value::Null, false),
    ] {
        let said = map(json!({"sub": "ann", "email": email}));
        assert_eq!(read(&provider(&env), &env, &said).is_ok(), is_in, "{email}");
    }
    let unproved = map(json!({"sub": "ann", "email": "ann@corp.example", "email_verified": false}));
    assert!(read(&provider(&env), &env, &unproved).is_err());
}

#[test]
fn roles_come_from_groups_a_claim_or_the_environment() {
    let groups = [
        ("GENERIC_ROLE_MAPPINGS_GROUP_CLAIM", "realm.groups"),
        (
            "GENERIC_ROLE_MAPPINGS_ROLES",
            r#"{"internal_user": ["dev"], "proxy_admin": ["ops"], "root": ["x"]}"#,
        ),
        ("GENERIC_ROLE_MAPPINGS_DEFAULT_ROLE", "internal_user_viewer"),
    ];
    let role = |more: &[(&str, &str)], said: Value| {
        let env = env(more);
        read(&provider(&env), &env, &map(said)).unwrap().role
    };
    let of = |list: &[&str]| json!({"sub": "ann", "realm": {"groups": list}});
    assert_eq!(role(&groups, of(&["dev", "ops"])).as_deref(), Some("proxy_admin"));
    assert_eq!(role(&groups, of(&["dev"])).as_deref(), Some("internal_user"));
    assert_eq!(role(&groups, of(&["x"])).as_deref(), Some("internal_user_viewer"), "no role but ours");
    assert_eq!(
        role(&[], json!({"sub": "ann", "role": "proxy_admin_viewer"})).as_deref(),
        Some("proxy_admin_viewer")
    );
    assert_eq!(role(&[], json!({"sub": "ann", "role": "root"})), None);
    assert_eq!(role(&[], json!({"sub": "ann"})), None);
    let admin = [("PROXY_ADMIN_ID", "ann")];
    assert_eq!(role(&admin, json!({"sub": "ann"})).as_deref(), Some("proxy_admin"));
    assert_eq!(role(&admin, json!({"sub": "bob"})), None);
}

#[test]
fn roles_are_read_in_pythons_quotes_too_and_nonsense_is_told() {
    let mapped = |text: &str| {
        let env = env(&[("GENERIC_ROLE_MAPPINGS_ROLES", text)]);
        of_env(&env, None).map(|provider| provider.unwrap().roles.groups)
    };
    let expected = vec![("proxy_admin".to_owned(), vec!["ops".to_owned()])];
    assert_eq!(mapped("{'proxy_admin': ['ops']}"), Ok(expected));
    for wrong in ["ops", "[]", r#"{"proxy_admin": "ops"}"#, r#"{"proxy_admin": [1]}"#] {
        assert_eq!(mapped(wrong).unwrap_err().wrong.len(), 1, "{wrong}");
    }
    let headers = env(&[("GENERIC_SSO_HEADERS", "x-one=1, nonsense")]);
    assert!(of_env(&headers, None).unwrap_err().wrong[0].contains("GENERIC_SSO_HEADERS"));
}

#[test]
fn a_token_and_the_userinfo_are_about_one_person() {
    let one = |sub: &str| map(json!({"sub": sub, "groups": ["a"]}));
    let said = together(Some(one("ann")), map(json!({"sub": "ann", "email": "x"}))).unwrap();
    assert_eq!(said["groups"], json!(["a"]), "what only the token says counts");
    assert!(together(Some(one("ann")), map(json!({"sub": "eve"}))).is_err());
    assert!(together(Some(map(json!({"oid": "1"}))), map(json!({"id": "2"}))).is_err());
    assert!(together(None, map(json!({"sub": "eve"}))).is_ok());
}

#[test]
fn an_address_is_a_persons_own_when_somebody_vouches_for_it() {
    let own = |more: &[(&str, &str)], said: Value| {
        let env = env(more);
        read(&provider(&env), &env, &map(said)).unwrap().email_is_own
    };
    assert!(own(&[], json!({"sub": "ann", "email": "a@x.example"})));
    assert!(!own(&[], json!({"sub": "ann", "email": "a@x.example", "email_verified": false})));
    assert!(!own(&[], json!({"sub": "ann"})));
    let many =
        [("MICROSOFT_CLIENT_ID", "id"), ("MICROSOFT_CLIENT_SECRET", "s"), ("MICROSOFT_TENANT", "common")];
    let env: Env = many.into_iter().collect();
    let said = map(json!({"id": "1", "userPrincipalName": "a@x.example"}));
    assert!(!read(&provider(&env), &env, &said).unwrap().email_is_own, "any tenant may say any address");
}
