//! Models that complete a prompt, and AWS profiles that others sign in: over real sockets.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::BytesMut;
use llm_providers::framing::event_stream;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{MASTER, Reply, Setup, Upstream, gateway, openai};

const LLAMA: &str = "bedrock/invoke/meta.llama3-8b-instruct-v1:0";
const MISTRAL: &str = "bedrock/invoke/mistral.mistral-7b-instruct-v0:2";

/// Frames as Bedrock's `InvokeModelWithResponseStream` sends them.
fn chunks(events: &[Value]) -> Vec<u8> {
    let mut out = BytesMut::new();
    for event in events {
        let chunk = json!({"bytes": BASE64_STANDARD.encode(event.to_string())});
        event_stream::write(&mut out, "chunk", chunk.to_string().as_bytes());
    }
    out.to_vec()
}

fn streamed(events: &[Value]) -> Reply {
    Reply::body(200, "application/vnd.amazon.eventstream", chunks(events))
}

#[test]
fn a_conversation_goes_as_a_prompt_and_comes_back_as_chat() {
    let answer = json!({"generation": "Hello there.", "prompt_token_count": 9, "generation_token_count": 4,
                        "stop_reason": "stop"});
    let upstream = Upstream::always(Reply::json(200, &answer));
    let gateway = gateway().model("any", LLAMA, &upstream).start();
    let body = gateway.chat(&openai::request("any")).send().expect(200).json();
    assert_eq!(body["choices"][0]["message"]["content"], "Hello there.");
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(
        (&body["usage"]["prompt_tokens"], &body["usage"]["completion_tokens"]),
        (&json!(9), &json!(4))
    );
    let seen = upstream.only();
    assert_eq!(seen.path, "/model/meta.llama3-8b-instruct-v1%3A0/invoke");
    let prompt = seen.json()["prompt"].as_str().unwrap().to_owned();
    assert!(prompt.starts_with("<|begin_of_text|>") && prompt.ends_with("assistant<|end_header_id|>\n\n"));
}

#[test]
fn counts_in_headers_are_booked() {
    let answer = json!({"outputs": [{"text": "Hello there.", "stop_reason": "stop"}]});
    let reply = Reply::json(200, &answer)
        .header("x-amzn-bedrock-input-token-count", "10")
        .header("x-amzn-bedrock-output-token-count", "20");
    let upstream = Upstream::always(reply);
    let gateway = gateway().model("any", MISTRAL, &upstream).start();
    let body = gateway.chat(&openai::request("any")).send().expect(200).json();
    assert_eq!(body["usage"]["total_tokens"], 30);
    let booked = gateway.booked();
    assert_eq!((booked[0].input_tokens, booked[0].output_tokens), (10, 20));
}

#[test]
fn a_stream_comes_out_of_its_frames_and_its_usage_is_booked() {
    let metrics = json!({"inputTokenCount": 10, "outputTokenCount": 20});
    let upstream = Upstream::always(streamed(&[
        json!({"generation": "Hello ", "stop_reason": null}),
        json!({"generation": "there.", "stop_reason": null}),
        json!({"generation": "", "stop_reason": "stop", "amazon-bedrock-invocationMetrics": metrics}),
    ]));
    let gateway = gateway().model("any", LLAMA, &upstream).start();
    let answer = gateway.chat(&openai::streamed("any")).send().expect(200);
    let frames = answer.frames();
    assert_eq!(frames.last().map(String::as_str), Some("[DONE]"));
    let text: String = frames
        .iter()
        .filter_map(|frame| serde_json::from_str::<Value>(frame).ok())
        .filter_map(|frame| frame["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(text, "Hello there.");
    assert!(upstream.only().path.ends_with("/invoke-with-response-stream"));
    let booked = gateway.booked();
    assert_eq!((booked[0].input_tokens, booked[0].output_tokens), (10, 20));
}

#[test]
fn a_stream_without_its_end_is_an_error() {
    let upstream = Upstream::always(streamed(&[json!({"generation": "Hello ", "stop_reason": null})]));
    let gateway = gateway().model("any", LLAMA, &upstream).start();
    let answer = gateway.chat(&openai::streamed("any")).send();
    assert!(!answer.text().contains("[DONE]") && answer.text().contains("error"), "{}", answer.text());
}

#[test]
fn novas_own_messages_are_streamed() {
    let upstream = Upstream::always(streamed(&[
        json!({"messageStart": {"role": "assistant"}}),
        json!({"contentBlockDelta": {"delta": {"text": "Hello there."}, "contentBlockIndex": 0}}),
        json!({"contentBlockStop": {"contentBlockIndex": 0}}),
        json!({"messageStop": {"stopReason": "end_turn"}}),
        json!({"metadata": {"usage": {"inputTokens": 10, "outputTokens": 20}, "metrics": {}}}),
    ]));
    let gateway = gateway().model("any", "bedrock/invoke/us.amazon.nova-pro-v1:0", &upstream).start();
    let answer = gateway.chat(&openai::streamed("any")).send().expect(200);
    assert_eq!(answer.frames().last().map(String::as_str), Some("[DONE]"));
    assert!(answer.text().contains("Hello there."));
    assert!(upstream.only().path.ends_with("/invoke-with-response-stream"));
    assert_eq!(upstream.only().json().get("stream"), None);
}

/// A model whose keys come from a profile of these files.
fn with_profile(home: &TempDir, config: &str, portal: &str, upstream: &Upstream) -> Setup {
    let file = home.path().join("config");
    std::fs::write(&file, config).unwrap();
    let more = json!({"api_key": null, "aws_profile_name": "dev", "aws_region_name": "us-east-1"});
    gateway().model_at("any", LLAMA, &upstream.url(), &more).with(
        "environment_variables",
        json!({"HOME": home.path(), "AWS_CONFIG_FILE": file, "AWS_ENDPOINT_URL_SSO": portal,
               "AWS_ENDPOINT_URL_SSO_OIDC": portal}),
    )
}

fn completed() -> Upstream {
    Upstream::always(Reply::json(200, &json!({"generation": "Hello there.", "stop_reason": "stop"})))
}

#[test]
fn a_persons_sign_in_is_renewed_and_signs_calls() {
    let home = TempDir::new().unwrap();
    let cache = home.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    let token = json!({"accessToken": "token-of-tests-1", "expiresAt": "2020-01-01T00:00:00Z", "clientId": "c",
                       "clientSecret": "client-secret-of-tests", "refreshToken": "refresh-of-tests"});
    // The name is the SHA-1 of `abc`, the session.
    let path = cache.join("a9993e364706816aba3e25717850c26c9cd0d89d.json");
    std::fs::write(&path, token.to_string()).unwrap();
    let renewed = json!({"accessToken": "token-of-tests-2", "expiresIn": 3600});
    let keys = json!({"accessKeyId": "ASIATESTS", "secretAccessKey": "secret-of-tests", "sessionToken": "session-1",
                      "expiration": 4_000_000_000_000_u64});
    let portal =
        Upstream::in_turn([Reply::json(200, &renewed), Reply::json(200, &json!({"roleCredentials": keys}))]);
    let upstream = completed();
    let config = "[profile dev]\nsso_session = abc\nsso_account_id = 123456789012\nsso_role_name = Reader\n\
                  [sso-session abc]\nsso_region = us-east-1\nsso_start_url = https://d-1.awsapps.com/start\n";
    let gateway = with_profile(&home, config, &portal.url(), &upstream).start();
    gateway.chat(&openai::request("any")).send().expect(200);
    gateway.chat(&openai::request("any")).send().expect(200);
    let asked = portal.seen();
    let paths: Vec<&str> = asked.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths, ["/token", "/federation/credentials?role_name=Reader&account_id=123456789012"]);
    assert_eq!(asked[1].header("x-amz-sso_bearer_token"), Some("token-of-tests-2"));
    for seen in upstream.seen() {
        let signature = seen.header("authorization").unwrap();
        assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=ASIATESTS/"), "{signature}");
        assert_eq!(seen.header("x-amz-security-token"), Some("session-1"));
    }
    let kept: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(kept["accessToken"], "token-of-tests-2");
}

#[test]
fn a_programs_keys_sign_calls_and_a_failing_program_is_told() {
    let home = TempDir::new().unwrap();
    let printed = home.path().join("keys.json");
    std::fs::write(
        &printed,
        r#"{"Version":1,"AccessKeyId":"ASIAPROGRAM","SecretAccessKey":"secret-of-tests","Expiration":"2999-01-01T00:00:00Z"}"#,
    )
    .unwrap();
    let upstream = completed();
    let config = format!("[profile dev]\ncredential_process = cat '{}'\n", printed.display());
    let gateway = with_profile(&home, &config, "http://127.0.0.1:1", &upstream).start();
    gateway.chat(&openai::request("any")).send().expect(200);
    let seen = upstream.only();
    assert!(seen.header("authorization").unwrap().contains("Credential=ASIAPROGRAM/"));
    let failing = "[profile dev]\ncredential_process = sh -c 'exit 3' --token hush-hush-hush\n";
    // Elsewhere, for credentials of the same place are shared while somebody holds them.
    let elsewhere = TempDir::new().unwrap();
    let gateway = with_profile(&elsewhere, failing, "http://127.0.0.1:1", &upstream).start();
    let answer = gateway.post(openai::PATH).key(MASTER).json(&openai::request("any")).send().expect(401);
    assert!(answer.text().contains("`sh` ended with exit status: 3"), "{}", answer.text());
    assert!(!answer.text().contains("hush-hush"), "{}", answer.text());
    assert_eq!(upstream.seen().len(), 1);
}
