//! What is asked, what is answered, what is estimated.

use bytes::Bytes;
use llm_types::ErrorKind;
use serde_json::json;

use super::super::tests::target;
use super::{encode, estimate, read, write};
use crate::dialects::ANTHROPIC;

#[test]
fn the_callers_bytes_are_asked_about() {
    let body = Bytes::from_static(
        br#"{"model":"mine", "messages":[{"role":"user","content":"Hi"}], "num_retries": 1}"#,
    );
    let mut target = target("claude-sonnet-4-5");
    target.defaults.insert("max_tokens".to_owned(), json!(9));
    let sent = encode(&body, &ANTHROPIC.glance(&body).unwrap(), &target).unwrap();
    assert_eq!(sent.path, "/v1/messages/count_tokens");
    let want = br#"{"model":"claude-sonnet-4-5", "messages":[{"role":"user","content":"Hi"}]}"#;
    assert_eq!(sent.body, want.as_slice());
    assert_eq!(sent.headers["anthropic-version"], "2023-06-01");
}

#[test]
fn the_answer_is_a_number() {
    assert_eq!(read(br#"{"input_tokens": 14}"#).unwrap(), 14);
    for body in [&b"{}"[..], b"no", br#"{"input_tokens":"x"}"#] {
        assert_eq!(read(body).unwrap_err().kind(), ErrorKind::BadUpstream);
    }
    assert_eq!(write(14), br#"{"input_tokens":14}"#.as_slice());
}

#[test]
fn an_estimate_grows_with_the_text_and_not_with_pictures() {
    let body = |text: &str, picture: &str| {
        let picture = json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": picture } });
        let content = json!([{ "type": "text", "text": text }, picture]);
        json!({ "model": "m", "messages": [{ "role": "user", "content": content }] }).to_string()
    };
    let short = estimate(body("Hello", "AAAA").as_bytes()).unwrap();
    let long = estimate(body(&"Hello".repeat(100), "AAAA").as_bytes()).unwrap();
    assert!(long >= short + 120 && long <= short + 130, "{short} {long}");
    assert_eq!(estimate(body("Hello", &"A".repeat(9000)).as_bytes()).unwrap(), short);
    let error = estimate(br#"{"model":"m","messages":[{"role":"owner","content":"x"}]}"#).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
}
