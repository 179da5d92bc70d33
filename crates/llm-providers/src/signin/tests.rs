//! What is at hand, when it is renewed, and that one fetch serves all who wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::{join_all, select};
use http::{HeaderMap, StatusCode, Version};
use llm_types::testing::ReplayTransport;
use llm_types::{Body, BoxFuture, ErrorKind, HttpRequest, HttpResponse, Origin, Result, Secret, Transport};

use super::entra::{Entra, Proof};
use super::{Credential, Key, Readiness, Source};

/// 2026-11-21T15:00:00Z.
pub(super) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_273_200)
}

fn source() -> Source {
    Source::Entra(Entra::Application {
        authority: "https://login.example".into(),
        tenant: "tenant-1".into(),
        client: "client-1".into(),
        proof: Proof::Secret(Secret::new("a-very-secret-secret".into())),
        scope: "https://scope.example/.default".into(),
    })
}

fn token(name: &str, life: u64) -> String {
    format!(r#"{{"token_type":"Bearer","access_token":"{name}","expires_in":{life}}}"#)
}

fn bearer(credential: &Credential, now: SystemTime) -> Option<String> {
    credential.held(now).map(|held| match &held.key {
        Key::Bearer(value) => value.to_str().unwrap().to_owned(),
        Key::Aws(_) | Key::Oci(_) => panic!("expected a token"),
    })
}

/// Waits for a future that never has to wait for anything outside of the test.
pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

#[test]
fn a_token_is_fetched_once_and_renewed_before_its_end() {
    let transport =
        ReplayTransport::default().reply(200, token("one", 3_600)).reply(200, token("two", 3_600));
    let credential = Credential::new(source());
    let at = |seconds| now() + Duration::from_secs(seconds);
    assert_eq!(credential.readiness(now()), Readiness::Needed);
    run(credential.ready(&transport, now())).unwrap();
    for (seconds, readiness) in [
        (0, Readiness::Ready),
        (3_299, Readiness::Ready),
        (3_300, Readiness::Due),
        (3_589, Readiness::Due),
        (3_590, Readiness::Needed),
    ] {
        assert_eq!(credential.readiness(at(seconds)), readiness, "{seconds}");
    }
    run(credential.ready(&transport, at(10))).unwrap();
    assert_eq!(transport.asked().len(), 1, "what is at hand is not fetched again");
    assert_eq!(bearer(&credential, at(3_301)).as_deref(), Some("Bearer one"));
    run(credential.renew(&transport, at(3_301))).unwrap();
    assert_eq!(bearer(&credential, at(3_302)).as_deref(), Some("Bearer two"));
    assert_eq!(credential.readiness(at(3_302)), Readiness::Ready);
    assert_eq!(bearer(&credential, at(8_000)), None, "what is over is not handed out");
}

#[test]
fn a_short_life_is_used_to_its_last_fifth() {
    let transport = ReplayTransport::default().reply(200, token("one", 100));
    let credential = Credential::new(source());
    run(credential.ready(&transport, now())).unwrap();
    assert_eq!(credential.readiness(now() + Duration::from_secs(79)), Readiness::Ready);
    assert_eq!(credential.readiness(now() + Duration::from_secs(80)), Readiness::Due);
}

#[test]
fn a_failed_renewal_leaves_what_holds_and_waits_before_the_next() {
    let transport = ReplayTransport::default().reply(200, token("one", 3_600)).reply(503, "down");
    let credential = Credential::new(source());
    let due = now() + Duration::from_secs(3_400);
    run(credential.ready(&transport, now())).unwrap();
    let error = run(credential.renew(&transport, due)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadUpstream);
    assert_eq!(bearer(&credential, due).as_deref(), Some("Bearer one"));
    assert_eq!(credential.readiness(due + Duration::from_secs(29)), Readiness::Ready);
    assert_eq!(credential.readiness(due + Duration::from_secs(30)), Readiness::Due);
}

/// Answers after a moment, and counts.
#[derive(Debug)]
struct Slow {
    asked: AtomicUsize,
    status: u16,
    body: String,
}

impl Transport for Slow {
    fn send(&self, _request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(HttpResponse {
                status: StatusCode::from_u16(self.status).unwrap(),
                headers: HeaderMap::new(),
                version: Version::HTTP_11,
                body: Body::Full(Bytes::from(self.body.clone())),
            })
        })
    }
}

#[test]
fn one_fetch_serves_all_who_wait() {
    let transport = Slow { asked: AtomicUsize::new(0), status: 200, body: token("one", 3_600) };
    let credential = Credential::new(source());
    let waits = (0..50).map(|_| credential.ready(&transport, now()));
    run(join_all(waits)).into_iter().for_each(|done| done.unwrap());
    assert_eq!(transport.asked.load(Ordering::Relaxed), 1);
}

#[test]
fn one_refusal_answers_all_who_wait() {
    let refusal = r#"{"error":"invalid_client","error_description":"AADSTS7000215"}"#.to_owned();
    let transport = Slow { asked: AtomicUsize::new(0), status: 401, body: refusal };
    let credential = Credential::new(source());
    let waits = (0..50).map(|_| credential.ready(&transport, now()));
    for outcome in run(join_all(waits)) {
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.origin()), (ErrorKind::Unauthenticated, Origin::Gateway));
        assert!(error.message().contains("invalid_client: AADSTS7000215"), "{error}");
    }
    assert_eq!(transport.asked.load(Ordering::Relaxed), 1, "waiting calls do not ask again");
    run(credential.ready(&transport, now())).unwrap_err();
    assert_eq!(transport.asked.load(Ordering::Relaxed), 2, "a later call does");
}

#[test]
fn a_caller_who_leaves_does_not_leave_others_waiting() {
    let transport = Slow { asked: AtomicUsize::new(0), status: 200, body: token("one", 3_600) };
    let credential = Credential::new(source());
    run(async {
        let leaves = Box::pin(credential.ready(&transport, now()));
        select(leaves, Box::pin(tokio::time::sleep(Duration::from_millis(1)))).await;
        credential.ready(&transport, now()).await.unwrap();
    });
    assert_eq!(bearer(&credential, now()).as_deref(), Some("Bearer one"));
}

#[test]
fn errors_and_debug_show_no_secret() {
    let repeats = r#"{"error":"invalid_client","error_description":"bad secret a-very-secret-secret"}"#;
    let transport = ReplayTransport::default().reply(401, repeats).reply(200, r#"{"token_type":"Bearer"}"#);
    let credential = Credential::new(source());
    let error = run(credential.ready(&transport, now())).unwrap_err();
    assert!(error.message().contains("bad secret ***"), "{error}");
    let error = run(credential.ready(&transport, now())).unwrap_err();
    assert_eq!(error.message(), "sign-in: Microsoft Entra answered no `access_token`");
    assert!(!format!("{credential:?}").contains("a-very-secret"), "{credential:?}");
}

#[test]
fn a_service_that_cannot_be_reached_is_named() {
    let error = run(Credential::new(source()).ready(&ReplayTransport::default(), now())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.message().starts_with("sign-in: Microsoft Entra cannot be asked:"), "{error}");
}

#[test]
fn equal_sources_share_what_is_at_hand() {
    let one = Credential::shared(source());
    assert!(Arc::ptr_eq(&one, &Credential::shared(source())));
    let other = Credential::shared(Source::Token(Secret::new("t".into())));
    assert!(!Arc::ptr_eq(&one, &other));
    run(other.ready(&ReplayTransport::default(), now())).unwrap();
    assert_eq!(bearer(&other, now()).as_deref(), Some("Bearer t"));
    assert_eq!(other.readiness(now() + Duration::from_secs(1 << 40)), Readiness::Ready);
}

/// The requests a source makes until it holds something, with answers to give.
pub(super) fn fetched(source: Source, answers: &[(u16, &str)]) -> (Vec<HttpRequest>, Result<Key>) {
    let transport = answers
        .iter()
        .fold(ReplayTransport::default(), |all, (status, body)| all.reply(*status, (*body).to_owned()));
    let credential = Credential::new(source);
    let outcome = run(credential.ready(&transport, now()));
    let key = outcome.map(|()| credential.held(now()).expect("it was fetched").key.clone());
    (transport.asked(), key)
}

/// The pairs of a form, decoded.
pub(super) fn pairs(request: &HttpRequest) -> Vec<(String, String)> {
    let body = String::from_utf8(request.body.to_vec()).unwrap();
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (super::fetch::decoded(name), super::fetch::decoded(value))).collect()
}

/// A file for a test, removed at its end.
pub(super) fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn files_of_tokens_are_read_at_each_use() {
    let file = file(" first\n");
    let given = super::Given::File(file.path().to_owned());
    assert_eq!(given.read().unwrap().reveal(), "first");
    std::fs::write(file.path(), "second").unwrap();
    assert_eq!(given.read().unwrap().reveal(), "second");
    std::fs::write(file.path(), "{\"token\":\"third\"}").unwrap();
    let member = super::Given::JsonFile(file.path().to_owned(), "token".into());
    assert_eq!(member.read().unwrap().reveal(), "third");
    std::fs::write(file.path(), "").unwrap();
    let error = given.read().unwrap_err();
    assert_eq!(error.message(), "sign-in: the file of a token is empty");
}
