//! A key proves what it signed, by its own algorithm only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::super::token::Token;
use super::{is_asymmetric, read_set};

fn signed(alg: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let head = B64.encode(json!({"alg": alg, "kid": "k"}).to_string());
    let text = format!("{head}.{}", B64.encode("{}"));
    let signature = B64.encode(sign(text.as_bytes()));
    format!("{text}.{signature}")
}

fn set(keys: &Value) -> Vec<super::PublicKey> {
    read_set(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

#[test]
fn a_key_proves_its_own_tokens() {
    let ed = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let ed_jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": B64.encode(ed.public_key())});
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let point = ec.public_key().as_ref().to_vec();
    let (x, y) = (B64.encode(&point[1..33]), B64.encode(&point[33..]));
    let ec_jwk = json!({"kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y});
    let keys = set(&json!([ed_jwk, ec_jwk]));
    let by_ed = signed("EdDSA", |text| ed.sign(text).as_ref().to_vec());
    let by_ec = signed("ES256", |text| ec.sign(&random, text).unwrap().as_ref().to_vec());
    for (token, owner) in [(&by_ed, 0), (&by_ec, 1)] {
        let token = Token::read(token.as_bytes()).unwrap();
        for (index, key) in keys.iter().enumerate() {
            assert_eq!(key.proves(&token), index == owner, "{} {index}", token.alg);
        }
    }
    let renamed = signed("ES256", |text| ed.sign(text).as_ref().to_vec());
    assert!(keys.iter().all(|key| !key.proves(&Token::read(renamed.as_bytes()).unwrap())));
    let pinned =
        set(&json!([{"kty": "OKP", "crv": "Ed25519", "alg": "ES256", "x": B64.encode(ed.public_key())}]));
    assert!(!pinned[0].proves(&Token::read(by_ed.as_bytes()).unwrap()), "the key is for another algorithm");
}

#[test]
fn keys_that_prove_nothing_are_left_out() {
    let x = B64.encode([1; 32]);
    for wrong in [
        json!({"kty": "oct", "k": "c2VjcmV0"}),
        json!({"kty": "OKP", "crv": "X25519", "x": x}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "use": "enc"}),
        json!({"kty": "EC", "crv": "P-256", "x": x}),
        json!({"kty": "EC", "crv": "secp256k1", "x": x, "y": x}),
        json!({"kty": "RSA", "n": "AQAB"}),
        json!({}),
        json!("key"),
    ] {
        assert_eq!(set(&json!([wrong])), [], "{wrong}");
    }
    for wrong in ["", "[]", "{}", "{\"keys\": 5}", "<html>"] {
        assert!(read_set(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn secrets_of_two_sides_are_no_proof() {
    for alg in ["none", "None", "HS256", "HS384", "HS512", "", "RS256 "] {
        assert!(!is_asymmetric(alg), "{alg}");
    }
}
