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
    let counted = json!({"finish_reason": "eos_token", "prompt_tokens": 10, "generated_tokens": 5});
    let completion = json!({"generated_text": "Hi", "nb_input_tokens": 10, "nb_generated_tokens": 5});
    let prediction = json!({"id": "p", "status": "succeeded", "output": ["H", "i"], "error": null,
                            "metrics": {"input_token_count": 10, "output_token_count": 5}});
    for (body, finish) in [
        (json!({"generated_text": "Hi", "details": counted}), Finish::Stop),
        (completion, Finish::Stop),
        (prediction, Finish::Stop),
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

#[test]
fn replies_without_counts_are_read_too() {
    for (body, finish) in [
        (r#"[{"generated_text":"Hi"}]"#, Finish::Stop),
        (r#"{"model_name":"m","model_version":"1","text_output":"Hi"}"#, Finish::Stop),
        (r#"{"completion":"Hi","stop_reason":"max_tokens","model":"claude-2.1"}"#, Finish::Length),
        (r#"{"id":"p","status":"succeeded","output":"Hi"}"#, Finish::Stop),
    ] {
        let reply = decode(body.as_bytes(), Thinks::No).unwrap();
        assert_eq!(reply.choices[0].message.text(), "Hi", "{body}");
        assert_eq!((&reply.choices[0].finish, &reply.usage), (&Some(finish), &None), "{body}");
    }
}

#[test]
fn further_answers_are_further_choices() {
    let best = json!([{"generated_text": "Ho", "finish_reason": "length"}]);
    let body = json!([{"generated_text": "Hi", "details": {"finish_reason": "eos_token", "best_of_sequences": best}}]);
    let reply = decode(body.to_string().as_bytes(), Thinks::No).unwrap();
    let told: Vec<_> =
        reply.choices.iter().map(|choice| (choice.message.text(), choice.finish.clone())).collect();
    assert_eq!(told, [("Hi".into(), Some(Finish::Stop)), ("Ho".into(), Some(Finish::Length))]);
}

#[test]
fn a_prediction_that_failed_or_is_not_there_is_an_error() {
    for (body, words) in [
        (r#"{"status":"failed","error":"CUDA out of memory","output":null}"#, "CUDA out of memory"),
        (r#"{"status":"canceled","error":null}"#, "canceled"),
        (r#"{"status":"starting","error":null,"urls":{}}"#, "starting"),
    ] {
        let error = decode(body.as_bytes(), Thinks::No).unwrap_err();
        assert!(error.message().contains(words), "{body}: {error}");
    }
}
