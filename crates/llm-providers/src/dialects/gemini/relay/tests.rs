//! What settlement learns of replies that pass.

use llm_types::{ErrorKind, Finish};

use super::reply_facts;

#[test]
fn a_reply_tells_its_facts() {
    let facts = reply_facts(
        br#"{"candidates":[{"content":{"parts":[{"text":"Hi there"},{"functionCall":{"name":"f"}}]},"finishReason":"STOP",
        "groundingMetadata":{"webSearchQueries":["a","b"]}}],
        "usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5},"modelVersion":"m","responseId":"r"}"#,
    );
    assert!(facts.complete && facts.error.is_none());
    assert_eq!((facts.id.as_deref(), facts.model.as_deref()), (Some("r"), Some("m")));
    assert_eq!(facts.finish, Some(Finish::ToolCalls));
    assert!(facts.answer_bytes > 8);
    let usage = facts.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.web_searches), (3, 2, Some(2)));
}

#[test]
fn a_refused_prompt_is_an_answer() {
    let facts =
        reply_facts(br#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4}}"#);
    assert!(facts.complete);
    assert_eq!(facts.finish, Some(Finish::ContentFilter));
}

#[test]
fn what_is_no_reply_is_an_error() {
    for (body, kind) in [
        (&b"not json"[..], ErrorKind::BadUpstream),
        (br#"{"usageMetadata":{"promptTokenCount":4}}"#, ErrorKind::BadUpstream),
        (br#"{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}"#, ErrorKind::RateLimited),
    ] {
        assert_eq!(reply_facts(body).error.unwrap().kind(), kind);
    }
}
