//! Keys are exchanged for the user's token, kept on disk, and asked for again in time.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use llm_types::testing::ReplayTransport;
use llm_types::{ErrorKind, Secret};

use super::super::tests::{now, run};
use super::super::{Credential, Key, Source};
use super::{CLIENT, Copilot, Device, Progress, keep};

const TOKEN: &str = "gho_the-access-token-of-the-user";

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("gateway-copilot-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn copilot(&self) -> Copilot {
        Copilot {
            access_token: self.0.join("access-token"),
            api_key: self.0.join("api-key.json"),
            url: "https://api.github.example/copilot_internal/v2/token".into(),
            follow: true,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn answer(token: &str, life: u64) -> String {
    let end = now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + life;
    format!(
        r#"{{"token":"{token}","expires_at":{end},"endpoints":{{"api":"https://api.business.example"}}}}"#
    )
}

fn bearer(credential: &Credential) -> String {
    match &credential.held(now()).unwrap().key {
        Key::Bearer(value) => value.to_str().unwrap().to_owned(),
        other => panic!("expected a token, found {other:?}"),
    }
}

#[test]
fn a_key_is_asked_for_with_the_users_token_and_kept() {
    let folder = Folder::new("asked");
    keep(&folder.copilot().access_token, &Secret::new(TOKEN.into())).unwrap();
    let transport = ReplayTransport::default().reply(200, answer("k-1", 1_500));
    let credential = Credential::new(Source::Copilot(folder.copilot()));
    run(credential.ready(&transport, now())).unwrap();
    assert_eq!(bearer(&credential), "Bearer k-1");
    assert_eq!(credential.held(now()).unwrap().base.as_ref().unwrap().host(), Some("api.business.example"));
    assert_eq!(transport.asked()[0].headers["authorization"], format!("token {TOKEN}"));
    // Another program, or this one after a start, finds the key on disk.
    let again = Credential::new(Source::Copilot(folder.copilot()));
    run(again.ready(&ReplayTransport::default(), now())).unwrap();
    assert_eq!(bearer(&again), "Bearer k-1");
    // Shortly before its end it is asked for anew.
    let transport = ReplayTransport::default().reply(200, answer("k-2", 3_000));
    run(again.renew(&transport, now() + Duration::from_secs(1_300))).unwrap();
    assert_eq!(bearer(&again), "Bearer k-2");
}

#[cfg(unix)]
#[test]
fn files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("mode");
    keep(&folder.copilot().access_token, &Secret::new(TOKEN.into())).unwrap();
    let mode = std::fs::metadata(folder.copilot().access_token).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn who_has_not_signed_in_is_told_how() {
    let folder = Folder::new("none");
    let credential = Credential::new(Source::Copilot(folder.copilot()));
    let error = run(credential.ready(&ReplayTransport::default(), now())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.message().contains("gateway login github_copilot"), "{error}");
}

#[test]
fn a_refused_token_is_not_shown() {
    let folder = Folder::new("refused");
    keep(&folder.copilot().access_token, &Secret::new(TOKEN.into())).unwrap();
    let transport =
        ReplayTransport::default().reply(401, format!(r#"{{"message":"Bad credentials {TOKEN}"}}"#));
    let credential = Credential::new(Source::Copilot(folder.copilot()));
    let error = run(credential.ready(&transport, now())).unwrap_err();
    assert!(error.message().contains("status 401: Bad credentials"), "{error}");
    assert!(!error.message().contains(TOKEN), "{error}");
}

#[test]
fn a_sign_in_waits_for_the_user() {
    let transport = ReplayTransport::default()
        .reply(200, r#"{"device_code":"d-1","user_code":"AB-12","verification_uri":"https://page.example","interval":7}"#)
        .reply(200, r#"{"error":"authorization_pending"}"#)
        .reply(200, r#"{"error":"slow_down"}"#)
        .reply(200, r#"{"access_token":"gho_1"}"#)
        .reply(200, r#"{"error":"access_denied"}"#);
    run(async {
        let device = Device::begin(&transport, "https://gh.example/code", CLIENT).await.unwrap();
        assert_eq!((device.page.as_str(), device.code.as_str()), ("https://page.example", "AB-12"));
        for expected in [7, 12] {
            match device.ask(&transport, "https://gh.example/token", CLIENT).await.unwrap() {
                Progress::Waiting(pause) => assert_eq!(pause, Duration::from_secs(expected)),
                Progress::Done(_) => panic!("the user is not done"),
            }
        }
        let done = device.ask(&transport, "https://gh.example/token", CLIENT).await.unwrap();
        assert!(matches!(done, Progress::Done(token) if token.reveal() == "gho_1"));
        let error = device.ask(&transport, "https://gh.example/token", CLIENT).await.unwrap_err();
        assert!(error.message().contains("access_denied"), "{error}");
    });
    let asked = transport.asked();
    assert_eq!(&*asked[0].body, format!("client_id={CLIENT}&scope=read%3Auser").as_bytes());
    assert!(String::from_utf8_lossy(&asked[1].body).contains("device_code=d-1"));
}
