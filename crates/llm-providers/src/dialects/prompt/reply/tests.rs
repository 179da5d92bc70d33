//! Whole replies of each wire.

use llm_types::{Finish, PartKind};
use serde_json::json;

use super::super::think::Thinks;
use super::decode;

#[test]
fn each_wires_reply_is_read() {
    let metrics = json!({"inputTokenCount": 10, "outputTokenCount": 5});
    let llama = json!({"generation": "Hi", "prompt_token_count": 10, "generation_token_count": 5,
                       "stop_reason": "stop"});
    let result = json!({"tokenCount": 5, "outputText": "Hi", "completionReason": "FINISH"});
    let titan = json!({"inputTextTokenCount": 10, "results": [result]});
    let mistral = json!({"outputs": [{"text": "Hi", "stop_reason": "length"}],
                         "amazon-bedrock-invocationMetrics": metrics});
    let command = json!({"id": "a", "generations": [{"text": "Hi", "finish_reason": "COMPLETE"}],
                         "amazon-bedrock-invocationMetrics": metrics});
    let completion = json!({"data": {"text": "Hi"}, "finishReason": {"reason": "endoftext"}});
    let jurassic = json!({"id": 1234, "prompt": {"text": "?"}, "completions": [completion],
                          "amazon-bedrock-invocationMetrics": metrics});
    for (body, finish) in [
        (llama, Finish::Stop),
        (titan, Finish::Stop),
        (mistral, Finish::Length),
        (command, Finish::Stop),
        (jurassic, Finish::Stop),
    ] {
        let reply = decode(body.to_string().as_bytes(), Thinks::No).unwrap();
        assert_eq!(reply.choices[0].message.text(), "Hi", "{body}");
        assert_eq!(reply.choices[0].finish, Some(finish), "{body}");
        let usage = reply.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (10, 5), "{body}");
    }
}

#[test]
fn a_reply_without_counts_has_no_usage() {
    let reply = decode(br#"{"outputs":[{"text":"Hi","stop_reason":"stop"}]}"#, Thinks::No).unwrap();
    assert_eq!(reply.usage, None);
}

#[test]
fn thoughts_are_reasoning() {
    let body = json!({"generation": "because\n</think>\n\nHi<|im_end|>", "stop_reason": "stop"});
    let reply = decode(body.to_string().as_bytes(), Thinks::First).unwrap();
    let parts = &reply.choices[0].message.parts;
    assert!(matches!(&parts[0].kind, PartKind::Reasoning { text, .. } if text == "because"), "{parts:?}");
    assert_eq!(reply.choices[0].message.text(), "Hi");
}

#[test]
fn what_is_no_completion_is_an_error() {
    for (body, words) in [
        ("{", "not JSON"),
        ("{}", "no completion"),
        (r#"{"outputs":[]}"#, "no completion"),
        (r#"{"results":{"a":1}}"#, "no completion"),
        (r#"{"message":"slow down"}"#, "slow down"),
        (r#"{"error":"no such model"}"#, "no such model"),
    ] {
        let error = decode(body.as_bytes(), Thinks::No).unwrap_err();
        assert!(error.message().contains(words), "{body}: {error}");
    }
}
