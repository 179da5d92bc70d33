//! What an instance asks its metadata and the token service, and what it then signs with.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use llm_types::ErrorKind;
use llm_types::testing::ReplayTransport;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::*;
use crate::signin::Key;
use crate::signin::tests::{now, run};

const DER: &[u8] = include_bytes!("../../google/testing_key.der");
const REGION: &str = r#"{"realmKey":"oc2","realmDomainComponent":"oraclegovcloud.com","regionKey":"LFI","regionIdentifier":"us-langley-1"}"#;
const OWNER: &str = "ocid1.tenancy.oc2..aaaaaaaafcue3pmagpolyw7ir5gtb5uhz5zrdiw4qwcfbnwqx2gqgxaanrmq";

fn key() -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(DER))
}

/// A certificate of an instance of this owner, as PEM.
fn certificate_of(unit: &str) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationalUnitName, "opc-certtype:instance");
    params.distinguished_name.push(DnType::CommonName, "ocid1.instance.oc2.us-langley-1.abc");
    params.distinguished_name.push(DnType::OrganizationName, unit);
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let text = STANDARD.encode(certificate.der());
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

fn token() -> String {
    let end = now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 1_200;
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{end}}}")))
}

fn instance() -> Instance {
    Instance { metadata: "http://metadata.example/opc/v2".into(), tokens: None }
}

/// A metadata service with this certificate, and a token service that answers so.
fn services(leaf: &str, status: u16, answer: String) -> ReplayTransport {
    ReplayTransport::default()
        .reply(200, REGION)
        .reply(200, leaf.to_owned())
        .reply(200, key())
        .reply(200, certificate_of("opc-ca"))
        .reply(status, answer)
}

#[test]
fn an_instance_signs_in_with_its_certificate_and_signs_with_a_key_of_the_session() {
    let leaf = certificate_of(&format!("opc-tenant:{OWNER}"));
    let transport = services(&leaf, 200, format!("\n{{ \"token\" : \"{}\" }}\n", token()));
    let held = run(instance().fetch(&transport, now())).unwrap();

    let asked = transport.asked();
    for (asked, path) in asked.iter().zip([
        "instance/regionInfo",
        "identity/cert.pem",
        "identity/key.pem",
        "identity/intermediate.pem",
    ]) {
        assert_eq!(asked.uri.to_string(), format!("http://metadata.example/opc/v2/{path}"));
        assert_eq!(
            (&asked.method, &asked.headers["authorization"]),
            (&Method::GET, &http::HeaderValue::from_static("Bearer Oracle"))
        );
    }
    let request = &asked[4];
    assert_eq!(request.uri.to_string(), "https://auth.us-langley-1.oraclegovcloud.com/v1/x509");
    let details: Value = serde_json::from_slice(&request.body).unwrap();
    let der = certificate(&leaf).unwrap();
    assert_eq!(details["certificate"], STANDARD.encode(&der));
    assert_eq!(details["intermediateCertificates"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&details["purpose"], &details["fingerprintAlgorithm"]),
        (&"DEFAULT".into(), &"SHA256".into())
    );

    // The instance's key signs, in its certificate's name.
    let text = |name: &str| request.headers[name].to_str().unwrap().to_owned();
    let said = text("authorization");
    let (head, signature) = said.split_once(",signature=\"").unwrap();
    let print = fingerprint(&der);
    assert_eq!((print.len(), print.matches(':').count()), (95, 31));
    assert_eq!(
        head,
        format!(
            "Signature version=\"1\",keyId=\"{OWNER}/fed-x509-sha256/{print}\",algorithm=\"rsa-sha256\",\
             headers=\"date (request-target) content-length content-type x-content-sha256\""
        )
    );
    let signed = format!(
        "date: {}\n(request-target): post /v1/x509\ncontent-length: {}\ncontent-type: application/json\n\
         x-content-sha256: {}",
        text("date"),
        request.body.len(),
        STANDARD.encode(Sha256::digest(&request.body)),
    );
    let own = SigningKey::from_pem(&key()).unwrap();
    let signature = STANDARD.decode(signature.trim_end_matches('"')).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, own.public());
    public.verify(signed.as_bytes(), &signature).expect("the signature holds");

    // Calls are signed with the session's key, whose public part the service was told.
    let Key::Oci(signer) = &held.key else { panic!("a signer") };
    assert_eq!(signer.id, format!("ST${}", token()));
    assert_eq!(details["publicKey"], STANDARD.encode(signer.key.spki()));
    assert_ne!(signer.key.public(), own.public());
    assert_eq!(held.expires, Some(now() + std::time::Duration::from_secs(1_200)));
}

#[test]
fn a_token_service_of_ones_own_is_asked_instead_of_the_regions() {
    let leaf = certificate_of(&format!("opc-identity:{OWNER}"));
    let transport = ReplayTransport::default()
        .reply(200, leaf)
        .reply(200, key())
        .reply(200, certificate_of("opc-ca"))
        .reply(200, format!("{{\"token\":\"{}\"}}", token()));
    let instance = Instance { tokens: Some("https://auth.house.example/".into()), ..instance() };
    run(instance.fetch(&transport, now())).unwrap();
    assert_eq!(transport.asked()[3].uri.to_string(), "https://auth.house.example/v1/x509");
}

#[test]
fn what_metadata_and_token_service_lack_is_told() {
    let leaf = certificate_of(&format!("opc-tenant:{OWNER}"));
    for (transport, kind, words) in [
        (
            ReplayTransport::default().reply(404, "no"),
            ErrorKind::Unauthenticated,
            "the instance's metadata service answered status 404",
        ),
        (
            ReplayTransport::default().reply(200, r#"{"regionIdentifier":"a/b"}"#),
            ErrorKind::BadUpstream,
            "without `regionIdentifier`",
        ),
        (
            ReplayTransport::default().reply(200, REGION).reply(200, "nothing"),
            ErrorKind::BadUpstream,
            "no certificate in PEM",
        ),
        (services(&certificate_of("house"), 200, String::new()), ErrorKind::BadUpstream, "names no tenancy"),
        (
            services(&leaf, 401, r#"{"code":"NotAuthenticated","message":"the clock is wrong"}"#.into()),
            ErrorKind::Unauthenticated,
            "Oracle Cloud's token service answered status 401: the clock is wrong",
        ),
        (services(&leaf, 200, "{}".into()), ErrorKind::BadUpstream, "no `token`"),
    ] {
        let error = run(instance().fetch(&transport, now())).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(words), "{error}");
    }
}
