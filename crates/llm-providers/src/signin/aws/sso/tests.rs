//! Tokens of both forms of profiles, keys for them, and sign-ins that are over.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Places, Sso};
use crate::signin::aws::{Aws, AwsKeys};
use crate::signin::tests::fetched;
use crate::signin::{Key, Source};

const KEYS: &str = r#"{"roleCredentials":{"accessKeyId":"ASIA7","secretAccessKey":"s","sessionToken":"t","expiration":1795276800000}}"#;

fn role(cache: &Path, named: &str, is_session: bool) -> Sso {
    Sso {
        profile: "dev".into(),
        named: named.into(),
        is_session,
        region: "eu-west-1".into(),
        account: "123456789012".into(),
        role: "Reader Role".into(),
        places: Places { cache: cache.to_owned(), ..Places::default() },
    }
}

/// A folder with a token of this name and end.
fn signed_in(make: impl Fn(&Path) -> Sso, token: &Value) -> (TempDir, Sso) {
    let folder = TempDir::new().unwrap();
    let sso = make(folder.path());
    std::fs::write(sso.path(), token.to_string()).unwrap();
    (folder, sso)
}

fn keys(key: llm_types::Result<Key>) -> AwsKeys {
    match key.unwrap() {
        Key::Aws(keys) => keys,
        Key::Bearer(_) | Key::Oci(_) => panic!("expected keys"),
    }
}

#[test]
fn the_file_is_named_as_awss_tools_name_it() {
    let folder = Path::new("/cache");
    // FIPS 180-2's example: the SHA-1 of `abc`.
    let path = role(folder, "abc", true).path();
    assert_eq!(path, Path::new("/cache/a9993e364706816aba3e25717850c26c9cd0d89d.json"));
}

#[test]
fn a_token_that_holds_gets_keys_in_both_forms() {
    for (named, is_session, end) in [
        ("my-session", true, "2026-11-21T20:00:00Z"),
        ("https://d-1.awsapps.com/start", false, "2026-11-21T20:00:00UTC"),
    ] {
        let token = json!({"accessToken": "token-1", "expiresAt": end});
        let (_folder, sso) = signed_in(|folder| role(folder, named, is_session), &token);
        let (asked, key) = fetched(Source::Aws(Aws::Sso(sso)), &[(200, KEYS)]);
        assert_eq!(
            asked[0].uri,
            "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?role_name=Reader%20Role&account_id=123456789012"
        );
        assert_eq!(asked[0].headers["x-amz-sso_bearer_token"], "token-1");
        let keys = keys(key);
        assert_eq!((keys.id.as_str(), keys.session.unwrap().reveal().as_str()), ("ASIA7", "t"));
    }
}

#[test]
fn a_sessions_token_that_is_over_is_renewed_and_kept() {
    let token = json!({"accessToken": "old", "expiresAt": "2026-11-21T15:00:30Z", "refreshToken": "r-1",
                       "clientId": "c-1", "clientSecret": "cs-1", "region": "eu-west-1"});
    let (_folder, sso) = signed_in(|folder| role(folder, "my-session", true), &token);
    let path = sso.path();
    let renewed = r#"{"accessToken":"new","expiresIn":3600,"refreshToken":"r-2","tokenType":"Bearer"}"#;
    let (asked, key) = fetched(Source::Aws(Aws::Sso(sso)), &[(200, renewed), (200, KEYS)]);
    assert_eq!(asked[0].uri, "https://oidc.eu-west-1.amazonaws.com/token");
    let sent: Value = serde_json::from_slice(&asked[0].body).unwrap();
    let expected = json!({"clientId": "c-1", "clientSecret": "cs-1", "grantType": "refresh_token", "refreshToken": "r-1"});
    assert_eq!(sent, expected);
    assert_eq!(asked[1].headers["x-amz-sso_bearer_token"], "new");
    assert_eq!(keys(key).id, "ASIA7");
    let kept: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(kept["accessToken"], "new");
    assert_eq!(kept["expiresAt"], "2026-11-21T16:00:00Z");
    assert_eq!((&kept["refreshToken"], &kept["clientId"]), (&json!("r-2"), &json!("c-1")));
}

#[test]
fn who_is_not_signed_in_is_told_what_to_run() {
    let over = json!({"accessToken": "old-secret-token", "expiresAt": "2026-11-21T14:00:00Z", "refreshToken": "r",
                      "clientId": "c", "clientSecret": "s"});
    // Profiles without a session have no way to renew.
    let (_folder, sso) = signed_in(|folder| role(folder, "https://d-1.awsapps.com/start", false), &over);
    let (asked, key) = fetched(Source::Aws(Aws::Sso(sso)), &[]);
    assert!(asked.is_empty());
    let message = key.unwrap_err().message().to_owned();
    assert!(
        message.contains("aws sso login --profile dev") && !message.contains("old-secret-token"),
        "{message}"
    );
    let nobody = TempDir::new().unwrap();
    let (_, key) = fetched(Source::Aws(Aws::Sso(role(nobody.path(), "my-session", true))), &[]);
    assert!(key.unwrap_err().message().contains("aws sso login --profile dev"));
    let (_folder, sso) = signed_in(|folder| role(folder, "my-session", true), &over);
    let refusal = (400, r#"{"error":"invalid_grant","error_description":"over"}"#);
    let (_, key) = fetched(Source::Aws(Aws::Sso(sso)), &[refusal]);
    assert!(key.unwrap_err().message().contains("aws sso login --profile dev"));
}

#[test]
fn a_portal_that_answers_strangely_is_told() {
    let token = json!({"accessToken": "token-1", "expiresAt": "2026-11-21T20:00:00Z"});
    for (answer, words) in [
        ((403, r#"{"message":"No access"}"#), "status 403: No access"),
        (
            (200, r#"{"roleCredentials":{"accessKeyId":"a","secretAccessKey":"s"}}"#),
            "no time in `expiration`",
        ),
        ((200, "{}"), "no `accessKeyId`"),
    ] {
        let (_folder, sso) = signed_in(|folder| role(folder, "my-session", true), &token);
        let (_, key) = fetched(Source::Aws(Aws::Sso(sso)), &[answer]);
        assert!(key.unwrap_err().message().contains(words));
    }
}
