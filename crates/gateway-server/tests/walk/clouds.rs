//! Clouds: tokens are fetched once and shared, refused sign-ins are told without secrets and reach no
//! provider, signatures hold.

use std::thread;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Gate, Reply, Running, Seen, Setup, Upstream, anthropic, gateway, openai};

fn token(name: &str) -> Reply {
    Reply::json(200, &json!({"access_token": name, "expires_in": 3599, "token_type": "Bearer"}))
}

/// A model on Vertex AI whose user gets tokens at this place.
fn vertex(model: &str, upstream: &Upstream, tokens: &Upstream) -> Setup {
    let credentials = json!({
        "type": "authorized_user", "client_id": "c-1", "client_secret": "a-client-secret-of-tests",
        "refresh_token": format!("a-refresh-token-of-tests-{}", tokens.url()),
        "token_uri": format!("{}/token", tokens.url()),
    });
    let more = json!({
        "api_key": null, "vertex_project": "p-1", "vertex_location": "us-east5",
        "vertex_credentials": credentials.to_string(),
    });
    gateway().model_at("any", model, &upstream.url(), &more)
}

fn ask(gateway: &Running, status: u16) -> Value {
    gateway.chat(&openai::request("any")).send().expect(status).json()
}

#[test]
fn one_token_serves_all_calls() {
    let gate = Gate::default();
    let tokens = Upstream::in_turn([token("ya29.one").after(&gate), Reply::slam()]);
    let upstream = Upstream::always(anthropic::reply());
    let gateway = vertex("vertex_ai/claude-sonnet-4-5@20250929", &upstream, &tokens).start();
    thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| ask(&gateway, 200))).collect();
        tokens.wait_for_requests(1);
        gate.open();
        for call in calls {
            assert_eq!(call.join().unwrap()["choices"][0]["message"]["content"], "Hello there.");
        }
    });
    ask(&gateway, 200);
    assert_eq!(tokens.only().path, "/token");
    for seen in upstream.seen() {
        assert_eq!(seen.header("authorization"), Some("Bearer ya29.one"));
        let path = "/v1/projects/p-1/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict";
        assert_eq!(seen.path, path);
        let body = seen.json();
        assert_eq!((&body["anthropic_version"], body.get("model")), (&json!("vertex-2023-10-16"), None));
    }
}

#[test]
fn a_stream_has_a_path_of_its_own() {
    let tokens = Upstream::always(token("ya29.two"));
    let upstream = Upstream::always(anthropic::stream());
    let gateway = vertex("vertex_ai/claude-sonnet-4-5@20250929", &upstream, &tokens).start();
    let answer = gateway.chat(&openai::streamed("any")).send().expect(200);
    assert_eq!(answer.frames().last().map(String::as_str), Some("[DONE]"));
    let seen = upstream.only();
    assert!(seen.path.ends_with(":streamRawPredict"), "{}", seen.path);
    assert_eq!(seen.json()["stream"], true);
}

#[test]
fn a_refused_sign_in_is_told_and_reaches_no_provider() {
    let refusal = json!({"error": "invalid_grant", "error_description": "bad a-client-secret-of-tests"});
    let tokens = Upstream::in_turn([Reply::json(400, &refusal), token("ya29.three")]);
    let upstream = Upstream::always(anthropic::reply());
    let gateway = vertex("vertex_ai/claude-sonnet-4-5@20250929", &upstream, &tokens).start();
    let answer = ask(&gateway, 401);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("Google's token service answered status 400: invalid_grant: bad ***"),
        "{message}"
    );
    assert!(upstream.seen().is_empty());
    ask(&gateway, 200);
    assert_eq!(upstream.seen().len(), 1);
}

#[test]
fn a_role_is_taken_on_and_calls_are_signed_with_its_keys() {
    let xml = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>\
        <SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-session</SessionToken>\
        <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
    let sts = Upstream::always(Reply::body(200, "text/xml", xml));
    let upstream = Upstream::always(openai::reply());
    let more = json!({
        "api_key": null, "aws_access_key_id": "AKIABASE", "aws_secret_access_key": "base-secret",
        "aws_role_name": "arn:aws:iam::1:role/r", "aws_sts_endpoint": sts.url(), "aws_region_name": "eu-west-1",
    });
    let model = "bedrock_mantle/openai.gpt-oss-120b";
    let gateway = gateway().model_at("any", model, &upstream.url(), &more).start();
    ask(&gateway, 200);
    ask(&gateway, 200);
    let asked = sts.only();
    assert_signed(&asked, "AKIABASE", "base-secret", "eu-west-1/sts");
    for seen in upstream.seen() {
        assert_eq!(seen.header("x-amz-security-token"), Some("role-session"));
        assert_signed(&seen, "ASIAROLE", "role-secret", "eu-west-1/bedrock");
    }
}

/// Checks a signature the way the service does, by its documentation and not by our code.
#[track_caller]
fn assert_signed(seen: &Seen, id: &str, secret: &str, scope: &str) {
    let header = seen.header("authorization").expect("a signed request");
    let part = |name: &str| header.split(name).nth(1).unwrap().split(',').next().unwrap().trim().to_owned();
    let (credential, names, given) = (part("Credential="), part("SignedHeaders="), part("Signature="));
    let when = seen.header("x-amz-date").unwrap();
    let day = &when[..8];
    let scope = format!("{day}/{scope}/aws4_request");
    assert_eq!(credential, format!("{id}/{scope}"));
    assert!(
        names.contains("host") && names.contains("content-type") && names.contains("x-amz-date"),
        "{names}"
    );
    let headers: String =
        names.split(';').map(|name| format!("{name}:{}\n", seen.header(name).unwrap())).collect();
    let path = seen.path.replace('%', "%25");
    let canonical = format!("POST\n{path}\n\n{headers}\n{names}\n{}", hex(&Sha256::digest(&seen.body)));
    let text = format!("AWS4-HMAC-SHA256\n{when}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let key =
        scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, word| hmac(&key, word.as_bytes()));
    assert_eq!(hex(&hmac(&key, text.as_bytes())), given);
}

/// RFC 2104 over SHA-256, for keys up to a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let padded =
        |with: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or_default() ^ with).collect() };
    let inner = Sha256::digest([padded(0x36), text.to_vec()].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
