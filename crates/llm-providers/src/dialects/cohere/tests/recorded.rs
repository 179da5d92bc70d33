//! Recorded traffic: every request, reply, stream and error of the vendor is read, forwarded untouched
//! and written again without loss.

use bytes::Bytes;
use llm_types::Event;
use serde_json::{Value, json};

use super::{events, frames, relayed, status, target, without_nulls};
use crate::ReplyContext;
use crate::dialect::Dialect;
use crate::dialects::cohere::Cohere;
use crate::dialects::tests::bench;

/// The recordings of the second version's chat endpoint, by file name.
fn recordings() -> Vec<(String, Value)> {
    bench::recordings(&["traffic/cohere"], &["v2/chat"], 20)
}

/// One form for what may be written in two ways: a text alone, an empty list, a default said aloud.
fn normal_request(body: &Value) -> Value {
    let mut body = without_nulls(body);
    for message in body["messages"].as_array_mut().unwrap() {
        let message = message.as_object_mut().unwrap();
        let blocks = message.get("content").and_then(Value::as_array);
        let text = blocks.and_then(|blocks| match blocks.as_slice() {
            [] => Some(json!("")),
            [only] if only["type"] == "text" => Some(only["text"].clone()),
            _ => None,
        });
        if let Some(text) = text {
            message.insert("content".to_owned(), text);
        }
        let calls = message.contains_key("tool_calls");
        message.retain(|name, value| *value != json!([]) && !(calls && name == "content" && value == ""));
    }
    let body = body.as_object_mut().unwrap();
    body.retain(|name, value| *value != json!([]) && !(name == "stream" && value == false));
    if let Some(choice) = body.get_mut("tool_choice") {
        *choice = choice.as_str().unwrap().to_uppercase().into();
    }
    if let Some(format) = body.get_mut("response_format")
        && format["type"] == "json_schema"
    {
        format["type"] = json!("json_object");
    }
    Value::Object(body.clone())
}

#[test]
fn requests_come_back_as_they_were() {
    let mut seen = 0;
    for (name, record) in recordings() {
        let mut body = record["request"]["body"].clone();
        if !body.is_object() {
            continue;
        }
        for message in body["messages"].as_array_mut().unwrap() {
            message.as_object_mut().unwrap().entry("content").or_insert_with(|| json!(""));
        }
        let bytes = Bytes::from(serde_json::to_vec(&body).unwrap());
        let glance = Cohere.glance(&bytes).unwrap();
        let request = Cohere.decode_request(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(glance.model, request.model);
        assert_eq!(glance.stream, request.stream);
        assert_eq!(glance.max_tokens, request.options.max_tokens);
        assert_eq!(glance.has_tools, !request.tools.is_empty());
        assert_eq!(glance.lacks, None);

        let same = Cohere.forward_request(&bytes, &glance, &target(&request.model)).unwrap();
        assert_eq!(same.body.as_ptr(), bytes.as_ptr(), "{name}: forwarded without a copy");

        let written = Cohere.encode_request(&request, &target(&request.model));
        let written = written.unwrap_or_else(|error| panic!("{name}: {error}"));
        let written: Value = serde_json::from_slice(&written.body).unwrap();
        assert_eq!(normal_request(&written), normal_request(&body), "{name}");
        seen += 1;
    }
    eprintln!("requests: {seen}");
}

#[test]
fn replies_come_back_as_they_were() {
    for (name, body) in bench::whole_replies(recordings()) {
        let (response, written) = bench::reply_again(&Cohere, (&name, &body), &ReplyContext::default());
        let facts = Cohere.reply_facts(&serde_json::to_vec(&body).unwrap());
        assert!(facts.answer_bytes > 0, "{name}");
        assert_eq!(facts.id.as_deref(), Some(response.id.as_str()), "{name}");
        assert_eq!(without_nulls(&written), without_nulls(&body), "{name}");
    }
}

#[test]
fn streams_are_forwarded_untouched_and_say_the_same_when_written_again() {
    let mut seen = 0;
    for (name, record) in recordings() {
        let Some(sse) = record["response"]["sse"].as_str() else { continue };
        if status(&record) >= 400 {
            continue;
        }
        let told = bench::stream_forwarded(&Cohere, (&name, sse.as_bytes()), "");
        if !told.iter().any(|event| matches!(event, Event::Error(_))) {
            bench::told_again(&Cohere, &name, &told);
        }
        seen += 1;
    }
    eprintln!("streams: {seen}");
}

#[test]
fn a_stream_cut_anywhere_ends_in_an_error() {
    for (name, record) in recordings() {
        let Some(sse) = record["response"]["sse"].as_str() else { continue };
        let Some(end) = sse.rfind("{\"type\":\"message-end\"").or_else(|| sse.rfind("event: message-end"))
        else {
            continue;
        };
        if status(&record) >= 400 || sse.len() > 20_000 {
            continue;
        }
        for cut in (0..end).step_by(97) {
            let (out, relay) = relayed(&sse.as_bytes()[..cut], 50);
            let out = String::from_utf8(out).unwrap();
            assert!(relay.facts().error.is_some() && !relay.facts().complete, "{name} cut at {cut}");
            let last = out.trim_end().rsplit("\n\n").next().unwrap();
            assert!(last.contains("\"finish_reason\":\"ERROR\""), "{name} cut at {cut}: {last}");
            let told = frames(&events(&sse.as_bytes()[..cut.min(sse[..cut].rfind("\n\n").unwrap_or(0))]));
            assert!(
                told.contains("\"finish_reason\":\"ERROR\"") && !told.contains("[DONE]"),
                "{name}: {told}"
            );
        }
    }
}

#[test]
fn errors_are_understood() {
    bench::errors_are_understood(&Cohere, recordings(), |body| body["message"].as_str());
}
