//! Recorded traffic: every request, reply, stream and error of the vendor is read, forwarded untouched
//! and written again without loss.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use llm_types::Event;
use serde_json::{Value, json};

use super::{frames, status, target, without_nulls};
use crate::ReplyContext;
use crate::dialect::Dialect;
use crate::dialects::converse::Converse;
use crate::dialects::tests::bench;

/// The recordings of the two operations, by file name.
fn recordings() -> Vec<(String, Value)> {
    bench::recordings(&["traffic/bedrock"], &["converse", "converse-stream"], 25)
}

/// The binary streams with a success status.
fn streams() -> Vec<(String, Vec<u8>)> {
    let recorded = recordings().into_iter().filter(|(_, record)| status(record) < 400);
    let streams = recorded.filter_map(|(name, record)| {
        let text = record["response"]["body_base64"].as_str()?;
        let body = BASE64_STANDARD.decode(text).unwrap();
        // Of some only the beginning was recorded.
        let whole = events_end(&body);
        whole.then_some((name, body))
    });
    streams.collect()
}

fn events_end(body: &[u8]) -> bool {
    let mut splitter = crate::framing::event_stream::Splitter::new();
    splitter.push(Bytes::copy_from_slice(body));
    let mut last = Bytes::new();
    while let Ok(Some(frame)) = splitter.next_frame() {
        last = frame.event;
    }
    last == "metadata" && splitter.finish().is_ok()
}

#[test]
fn requests_come_back_as_they_were() {
    let mut seen = 0;
    for (name, record) in recordings() {
        let (body, model) = (&record["request"]["body"], record["model"].as_str().unwrap_or_default());
        if !body.is_object() {
            continue;
        }
        let bytes = Bytes::from(serde_json::to_vec(body).unwrap());
        let glance = Converse.glance(&bytes).unwrap();
        let request = Converse.decode_request(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(glance.max_tokens, request.options.max_tokens);
        assert_eq!(glance.has_tools, !request.tools.is_empty());

        let same = Converse.forward_request(&bytes, &glance, &target(model)).unwrap();
        assert_eq!(same.body.as_ptr(), bytes.as_ptr(), "{name}: forwarded without a copy");

        let encoded = Converse.encode_request(&request, &target(model));
        let encoded = encoded.unwrap_or_else(|error| panic!("{name}: {error}"));
        let got: Value = serde_json::from_slice(&encoded.body).unwrap();
        assert_eq!(normal_request(&got), normal_request(body), "{name}");
        seen += 1;
    }
    eprintln!("requests: {seen}");
}

/// What the encoder may change: empty lists, the spelling of schemas, what models are asked for.
fn normal_request(body: &Value) -> Value {
    let mut body = without_nulls(body);
    let map = body.as_object_mut().unwrap();
    map.remove("additionalModelResponseFieldPaths");
    // A thinking budget needs a limit above it: ours states one where the caller does not.
    if map.get("additionalModelRequestFields").is_some_and(|added| added.get("thinking").is_some())
        && let Some(Value::Object(config)) = map.get_mut("inferenceConfig")
    {
        config.remove("maxTokens");
    }
    map.retain(|_, value| *value != json!([]) && *value != json!({}));
    join_neighbours(map["messages"].as_array_mut().unwrap());
    // Most families refuse it at the root of a schema.
    for tool in
        map.get_mut("toolConfig").and_then(|config| config["tools"].as_array_mut()).into_iter().flatten()
    {
        if let Some(Value::Object(schema)) = tool.pointer_mut("/toolSpec/inputSchema/json") {
            schema.remove("additionalProperties");
        }
    }
    for message in map["messages"].as_array_mut().unwrap() {
        for block in message["content"].as_array_mut().unwrap() {
            for result in
                block.pointer_mut("/toolResult/content").and_then(Value::as_array_mut).into_iter().flatten()
            {
                if let Some(json) = result.get("json").cloned() {
                    *result = json!({ "text": json.to_string().replace(".0", "") });
                }
            }
        }
    }
    if let Some(schema) = map
        .get_mut("outputConfig")
        .and_then(|config| config.pointer_mut("/textFormat/structure/jsonSchema/schema"))
    {
        *schema = serde_json::from_str(schema.as_str().unwrap()).unwrap();
        *schema = crate::dialects::anthropic::exact(schema);
    }
    body
}

/// Neighbours of one role are one turn: the vendor refuses them apart.
fn join_neighbours(messages: &mut Vec<Value>) {
    for message in std::mem::take(messages) {
        match messages.last_mut().filter(|last| last["role"] == message["role"]) {
            Some(last) => {
                let more = message["content"].as_array().unwrap().clone();
                last["content"].as_array_mut().unwrap().extend(more);
            }
            None => messages.push(message),
        }
    }
}

#[test]
fn replies_come_back_as_they_were() {
    for (name, body) in bench::whole_replies(recordings()) {
        let elapsed_ms = body["metrics"]["latencyMs"].as_u64().unwrap();
        let cx = ReplyContext { elapsed_ms, ..Default::default() };
        let (_, written) = bench::reply_again(&Converse, (&name, &body), &cx);
        assert_eq!(normal_reply(&written), normal_reply(&body), "{name}");
    }
}

/// Without counters and marks that have no canonical form.
fn normal_reply(body: &Value) -> Value {
    let mut body = without_nulls(body);
    let usage = body["usage"].as_object_mut().unwrap();
    usage.retain(|name, value| {
        let known = matches!(
            name.as_str(),
            "cacheReadInputTokenCount" | "cacheWriteInputTokenCount" | "serverToolUsage"
        );
        !known && *value != json!([])
    });
    let content = body["output"]["message"]["content"].as_array_mut().unwrap();
    for block in &mut *content {
        if block.pointer("/toolUse/type") == Some(&json!("tool_use")) {
            block["toolUse"].as_object_mut().unwrap().remove("type");
        }
    }
    content.retain(|block| block["text"].as_str().is_none_or(|text| !text.trim().is_empty()));
    if body["stopReason"] == "guardrail_intervened" {
        body["stopReason"] = json!("content_filtered");
    }
    body
}

#[test]
fn streams_are_forwarded_untouched_and_say_the_same_when_written_again() {
    let mut seen = 0;
    for (name, body) in streams() {
        let told = bench::stream_forwarded(&Converse, (&name, &body), "");
        assert!(told.contains(&Event::Done), "{name}: {told:?}");
        bench::told_again(&Converse, &name, &told);
        seen += 1;
    }
    eprintln!("streams: {seen}");
}

#[test]
fn a_stream_cut_anywhere_ends_in_an_exception() {
    let mut seen = 0;
    for (name, body) in streams() {
        let starts = starts(&body);
        // What is missing behind `messageStop` is the usage only.
        let end = starts[starts.len() - 2];
        for cut in (0..end).step_by(53) {
            let (out, relay) = bench::relayed(&Converse, &body[..cut], 50);
            assert!(relay.facts().error.is_some() && !relay.facts().complete, "{name} cut at {cut}");
            let found = frames(&Bytes::from(out.clone()));
            let (last, whole) = found.split_last().unwrap();
            assert_eq!(last.0, "exception:modelStreamErrorException", "{name} cut at {cut}");
            assert_eq!(out[..starts[whole.len()]], body[..starts[whole.len()]], "{name} cut at {cut}");
        }
        seen += 1;
    }
    eprintln!("streams cut: {seen}");
}

/// Where the frames of a body begin.
fn starts(body: &[u8]) -> Vec<usize> {
    let mut splitter = crate::framing::event_stream::Splitter::new();
    splitter.push(Bytes::copy_from_slice(body));
    let (mut starts, mut at) = (Vec::new(), 0);
    while let Some(raw) = splitter.next_raw().unwrap() {
        starts.push(at);
        at += raw.len();
    }
    starts
}

#[test]
fn errors_are_understood() {
    bench::errors_are_understood(&Converse, recordings(), |body| {
        body["message"].as_str().or(body["Message"].as_str())
    });
}
