//! Signatures against the vendor's own vectors, and where keys come from.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use llm_types::{HttpRequest, Secret, Timeouts};

use super::profile::{Files, from_profile};
use super::{Aws, AwsKeys, INSTANCE, Nearby, Role, sign, sts_endpoint};
use crate::signin::tests::{fetched, file, now, pairs};
use crate::signin::{Given, Key, Source};

const XML: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA1</AccessKeyId>\
    <SecretAccessKey>temporary/secret</SecretAccessKey><SessionToken>session==</SessionToken>\
    <Expiration>2026-11-21T16:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";

fn keys() -> AwsKeys {
    AwsKeys {
        id: "AKIDEXAMPLE".into(),
        secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
        session: None,
    }
}

fn request(method: Method, uri: &str, body: &'static str) -> HttpRequest {
    HttpRequest {
        method,
        uri: uri.parse().unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::from_static(body.as_bytes()),
        timeouts: Timeouts::default(),
    }
}

fn role() -> Role {
    Role {
        arn: "arn:aws:iam::123456789012:role/r".into(),
        session: "s-1".into(),
        external_id: Some("e-1".into()),
        tags: vec![("team".into(), "a b".into())],
        endpoint: sts_endpoint("eu-west-1"),
        region: "eu-west-1".into(),
    }
}

fn aws(key: llm_types::Result<Key>) -> AwsKeys {
    match key.unwrap() {
        Key::Aws(keys) => keys,
        Key::Bearer(_) | Key::Oci(_) => panic!("expected keys"),
    }
}

/// Seconds of 2015-08-30T12:36:00Z, the time of the vendor's vectors.
fn then() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160)
}

#[test]
fn the_vendors_vectors_are_signed_as_the_vendor_does() {
    // "aws-sig-v4-test-suite": get-vanilla, post-vanilla, get-utf8 (encoded), get-vanilla-query-order-key-case.
    for (method, uri, signature) in [
        (Method::GET, "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (Method::POST, "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            Method::GET,
            "/?Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
    ] {
        let mut request = request(method, &format!("https://example.amazonaws.com{uri}"), "");
        sign(&mut request, &keys(), ("service", "us-east-1"), then()).unwrap();
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        assert_eq!(request.headers["authorization"], expected, "{uri}");
        assert_eq!(request.headers["x-amz-date"], "20150830T123600Z");
        assert!(request.headers["authorization"].is_sensitive());
    }
}

#[test]
fn temporary_keys_sign_their_session_and_old_signatures_go() {
    let mut request =
        request(Method::POST, "https://bedrock-runtime.us-east-1.amazonaws.com/model/a%3A0/invoke", "{}");
    request.headers.insert("content-type", HeaderValue::from_static("application/json"));
    request.headers.insert("authorization", HeaderValue::from_static("Bearer other"));
    request.headers.insert("x-request-id", HeaderValue::from_static("unsigned"));
    let keys = AwsKeys { session: Some(Secret::new("session".into())), ..keys() };
    sign(&mut request, &keys, ("bedrock", "us-east-1"), now()).unwrap();
    let value = request.headers["authorization"].to_str().unwrap();
    let signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,";
    assert!(value.contains(signed), "{value}");
    assert!(value.contains("/20261121/us-east-1/bedrock/aws4_request"), "{value}");
    assert_eq!(request.headers["x-amz-security-token"], "session");
    assert!(request.headers["x-amz-security-token"].is_sensitive());
}

#[test]
fn a_key_that_cannot_sign_is_not_shown() {
    let keys = AwsKeys { session: Some(Secret::new("line\ncut-off".into())), ..keys() };
    let mut request = request(Method::GET, "https://h/", "");
    let error = sign(&mut request, &keys, ("s", "r"), now()).unwrap_err();
    assert!(error.message().contains("cannot be signed") && !error.message().contains("cut-off"), "{error}");
}

#[test]
fn a_role_is_taken_on_with_other_keys() {
    let source = Aws::Role { by: Box::new(Aws::Keys(keys())), role: role() };
    let (asked, key) = fetched(Source::Aws(source), &[(200, XML)]);
    assert_eq!(asked[0].uri, "https://sts.eu-west-1.amazonaws.com/");
    let expected = [
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", "arn:aws:iam::123456789012:role/r"),
        ("RoleSessionName", "s-1"),
        ("ExternalId", "e-1"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "a b"),
    ];
    assert_eq!(pairs(&asked[0]), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let signature = asked[0].headers["authorization"].to_str().unwrap();
    assert!(signature.contains("/20261121/eu-west-1/sts/aws4_request"), "{signature}");
    let keys = aws(key);
    assert_eq!(keys.id, "ASIA1");
    assert_eq!(keys.secret.reveal(), "temporary/secret");
    assert_eq!(keys.session.unwrap().reveal(), "session==");
}

#[test]
fn a_role_is_taken_on_with_a_token_unsigned() {
    let token = file("eyJ.web");
    let source = Aws::WebIdentity { token: Given::File(token.path().to_owned()), role: role() };
    let json = r#"{"AssumeRoleWithWebIdentityResponse":{"AssumeRoleWithWebIdentityResult":{"Credentials":
        {"AccessKeyId":"ASIA2","SecretAccessKey":"s","SessionToken":"t","Expiration":1.7952768E9}}}}"#;
    for answer in [XML, json] {
        let (asked, key) = fetched(Source::Aws(source.clone()), &[(200, answer)]);
        let pairs = pairs(&asked[0]);
        assert!(pairs.contains(&("WebIdentityToken".to_owned(), "eyJ.web".to_owned())));
        assert!(pairs.contains(&("Action".to_owned(), "AssumeRoleWithWebIdentity".to_owned())));
        assert!(!asked[0].headers.contains_key("authorization"));
        assert!(aws(key).id.starts_with("ASIA"));
    }
}

#[test]
fn a_refusal_of_the_token_service_is_told() {
    let source = Aws::Role { by: Box::new(Aws::Keys(keys())), role: role() };
    let answer =
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>";
    let (_, key) = fetched(Source::Aws(source), &[(403, answer)]);
    let error = key.unwrap_err();
    assert_eq!(error.message(), "sign-in: AWS's token service answered status 403: AccessDenied: not you");
}

#[test]
fn an_instance_is_asked_with_a_token() {
    let source = Aws::Nearby(Nearby::Instance { endpoint: INSTANCE.into() });
    let answer = r#"{"Code":"Success","AccessKeyId":"ASIA3","SecretAccessKey":"s","Token":"t","Expiration":"2026-11-21T21:00:00Z"}"#;
    let (asked, key) =
        fetched(Source::Aws(source), &[(200, "metadata-token"), (200, "my-role\n"), (200, answer)]);
    let lines: Vec<_> =
        asked.iter().map(|request| format!("{} {}", request.method, request.uri.path())).collect();
    assert_eq!(
        lines,
        [
            "PUT /latest/api/token",
            "GET /latest/meta-data/iam/security-credentials/",
            "GET /latest/meta-data/iam/security-credentials/my-role",
        ]
    );
    assert_eq!(asked[2].headers["x-aws-ec2-metadata-token"], "metadata-token");
    assert_eq!(aws(key).id, "ASIA3");
}

#[test]
fn a_container_is_asked_with_its_token() {
    let url = "http://169.254.170.23/v1/credentials".to_owned();
    let token = Some(Given::Text(Secret::new("pod-token".into())));
    let source = Aws::Nearby(Nearby::Container { url, token });
    let answer =
        r#"{"AccessKeyId":"ASIA4","SecretAccessKey":"s","Token":"t","Expiration":"2026-11-21T21:00:00Z"}"#;
    let (asked, key) = fetched(Source::Aws(source), &[(200, answer)]);
    assert_eq!(asked[0].headers["authorization"], "pod-token");
    assert_eq!(aws(key).id, "ASIA4");
}

#[test]
fn profiles_lead_to_keys_roles_and_tokens() {
    let credentials = file(
        "[default]\naws_access_key_id = AKIA1\naws_secret_access_key = s1\n\n# a line\n[base]\naws_access_key_id=AKIA2\naws_secret_access_key=s2\naws_session_token=t2\n",
    );
    let config = file(
        "[profile dev]\nrole_arn = arn:aws:iam::1:role/dev\nsource_profile = base\nregion = eu-west-1\n\
         [profile pod]\nrole_arn = arn:aws:iam::1:role/pod\nweb_identity_token_file = /var/token\n\
         [profile box]\nrole_arn = arn:aws:iam::1:role/box\ncredential_source = Ec2InstanceMetadata\n\
         [profile sso]\nsso_session = x\n\
         [profile new]\nsso_session = mine\nsso_account_id = 1\nsso_role_name = R\n\
         [sso-session mine]\nsso_region = eu-west-1\nsso_start_url = https://d-1.awsapps.com/start\n\
         [profile old]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = eu-west-1\n\
         sso_account_id = 1\nsso_role_name = R\naws_access_key_id = AKIA0\naws_secret_access_key = s\n\
         [profile lost]\nsso_session = gone\nsso_account_id = 1\nsso_role_name = R\n\
         [profile tool]\ncredential_process = /opt/tool --for 'a b'\n\
         [profile by-tool]\nrole_arn = arn:aws:iam::1:role/t\nsource_profile = tool\n\
         [profile loop]\nrole_arn = r\nsource_profile = pool\n[profile pool]\nrole_arn = r\nsource_profile = loop\n",
    );
    let files = Files {
        credentials: credentials.path().into(),
        config: config.path().into(),
        region: "us-east-1".into(),
        ..Files::default()
    };
    let nearby = Nearby::Instance { endpoint: INSTANCE.into() };
    let of = |name: &str| from_profile(name, &files, &nearby);
    let Aws::Keys(keys) = of("default").unwrap() else { panic!("expected keys") };
    assert_eq!((keys.id.as_str(), keys.session), ("AKIA1", None));
    let Aws::Role { by, role } = of("dev").unwrap() else { panic!("expected a role") };
    assert_eq!(
        (role.arn.as_str(), role.endpoint.as_str()),
        ("arn:aws:iam::1:role/dev", "https://sts.eu-west-1.amazonaws.com")
    );
    assert!(matches!(*by, Aws::Keys(AwsKeys { ref id, .. }) if id == "AKIA2"));
    assert!(
        matches!(of("pod").unwrap(), Aws::WebIdentity { token: Given::File(path), .. } if path.ends_with("token"))
    );
    assert!(matches!(of("box").unwrap(), Aws::Role { by, .. } if matches!(*by, Aws::Nearby(_))));
    for (name, named, is_session) in [("new", "mine", true), ("old", "https://d-1.awsapps.com/start", false)]
    {
        let Aws::Sso(sso) = of(name).unwrap() else { panic!("expected a sign-in") };
        assert_eq!(
            (sso.named.as_str(), sso.is_session, sso.region.as_str()),
            (named, is_session, "eu-west-1")
        );
    }
    assert!(
        matches!(of("tool").unwrap(), Aws::Process(command) if command.reveal() == "/opt/tool --for 'a b'")
    );
    assert!(matches!(of("by-tool").unwrap(), Aws::Role { by, .. } if matches!(*by, Aws::Process(_))));
    for (name, words) in [
        ("sso", "found `sso_session` without `sso_account_id` and `sso_role_name`"),
        ("lost", "refers to `[sso-session gone]`, which is not there"),
        ("loop", "refers to itself"),
        ("none", "there is no AWS profile `none`"),
    ] {
        let error = of(name).unwrap_err();
        assert!(error.message().contains(words), "{error}");
    }
}

#[test]
fn a_profile_is_looked_at_again() {
    let credentials = file("[p]\naws_access_key_id = AKIA1\naws_secret_access_key = s1\n");
    let files = Files { credentials: credentials.path().into(), ..Files::default() };
    let nearby = Box::new(Nearby::Instance { endpoint: INSTANCE.into() });
    let credential =
        crate::signin::Credential::new(Source::Aws(Aws::Profile { name: "p".into(), files, nearby }));
    let transport = llm_types::testing::ReplayTransport::default();
    crate::signin::tests::run(credential.ready(&transport, now())).unwrap();
    let later = now() + Duration::from_secs(1_000);
    assert!(credential.held(later).is_none(), "keys of a file do not hold for ever");
    std::fs::write(credentials.path(), "[p]\naws_access_key_id = AKIA9\naws_secret_access_key = s9\n")
        .unwrap();
    crate::signin::tests::run(credential.ready(&transport, later)).unwrap();
    let held = credential.held(later).unwrap();
    assert!(matches!(&held.key, Key::Aws(keys) if keys.id == "AKIA9"));
}

#[test]
fn regions_of_china_have_their_own_end() {
    assert_eq!(sts_endpoint("cn-north-1"), "https://sts.cn-north-1.amazonaws.com.cn");
}
