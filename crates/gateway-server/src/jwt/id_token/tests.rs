//! What an ID token must claim.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Audience, IdToken};

fn token(alg: &str, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({ "alg": alg })), part(claims))
}

#[test]
fn it_is_of_this_sign_in_for_us_and_in_time() {
    let check = |edit: &dyn Fn(&mut Value)| {
        let mut claims =
            json!({"iss": "https://idp.example", "aud": "me", "nonce": "n", "exp": 200, "iat": 40});
        edit(&mut claims);
        let token = token("RS256", &claims);
        let audience =
            Audience { issuer: Some("https://idp.example"), client: "me", nonce: "n", now: 50_000 };
        IdToken::read(&token).unwrap().check(&audience)
    };
    assert_eq!(check(&|_| {}), Ok(()));
    assert_eq!(check(&|claims| claims["aud"] = json!(["me"])), Ok(()));
    assert_eq!(
        check(&|claims| {
            claims["aud"] = json!(["x", "me"]);
            claims["azp"] = json!("me");
        }),
        Ok(())
    );
    for (name, value) in [
        ("nonce", json!("other")),
        ("nonce", json!("")),
        ("nonce", Value::Null),
        ("aud", json!("other")),
        ("aud", json!(["x", "me"])),
        ("aud", Value::Null),
        ("azp", json!("other")),
        ("iss", json!("https://evil.example")),
        ("exp", json!(-20)),
        ("exp", Value::Null),
        ("iat", json!(500)),
        ("nbf", json!(500)),
    ] {
        assert!(check(&|claims| claims[name] = value.clone()).is_err(), "{name} {value}");
    }
}

#[test]
fn what_is_not_signed_with_a_key_pair_is_none() {
    for alg in ["none", "None", "HS256", ""] {
        assert!(IdToken::read(&token(alg, &json!({}))).is_err(), "{alg}");
    }
    assert!(IdToken::read("nonsense").is_err());
}
