//! Parameters by each wire's names, and what a prompt cannot say.

use llm_types::{ErrorKind, Result};
use serde_json::{Value, json};

use super::super::Wire;
use super::super::tests::target;
use super::encode;
use crate::dialect::Dialect;
use crate::dialects::openai::chat::OpenaiChat;

fn sent(wire: Wire, body: &Value, drop: bool) -> Result<Value> {
    let request = OpenaiChat.decode_request(body.to_string().as_bytes())?;
    let family = match wire {
        // Hosts of many families: the name tells which.
        Wire::Generation | Wire::TextGeneration | Wire::Lorax | Wire::Triton | Wire::Prediction => {
            "some-model:0"
        }
        _ => "meta.llama3-8b-instruct-v1:0",
    };
    let mut target = target(family);
    target.policy.drop = drop;
    let encoded = encode(&request, &target, wire)?;
    Ok(serde_json::from_slice(&encoded.body).unwrap())
}

fn asking(more: &Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[test]
fn parameters_go_by_the_wires_names() {
    let all =
        json!({"max_completion_tokens": 9, "temperature": 0.5, "top_p": 0.8, "top_k": 4, "stop": ["X"]});
    let few = json!({"max_tokens": 9, "temperature": 0.5, "top_p": 0.8, "top_k": 4});
    let cases = [
        (
            Wire::Titan,
            &all,
            json!({"textGenerationConfig": {"maxTokenCount": 9, "temperature": 0.5, "topP": 0.8, "top_k": 4,
                                            "stopSequences": ["X"]}}),
        ),
        (Wire::Llama, &few, json!({"max_gen_len": 9, "temperature": 0.5, "top_p": 0.8, "top_k": 4})),
        (
            Wire::Mistral,
            &all,
            json!({"max_tokens": 9, "temperature": 0.5, "top_p": 0.8, "top_k": 4, "stop": ["X"]}),
        ),
        (
            Wire::Command,
            &all,
            json!({"max_tokens": 9, "temperature": 0.5, "p": 0.8, "k": 4, "stop_sequences": ["X"]}),
        ),
        (
            Wire::OwnQwen,
            &all,
            json!({"max_gen_len": 9, "temperature": 0.5, "top_p": 0.8, "top_k": 4, "stop": ["X"]}),
        ),
    ];
    for (wire, asked, expected) in cases {
        let mut body = sent(wire, &asking(asked), false).unwrap();
        let prompt = body.as_object_mut().unwrap().shift_remove(wire.names().prompt);
        assert!(prompt.unwrap().as_str().unwrap().contains("Hi"));
        assert_eq!(body, expected, "{wire:?}");
    }
}

#[test]
fn what_a_prompt_cannot_say_is_refused_by_name_or_dropped() {
    let tool = json!({"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}});
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
    let picture = json!([{"role": "user", "content": [{"type": "text", "text": "Hi"}, image]}]);
    let call = json!({"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let past = json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [call]},
                      {"role": "tool", "tool_call_id": "1", "content": "20"}]);
    for (name, more) in [
        ("tools", json!({"tools": [tool]})),
        ("stop", json!({"stop": "X"})),
        ("n", json!({"n": 2})),
        ("seed", json!({"seed": 7})),
        ("response_format", json!({"response_format": {"type": "json_object"}})),
        ("response_format", json!({"response_format": {"type": "text"}})),
        ("reasoning_effort", json!({"reasoning_effort": "low"})),
        ("thinking", json!({"thinking": {"type": "disabled"}})),
        ("logprobs", json!({"logprobs": true})),
        ("frequency_penalty", json!({"frequency_penalty": 0.5})),
        ("messages", json!({"messages": picture})),
        ("messages", json!({"messages": past})),
    ] {
        let error = sent(Wire::Llama, &asking(&more), false).unwrap_err();
        assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some(name)), "{error}");
        let body = sent(Wire::Llama, &asking(&more), true).unwrap();
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["prompt"], "{name}");
    }
}

#[test]
fn what_is_the_default_anyway_and_what_names_people_is_left_out() {
    let more =
        json!({"n": 1, "user": "u", "metadata": {"a": "b"}, "stream_options": {"include_usage": true}});
    let body = sent(Wire::Mistral, &asking(&more), false).unwrap();
    assert_eq!(body, json!({"prompt": "<s>[INST] Hi [/INST]\n"}));
}

#[test]
fn calls_are_written_where_the_family_has_a_form_for_them() {
    let call = json!({"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}});
    let past = json!({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [call]},
                                   {"role": "tool", "tool_call_id": "1", "content": "20"}]});
    let body = sent(Wire::OwnQwen, &asking(&past), false).unwrap();
    let prompt = body["prompt"].as_str().unwrap();
    let call = "<|im_start|>assistant\n<tool_call>\n{\"name\":\"f\",\"arguments\":{\"a\":1}}\n</tool_call><|im_end|>\n";
    assert!(prompt.contains(call), "{prompt}");
    assert!(prompt.contains("<tool_response>\n20\n</tool_response>"), "{prompt}");
}

#[test]
fn members_of_the_callers_own_and_a_stream_are_passed() {
    let body = sent(Wire::Llama, &asking(&json!({"y": 2, "stream": true})), false).unwrap();
    assert_eq!((&body["y"], &body["stream"]), (&json!(2), &json!(true)));
}

#[test]
fn servers_bodies_have_each_thing_in_its_place() {
    let ask = |more: Value| asking(&more);
    for (wire, asked, expected) in [
        (
            Wire::Complete,
            ask(json!({"max_tokens": 9, "stop": "X", "top_k": 4, "user": "u", "y": 1})),
            json!({"model": "meta.llama3-8b-instruct-v1:0", "prompt": "\n\nHuman: Hi\n\nAssistant:",
                   "max_tokens_to_sample": 9, "stop_sequences": ["X"], "top_k": 4, "metadata": {"user_id": "u"}, "y": 1}),
        ),
        (
            Wire::Generation,
            ask(json!({"max_tokens": 9, "n": 2, "frequency_penalty": 0.5, "stream": true})),
            json!({"text": "Hi", "max_length": 9, "num_return_sequences": 2, "frequency_penalty": 0.5, "stream": true}),
        ),
        (
            Wire::TextGeneration,
            ask(json!({"max_tokens": 9, "temperature": 0, "n": 2, "watermark": true})),
            json!({"inputs": "Hi", "parameters": {"max_new_tokens": 9, "temperature": 0.01, "best_of": 2,
                   "do_sample": true, "watermark": true}}),
        ),
        (
            Wire::Lorax,
            ask(
                json!({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}, "details": false}),
            ),
            json!({"inputs": "Hi", "parameters": {"max_new_tokens": 4096, "details": false, "return_full_text": false,
                   "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}}}),
        ),
        (
            Wire::Triton,
            ask(json!({"max_completion_tokens": 9, "top_k": 4})),
            json!({"text_input": "Hi", "parameters": {"max_tokens": 9, "top_k": 4}}),
        ),
        (
            Wire::Prediction,
            ask(json!({"max_tokens": 9, "seed": 7, "stop": ["X", "Y"], "top_p": 0.5})),
            json!({"version": "0", "input": {"prompt": "Hi", "max_new_tokens": 9, "seed": 7, "stop_sequences": "X,Y", "top_p": 0.5}}),
        ),
    ] {
        let body = sent(wire, &asked, false).unwrap();
        assert_eq!(body, expected, "{wire:?}");
    }
}

#[test]
fn a_stop_text_with_the_mark_between_stop_texts_is_refused() {
    let error = sent(Wire::Prediction, &asking(&json!({"stop": "a,b"})), false).unwrap_err();
    assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some("stop")), "{error}");
}

#[test]
fn servers_without_a_parameter_refuse_it_by_name() {
    for (wire, name, more) in [
        (Wire::Triton, "temperature", json!({"temperature": 0.5})),
        (Wire::Triton, "top_p", json!({"top_p": 0.5})),
        (Wire::Triton, "stop", json!({"stop": "X"})),
        (Wire::Complete, "n", json!({"n": 2})),
        (Wire::Lorax, "seed", json!({"seed": 7})),
        (Wire::Generation, "response_format", json!({"response_format": {"type": "json_object"}})),
    ] {
        let error = sent(wire, &asking(&more), false).unwrap_err();
        assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some(name)), "{error}");
    }
}
