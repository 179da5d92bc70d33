//! Recorded traffic of vendors that speak the dialect: everything is understood, and what we learn
//! equals what an independent reading of the JSON says.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use llm_types::{ErrorKind, Event, Usage};
use serde_json::Value;

use super::{DIALECT, cx, data, events, frames, target};
use crate::Quirks;
use crate::dialect::Dialect;

/// A recording whose stream was cut out of its middle.
const SHORTENED: &str = "openai/ai-openai-responses-openai-shell-container-1-c5730f.0.json";

/// Every recorded exchange: its file name and the record.
fn recordings() -> Vec<(String, Value)> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("GATEWAY_SHARED").map_or(beside, PathBuf::from).join("traffic");
    if !root.join("index.json").exists() {
        println!("skipped: no recorded traffic (set GATEWAY_SHARED)");
        return Vec::new();
    }
    let read = |path: PathBuf| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let index = read(root.join("index.json"));
    let rows = index.as_array().unwrap().iter().filter(|row| row["endpoint"] == "responses");
    let files = rows.map(|row| row["file"].as_str().unwrap().to_owned());
    files.map(|file| (file.clone(), read(root.join(&file)))).collect()
}

fn succeeded(record: &Value) -> bool {
    record["response"]["status"].as_u64().unwrap_or(200) < 400
}

fn replies() -> impl Iterator<Item = (String, Value)> {
    let whole = |(file, record): (String, Value)| {
        let body = record["response"].get("body").filter(|body| body.is_object())?.clone();
        succeeded(&record).then_some((file, body))
    };
    recordings().into_iter().filter_map(whole)
}

fn streams() -> impl Iterator<Item = (String, String)> {
    let sse = |(file, record): (String, Value)| {
        let sse = record["response"]["sse"].as_str()?.to_owned();
        succeeded(&record).then_some((file, sse))
    };
    recordings().into_iter().filter_map(sse)
}

/// All text of messages in an output.
fn text_of(output: &Value) -> String {
    let items = output.as_array().into_iter().flatten();
    let parts = items.filter(|item| item["type"] == "message").filter_map(|item| item["content"].as_array());
    parts.flatten().filter_map(|part| part["text"].as_str().or(part["refusal"].as_str())).collect()
}

fn calls_of(output: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let items = output.as_array().into_iter().flatten();
    let of = |item: &Value| match item["type"].as_str() {
        Some("function_call") => {
            Some((text(&item["call_id"]), text(&item["name"]), text(&item["arguments"])))
        }
        Some("custom_tool_call") => Some((text(&item["call_id"]), text(&item["name"]), text(&item["input"]))),
        _ => None,
    };
    items.filter_map(of).collect()
}

fn checks_usage(file: &str, usage: Option<&Usage>, stated: &Value) {
    let Some(input) = stated["input_tokens"].as_u64() else { return };
    let usage = usage.unwrap_or_else(|| panic!("{file}: usage is lost"));
    assert_eq!(usage.input_tokens, input, "{file}");
    assert_eq!(usage.output_tokens, stated["output_tokens"].as_u64().unwrap(), "{file}");
    let cached = stated["input_tokens_details"]["cached_tokens"].as_u64();
    assert_eq!(usage.cache_read_tokens, cached, "{file}");
}

#[test]
fn every_reply_is_read_and_shown_with_the_same_words_calls_and_usage() {
    for (file, body) in replies() {
        let bytes = serde_json::to_vec(&body).unwrap();
        let facts = DIALECT.reply_facts(&bytes);
        let reply = match DIALECT.decode_response(&bytes) {
            Ok(reply) => reply,
            Err(error) => {
                assert_eq!(body["status"], "failed", "{file}: {error}");
                assert_eq!(facts.error, Some(error), "{file}");
                continue;
            }
        };
        assert!(facts.complete, "{file}: {facts:?}");
        checks_usage(&file, reply.usage.as_ref(), &body["usage"]);
        assert_eq!(facts.usage, reply.usage, "{file}");
        assert_eq!(facts.finish, reply.choices[0].finish, "{file}");
        let shown: Value = serde_json::from_slice(&DIALECT.encode_response(&reply, &cx()).unwrap()).unwrap();
        assert_eq!(text_of(&shown["output"]), text_of(&body["output"]), "{file}");
        assert_eq!(calls_of(&shown["output"]), calls_of(&body["output"]), "{file}");
        // One recording was written by hand and says `complete`.
        let status = if body["status"] == "complete" { "completed".into() } else { body["status"].clone() };
        assert_eq!(shown["status"], status, "{file}");
        assert_eq!(shown["incomplete_details"], body["incomplete_details"], "{file}");
    }
}

#[test]
fn every_stream_tells_what_its_deltas_say_and_comes_out_well_formed() {
    for (file, sse) in streams() {
        let chunks = data(sse.as_bytes());
        let told = events(sse.as_bytes());
        let is = |kind: &'static str| move |chunk: &&Value| chunk["type"] == kind;
        let done = chunks.iter().filter(is("response.output_item.done")).map(|chunk| chunk["item"].clone());
        let done: Value = done.collect::<Vec<_>>().into();
        let deltas = chunks.iter().filter(is("response.output_text.delta"));
        let deltas: String = deltas.filter_map(|chunk| chunk["delta"].as_str()).collect();
        let text: String = told
            .iter()
            .filter_map(|event| match event {
                Event::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(text, deltas, "{file}");
        let shown = frames(&told);
        well_formed(&file, &shown);
        let ends =
            |kinds: &[&str]| chunks.iter().any(|chunk| kinds.iter().any(|kind| chunk["type"] == *kind));
        if !ends(&["response.completed", "response.incomplete"]) {
            assert!(told.iter().any(|event| matches!(event, Event::Error(_))), "{file}");
            continue;
        }
        assert_eq!(told.last(), Some(&Event::Done), "{file}");
        let last = &shown.last().unwrap()["response"];
        assert_eq!(text_of(&last["output"]), deltas, "{file}");
        assert_eq!(calls_of(&last["output"]), calls_of(&done), "{file}");
    }
}

/// Frames count up; every item is announced, then done, each once and in its place; one end.
fn well_formed(file: &str, shown: &[Value]) {
    let mut open: Vec<u64> = Vec::new();
    let mut next = 0;
    for (number, frame) in shown.iter().enumerate() {
        assert_eq!(frame["sequence_number"].as_u64(), Some(number as u64), "{file}");
        let place = frame["output_index"].as_u64();
        match frame["type"].as_str().unwrap() {
            "response.output_item.added" => {
                assert_eq!(place, Some(next), "{file}");
                open.push(next);
                next += 1;
            }
            "response.output_item.done" => {
                let at = open.iter().position(|open| Some(*open) == place);
                open.remove(at.unwrap_or_else(|| panic!("{file}: {place:?} is done but not open")));
            }
            kind => {
                let inside = place.is_none_or(|place| open.contains(&place));
                assert!(inside, "{file}: `{kind}` of an item that is not open");
            }
        }
    }
    assert!(open.is_empty() || shown.last().unwrap()["type"] == "response.failed", "{file}: {open:?}");
    let ends = ["response.completed", "response.incomplete", "response.failed"];
    let ended = shown.iter().filter(|frame| ends.iter().any(|end| frame["type"] == *end));
    assert_eq!(ended.count(), 1, "{file}");
    assert_eq!(shown[0]["type"], "response.created", "{file}");
}

#[test]
fn every_stream_is_forwarded_as_it_came_whatever_its_pieces() {
    for (file, sse) in streams() {
        let mut known = None;
        for size in [5, 61, sse.len()] {
            let (mut relay, mut out) = (DIALECT.relay(true), Vec::new());
            for piece in sse.as_bytes().chunks(size) {
                relay.push(Bytes::copy_from_slice(piece), &mut out);
            }
            relay.finish(None, &mut out);
            let forwarded = out.concat();
            let facts = relay.facts().clone();
            let as_it_came = match facts.error {
                None => forwarded.starts_with(sse.trim_end().as_bytes()),
                // Nothing follows the error.
                Some(_) => sse.as_bytes().starts_with(&forwarded),
            };
            assert!(as_it_came, "{file} in pieces of {size}");
            assert!(facts.complete || facts.error.is_some(), "{file}");
            let same = known.get_or_insert_with(|| facts.clone());
            assert_eq!(*same, facts, "{file} in pieces of {size}");
        }
    }
}

#[test]
fn every_recorded_request_is_read_and_written_again() {
    for (file, record) in recordings() {
        let body = &record["request"]["body"];
        if !body.is_object() || body.get("input").is_none() {
            continue;
        }
        let bytes = Bytes::from(serde_json::to_vec(body).unwrap());
        let glance = DIALECT.glance(&bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(glance.stream, body["stream"] == true, "{file}");
        let target = target(&glance.model, Quirks::NONE);
        let forwarded = DIALECT.forward_request(&bytes, &glance, &target).unwrap();
        assert_eq!(forwarded.body, bytes, "{file}: a caller's bytes are sent as they are");
        let request = DIALECT.decode_request(&bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
        let sent =
            DIALECT.encode_request(&request, &target).unwrap_or_else(|error| panic!("{file}: {error}"));
        let sent: Value = serde_json::from_slice(&sent.body).unwrap();
        for name in ["model", "instructions", "previous_response_id", "prompt"] {
            let said = body.get(name).filter(|said| !said.is_null() && **said != "");
            // What the operator says first comes out as instructions.
            if said.is_some() || name != "instructions" {
                assert_eq!(sent.get(name), said, "{file}: `{name}`");
            }
        }
        let tools = |body: &Value| body["tools"].as_array().map_or(0, Vec::len);
        assert_eq!(tools(&sent), tools(body), "{file}");
    }
}

#[test]
fn every_error_is_understood() {
    for (file, record) in recordings().into_iter().filter(|(_, record)| !succeeded(record)) {
        let status = u16::try_from(record["response"]["status"].as_u64().unwrap()).unwrap();
        let body = &record["response"]["body"];
        let bytes = serde_json::to_vec(body).unwrap();
        let status = http::StatusCode::from_u16(status).unwrap();
        let error = DIALECT.decode_error(status, &http::HeaderMap::new(), &bytes);
        assert_eq!(Some(error.message()), body["error"]["message"].as_str(), "{file}");
        assert_ne!(error.kind(), ErrorKind::BadUpstream, "{file}");
    }
}

/// One recorded stream was shortened by its keepers: what it says at the end does not begin with what it
/// said piece by piece. A caller who reads along has been told the pieces, and nothing can be unsaid; all
/// other streams say the same twice.
#[test]
fn the_end_of_a_stream_completes_what_its_pieces_said() {
    let mut seen = 0;
    for (file, sse) in streams() {
        let frames = data(sse.as_bytes());
        for end in frames.iter().filter(|frame| frame["type"] == "response.output_text.done") {
            let of = |frame: &&Value| {
                frame["type"] == "response.output_text.delta"
                    && frame["item_id"] == end["item_id"]
                    && frame["content_index"] == end["content_index"]
            };
            let pieces = frames.iter().filter(of).map(|frame| frame["delta"].as_str().unwrap_or_default());
            let told: String = pieces.collect();
            let whole = end["text"].as_str().unwrap();
            assert_eq!(whole.starts_with(&told), file != SHORTENED, "{file}: {told:?} before {whole:?}");
            seen += 1;
        }
    }
    println!("ends of texts: {seen}");
}

#[test]
fn a_stream_is_told_as_a_whole_reply_where_one_is_wanted() {
    let mut count = 0;
    for (file, sse) in streams() {
        let told = events(sse.as_bytes());
        let ended = told.iter().any(|event| matches!(event, Event::Done));
        let body = super::super::whole(Bytes::from(sse));
        if !ended || file == SHORTENED {
            continue;
        }
        let reply = DIALECT.decode_response(&body.unwrap()).unwrap_or_else(|error| panic!("{file}: {error}"));
        let text: String = told
            .iter()
            .filter_map(|event| match event {
                Event::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let calls = told.iter().filter(|event| matches!(event, Event::ToolStart { .. })).count();
        let parts = &reply.choices[0].message.parts;
        let called =
            parts.iter().filter(|part| matches!(part.kind, llm_types::PartKind::ToolCall(_))).count();
        assert_eq!((reply.choices[0].message.text(), called), (text, calls), "{file}");
        count += 1;
    }
    println!("streams told whole: {count}");
    let cut = super::super::whole(Bytes::from_static(b"event: x\ndata: {\"type\":\"response.created\"}\n\n"));
    assert_eq!(cut.unwrap_err().kind(), ErrorKind::BadUpstream);
    let body = Bytes::from_static(b"{\"output\":[]}");
    assert_eq!(super::super::whole(body.clone()).unwrap(), body, "a whole reply stays");
}
