//! Signatures hold for what is sent, and for nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use llm_types::{HttpRequest, Timeouts};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

use super::super::tests::now;
use super::super::{Key, SigningKey};
use super::{OciKey, sign};

const DER: &[u8] = include_bytes!("../google/testing_key.der");

fn key() -> OciKey {
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(DER));
    OciKey {
        tenancy: "ocid1.tenancy".into(),
        user: "ocid1.user".into(),
        fingerprint: "aa:bb".into(),
        key: SigningKey::from_pem(&pem).unwrap(),
    }
}

fn request() -> HttpRequest {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    HttpRequest {
        method: Method::POST,
        uri: "https://inference.example:8443/20231130/actions/chat?x=1".parse().unwrap(),
        headers,
        body: Bytes::from_static(b"{\"a\":1}"),
        timeouts: Timeouts::default(),
    }
}

#[test]
fn the_signature_is_of_date_target_host_and_body() {
    let (mut request, key) = (request(), key());
    sign(&mut request, &key, now()).unwrap();
    let text = |name: &str| request.headers[name].to_str().unwrap().to_owned();
    assert_eq!(text("date"), "Sat, 21 Nov 2026 15:00:00 GMT");
    let digest = STANDARD.encode(Sha256::digest(b"{\"a\":1}"));
    assert_eq!(text("x-content-sha256"), digest);
    let said = text("authorization");
    let (head, signature) = said.split_once(",signature=\"").unwrap();
    assert_eq!(
        head,
        "Signature version=\"1\",keyId=\"ocid1.tenancy/ocid1.user/aa:bb\",algorithm=\"rsa-sha256\",\
         headers=\"date (request-target) host content-length content-type x-content-sha256\""
    );
    let signed = format!(
        "date: Sat, 21 Nov 2026 15:00:00 GMT\n(request-target): post /20231130/actions/chat?x=1\n\
         host: inference.example:8443\ncontent-length: 7\ncontent-type: application/json\n\
         x-content-sha256: {digest}"
    );
    let signature = STANDARD.decode(signature.trim_end_matches('"')).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.key.public());
    public.verify(signed.as_bytes(), &signature).expect("the signature holds");
    assert!(public.verify(signed.replace("7", "8").as_bytes(), &signature).is_err());
    assert!(request.headers["authorization"].is_sensitive());
}

#[test]
fn keys_are_not_shown() {
    let key = key();
    let shown = format!("{key:?} {:?}", Key::Oci(key.clone()));
    assert!(!shown.contains(&STANDARD.encode(DER)[..40]), "{shown}");
    assert!(shown.contains("SigningKey(***)"), "{shown}");
}

#[test]
fn a_line_break_in_a_name_is_told() {
    let mut key = key();
    key.user = "a\nb".into();
    let error = sign(&mut request(), &key, now()).unwrap_err();
    assert!(error.message().contains("user"), "{error}");
}
