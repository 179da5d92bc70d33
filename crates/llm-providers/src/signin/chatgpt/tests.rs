//! Tokens of a subscription are used while they hold, renewed and kept after.

use std::path::PathBuf;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use llm_types::ErrorKind;
use llm_types::testing::ReplayTransport;
use serde_json::{Value, json};

use super::super::tests::{now, run};
use super::super::{Credential, Key, Source};
use super::Chatgpt;

/// A file of its own, gone with the test.
pub(super) struct File(pub(super) PathBuf);

impl File {
    pub(super) fn new(name: &str, kept: &Value) -> Self {
        let path = std::env::temp_dir().join(format!("gateway-chatgpt-{name}-{}.json", std::process::id()));
        std::fs::write(&path, kept.to_string()).unwrap();
        Self(path)
    }

    fn credential(&self) -> Credential {
        let url = "https://auth.example/oauth/token".into();
        Credential::new(Source::Chatgpt(Chatgpt { file: self.0.clone(), url }))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

/// A token whose claims say when it ends, in seconds from now, and whose it is.
pub(super) fn token(life: i64) -> String {
    let now = i64::try_from(now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let claims = json!({"exp": now + life, "https://api.openai.com/auth": {"chatgpt_account_id": "acc-1"}});
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

pub(super) fn said(credential: &Credential) -> (String, String) {
    let held = credential.held(now()).unwrap();
    let Key::Bearer(value) = &held.key else { panic!("expected a token") };
    let (name, account) = &held.headers[0];
    assert_eq!(name, "chatgpt-account-id");
    (value.to_str().unwrap().to_owned(), account.to_str().unwrap().to_owned())
}

#[test]
fn a_token_that_holds_is_used_as_it_is() {
    let life = token(3_600);
    for kept in
        [json!({"access_token": life}), json!({"tokens": {"access_token": life, "account_id": "acc-1"}})]
    {
        let file = File::new("holds", &kept);
        let credential = file.credential();
        run(credential.ready(&ReplayTransport::default(), now())).unwrap();
        assert_eq!(said(&credential), (format!("Bearer {life}"), "acc-1".to_owned()));
    }
}

#[test]
fn what_has_ended_is_renewed_and_kept() {
    let kept = json!({"tokens": {"access_token": token(-5), "refresh_token": "r-1-long-enough"}, "other": 1});
    let file = File::new("renewed", &kept);
    let fresh = token(7_200);
    let answer = json!({"access_token": fresh, "refresh_token": "r-2", "expires_in": 7_200});
    let transport = ReplayTransport::default().reply(200, answer.to_string());
    let credential = file.credential();
    run(credential.ready(&transport, now())).unwrap();
    assert_eq!(said(&credential).0, format!("Bearer {fresh}"));
    let asked = String::from_utf8(transport.asked()[0].body.to_vec()).unwrap();
    assert!(asked.contains("grant_type=refresh_token&refresh_token=r-1-long-enough"), "{asked}");
    let written: Value = serde_json::from_slice(&std::fs::read(&file.0).unwrap()).unwrap();
    assert_eq!((&written["tokens"]["refresh_token"], &written["other"]), (&json!("r-2"), &json!(1)));
    // Another program finds what was kept.
    let again = file.credential();
    run(again.ready(&ReplayTransport::default(), now())).unwrap();
    assert_eq!(said(&again).0, format!("Bearer {fresh}"));
}

#[test]
fn who_has_not_signed_in_is_told_where_to() {
    let path = std::env::temp_dir().join("gateway-chatgpt-none.json");
    let source = Chatgpt { file: path, url: "https://auth.example".into() };
    let credential = Credential::new(Source::Chatgpt(source));
    let error = run(credential.ready(&ReplayTransport::default(), now())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.message().contains("CHATGPT_AUTH_FILE"), "{error}");
}

#[test]
fn a_refused_renewal_shows_no_token() {
    let kept = json!({"access_token": token(-5), "refresh_token": "r-1-is-a-long-secret"});
    let file = File::new("refused", &kept);
    let transport = ReplayTransport::default().reply(401, r#"{"error":"bad r-1-is-a-long-secret"}"#);
    let error = run(file.credential().ready(&transport, now())).unwrap_err();
    assert!(error.message().contains("status 401"), "{error}");
    assert!(!error.message().contains("r-1-is-a-long-secret"), "{error}");
}
