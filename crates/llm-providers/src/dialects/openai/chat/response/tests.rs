//! Replies read and written.

use llm_types::{
    ChatResponse, Choice, Citation, ErrorKind, Extra, Finish, Media, MediaSource, Message, Money, Part,
    PartKind, Role, ToolCall, Usage,
};
use serde_json::{Value, json};

use super::{decode, encode, facts};
use crate::dialect::ReplyContext;

fn read(body: &Value) -> ChatResponse {
    decode(&serde_json::to_vec(body).unwrap()).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "calls read better with `json!` in place")]
fn read_message(message: Value) -> Choice {
    read(&json!({"id": "i", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}))
        .choices
        .remove(0)
}

#[expect(clippy::needless_pass_by_value, reason = "calls read better with `json!` in place")]
fn read_usage(usage: Value) -> Usage {
    read(&json!({"choices": [], "usage": usage})).usage.unwrap()
}

fn reply(parts: Vec<Part>, finish: Finish) -> ChatResponse {
    let message = Message::new(Role::Assistant, parts);
    let choice = Choice { index: 0, message, finish: Some(finish), logprobs: None, extra: Extra::default() };
    ChatResponse {
        id: "i".into(),
        model: "m".into(),
        created: Some(7),
        choices: vec![choice],
        ..ChatResponse::default()
    }
}

fn shown(reply: &ChatResponse) -> Value {
    let cx = ReplyContext { id: "cx".into(), model: "cm".into(), now: 9, ..ReplyContext::default() };
    serde_json::from_slice(&encode(reply, &cx)).unwrap()
}

#[test]
fn an_ordinary_reply_is_read() {
    let read = read(
        &json!({"id": "i", "object": "chat.completion", "created": 7, "model": "m", "system_fingerprint": "fp",
        "service_tier": "default", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi", "refusal": null},
        "logprobs": {"content": []}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}),
    );
    let mut expected = reply(vec![Part::text("Hi")], Finish::Length);
    expected.choices[0].logprobs = Some(json!({"content": []}));
    expected.usage = Some(Usage { input_tokens: 3, output_tokens: 2, ..Usage::default() });
    expected.service_tier = Some("default".into());
    expected.extra.keep("system_fingerprint", json!("fp"));
    assert_eq!(read, expected);
}

#[test]
fn vendors_variations_are_understood() {
    let call = |id: &str, arguments: &str| {
        let call = ToolCall { id: id.into(), name: "f".into(), arguments: arguments.into(), custom: false };
        vec![Part::new(PartKind::ToolCall(call))]
    };
    let picture = Media::new(MediaSource::Base64("AAAA".into()), Some("image/png".into()));
    for (message, parts) in [
        (json!({"content": "a", "reasoning": "hm"}), vec![Part::reasoning("hm", None), Part::text("a")]),
        (
            json!({"content": "a", "reasoning_content": "hm", "reasoning": "hm"}),
            vec![Part::reasoning("hm", None), Part::text("a")],
        ),
        (
            json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
            vec![Part::reasoning("hm", None), Part::text("a"), Part::text("b")],
        ),
        (
            json!({"content": "a", "reasoning_content": "hm", "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "s"}]}),
            vec![Part::reasoning("hm", Some("s".into())), Part::text("a")],
        ),
        (json!({"content": "", "refusal": "no"}), vec![Part::new(PartKind::Refusal { text: "no".into() })]),
        (json!({"content": null, "tool_calls": null, "function_call": null}), vec![]),
        (json!({"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}), call("c", "{}")),
        (
            json!({"tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]}),
            call("call_i_0_0", "{\"x\":1}"),
        ),
        (json!({"function_call": {"name": "f", "arguments": "{}"}}), call("call_i_0_0", "{}")),
        (
            json!({"content": "", "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}),
            vec![Part::new(PartKind::Image(picture))],
        ),
        (json!({"content": {"age": 3}}), vec![Part::text("{\"age\":3}")]),
    ] {
        assert_eq!(read_message(message.clone()).message.parts, parts, "{message}");
    }
}

#[test]
fn finish_words_of_all_vendors_mean_something() {
    for (word, finish) in [
        ("stop", Some(Finish::Stop)),
        ("eos_token", Some(Finish::Stop)),
        ("length", Some(Finish::Length)),
        ("model_length", Some(Finish::ContextWindow)),
        ("content_filter", Some(Finish::ContentFilter)),
        ("function_call", Some(Finish::ToolCalls)),
        ("", None),
        ("insufficient_system_resource", Some(Finish::Other("insufficient_system_resource".into()))),
    ] {
        let read = read(&json!({"choices": [{"message": {"content": "a"}, "finish_reason": word}]}));
        assert_eq!(read.choices[0].finish, finish, "{word}");
    }
    let called = json!({"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": ""}}]});
    assert_eq!(read_message(called).finish, Some(Finish::ToolCalls), "`stop` with calls");
}

#[test]
fn usage_is_read_wherever_vendors_put_it() {
    let base = |input, output| Usage { input_tokens: input, output_tokens: output, ..Usage::default() };
    for (wire, usage) in [
        (
            json!({"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14,
                "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 2, "accepted_prediction_tokens": 1, "rejected_prediction_tokens": 0}}),
            Usage {
                cache_read_tokens: Some(4),
                input_audio_tokens: Some(1),
                reasoning_tokens: Some(2),
                accepted_prediction_tokens: Some(1),
                rejected_prediction_tokens: Some(0),
                ..base(9, 5)
            },
        ),
        (
            json!({"prompt_tokens": 9, "completion_tokens": 5, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 1}),
            Usage { cache_read_tokens: Some(8), ..base(9, 5) },
        ),
        (
            json!({"prompt_tokens": 9, "completion_tokens": 5, "cached_tokens": 3}),
            Usage { cache_read_tokens: Some(3), ..base(9, 5) },
        ),
        (
            json!({"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2,
                "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 0}}),
            Usage {
                cache_read_tokens: Some(3),
                cache_write_tokens: Some(2),
                cache_write_5m_tokens: Some(2),
                cache_write_1h_tokens: Some(0),
                ..base(9, 5)
            },
        ),
        // xAI: 205 + 18 + 60 = 283, reasoning beside the answer.
        (
            json!({"prompt_tokens": 205, "completion_tokens": 18, "total_tokens": 283, "completion_tokens_details": {"reasoning_tokens": 60}}),
            Usage { reasoning_tokens: Some(60), ..base(205, 78) },
        ),
        (
            json!({"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.000_15}),
            Usage { stated_cost: Some(Money(150_000)), ..base(1, 1) },
        ),
        (
            json!({"prompt_tokens": 1, "completion_tokens": 1, "cost": {"total_cost": 0.5}}),
            Usage { stated_cost: Some(Money(500_000_000)), ..base(1, 1) },
        ),
        (json!({"prompt_tokens": null, "completion_tokens": 2.0, "prompt_tokens_details": null}), base(0, 2)),
        (
            json!({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 9}),
            Usage { total_tokens: Some(9), ..base(1, 2) },
        ),
        (
            json!({"prompt_tokens": 1, "completion_tokens": 0, "num_sources_used": 2}),
            Usage { web_searches: Some(2), ..base(1, 0) },
        ),
    ] {
        assert_eq!(read_usage(wire.clone()), usage, "{wire}");
    }
    assert_eq!(read(&json!({"choices": [], "usage": null})).usage, None, "unknown is not zero");
}

#[test]
fn sources_become_citations() {
    let cited = read(
        &json!({"choices": [{"message": {"content": "a"}}], "citations": ["https://a.example", "https://b.example"]}),
    );
    let PartKind::Text { citations, .. } = &cited.choices[0].message.parts[0].kind else { panic!() };
    assert_eq!(
        citations.iter().filter_map(|cited| cited.url.as_deref()).collect::<Vec<_>>(),
        ["https://a.example", "https://b.example"]
    );
    let annotated = json!({"type": "url_citation", "url_citation": {"start_index": 1, "end_index": 4, "url": "https://a.example", "title": "A"}});
    let choice = read_message(json!({"content": "a", "annotations": [annotated]}));
    let PartKind::Text { citations, .. } = &choice.message.parts[0].kind else { panic!() };
    assert_eq!((citations[0].title.as_deref(), citations[0].span), (Some("A"), Some((1, 4))));
    let mut back = reply(choice.message.parts, Finish::Stop);
    assert_eq!(shown(&back)["choices"][0]["message"]["annotations"], json!([annotated]));
    let foreign = Citation {
        dialect: Some("anthropic".into()),
        native: Some(json!({"type": "page_location"})),
        ..Citation::default()
    };
    back.choices[0].message.parts =
        vec![Part::new(PartKind::Text { text: "a".into(), citations: vec![foreign] })];
    assert_eq!(
        shown(&back)["choices"][0]["message"]["provider_specific_fields"],
        json!({"citations": [{"type": "page_location"}]})
    );
}

#[test]
fn what_is_no_completion_is_an_error() {
    for (body, kind, words) in [
        ("<html>", ErrorKind::BadUpstream, "not JSON"),
        ("{}", ErrorKind::BadUpstream, "expected an array `choices`, found none"),
        (r#"{"choices":{}}"#, ErrorKind::BadUpstream, "found an object"),
        (r#"{"error":{"message":"slow down","code":429}}"#, ErrorKind::RateLimited, "slow down"),
        (r#"{"error":"no model","code":"x"}"#, ErrorKind::BadUpstream, "no model"),
        (r#"{"choices":[{"error":{"message":"inner","code":502}}]}"#, ErrorKind::BadUpstream, "inner"),
        (
            r#"{"choices":[{"message":{"content":"half"},"finish_reason":"error"}]}"#,
            ErrorKind::BadUpstream,
            "`error`",
        ),
    ] {
        let error = decode(body.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), kind, "{body}");
        assert!(error.message().contains(words), "{error}");
        let facts = facts(body.as_bytes());
        assert_eq!((facts.error, facts.complete), (Some(error), false));
    }
}

#[test]
fn facts_count_what_the_model_wrote() {
    let body = json!({"id": "i", "model": "m", "choices": [{"message": {"content": "Grüße", "reasoning": "hm",
        "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}, "finish_reason": "stop"}]});
    let facts = facts(&serde_json::to_vec(&body).unwrap());
    assert_eq!(
        (facts.answer_bytes, facts.finish, facts.complete),
        (7 + 2 + 3, Some(Finish::ToolCalls), true)
    );
}

#[test]
fn replies_have_openais_shape() {
    let mut answer = reply(vec![Part::text("Hel"), Part::text("lo")], Finish::Stop);
    answer.usage =
        Some(Usage { input_tokens: 3, output_tokens: 2, reasoning_tokens: Some(1), ..Usage::default() });
    assert_eq!(
        shown(&answer),
        json!({"id": "i", "object": "chat.completion", "created": 7, "model": "m", "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hello", "refusal": null}, "finish_reason": "stop", "logprobs": null}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 1}}})
    );
    let bare = shown(&ChatResponse::default());
    assert_eq!(
        bare,
        json!({"id": "cx", "object": "chat.completion", "created": 9, "model": "cm", "choices": []})
    );
}

#[test]
fn thoughts_calls_and_pictures_are_shown_as_litellm_does() {
    let mut call = Part::new(PartKind::ToolCall(ToolCall {
        id: "c".into(),
        name: "f".into(),
        arguments: "{}".into(),
        custom: false,
    }));
    call.signature = Some("ts".into());
    let picture = Media::new(MediaSource::Base64("AAAA".into()), Some("image/png".into()));
    let parts = vec![
        Part::reasoning("hm", Some("s".into())),
        Part::new(PartKind::RedactedReasoning { data: "x".into() }),
        Part::new(PartKind::Image(picture)),
        call,
    ];
    assert_eq!(
        shown(&reply(parts, Finish::ToolCalls))["choices"][0]["message"],
        json!({"role": "assistant", "content": null, "refusal": null, "reasoning_content": "hm",
            "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "redacted_thinking", "data": "x"}],
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"},
                "provider_specific_fields": {"thought_signature": "ts"}}],
            "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}, "index": 0}]})
    );
}

#[test]
fn cache_writes_show_under_both_names() {
    let mut answer = reply(vec![Part::text("a")], Finish::Stop);
    answer.usage = Some(Usage {
        input_tokens: 10,
        output_tokens: 1,
        cache_read_tokens: Some(4),
        cache_write_tokens: Some(5),
        stated_cost: Some(Money(1_500_000_000)),
        ..Usage::default()
    });
    assert_eq!(
        shown(&answer)["usage"],
        json!({"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_creation_tokens": 5},
            "cache_creation_input_tokens": 5, "cache_read_input_tokens": 4, "cost": 1.5})
    );
}

#[test]
fn the_call_of_the_tool_that_stands_in_for_a_schema_is_the_answer() {
    let call = |name: &str| json!({"id": "1", "type": "function", "function": {"name": name, "arguments": "{\"a\":1}"}});
    let one = read(&json!({"id": "i", "choices": [{"index": 0, "finish_reason": "tool_calls",
        "message": {"role": "assistant", "content": null, "tool_calls": [call("json_tool_call")]}}]}));
    assert_eq!(one.choices[0].message.text(), "{\"a\":1}");
    assert_eq!(one.choices[0].finish, Some(Finish::Stop));
    let other = read_message(json!({"role": "assistant", "tool_calls": [call("f")]}));
    assert_eq!((other.message.text().as_str(), other.finish), ("", Some(Finish::ToolCalls)));
}
