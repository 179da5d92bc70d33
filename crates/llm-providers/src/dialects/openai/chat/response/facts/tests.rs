//! The quick way says what the careful way says, or nothing.

use serde_json::json;

use super::{careful, quick};

#[test]
fn ordinary_replies_are_read_in_one_pass() {
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 1}});
    for message in [
        json!({"role": "assistant", "content": "hi \"there\"\n\u{e9}", "refusal": null, "annotations": []}),
        json!({"role": "assistant", "content": "", "refusal": "no"}),
        json!({"content": null}),
    ] {
        let body = json!({"id": "i", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"},
                {"index": 1, "message": message, "finish_reason": "length"}],
            "usage": usage, "service_tier": "default"});
        let body = serde_json::to_vec_pretty(&body).unwrap();
        let facts = quick(&body).expect("an ordinary reply");
        assert_eq!(facts, careful(&body));
        assert!(facts.complete && facts.usage.is_some());
    }
}

#[test]
fn whatever_needs_a_closer_look_is_left_to_the_careful_way() {
    let choice = json!({"index": 0, "message": {"content": "x"}, "finish_reason": "stop"});
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    for body in [
        json!({"choices": []}),
        json!({"choices": "x"}),
        json!({"choices": ["x"]}),
        json!({"choices": [choice], "error": {"message": "no"}}),
        json!({"choices": [choice], "x_groq": {"usage": {"prompt_tokens": 1}}}),
        json!({"choices": [{"message": {"content": [{"type": "text", "text": "x"}]}}]}),
        json!({"choices": [{"message": {"content": null, "tool_calls": [call]}, "finish_reason": "stop"}]}),
        json!({"choices": [{"message": {"content": "x"}, "finish_reason": "error"}]}),
        json!({"choices": [{"error": {"message": "no"}}]}),
        json!([]),
    ] {
        assert_eq!(quick(&serde_json::to_vec(&body).unwrap()), None, "{body}");
    }
    for broken in ["", "{", r#"{"choices":[{"message":{"content":"x"}}]"#, r#"{"choices":[{}]} x"#] {
        assert_eq!(quick(broken.as_bytes()), None, "{broken}");
    }
}
