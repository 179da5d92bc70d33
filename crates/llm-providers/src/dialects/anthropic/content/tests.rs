//! Blocks and parts: every kind goes both ways; what comes from elsewhere takes the nearest form.

use llm_types::{CacheMark, CacheTtl, Media, MediaSource, Part, PartKind, ToolCall, ToolResult};
use serde_json::{Value, json};

use super::*;
use crate::fields::Path;

fn written(part: &Part) -> Value {
    let mut out = Vec::new();
    crate::write::array(&mut out, |list| super::part(list, part));
    let mut blocks: Vec<Value> = serde_json::from_slice(&out).unwrap();
    blocks.pop().unwrap_or_default()
}

fn read(value: &Value) -> Part {
    block(value.clone().into(), Path::Root).unwrap()
}

#[test]
fn every_block_comes_back_as_it_was() {
    let mark = json!({ "type": "ephemeral", "ttl": "1h" });
    for value in [
        json!({ "type": "text", "text": "Hi", "cache_control": { "type": "ephemeral" } }),
        json!({ "type": "text", "text": "Hi", "citations": [
            { "type": "char_location", "cited_text": "c", "document_index": 0, "document_title": "t", "start_char_index": 1, "end_char_index": 2 },
            { "type": "web_search_result_location", "cited_text": "c", "url": "u", "title": "t", "encrypted_index": "e" },
            { "type": "search_result_location", "cited_text": "c", "source": "s", "title": null, "search_result_index": 0, "start_block_index": 0, "end_block_index": 1 },
        ] }),
        json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "iVBO" } }),
        json!({ "type": "image", "source": { "type": "url", "url": "https://e.org/a.png" }, "transformations": { "oversized_image": "error" } }),
        json!({ "type": "image", "source": { "type": "file", "file_id": "file_1" }, "cache_control": mark }),
        json!({ "type": "document", "source": { "type": "base64", "media_type": "application/pdf", "data": "JVBE" },
            "title": "t", "context": "c", "citations": { "enabled": true } }),
        json!({ "type": "document", "source": { "type": "text", "media_type": "text/plain", "data": "words" } }),
        json!({ "type": "document", "source": { "type": "url", "url": "https://e.org/a.pdf" } }),
        json!({ "type": "document", "source": { "type": "file", "file_id": "file_1" } }),
        json!({ "type": "document", "source": { "type": "content", "content": [
            { "type": "text", "text": "a" }, { "type": "image", "source": { "type": "url", "url": "u" } } ] } }),
        json!({ "type": "thinking", "thinking": "hm", "signature": "sig" }),
        json!({ "type": "thinking", "thinking": "", "signature": "sig" }),
        json!({ "type": "redacted_thinking", "data": "xx" }),
        json!({ "type": "tool_use", "id": "t_1", "name": "n", "input": { "a": [1, 2.5] }, "caller": { "type": "direct" } }),
        json!({ "type": "tool_result", "tool_use_id": "t_1", "content": "said", "is_error": true, "cache_control": mark }),
        json!({ "type": "tool_result", "tool_use_id": "t_1", "content": [
            { "type": "text", "text": "a", "cache_control": { "type": "ephemeral" } },
            { "type": "image", "source": { "type": "url", "url": "u" } },
            { "type": "document", "source": { "type": "url", "url": "u" } } ] }),
        // Kinds this dialect keeps whole.
        json!({ "type": "search_result", "source": "s", "title": "t", "content": [{ "type": "text", "text": "a" }], "cache_control": mark }),
        json!({ "type": "server_tool_use", "id": "s", "name": "web_search", "input": { "query": "q" } }),
        json!({ "type": "web_search_tool_result", "tool_use_id": "s", "content": [] }),
        json!({ "type": "container_upload", "file_id": "file_1" }),
        json!({ "type": "compaction", "content": "c" }),
        json!({ "type": "kind_of_next_year", "x": null }),
        json!({ "type": "image", "source": { "type": "source_of_next_year" } }),
    ] {
        assert_eq!(written(&read(&value)), value);
    }
}

#[test]
fn marks_are_read() {
    let part =
        read(&json!({ "type": "text", "text": "a", "cache_control": { "type": "ephemeral", "ttl": "5m" } }));
    assert_eq!(part.cache, Some(CacheMark { ttl: Some(CacheTtl::FiveMinutes) }));
    assert_eq!(read(&json!({ "type": "text", "text": "a", "cache_control": null })).cache, None);
    let unsigned = read(&json!({ "type": "thinking", "thinking": "a", "signature": "" }));
    assert_eq!((unsigned.signature.as_deref(), wanted(&unsigned)), (None, Wanted::No));
}

#[test]
fn faults_name_their_place() {
    let check = |value: Value, message: &str| {
        let content = Path::Root;
        let error = blocks(value.into(), &content.member("content")).unwrap_err();
        assert_eq!(error.message(), message);
    };
    check(json!(7), "`content`: expected a string or an array of content blocks, found the number `7`");
    check(json!(["Hi"]), "`content[0]`: expected a content block, found the string `Hi`");
    check(
        json!([{}]),
        "missing required parameter `content[0].type`: expected the kind of the content block, such as `text`",
    );
    check(
        json!([{ "type": "text", "text": "a", "cache_control": { "type": "ephemeral", "ttl": "2h" } }]),
        "`content[0].cache_control.ttl`: expected `5m` or `1h`, found the string `2h`",
    );
    check(
        json!([{ "type": "tool_result", "tool_use_id": "t", "content": [{ "type": "image", "source": {} }] }]),
        "missing required parameter `content[0].content[0].source.type`: expected a string",
    );
}

fn source(kind: PartKind) -> Value {
    let block = written(&Part::new(kind));
    json!([block["type"], block["source"]])
}

#[test]
fn media_take_the_form_that_fits_what_they_are() {
    let base64 = |data: &str, mime: Option<&str>| {
        Media::new(MediaSource::Base64(data.to_owned()), mime.map(str::to_owned))
    };
    let url = |url: &str| Media::new(MediaSource::Url(url.to_owned()), None);
    assert_eq!(
        source(PartKind::Image(base64("JVBERi0", Some("application/pdf")))),
        json!(["document", { "type": "base64", "media_type": "application/pdf", "data": "JVBERi0" }])
    );
    assert_eq!(
        source(PartKind::Document(base64("aGk=", Some("text/markdown")))),
        json!(["document", { "type": "text", "media_type": "text/plain", "data": "hi" }])
    );
    assert_eq!(
        source(PartKind::Document(base64("/9j/4AA", Some("image/jpeg")))),
        json!(["image", { "type": "base64", "media_type": "image/jpeg", "data": "/9j/4AA" }])
    );
    assert_eq!(
        source(PartKind::Image(base64("/9j/4AA", None))),
        json!(["image", { "type": "base64", "media_type": "image/jpeg", "data": "/9j/4AA" }])
    );
    assert_eq!(
        source(PartKind::Image(url("data:image/gif;base64,R0lGOD"))),
        json!(["image", { "type": "base64", "media_type": "image/gif", "data": "R0lGOD" }])
    );
    assert_eq!(
        source(PartKind::Document(Media::new(MediaSource::FileId("https://e.org/a.pdf".to_owned()), None))),
        json!(["document", { "type": "url", "url": "https://e.org/a.pdf" }])
    );
}

fn call(arguments: &str) -> Value {
    let call = ToolCall {
        id: "a.b:c".to_owned(),
        name: "n".to_owned(),
        arguments: arguments.to_owned(),
        custom: false,
    };
    written(&Part::new(PartKind::ToolCall(call)))
}

#[test]
fn arguments_become_an_object_whatever_the_model_wrote() {
    assert_eq!(call("{\"a\": 1.10}")["input"].to_string(), "{\"a\":1.1}");
    assert_eq!(call("")["input"], json!({}));
    assert_eq!(call("  ")["input"], json!({}));
    assert_eq!(call("null")["input"], json!({}));
    assert_eq!(call("{\"a\":")["input"], json!({ "INVALID_JSON": "{\"a\":" }));
    assert_eq!(call("[1]")["input"], json!({ "INVALID_JSON": "[1]" }));
    assert_eq!(call("{} {}")["input"], json!({ "INVALID_JSON": "{} {}" }));
}

#[test]
fn ids_of_calls_and_results_change_alike() {
    let result = ToolResult { call_id: "a.b:c".to_owned(), ..ToolResult::default() };
    let result = written(&Part::new(PartKind::ToolResult(result)));
    assert_eq!(call("")["id"], "a_b_c");
    assert_eq!(result, json!({ "type": "tool_result", "tool_use_id": "a_b_c", "content": "" }));
}

#[test]
fn what_others_say_and_this_dialect_cannot_is_told() {
    let native = PartKind::Native { dialect: "openai".to_owned(), value: json!({}) };
    assert!(matches!(wanted(&Part::new(native)), Wanted::Cannot(_)));
    let audio = Media::new(MediaSource::Base64(String::new()), None);
    assert_eq!(wanted(&Part::new(PartKind::Audio(audio))), Wanted::Cannot("audio input"));
    assert_eq!(wanted(&Part::text("")), Wanted::No);
}
