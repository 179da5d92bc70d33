//! What services are asked, when again, and that nothing secret is told.

use std::time::Duration;

use llm_types::testing::ReplayTransport;
use llm_types::{ErrorKind, Secret};

use super::super::tests::{now, run};
use super::super::{Credential, Key, Readiness, Source};
use super::Exchanged;

const KEY: &str = "a-long-api-key-of-the-operator";

fn iam() -> Exchanged {
    let secret = |text: &str| Secret::new(text.to_owned());
    Exchanged {
        whom: "IBM Cloud IAM".into(),
        url: "https://iam.example/identity/token".into(),
        headers: vec![
            ("authorization".into(), secret(&format!("Basic {KEY}"))),
            ("rquid".into(), secret("{uuid}")),
        ],
        form: vec![("grant_type".into(), secret("urn:x:apikey")), ("apikey".into(), secret(KEY))],
    }
}

fn header(held: &super::super::Held) -> String {
    match &held.key {
        Key::Bearer(value) => value.to_str().unwrap().to_owned(),
        other => panic!("expected a token, found {other:?}"),
    }
}

#[test]
fn a_token_is_asked_for_with_what_the_record_says() {
    let transport = ReplayTransport::default().reply(200, r#"{"access_token":"t-1","expires_in":3600}"#);
    let credential = Credential::new(Source::Exchange(iam()));
    run(credential.ready(&transport, now())).unwrap();
    assert_eq!(header(&credential.held(now()).unwrap()), "Bearer t-1");
    let asked = &transport.asked()[0];
    assert_eq!(asked.uri, "https://iam.example/identity/token");
    assert_eq!(asked.method, "POST");
    assert_eq!(&*asked.body, format!("grant_type=urn%3Ax%3Aapikey&apikey={KEY}").as_bytes());
    assert_eq!(asked.headers["authorization"], format!("Basic {KEY}"));
    assert_eq!(asked.headers["rquid"].to_str().unwrap().len(), 36, "a random id");
}

#[test]
fn ends_in_milliseconds_are_understood() {
    let end = now() + Duration::from_secs(1_800);
    let millis = end.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap().as_millis();
    let answer = format!(r#"{{"access_token":"t-1","expires_at":{millis}}}"#);
    let transport = ReplayTransport::default().reply(200, answer);
    let credential = Credential::new(Source::Exchange(iam()));
    run(credential.ready(&transport, now())).unwrap();
    let at = |seconds| now() + Duration::from_secs(seconds);
    assert_eq!(credential.readiness(at(1_400)), Readiness::Ready);
    assert_eq!(credential.readiness(at(1_500)), Readiness::Due);
    assert!(credential.held(at(1_801)).is_none());
}

#[test]
fn refusals_tell_the_services_words_and_no_secret() {
    let said = format!(r#"{{"error":"invalid_grant","error_description":"no such key {KEY}"}}"#);
    let transport = ReplayTransport::default().reply(400, said);
    let credential = Credential::new(Source::Exchange(iam()));
    let error = run(credential.ready(&transport, now())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.message().contains("IBM Cloud IAM answered status 400: invalid_grant"), "{error}");
    assert!(!error.message().contains(KEY), "{error}");
    assert!(!format!("{credential:?}").contains(KEY), "{credential:?}");
}

#[test]
fn answers_without_a_token_are_told() {
    for (body, words) in [("{}", "no `access_token`"), ("<html>", "something that is not JSON")] {
        let transport = ReplayTransport::default().reply(200, body);
        let credential = Credential::new(Source::Exchange(iam()));
        let error = run(credential.ready(&transport, now())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadUpstream);
        assert!(error.message().contains(words), "{error}");
    }
}
