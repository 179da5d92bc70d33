//! The key of RFC 7515, appendix A.3, as it comes in files; what it is known by.

use base64::engine::general_purpose::STANDARD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

use super::super::rsa::der;
use super::*;

const D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
/// Its thumbprint, as LiteLLM 1.106.2 computes it: a set that was left with Anthropic stays valid.
pub(in super::super) const ID: &str = "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U";

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// The key as RFC 5915 has it, with or without its public half.
fn sec1(with_public: bool) -> Vec<u8> {
    let public = der(0xa1, &der(0x03, &[vec![0, 4], bytes(X), bytes(Y)].concat()));
    let public = if with_public { public } else { Vec::new() };
    der(0x30, &[vec![2, 1, 1], der(0x04, &bytes(D)), public].concat())
}

fn pkcs8(with_public: bool) -> Vec<u8> {
    der(0x30, &[AS_PKCS8, &der(0x04, &sec1(with_public))].concat())
}

fn pem(name: &str, der: &[u8]) -> String {
    format!("-----BEGIN {name}-----\n{}\n-----END {name}-----\n", STANDARD.encode(der))
}

/// The key in PEM.
pub(in super::super) fn key() -> String {
    pem("PRIVATE KEY", &pkcs8(true))
}

#[test]
fn both_kinds_of_files_hold_the_same_key() {
    let parameters = pem("EC PARAMETERS", &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
    for text in [key(), pem("EC PRIVATE KEY", &sec1(true)), parameters + &pem("EC PRIVATE KEY", &sec1(true))]
    {
        let key = EcKey::from_pem(&text).unwrap();
        assert_eq!(key.id(), ID);
        let signature = key.sign(b"text").unwrap();
        let public = [vec![4], bytes(X), bytes(Y)].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(b"text", &signature).unwrap();
    }
}

#[test]
fn the_public_set_has_nothing_private() {
    let set = EcKey::from_pem(&key()).unwrap().public_set();
    let expected = json!({"keys": [{
        "crv": "P-256", "kty": "EC", "x": X, "y": Y, "use": "sig", "alg": "ES256", "kid": ID,
    }]});
    assert_eq!(set, expected);
    assert!(!format!("{:?}", EcKey::from_pem(&key()).unwrap()).contains("MI"));
}

#[test]
fn what_is_no_such_key_is_told_without_showing_it() {
    let rsa = include_bytes!("../google/testing_key.der");
    for (text, expected) in [
        ("not a key".to_owned(), "no private key in PEM"),
        (pem("ENCRYPTED PRIVATE KEY", b"secret"), "behind a passphrase"),
        (pem("PRIVATE KEY", rsa), "on the curve P-256"),
        (pem("RSA PRIVATE KEY", rsa), "an RSA key"),
        (pem("PRIVATE KEY", &pkcs8(false)), "with its public half"),
        (pem("EC PRIVATE KEY", b"\x30\x00"), "on the curve P-256"),
    ] {
        let why = EcKey::from_pem(&text).unwrap_err();
        assert!(why.contains(expected), "{text}: {why}");
        assert!(!text.lines().filter(|line| line.len() > 8).any(|line| why.contains(line)), "{why}");
    }
}
