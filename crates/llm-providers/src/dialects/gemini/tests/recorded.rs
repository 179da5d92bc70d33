//! Recorded traffic: every request, reply, stream and error of the vendor is read, forwarded untouched
//! and written again without loss.

use bytes::Bytes;
use llm_types::{Event, PartKind};
use serde_json::{Value, json};

use super::super::wire::camel_value;
use super::round_trip::joined;
use super::{events, frames, status, target, without_nulls};
use crate::ReplyContext;
use crate::dialect::{Dialect, Glance};
use crate::dialects::gemini::Gemini;
use crate::dialects::tests::bench;

/// The recordings of `generateContent`, streamed and not, by file name.
fn recordings() -> Vec<(String, Value)> {
    bench::recordings(
        &["traffic/gemini", "traffic/vertex_ai"],
        &["generateContent", "streamGenerateContent"],
        60,
    )
}

#[test]
fn requests_come_back_as_they_were() {
    let mut seen = 0;
    for (name, record) in recordings() {
        let body = &record["request"]["body"];
        if !body.is_object() {
            continue;
        }
        let bytes = Bytes::from(serde_json::to_vec(body).unwrap());
        let model = record["model"].as_str().unwrap();
        let glance = Gemini.glance(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let request = Gemini.decode_request(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(glance.max_tokens, request.options.max_tokens, "{name}");

        let mut target = target(model);
        // The record says what LiteLLM takes, the vendor takes more.
        target.policy.allow.push("top_logprobs".to_owned());
        let same = Gemini.forward_request(&bytes, &glance, &target).unwrap();
        if body.get("model").is_none() {
            assert_eq!(same.body.as_ptr(), bytes.as_ptr(), "{name}: forwarded without a copy");
        }
        let written =
            Gemini.encode_request(&request, &target).unwrap_or_else(|error| panic!("{name}: {error}"));
        let again = Gemini.decode_request(&written.body).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (mut want, mut got) = (request.clone(), again);
        // The path names the model.
        want.model.clear();
        got.model.clear();
        assert_eq!(
            without_nulls(&serde_json::to_value(joined(got)).unwrap()),
            without_nulls(&serde_json::to_value(joined(want)).unwrap()),
            "{name}"
        );
        seen += 1;
    }
    eprintln!("requests: {seen}");
}

#[test]
fn replies_come_back_as_they_were() {
    for (name, body) in bench::whole_replies(recordings()) {
        let (_, written) = bench::reply_again(&Gemini, (&name, &body), &ReplyContext::default());
        assert_eq!(reply(&written), reply(&body), "{name}");
    }
}

/// Numbers of tokens, which the canonical form of log-probabilities has no place for.
fn without_token_ids(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(without_token_ids),
        Value::Object(map) => {
            map.shift_remove("tokenId");
            map.values_mut().for_each(without_token_ids);
        }
        _ => {}
    }
}

/// A reply without what the writer may change: ids of calls that had none, counts without canonical
/// form, members that are empty.
fn reply(body: &Value) -> Value {
    let mut body = camel_value(without_nulls(body));
    without_token_ids(&mut body);
    for candidate in body["candidates"].as_array_mut().into_iter().flatten() {
        for part in candidate["content"]["parts"].as_array_mut().into_iter().flatten() {
            if let Some(call) = part.get_mut("functionCall").and_then(Value::as_object_mut) {
                call.shift_remove("id");
                call.entry("args").or_insert_with(|| json!({}));
            }
            if part.get("thought") == Some(&json!(false)) {
                part.as_object_mut().unwrap().shift_remove("thought");
            }
        }
        let candidate = candidate.as_object_mut().unwrap();
        candidate.entry("index").or_insert(json!(0.0));
        // A word for a withheld answer is one of its class.
        candidate.shift_remove("finishReason");
        let parts = candidate.get("content").and_then(|content| content.get("parts"));
        if parts.is_none_or(|parts| *parts == json!([]) || parts.is_null()) {
            candidate.insert("content".to_owned(), json!({ "parts": [], "role": "model" }));
        }
        let content = candidate.get_mut("content").and_then(Value::as_object_mut);
        content.unwrap().entry("role").or_insert(json!("model"));
        candidate.sort_keys();
    }
    let map = body.as_object_mut().unwrap();
    map.shift_remove("createTime");
    map.shift_remove("usageMetadata");
    map.retain(|name, value| name != "responseId" || *value != json!(""));
    map.retain(|name, value| name != "modelVersion" || *value != json!(""));
    if map.get("promptFeedback").is_some() {
        map.shift_remove("candidates");
    }
    body
}

#[test]
fn streams_are_forwarded_untouched_and_say_the_same_when_written_again() {
    let mut seen = 0;
    for (name, record) in recordings() {
        let Some(sse) = record["response"]["sse"].as_str() else { continue };
        if status(&record) >= 400 {
            continue;
        }
        // A last frame without its blank line gets one.
        let owed = if sse.ends_with("\n\n") || sse.ends_with("\r\n\r\n") { "" } else { "\n" };
        let told = bench::stream_forwarded(&Gemini, (&name, sse.as_bytes()), owed);
        assert!(told.contains(&Event::Done), "{name}: {told:?}");
        let again = events(frames(&told).as_bytes(), usize::MAX);
        assert_eq!(said(&again), said(&told), "{name}");
        seen += 1;
    }
    eprintln!("streams: {seen}");
}

/// What a stream said, whatever the pieces it came in: one line per thing.
fn said(events: &[Event]) -> Vec<String> {
    let mut lines: Vec<(String, String)> = Vec::new();
    for event in events {
        let (kind, text) = match event {
            Event::Start(start) => ("start".to_owned(), format!("{} {}", start.id, start.model)),
            Event::Text { text, .. } => ("text".to_owned(), text.clone()),
            Event::Reasoning { text, .. } => ("reasoning".to_owned(), text.clone()),
            Event::Usage(_) | Event::BlockEnd { .. } => continue,
            Event::Citation { citation, .. } => {
                (String::new(), format!("{:?} {:?} {:?}", citation.url, citation.title, citation.span))
            }
            // Ids that were made here are read from the wire the second time.
            Event::ToolStart { name, .. } => (String::new(), format!("call of {name}")),
            Event::Part { part, .. } => match &part.kind {
                PartKind::Native { value, .. } => (String::new(), value.to_string()),
                _ => (String::new(), format!("{part:?}")),
            },
            other => (String::new(), format!("{other:?}")),
        };
        match lines.last_mut() {
            Some((last, said)) if *last == kind && !kind.is_empty() => said.push_str(&text),
            _ => lines.push((kind, text)),
        }
    }
    let mut lines: Vec<String> = lines.into_iter().map(|(kind, text)| format!("{kind}: {text}")).collect();
    lines.push(format!("{:?}", bench::used(events).map(|usage| (usage.input_tokens, usage.output_tokens))));
    lines
}

#[test]
fn a_stream_cut_before_its_finish_reason_ends_in_an_error() {
    let mut seen = 0;
    for (name, record) in recordings() {
        let Some(sse) = record["response"]["sse"].as_str() else { continue };
        let Some(end) = sse.find("finishReason").or_else(|| sse.find("blockReason")) else { continue };
        if status(&record) >= 400 || sse.len() > 30_000 {
            continue;
        }
        for cut in (0..end).step_by(97).filter(|cut| sse.is_char_boundary(*cut)) {
            let (out, relay) = bench::relayed(&Gemini, &sse.as_bytes()[..cut], 50);
            let out = String::from_utf8(out).unwrap().replace("\r\n", "\n");
            assert!(relay.facts().error.is_some() && !relay.facts().complete, "{name} cut at {cut}");
            let last = out.trim_end().rsplit("\n\n").next().unwrap();
            assert!(last.starts_with("data: {\"error\":{"), "{name} cut at {cut}: {last}");
            let whole = sse[..cut].rfind("\n\r\n").map_or(0, |at| at + 3);
            assert!(!events(&sse.as_bytes()[..whole], 50).contains(&Event::Done), "{name} cut at {cut}");
        }
        seen += 1;
    }
    eprintln!("streams cut: {seen}");
}

#[test]
fn errors_are_understood() {
    bench::errors_are_understood(&Gemini, recordings(), |body| body["error"]["message"].as_str());
}

#[test]
fn forwarding_names_the_stream_in_the_path() {
    let body = Bytes::from_static(br#"{"contents":[{"parts":[{"text":"Hi"}]}]}"#);
    let glance = Glance { stream: true, ..Gemini.glance(&body).unwrap() };
    let sent = Gemini.forward_request(&body, &glance, &target("gemini-2.5-flash")).unwrap();
    assert_eq!(sent.path, "/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
    assert_eq!(sent.body, body);
}
