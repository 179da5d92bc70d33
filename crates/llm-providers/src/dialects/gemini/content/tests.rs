//! Parts, both ways.

use llm_types::{Media, MediaSource, Part, PartKind, ToolCall};
use serde_json::{Value, json};

use super::{Wanted, joined, part, wanted, write_part};
use crate::fields::Path;
use crate::write;

fn read(value: Value) -> Part {
    part(value.into(), Path::Root).unwrap()
}

fn written(part: &Part) -> Value {
    let mut out = Vec::new();
    write::array(&mut out, |list| write_part(list, part));
    serde_json::from_slice::<Vec<Value>>(&out).unwrap().into_iter().next().unwrap_or_default()
}

#[test]
fn kinds_are_told_by_members_and_types() {
    for (value, kind) in [
        (json!({ "text": "a" }), "text"),
        (json!({ "text": "a", "thought": true }), "reasoning"),
        (json!({ "inlineData": { "mimeType": "image/png", "data": "aGk=" } }), "image"),
        (json!({ "inlineData": { "mimeType": "audio/L16;rate=24000", "data": "aGk=" } }), "audio"),
        (json!({ "fileData": { "mimeType": "video/mp4", "fileUri": "gs://b/v" } }), "video"),
        (json!({ "fileData": { "mimeType": "application/pdf", "fileUri": "https://e.org/a" } }), "document"),
        (json!({ "functionCall": { "name": "f", "args": { "a": 1 }, "id": "x" } }), "tool_call"),
        (json!({ "executableCode": { "language": "PYTHON", "code": "1" } }), "native"),
        (json!({ "text": "", "thoughtSignature": "c2ln" }), "text"),
    ] {
        let part = read(value.clone());
        assert_eq!(serde_json::to_value(&part).unwrap()["type"], kind, "{value}");
        assert_eq!(written(&part), value);
    }
}

#[test]
fn errors_name_the_place() {
    for (value, path) in [
        (json!({ "text": 7 }), "text"),
        (json!({ "inlineData": { "mimeType": "image/png" } }), "inlineData.data"),
        (json!({ "functionCall": { "args": {} } }), "functionCall.name"),
        (json!({ "functionCall": { "name": "f", "args": "text" } }), "functionCall.args"),
    ] {
        assert_eq!(part(value.clone().into(), Path::Root).unwrap_err().param(), Some(path), "{value}");
    }
}

#[test]
fn results_are_texts_where_the_vendor_names_them() {
    for (response, text, is_error) in [
        (json!({ "output": "sunny" }), "sunny", None),
        (json!({ "output": { "t": 1 } }), "{\"t\":1}", None),
        (json!({ "error": "no" }), "no", Some(true)),
        (json!({ "content": "sunny" }), "{\"content\":\"sunny\"}", None),
        (json!({}), "{}", None),
    ] {
        let part = read(json!({ "functionResponse": { "name": "f", "response": response } }));
        let PartKind::ToolResult(result) = part.kind else { panic!("a result") };
        assert_eq!(result.parts, [Part::text(text)], "{response}");
        assert_eq!(result.is_error, is_error, "{response}");
    }
}

#[test]
fn arguments_that_are_no_object_are_put_into_one() {
    for (arguments, custom, expected) in [
        ("{\"a\":1}", false, json!({ "a": 1 })),
        ("", false, json!({})),
        ("[1]", false, json!({ "value": [1] })),
        ("{broken", false, json!({ "arguments": "{broken" })),
        ("SELECT 1", true, json!({ "input": "SELECT 1" })),
    ] {
        let (id, name) = (String::new(), "f".to_owned());
        let call = ToolCall { id, name, arguments: arguments.to_owned(), custom };
        let written = written(&Part::new(PartKind::ToolCall(call)));
        assert_eq!(written["functionCall"]["args"], expected, "{arguments}");
    }
}

#[test]
fn pieces_of_a_stream_become_one_part() {
    let thought = |text: &str, signature: Option<&str>| Part::reasoning(text, signature.map(str::to_owned));
    let signed = |text: &str| Part { signature: Some("c2ln".to_owned()), ..Part::text(text) };
    let parts =
        vec![thought("a", None), thought("b", Some("x")), thought("c", None), Part::text("d"), signed("")];
    assert_eq!(joined(parts), [thought("ab", Some("x")), thought("c", None), signed("d")]);
}

#[test]
fn what_cannot_be_said_is_told() {
    let file = |id: &str| Part::new(PartKind::Document(Media::new(MediaSource::FileId(id.to_owned()), None)));
    assert_eq!(wanted(&file("files/abc")), Wanted::Yes);
    assert!(matches!(wanted(&file("file-abc")), Wanted::Cannot(_)));
    let foreign = PartKind::Native { dialect: "anthropic".to_owned(), value: json!({}) };
    assert!(matches!(wanted(&Part::new(foreign)), Wanted::Cannot(_)));
    let opaque = PartKind::RedactedReasoning { data: String::new() };
    assert_eq!(wanted(&Part::new(opaque)), Wanted::No);
}
