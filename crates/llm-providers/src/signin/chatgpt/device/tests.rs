//! A person signs in, and the tokens are where deployments look for them.

use llm_types::ErrorKind;
use llm_types::testing::ReplayTransport;
use serde_json::{Value, json};

use super::super::super::tests::{now, run};
use super::super::super::{Credential, Source};
use super::super::Chatgpt;
use super::super::tests::{File, token};
use super::{Device, keep};

const ISSUER: &str = "https://auth.example";

fn begun(transport: &ReplayTransport) -> Device {
    run(Device::begin(transport, ISSUER)).unwrap()
}

#[test]
fn a_user_is_shown_a_code_and_asked_after_until_there_are_tokens() {
    let fresh = token(3_600);
    let transport = ReplayTransport::default()
        .reply(200, json!({"device_auth_id": "d-1", "user_code": "AB-CD", "interval": "7"}).to_string())
        .reply(403, "{}")
        .reply(404, "")
        .reply(
            200,
            json!({"authorization_code": "c-1", "code_challenge": "h", "code_verifier": "v 1"}).to_string(),
        )
        .reply(200, json!({"access_token": fresh, "refresh_token": "r-1", "id_token": "i-1"}).to_string());
    let device = begun(&transport);
    assert_eq!((&*device.page, &*device.code), ("https://auth.example/codex/device", "AB-CD"));
    assert_eq!(device.pause.as_secs(), 7);
    assert!(run(device.ask(&transport)).unwrap().is_none());
    assert!(run(device.ask(&transport)).unwrap().is_none());
    let tokens = run(device.ask(&transport)).unwrap().unwrap();
    let asked = transport.asked();
    assert_eq!(asked[1].uri, "https://auth.example/api/accounts/deviceauth/token");
    let body: Value = serde_json::from_slice(&asked[1].body).unwrap();
    assert_eq!(body, json!({"device_auth_id": "d-1", "user_code": "AB-CD"}));
    assert_eq!(
        asked[4].body,
        "grant_type=authorization_code&code=c-1&redirect_uri=https%3A%2F%2Fauth.example%2Fdeviceauth%2Fcallback&\
         client_id=app_EMoamEEZ73f0CkXaXp7hrann&code_verifier=v%201"
    );

    let file = File::new("login", &json!({}));
    keep(&file.0, &tokens, now()).unwrap();
    let source = Chatgpt { file: file.0.clone(), url: "https://auth.example/oauth/token".into() };
    let credential = Credential::new(Source::Chatgpt(source));
    run(credential.ready(&ReplayTransport::default(), now())).unwrap();
    assert_eq!(super::super::tests::said(&credential), (format!("Bearer {fresh}"), "acc-1".to_owned()));
}

#[test]
fn what_is_no_sign_in_is_told() {
    let transport = ReplayTransport::default().reply(200, r#"{"user_code": "AB"}"#);
    let error = run(Device::begin(&transport, ISSUER)).unwrap_err();
    assert!(error.message().contains("no `device_auth_id`"), "{error}");

    let transport = ReplayTransport::default()
        .reply(200, r#"{"device_auth_id": "d", "usercode": "AB"}"#)
        .reply(410, "{}");
    let device = begun(&transport);
    let error = run(device.ask(&transport)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.message().contains("410"), "{error}");

    let file = File::new("none", &json!({}));
    let error = keep(&file.0, &json!({"access_token": "a"}), now()).unwrap_err();
    assert!(error.message().contains("no `refresh_token`"), "{error}");
}
