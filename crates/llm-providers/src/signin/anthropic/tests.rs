//! What the exchange is asked with, what its answers come to, and where identity tokens come from.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use llm_types::testing::ReplayTransport;
use llm_types::{ErrorKind, Origin};
use serde_json::json;

use super::super::ec::tests as curve;
use super::super::entra::Entra;
use super::super::google::Subject;
use super::super::tests::{now, run};
use super::super::{Credential, EcKey, Given, Readiness, Source, jwt};
use super::*;

const TOKEN: &str =
    r#"{"access_token":"sk-ant-oat01-one","token_type":"Bearer","expires_in":600,"scope":"workspace"}"#;

fn given(token: &str) -> Identity {
    Identity::Subject(Subject::Given(Given::Text(Secret::new(token.to_owned()))))
}

fn federation(identity: Identity) -> Federation {
    Federation {
        url: "https://api.anthropic.com/v1/oauth/token".into(),
        rule: "fdrl_1".into(),
        organization: "org-1".into(),
        account: Some("svac_1".into()),
        workspace: None,
        identity,
    }
}

fn issuer() -> Issuer {
    Issuer {
        url: "https://gateway.example".into(),
        subject: "gateway".into(),
        audience: Some("anthropic".into()),
        life: Duration::from_secs(300),
        key: EcKey::from_pem(&curve::key()).unwrap(),
    }
}

fn fetched(identity: Identity, transport: &ReplayTransport) -> Result<Held> {
    run(federation(identity).fetch(transport, now()))
}

fn bodies(transport: &ReplayTransport) -> Vec<Value> {
    transport
        .asked()
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap_or_default())
        .collect()
}

#[test]
fn the_exchange_names_rule_organisation_and_account() {
    let transport = ReplayTransport::default().reply(200, TOKEN);
    let held = fetched(given(" the.identity.token\n"), &transport).unwrap();
    let [asked] = &transport.asked()[..] else { panic!("one request") };
    assert_eq!(asked.uri.to_string(), "https://api.anthropic.com/v1/oauth/token");
    assert_eq!(asked.headers["anthropic-beta"], "oauth-2025-04-20,oidc-federation-2026-04-01");
    assert_eq!(asked.headers["content-type"], "application/json");
    let expected = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "federation_rule_id": "fdrl_1",
        "organization_id": "org-1",
        "service_account_id": "svac_1",
        "assertion": "the.identity.token",
    });
    assert_eq!(bodies(&transport), [expected]);
    assert_eq!(held.key.secrets(), ["sk-ant-oat01-one"]);
    assert_eq!(held.listed, [(BETAS, HeaderValue::from_static("oauth-2025-04-20"))]);
}

#[test]
fn a_token_is_kept_until_shortly_before_its_end() {
    let transport = ReplayTransport::default().reply(200, TOKEN).reply(200, TOKEN);
    let credential = Credential::new(Source::Anthropic(Box::new(federation(Identity::Issued(issuer())))));
    run(credential.ready(&transport, now())).unwrap();
    for (seconds, readiness) in [
        (0, Readiness::Ready),
        (479, Readiness::Ready),
        (480, Readiness::Due),
        (589, Readiness::Due),
        (590, Readiness::Needed),
    ] {
        assert_eq!(credential.readiness(now() + Duration::from_secs(seconds)), readiness, "{seconds}");
    }
    run(credential.ready(&transport, now())).unwrap();
    assert_eq!(transport.asked().len(), 1);
    run(credential.ready(&transport, now() + Duration::from_secs(590))).unwrap();
    let [first, second] = &bodies(&transport)[..] else { panic!("two exchanges") };
    assert_ne!(first["assertion"], second["assertion"], "an identity token counts once");
}

#[test]
fn an_answer_without_a_life_is_not_trusted_for_long() {
    for said in ["", r#","expires_in":0"#, r#","expires_in":null"#] {
        let transport = ReplayTransport::default().reply(200, format!(r#"{{"access_token":"t"{said}}}"#));
        assert_eq!(fetched(given("i"), &transport).unwrap().expires, Some(now() + Duration::from_secs(60)));
    }
    for (answer, expected) in [
        ("<html>", "something that is not JSON"),
        (r#"{"access_token":"t","token_type":"mac"}"#, "no bearer token"),
        (r#"{"access_token":" "}"#, "no `access_token`"),
    ] {
        let error = fetched(given("i"), &ReplayTransport::default().reply(200, answer)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadUpstream);
        assert!(error.message().contains(expected), "{error}");
    }
}

#[test]
fn own_tokens_say_who_speaks_and_are_signed() {
    let token = issuer().token(now()).unwrap();
    let parts: Vec<&str> = token.reveal().split('.').collect();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
    assert_eq!(header, json!({"alg": "ES256", "typ": "JWT", "kid": curve::ID}));
    let mut claims = jwt::claims(token.reveal());
    let id = claims["jti"].take();
    assert_eq!(id.as_str().map(str::len), Some(36));
    let issued = now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let expected = json!({
        "iss": "https://gateway.example", "sub": "gateway", "aud": "anthropic",
        "iat": issued, "exp": issued + 300, "jti": null,
    });
    assert_eq!(claims, expected);
    assert_eq!(URL_SAFE_NO_PAD.decode(parts[2]).unwrap().len(), 64);
    let without = Issuer { audience: None, ..issuer() };
    assert_eq!(jwt::claims(without.token(now()).unwrap().reveal()).get("aud"), None);
}

#[test]
fn a_denial_says_what_may_help_and_never_the_token() {
    let denied = r#"{"type":"error","error":{"type":"authentication_error","message":"exchange denied"}}"#;
    let transport = ReplayTransport::default().reply(401, denied);
    let error = fetched(given("eyJ.an-identity-token.sig"), &transport).unwrap_err();
    assert_eq!((error.kind(), error.origin()), (ErrorKind::Unauthenticated, Origin::Gateway));
    for part in ["answered status 401: exchange denied", "jti_reused", "anthropic_federation_workspace_id"] {
        assert!(error.message().contains(part), "{error}");
    }
    assert!(!error.message().contains("anthropic_service_account_id"), "it is set: {error}");
    assert_eq!(transport.asked().len(), 1, "the same token is not sent twice");

    let echo = r#"{"error":"invalid_grant","error_description":"bad assertion: …an-identity-token.s…"}"#;
    let error = fetched(given("eyJ.an-identity-token.sig"), &ReplayTransport::default().reply(400, echo));
    let error = error.unwrap_err();
    assert!(error.message().contains("status 400, and repeats"), "{error}");
    assert!(!error.message().contains("identity-token"), "{error}");
}

#[test]
fn a_token_that_was_replaced_meanwhile_is_tried_once_more() {
    let transport = ReplayTransport::default().reply(401, "{}").reply(200, TOKEN);
    fetched(Identity::Issued(issuer()), &transport).unwrap();
    assert_eq!(transport.asked().len(), 2);
    let transport = ReplayTransport::default().reply(401, "{}").reply(401, "{}");
    fetched(Identity::Issued(issuer()), &transport).unwrap_err();
    assert_eq!(transport.asked().len(), 2);
}

#[test]
fn files_are_read_at_each_exchange_and_in_their_folders_only() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, path) = (folder.path().join("secrets"), folder.path().join("secrets/token"));
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(&path, "first\n").unwrap();
    let place = |path: &std::path::Path| Place { path: path.into(), within: vec![inside.clone()] };
    let transport = ReplayTransport::default().reply(200, TOKEN).reply(200, TOKEN);
    let source = federation(Identity::File(place(&path)));
    run(source.fetch(&transport, now())).unwrap();
    std::fs::write(&path, "second").unwrap();
    run(source.fetch(&transport, now())).unwrap();
    let told: Vec<Value> = bodies(&transport).iter().map(|body| body["assertion"].clone()).collect();
    assert_eq!(told, ["first", "second"]);

    let elsewhere = folder.path().join("other");
    std::fs::write(&elsewhere, "not yours").unwrap();
    std::os::unix::fs::symlink(&elsewhere, inside.join("link")).unwrap();
    for (path, expected) in [
        (elsewhere, "a file outside of"),
        (inside.join("link"), "a file outside of"),
        (inside.join("../other"), "a file outside of"),
        (inside.join("missing"), "cannot be read"),
    ] {
        let error = fetched(Identity::File(place(&path)), &ReplayTransport::default()).unwrap_err();
        assert!(error.message().contains(expected), "{error}");
        assert_eq!(place(&path).check().is_err(), expected.contains("outside"), "{}", path.display());
    }
    assert!(place(std::path::Path::new("secrets/token")).check().is_err());
}

#[test]
fn empty_and_endless_identity_tokens_are_not_sent() {
    for (token, expected) in
        [(" \n".to_owned(), "is empty"), ("x".repeat(16_385), "is longer than 16384 bytes")]
    {
        let error = fetched(given(&token), &ReplayTransport::default()).unwrap_err();
        assert!(error.message().contains(expected), "{error}");
    }
}

fn keycloak(proof: Proof) -> Identity {
    Identity::Keycloak(Keycloak {
        url: "https://keycloak.example/token".into(),
        client: "the:client".into(),
        secret: Secret::new("a secret of Keycloak".into()),
        proof,
        scope: Some("anthropic".into()),
    })
}

#[test]
fn keycloak_is_told_the_secret_either_way() {
    let basic = format!("Basic {}", STANDARD.encode("the%3Aclient:a%20secret%20of%20Keycloak"));
    let posted = "grant_type=client_credentials&client_id=the%3Aclient&client_secret=a%20secret%20of%20Keycloak&scope=anthropic";
    for (proof, header, form) in [
        (Proof::Header, Some(basic.as_str()), "grant_type=client_credentials&scope=anthropic"),
        (Proof::Form, None, posted),
    ] {
        let transport =
            ReplayTransport::default().reply(200, r#"{"access_token":"of-keycloak"}"#).reply(200, TOKEN);
        fetched(keycloak(proof), &transport).unwrap();
        let asked = &transport.asked()[0];
        assert_eq!(asked.headers.get("authorization").map(|value| value.to_str().unwrap()), header);
        assert_eq!(asked.body, form);
        assert_eq!(bodies(&transport)[1]["assertion"], "of-keycloak");
        for echo in ["a secret of Keycloak", "a%20secret%20of%20Keycloak", &basic] {
            let answer = json!({"error": "invalid_client", "error_description": echo}).to_string();
            let error = fetched(keycloak(proof), &ReplayTransport::default().reply(401, answer)).unwrap_err();
            assert!(error.message().contains("Keycloak's token service answered status 401, and"), "{error}");
            assert!(!error.message().contains(echo), "{error}");
        }
    }
}

#[test]
fn entras_token_is_exchanged_too() {
    let managed = Entra::Managed {
        endpoint: "http://169.254.169.254/token".into(),
        header: None,
        client: None,
        scope: "api://anthropic/.default".into(),
    };
    let transport = ReplayTransport::default().reply(200, r#"{"access_token":"of-entra"}"#).reply(200, TOKEN);
    fetched(Identity::Entra(Box::new(managed)), &transport).unwrap();
    assert_eq!(bodies(&transport)[1]["assertion"], "of-entra");
}

#[test]
fn nothing_secret_is_shown() {
    for identity in [Identity::Issued(issuer()), keycloak(Proof::Form), given("an-identity-token")] {
        let shown = format!("{:?}", Source::Anthropic(Box::new(federation(identity))));
        for secret in ["secret of", "an-identity-token", "BEGIN", "MIG"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
