//! Recorded traffic: every request, reply, stream and error of the vendor is read, forwarded untouched
//! and written again without loss.

use bytes::Bytes;
use llm_types::{ErrorKind, Event};
use serde_json::{Value, json};

use super::{status, target, without_nulls};
use crate::ReplyContext;
use crate::dialect::Dialect;
use crate::dialects::anthropic::Anthropic;
use crate::dialects::tests::bench;

/// The recordings of the messages endpoint, by file name.
fn recordings() -> Vec<(String, Value)> {
    bench::recordings(&["traffic/anthropic"], &["messages"], 80)
}

/// The wire's shorthand written out, and what the encoder may change: one form to compare.
fn normal_request(body: &Value) -> Value {
    let mut body = without_nulls(body);
    let blocks = |content: &mut Value| {
        if let Some(text) = content.as_str() {
            *content = json!([{ "type": "text", "text": text }]);
        }
    };
    if let Some(system) = body.get_mut("system") {
        blocks(system);
    }
    let mut messages: Vec<Value> = Vec::new();
    for mut message in body["messages"].take().as_array().cloned().unwrap() {
        blocks(&mut message["content"]);
        for block in message["content"].as_array_mut().unwrap() {
            one_text_as_string(block);
        }
        let same = messages.last().is_some_and(|last| last["role"] == message["role"]);
        let content = message["content"].as_array_mut().unwrap();
        content.retain(|block| block["text"] != "");
        match messages.last_mut() {
            Some(last) if same => last["content"].as_array_mut().unwrap().append(content),
            _ => messages.push(message),
        }
    }
    body["messages"] = Value::Array(messages);
    for tool in body.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        let tool = tool.as_object_mut().unwrap();
        if tool.contains_key("input_schema") {
            tool.entry("type").or_insert_with(|| json!("custom"));
        }
    }
    if body["stream"] == false {
        body.as_object_mut().unwrap().remove("stream");
    }
    let body = body.as_object_mut().unwrap();
    body.retain(|_, value| *value != json!([]));
    if body.get("tools").is_none() {
        body.remove("tool_choice");
    }
    Value::Object(body.clone())
}

/// A tool result of one plain text block says the same as its text.
fn one_text_as_string(block: &mut Value) {
    if block["type"] != "tool_result" {
        return;
    }
    if let Some([only]) = block["content"].as_array().map(Vec::as_slice)
        && only["type"] == "text"
        && only.as_object().unwrap().len() == 2
    {
        block["content"] = only["text"].clone();
    }
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
        let glance = Anthropic.glance(&bytes).unwrap();
        let request = match Anthropic.decode_request(&bytes) {
            Err(error) if status(&record) == 400 => {
                // The vendor refused it too.
                assert_eq!(error.kind(), ErrorKind::BadRequest, "{name}");
                continue;
            }
            request => request.unwrap_or_else(|error| panic!("{name}: {error}")),
        };
        assert_eq!(glance.model, request.model);
        assert_eq!(glance.stream, request.stream);
        assert_eq!(glance.max_tokens, request.options.max_tokens);
        assert_eq!(glance.has_tools, !request.tools.is_empty());

        let same = Anthropic.forward_request(&bytes, &glance, &target(&request.model)).unwrap();
        assert_eq!(same.body.as_ptr(), bytes.as_ptr(), "{name}: forwarded without a copy");

        let mut target = target(&request.model);
        target.policy.drop = true;
        let written =
            Anthropic.encode_request(&request, &target).unwrap_or_else(|error| panic!("{name}: {error}"));
        let written: Value = serde_json::from_slice(&written.body).unwrap();
        let (mut want, mut got) = (normal_request(body), normal_request(&written));
        if want["top_p"].as_f64().is_some_and(|top_p| top_p < 0.0) {
            // The older clients' word for no limit.
            want.as_object_mut().unwrap().shift_remove("top_p");
        }
        allow(&mut want, &mut got);
        assert_eq!(got, want, "{name}");
        seen += 1;
    }
    eprintln!("requests: {seen}");
}

/// Changes the encoder makes on purpose.
fn allow(want: &mut Value, got: &mut Value) {
    let (want, got) = (want.as_object_mut().unwrap(), got.as_object_mut().unwrap());
    // The forerunner of `output_config.format` is written by its present name.
    if let Some(format) = want.remove("output_format") {
        want.entry("output_config").or_insert_with(|| json!({}))["format"] = format;
    }
    want.retain(|_, value| *value != json!({}));
    // Switching off what a model does not have says nothing.
    if want.get("thinking") == Some(&json!({ "type": "disabled" })) && !got.contains_key("thinking") {
        want.remove("thinking");
    }
    // A negative `top_k` is no limit.
    want.retain(|name, value| name != "top_k" || *value != json!(-1.0));
    // Tools that were called in the conversation are declared where the caller declared none.
    if !want.contains_key("tools") {
        got.remove("tools");
        got.remove("tool_choice");
    }
}

#[test]
fn replies_come_back_as_they_were() {
    for (name, body) in bench::whole_replies(recordings()) {
        let (response, written) = bench::reply_again(&Anthropic, (&name, &body), &ReplyContext::default());
        let facts = Anthropic.reply_facts(&serde_json::to_vec(&body).unwrap());
        assert_eq!(facts.id.as_deref(), Some(response.id.as_str()), "{name}");
        let (mut want, mut got) = (without_nulls(&body), without_nulls(&written));
        for side in [&mut want, &mut got] {
            // Counters without a canonical form.
            let usage = side["usage"].as_object_mut().unwrap();
            usage.remove("iterations");
            usage.retain(|_, value| *value != json!({ "web_fetch_requests": 0.0 }));
            if let Some(tools) = usage.get_mut("server_tool_use") {
                tools.as_object_mut().unwrap().remove("web_fetch_requests");
            }
        }
        assert_eq!(got, want, "{name}");
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
        let told = bench::stream_forwarded(&Anthropic, (&name, sse.as_bytes()), "");
        assert!(told.contains(&Event::Done), "{name}: {told:?}");
        bench::told_again(&Anthropic, &name, &told);
        seen += 1;
    }
    eprintln!("streams: {seen}");
}

#[test]
fn a_stream_cut_anywhere_ends_in_an_error() {
    let mut seen = 0;
    for (name, record) in recordings() {
        let Some(sse) = record["response"]["sse"].as_str() else { continue };
        let Some(end) = sse.find("event: message_stop") else { continue };
        if status(&record) >= 400 || sse.len() > 20_000 {
            continue;
        }
        for cut in (0..end).step_by(97) {
            let (out, relay) = bench::relayed(&Anthropic, &sse.as_bytes()[..cut], 50);
            let out = String::from_utf8(out).unwrap();
            assert!(relay.facts().error.is_some() && !relay.facts().complete, "{name} cut at {cut}");
            let last = out.trim_end().rsplit("\n\n").next().unwrap();
            assert!(
                last.starts_with("event: error\ndata: {\"type\":\"error\""),
                "{name} cut at {cut}: {last}"
            );
            let kept = out.rfind("event: error").unwrap();
            assert!(sse.starts_with(&out[..kept]), "{name} cut at {cut}: what was whole went on");
        }
        seen += 1;
    }
    eprintln!("streams cut: {seen}");
}

#[test]
fn errors_are_understood() {
    bench::errors_are_understood(&Anthropic, recordings(), |body| body["error"]["message"].as_str());
}
