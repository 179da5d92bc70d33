//! Whole replies and errors, for callers of this dialect and of others.

use http::{HeaderMap, HeaderValue, StatusCode};
use llm_types::{Error, ErrorKind, Finish, Retry, Usage};
use serde_json::{Value, json};
use std::time::Duration;

use crate::ReplyContext;
use crate::dialect::Dialect;
use crate::dialects::cohere::Cohere;
use crate::dialects::{ANTHROPIC, OPENAI_CHAT};

fn context() -> ReplyContext {
    ReplyContext {
        id: "id-1".to_owned(),
        model: "asked".to_owned(),
        now: 5,
        include_usage: true,
        ..ReplyContext::default()
    }
}

fn shown(dialect: &dyn Dialect, from: &dyn Dialect, body: &Value) -> Value {
    let reply = from.decode_response(&serde_json::to_vec(body).unwrap()).unwrap();
    serde_json::from_slice(&dialect.encode_response(&reply, &context()).unwrap()).unwrap()
}

fn cited() -> Value {
    json!({ "id": "c1", "finish_reason": "COMPLETE",
        "message": { "role": "assistant", "content": [{ "type": "thinking", "thinking": "hm" },
            { "type": "text", "text": "By Ada." }],
            "citations": [{ "start": 3, "end": 6, "text": "Ada", "content_index": 1, "type": "TEXT_CONTENT",
                "sources": [{ "type": "document", "id": "doc_1", "document": { "url": "https://e.org/a", "title": "A", "snippet": "Ada wrote" } }] }] },
        "usage": { "billed_units": { "input_tokens": 8, "output_tokens": 4 },
            "tokens": { "input_tokens": 503, "output_tokens": 5 }, "cached_tokens": 448 },
        "logprobs": [{ "text": "By", "token_ids": [1], "logprobs": [-0.5] }, { "text": " Ada.", "token_ids": [2, 3], "logprobs": [-0.25, -0.5] }] })
}

#[test]
fn thoughts_citations_and_figures_reach_other_callers() {
    let answer = shown(OPENAI_CHAT, &Cohere, &cited());
    let message = &answer["choices"][0]["message"];
    assert_eq!((&message["content"], &message["reasoning_content"]), (&json!("By Ada."), &json!("hm")));
    let annotation = &message["annotations"][0]["url_citation"];
    assert_eq!((&annotation["url"], &annotation["start_index"]), (&json!("https://e.org/a"), &json!(3)));
    let first = &answer["choices"][0]["logprobs"]["content"];
    assert_eq!((&first[0]["token"], &first[1]["logprob"]), (&json!("By"), &json!(-0.75)));
    let usage = &answer["usage"];
    assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(503), &json!(5)));
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], json!(448));
    assert_eq!((&answer["model"], &answer["id"]), (&json!("asked"), &json!("c1")));

    let answer = shown(ANTHROPIC, &Cohere, &cited());
    let text = answer["content"].as_array().unwrap().iter().find(|block| block["type"] == "text").unwrap();
    assert_eq!(text["citations"][0]["url"], json!("https://e.org/a"));
    assert_eq!(text["citations"][0]["cited_text"], json!("Ada wrote"));
}

#[test]
fn what_is_billed_is_what_the_vendor_bills() {
    let reply = Cohere.decode_response(&serde_json::to_vec(&cited()).unwrap()).unwrap();
    let usage = reply.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cache_read_tokens), (503, 5, Some(448)));
    let paid = usage.paid_for();
    assert_eq!((paid.input_tokens, paid.output_tokens, paid.cache_read_tokens), (8, 4, None));
}

#[test]
fn a_call_and_its_plan_reach_other_callers() {
    let reply = json!({ "id": "c1", "finish_reason": "TOOL_CALL", "message": { "role": "assistant",
        "tool_plan": "I will look", "tool_calls": [{ "id": "t1", "type": "function",
            "function": { "name": "look", "arguments": "{\"a\":1}" } }] } });
    let answer = shown(OPENAI_CHAT, &Cohere, &reply);
    assert_eq!(answer["choices"][0]["finish_reason"], json!("tool_calls"));
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["tool_calls"][0]["function"]["arguments"], json!("{\"a\":1}"));
    assert_eq!(message["reasoning_content"], json!("I will look"));
    assert_eq!(shown(&Cohere, &Cohere, &reply)["message"], reply["message"]);
}

#[test]
fn replies_of_others_have_the_vendors_form() {
    let reply = json!({ "id": "x", "object": "chat.completion", "created": 1, "model": "gpt", "choices": [{ "index": 0,
        "finish_reason": "stop", "message": { "role": "assistant", "content": "By Ada.", "annotations": [
            { "type": "url_citation", "url_citation": { "start_index": 3, "end_index": 6, "url": "https://e.org/a", "title": "A" } }] },
        "logprobs": { "content": [{ "token": "By", "logprob": -0.5, "bytes": null, "top_logprobs": [] }] } }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_tokens_details": { "cached_tokens": 4 } } });
    let answer = shown(&Cohere, OPENAI_CHAT, &reply);
    assert_eq!((&answer["id"], &answer["finish_reason"]), (&json!("x"), &json!("COMPLETE")));
    assert_eq!(answer["message"]["content"], json!([{ "type": "text", "text": "By Ada." }]));
    let cited = &answer["message"]["citations"][0];
    assert_eq!((&cited["start"], &cited["end"], &cited["text"]), (&json!(3), &json!(6), &json!("Ada")));
    assert_eq!(cited["sources"][0]["document"]["url"], json!("https://e.org/a"));
    assert_eq!(answer["logprobs"], json!([{ "text": "By", "token_ids": [], "logprobs": [-0.5] }]));
    assert_eq!(
        answer["usage"],
        json!({ "billed_units": { "input_tokens": 10, "output_tokens": 5 },
            "tokens": { "input_tokens": 10, "output_tokens": 5 }, "cached_tokens": 4 })
    );
}

#[test]
fn finish_reasons_and_their_meaning() {
    for (word, finish) in [
        ("COMPLETE", Finish::Stop),
        ("STOP_SEQUENCE", Finish::StopSequence(None)),
        ("MAX_TOKENS", Finish::Length),
        ("TOOL_CALL", Finish::ToolCalls),
        ("ERROR_TOXIC", Finish::ContentFilter),
        ("ERROR_LIMIT", Finish::ContextWindow),
    ] {
        let body =
            json!({ "id": "a", "finish_reason": word, "message": { "role": "assistant", "content": [] } });
        let reply = Cohere.decode_response(&serde_json::to_vec(&body).unwrap()).unwrap();
        assert_eq!(reply.choices[0].finish, Some(finish), "{word}");
        let again = Cohere.encode_response(&reply, &context()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&again).unwrap()["finish_reason"], word);
    }
}

/// An answer that the vendor says has failed is an error, whatever its status.
#[test]
fn a_failed_answer_is_an_error() {
    for (body, kind) in [
        (
            json!({ "id": "a", "finish_reason": "ERROR", "message": { "role": "assistant", "content": [] } }),
            ErrorKind::BadUpstream,
        ),
        (
            json!({ "id": "a", "finish_reason": "TIMEOUT", "message": { "role": "assistant", "content": [] } }),
            ErrorKind::Timeout,
        ),
        (json!({ "message": "out of order" }), ErrorKind::BadUpstream),
        (json!({ "choices": [] }), ErrorKind::BadUpstream),
    ] {
        let bytes = serde_json::to_vec(&body).unwrap();
        assert_eq!(Cohere.decode_response(&bytes).unwrap_err().kind(), kind, "{body}");
        assert_eq!(Cohere.reply_facts(&bytes).error.map(|error| error.kind()), Some(kind), "{body}");
    }
    assert_eq!(Cohere.decode_response(b"<html>").unwrap_err().kind(), ErrorKind::BadUpstream);
}

#[test]
fn usage_of_a_failed_answer_is_kept() {
    let body = json!({ "id": "a", "finish_reason": "ERROR", "message": { "role": "assistant" },
        "usage": { "tokens": { "input_tokens": 9, "output_tokens": 2 } } });
    let error = Cohere.decode_response(&serde_json::to_vec(&body).unwrap()).unwrap_err();
    assert_eq!(error.usage(), Some(&Usage { input_tokens: 9, output_tokens: 2, ..Usage::default() }));
}

#[test]
fn statuses_and_words_of_errors() {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("7"));
    for (status, message, kind) in [
        (400, "invalid request: image content is not supported", ErrorKind::BadRequest),
        (400, "too many tokens: size limit exceeded by 11 tokens", ErrorKind::ContextTooLong),
        (401, "invalid api token", ErrorKind::Unauthenticated),
        (404, "model 'x' not found", ErrorKind::NotFound),
        (422, "bad", ErrorKind::BadRequest),
        (429, "slow down", ErrorKind::RateLimited),
        (429, "you have reached your monthly limit", ErrorKind::QuotaExceeded),
        (498, "invalid token", ErrorKind::BadRequest),
        (500, "internal server error", ErrorKind::BadUpstream),
        (503, "busy", ErrorKind::Overloaded),
    ] {
        let body = serde_json::to_vec(&json!({ "id": "i", "message": message })).unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        let error = Cohere.decode_error(status, &headers, &body);
        assert_eq!((error.kind(), error.message()), (kind, message), "{status}");
        if kind == ErrorKind::RateLimited {
            assert_eq!(error.retry(), Retry::After(Duration::from_secs(7)));
        }
    }
    let plain = Cohere.decode_error(StatusCode::BAD_GATEWAY, &headers, b"upstream is down");
    assert_eq!(plain.message(), "provider answered status 502: upstream is down");
}

#[test]
fn errors_for_callers() {
    let (status, body) = Cohere.encode_error(&Error::bad_param("p", "`p`: expected a number"));
    assert_eq!(
        (status.as_u16(), body.as_ref()),
        (400, br#"{"message":"`p`: expected a number"}"#.as_slice())
    );
}
