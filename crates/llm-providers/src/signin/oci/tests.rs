//! Signatures hold for what is sent, and for nothing else.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, Method};
use llm_types::{Secret, Timeouts};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::super::tests::now;
use super::*;

const DER: &[u8] = include_bytes!("../google/testing_key.der");

fn pem() -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(DER))
}

fn key() -> OciKey {
    OciKey {
        tenancy: "ocid1.tenancy".into(),
        user: "ocid1.user".into(),
        fingerprint: "aa:bb".into(),
        key: SigningKey::from_pem(&pem()).unwrap(),
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
    sign(&mut request, &key.signer(), now()).unwrap();
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
    let shown = format!("{key:?} {:?}", Key::Oci(key.signer()));
    assert!(!shown.contains(&STANDARD.encode(DER)[..40]), "{shown}");
    assert!(shown.contains("SigningKey(***)"), "{shown}");
}

#[test]
fn a_line_break_in_a_name_is_told() {
    let mut key = key();
    key.user = "a\nb".into();
    let error = sign(&mut request(), &key.signer(), now()).unwrap_err();
    assert!(error.message().contains("user"), "{error}");
}

/// A token that ends so many seconds from now.
fn token(seconds: u64) -> String {
    let end = now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + seconds;
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{end}}}")))
}

fn session(token: &str) -> Session {
    Session { token: Given::Text(Secret::new(token.into())), key: Given::Text(Secret::new(pem())) }
}

#[test]
fn a_session_signs_in_the_name_of_its_token() {
    let token = token(3_600);
    let held = session(&token).read(now()).unwrap();
    assert_eq!(held.key.secrets(), [token.as_str()], "the token is hidden");
    assert!(!format!("{:?}", held.key).contains(&token), "the token is not shown");
    assert_eq!(held.expires, Some(now() + Duration::from_secs(3_600)));
    let Key::Oci(signer) = &held.key else { panic!("a signer") };
    let mut request = request();
    sign(&mut request, signer, now()).unwrap();
    let said = request.headers["authorization"].to_str().unwrap();
    assert!(said.starts_with(&format!("Signature version=\"1\",keyId=\"ST${token}\",")), "{said}");
}

#[test]
fn files_of_a_session_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = (folder.path().join("token"), folder.path().join("key.pem"));
    std::fs::write(&key, pem()).unwrap();
    let session = Session { token: Given::File(file.clone()), key: Given::File(key) };
    assert!(session.read(now()).unwrap_err().message().contains("cannot be read"));
    for seconds in [900, 1_800] {
        std::fs::write(&file, format!("{}\n", token(seconds))).unwrap();
        assert_eq!(session.read(now()).unwrap().expires, Some(now() + Duration::from_secs(seconds)));
    }
}

#[test]
fn sessions_that_ended_or_cannot_sign_are_told() {
    let error = session(&token(0)).read(now()).unwrap_err();
    assert!(error.message().contains("has ended"), "{error}");
    let unstated = session("opaque").read(now()).unwrap();
    assert_eq!(unstated.expires, Some(now() + UNSTATED));
    let broken = Session { key: Given::Text(Secret::new("no key".into())), ..session(&token(900)) };
    let error = broken.read(now()).unwrap_err();
    assert!(error.message().contains("the key of a session of Oracle Cloud is no private key"), "{error}");
}
