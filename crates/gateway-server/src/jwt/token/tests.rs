//! Tokens are taken apart, and their claims are held to time, issuer and audience.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::{Expected, LONGEST, Token, looks_like_jwt};

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn claims(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

#[test]
fn a_jwt_has_three_parts_and_is_no_virtual_key() {
    for (text, is) in [("a.b.c", true), ("a.b", false), ("a.b.c.d", false), ("sk-a.b.c", false), ("", false)]
    {
        assert_eq!(looks_like_jwt(text.as_bytes()), is, "{text}");
    }
}

#[test]
fn only_what_can_be_read_is_read() {
    let good =
        format!("{}.{}.AAAA", part(&json!({"alg": "RS256", "kid": "k", "jku": "x"})), part(&json!({"a": 1})));
    let token = Token::read(good.as_bytes()).unwrap();
    assert_eq!((token.alg.as_str(), token.kid.as_deref(), token.signature.len()), ("RS256", Some("k"), 3));
    assert_eq!(token.signed, good.strip_suffix(".AAAA").unwrap());
    let long = "a".repeat(LONGEST) + ".b.c";
    let head = part(&json!({"alg": "RS256"}));
    for wrong in [
        "..",
        "a.b.c",
        &long,
        &format!("{head}.{}.A", part(&json!({}))),
        &format!("{head}.{}.AAAA", part(&json!([]))),
        &format!("{head}.{}.AAA=", part(&json!({}))),
        &format!("{}.{}.AAAA", part(&json!({"kid": "k"})), part(&json!({}))),
        &format!("{}.{}.AAAA", part(&json!({"alg": 5})), part(&json!({}))),
        &format!("{}.{}.AAAA", part(&json!({"alg": "RS256", "crit": []})), part(&json!({}))),
    ] {
        assert!(Token::read(wrong.as_bytes()).is_err(), "{wrong}");
    }
    assert!(Token::read(b"\xff.b.c").is_err());
}

#[test]
fn claims_hold_now_for_us() {
    let expected = Expected { issuer: Some("i"), audience: Some("a"), now: 1_000.0, leeway: 5.0 };
    let good = json!({"iss": "i", "aud": ["x", "a"], "exp": 1_010, "nbf": 1_000, "iat": 999.5});
    assert_eq!(expected.check(&claims(&good)), Ok(1_015_000));
    for (name, value, passes) in [
        ("aud", json!("a"), true),
        ("aud", json!("b"), false),
        ("aud", json!(["b"]), false),
        ("aud", json!({"a": 1}), false),
        ("aud", Value::Null, false),
        ("iss", json!("i/"), false),
        ("iss", json!(["i"]), false),
        ("exp", json!(996), true),
        ("exp", json!(995), false),
        ("exp", json!("2000"), false),
        ("exp", Value::Null, false),
        ("nbf", json!(1_005), true),
        ("nbf", json!(1_006), false),
        ("nbf", json!("x"), false),
        ("iat", json!(1_006), false),
    ] {
        let mut edited = claims(&good);
        edited.insert(name.to_owned(), value.clone());
        assert_eq!(expected.check(&edited).is_ok(), passes, "{name} {value}");
    }
    for name in ["iss", "aud", "exp"] {
        let mut without = claims(&good);
        without.shift_remove(name);
        assert!(expected.check(&without).is_err(), "{name}");
    }
    let lax = Expected { issuer: None, audience: None, ..expected };
    assert!(lax.check(&claims(&json!({"exp": 2_000}))).is_ok());
}
