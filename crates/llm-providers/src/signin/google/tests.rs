//! Google's credentials: files, signed claims, exchanges.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::{Google, project_of};
use crate::signin::tests::{fetched, file, pairs};
use crate::signin::{Key, Source};

/// A throw-away key (PKCS #8): it signs nothing but these tests' claims.
const KEY: &[u8] = include_bytes!("testing_key.der");
const ANSWER: &str = r#"{"access_token":"ya29.token","expires_in":3599,"token_type":"Bearer"}"#;

/// The key as Google's files hold it.
fn pem() -> String {
    format!("-----BEGIN {0}-----\n{1}\n-----END {0}-----\n", "PRIVATE KEY", STANDARD.encode(KEY))
}

fn service_account() -> Value {
    json!({
        "type": "service_account", "project_id": "proj-1", "private_key_id": "k1", "private_key": pem(),
        "client_email": "robot@proj-1.iam.gserviceaccount.com", "token_uri": "https://token.example/token",
    })
}

fn read(json: &Value) -> Google {
    Google::from_json(&json.to_string()).unwrap()
}

fn token(key: llm_types::Result<Key>) -> String {
    match key.unwrap() {
        Key::Bearer(value) => value.to_str().unwrap().to_owned(),
        Key::Aws(_) | Key::Oci(_) => panic!("expected a token"),
    }
}

#[test]
fn a_service_account_signs_its_claims() {
    let google = read(&service_account());
    let Google::ServiceAccount { key: signing, .. } = &google else { panic!("{google:?}") };
    let public = signing.public().to_vec();
    let (asked, key) = fetched(Source::Google(google), &[(200, ANSWER)]);
    assert_eq!(token(key), "Bearer ya29.token");
    assert_eq!(asked[0].uri, "https://token.example/token");
    let pairs = pairs(&asked[0]);
    assert_eq!(pairs[0].1, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let (signed, signature) = pairs[1].1.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public)
        .verify(signed.as_bytes(), &signature)
        .expect("the signature fits the public key");
    let part =
        |text: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap() };
    let (header, claims) = signed.split_once('.').unwrap();
    assert_eq!(part(header), json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}));
    assert_eq!(
        part(claims),
        json!({
            "iss": "robot@proj-1.iam.gserviceaccount.com", "aud": "https://token.example/token",
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "iat": 1_795_273_200, "exp": 1_795_276_800,
        })
    );
}

#[test]
fn a_user_has_a_refresh_token() {
    let user =
        json!({"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"});
    let (asked, key) = fetched(Source::Google(read(&user)), &[(200, ANSWER)]);
    assert_eq!(asked[0].uri, "https://oauth2.googleapis.com/token");
    let values: Vec<_> = pairs(&asked[0]).into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, ["refresh_token", "c", "s", "r"]);
    assert_eq!(token(key), "Bearer ya29.token");
}

#[test]
fn a_machine_asks_the_metadata_server() {
    let source = Source::Google(Google::Metadata { host: "metadata.google.internal".into() });
    let (asked, key) = fetched(source, &[(200, ANSWER)]);
    let uri = asked[0].uri.to_string();
    let path = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token";
    assert!(uri.starts_with(path), "{uri}");
    assert_eq!(asked[0].headers["metadata-flavor"], "Google");
    assert_eq!(token(key), "Bearer ya29.token");
}

#[test]
fn a_federated_token_is_exchanged_and_may_impersonate() {
    let subject = file(r#"{"id":"eyJ.subject"}"#);
    let account = json!({
        "type": "external_account", "audience": "//iam/pools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.example/v1/token",
        "service_account_impersonation_url": "https://iam.example/v1/sa:generateAccessToken",
        "credential_source": {
            "file": subject.path(), "format": {"type": "json", "subject_token_field_name": "id"},
        },
    });
    let last = r#"{"accessToken":"ya29.impersonated","expireTime":"2026-11-21T16:00:00Z"}"#;
    let (asked, key) = fetched(Source::Google(read(&account)), &[(200, ANSWER), (200, last)]);
    let form = pairs(&asked[0]);
    assert_eq!(asked[0].uri, "https://sts.example/v1/token");
    assert_eq!(form[0].1, "urn:ietf:params:oauth:grant-type:token-exchange");
    assert_eq!((form[1].1.as_str(), form[5].1.as_str()), ("//iam/pools/p/providers/q", "eyJ.subject"));
    assert_eq!(asked[1].uri, "https://iam.example/v1/sa:generateAccessToken");
    assert_eq!(asked[1].headers["authorization"], "Bearer ya29.token");
    assert_eq!(token(key), "Bearer ya29.impersonated");
}

#[test]
fn another_provider_may_be_asked_for_its_token() {
    let account = json!({
        "type": "external_account", "audience": "a", "subject_token_type": "t",
        "credential_source": {
            "url": "https://ids.example/token", "headers": {"X-Ask": "yes"},
            "format": {"type": "json", "subject_token_field_name": "value"},
        },
    });
    let (asked, key) =
        fetched(Source::Google(read(&account)), &[(200, r#"{"value":"eyJ.other"}"#), (200, ANSWER)]);
    assert_eq!((asked[0].method.as_str(), &asked[0].headers["x-ask"]), ("GET", &"yes".parse().unwrap()));
    assert_eq!(pairs(&asked[1])[5].1, "eyJ.other");
    assert_eq!(token(key), "Bearer ya29.token");
}

#[test]
fn what_is_wrong_with_a_file_is_said_without_secrets() {
    let mut no_key = service_account();
    no_key["private_key"] = json!(pem().replace(&STANDARD.encode(KEY), "c2VjcmV0"));
    let mut no_mail = service_account();
    no_mail.as_object_mut().unwrap().remove("client_email");
    for (json, words) in [
        (no_key, "`private_key` with an RSA key that cannot be used"),
        (no_mail, "no text `client_email`"),
        (json!({"type": "gdch_service_account"}), "credentials of `type` `gdch_service_account`"),
        (
            json!({"type": "external_account", "credential_source": {"environment_id": "aws1", "url": "u"}}),
            "a `credential_source` that is neither",
        ),
        (json!({}), "JSON without `type`"),
    ] {
        let error = Google::from_json(&json.to_string()).unwrap_err();
        assert!(error.starts_with(words), "{error}");
        assert!(!error.contains("c2VjcmV0"), "{error}");
    }
    assert_eq!(Google::from_json("nonsense").unwrap_err(), "text that is not JSON");
    assert!(!format!("{:?}", read(&service_account())).contains("PRIVATE"));
}

#[test]
fn a_project_is_read_from_credentials() {
    assert_eq!(project_of(&service_account().to_string()).as_deref(), Some("proj-1"));
    assert_eq!(project_of(r#"{"quota_project_id":"q"}"#).as_deref(), Some("q"));
    assert_eq!(project_of("{}"), None);
}
