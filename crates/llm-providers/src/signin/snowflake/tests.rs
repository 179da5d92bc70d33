//! Tokens claim what the vendor asks for, and their signature holds.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::super::tests::now;
use super::super::{Credential, Key, Readiness, Source};
use super::*;

const DER: &[u8] = include_bytes!("../google/testing_key.der");
/// `openssl pkey -in testing_key.der -inform DER -pubout -outform DER | openssl dgst -sha256 -binary | base64`
const DIGEST: &str = "Jkm66FypBLcSHmUl+cVABrRu29nD+tY+fQx4RPyPRXs=";

fn pair(account: &str) -> KeyPair {
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(DER));
    KeyPair { account: account.into(), user: "robot".into(), key: SigningKey::from_pem(&pem).unwrap() }
}

fn token(held: &Held) -> String {
    let Key::Bearer(value) = &held.key else { panic!("a bearer token") };
    value.to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned()
}

#[test]
fn the_token_claims_who_signs_and_with_which_key() {
    let pair = pair("acme-prod1");
    let held = pair.sign(now()).unwrap();
    assert_eq!(held.headers, [(KIND, HeaderValue::from_static("KEYPAIR_JWT"))]);
    let token = token(&held);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let read =
        |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    assert_eq!(read(header), json!({"alg": "RS256", "typ": "JWT"}));
    assert_eq!(
        read(claims),
        json!({
            "iss": format!("ACME-PROD1.ROBOT.SHA256:{DIGEST}"),
            "sub": "ACME-PROD1.ROBOT",
            "iat": 1_795_273_200,
            "exp": 1_795_276_800,
        })
    );
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.key.public());
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    public.verify(signed.as_bytes(), &signature).expect("the signature holds");
    assert!(public.verify(claims.as_bytes(), &signature).is_err());
}

#[test]
fn accounts_are_named_in_capitals_and_without_their_region() {
    for (account, expected) in [
        ("xy12345.us-east-1.aws", "XY12345"),
        ("acme-prod1", "ACME-PROD1"),
        ("acme-1a2b.global", "ACME"),
        ("XY12345", "XY12345"),
    ] {
        assert_eq!(locator(account), expected, "{account}");
    }
}

#[test]
fn a_token_is_renewed_before_its_hour_is_over() {
    let credential = Credential::new(Source::KeyPair(pair("a")));
    assert_eq!(credential.readiness(now()), Readiness::Needed);
    *credential.held.write().unwrap() = Some(pair("a").sign(now()).unwrap().into());
    let after = |seconds: u64| credential.readiness(now() + Duration::from_secs(seconds));
    assert_eq!(
        (after(3_000), after(3_400), after(3_595)),
        (Readiness::Ready, Readiness::Due, Readiness::Needed)
    );
}

#[test]
fn keys_behind_a_passphrase_are_told() {
    let pem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert!(SigningKey::from_pem(pem).unwrap_err().contains("behind a passphrase"));
}
