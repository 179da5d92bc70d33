//! Empty ids of calls are filled in, the same way whatever the form of the reply.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{call_id, filled};
use crate::dialect::Frame;
use crate::dialects::OPENAI_CHAT;

fn call(index: Option<u64>, id: &str, name: &str) -> Value {
    let mut call = json!({"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}});
    if let Some(index) = index {
        call["index"] = json!(index);
    }
    call
}

#[test]
fn ids_differ_by_reply_and_call_and_are_short() {
    assert_eq!(call_id("chatcmpl-9", 0, 1), "call_chatcmpl9_0_1");
    assert_eq!(call_id("", 0, 1), "call_0_1");
    assert!(call_id(&"é-x".repeat(90), 9, 99).len() <= 40);
}

#[test]
fn a_forwarded_reply_gets_them_and_keeps_all_else() {
    let text = r#"{ "id":"r-1", "choices":[ {"index":0,"message":{"content":"\u0041","tool_calls":[{"id":"", "function":{"name":"f","arguments":"{\"id\":\"\"}"}}, {"id":"own","function":{"name":"g","arguments":""}}]}} ] }"#;
    let body = Bytes::from(text);
    let mended = OPENAI_CHAT.mended_reply(&body).unwrap();
    assert_eq!(mended, text.replacen(r#""id":"""#, r#""id":"call_r1_0_0""#, 1));
    assert_eq!(filled(&mended, None), None, "nothing is left to fill in");
    let read = OPENAI_CHAT.decode_response(&body).unwrap();
    assert_eq!(read, OPENAI_CHAT.decode_response(&mended).unwrap(), "as a reader of other dialects sees it");
}

#[test]
fn a_forwarded_stream_gets_them_and_they_stay_the_same() {
    let chunk = |calls: Value| {
        let choice = json!({"index": 0, "delta": {"tool_calls": calls}});
        format!("data: {}\n\n", json!({"id": "r-1", "choices": [choice]}))
    };
    let more = json!([{"index": 0, "id": "", "function": {"arguments": "x"}}]);
    let stream = [chunk(json!([call(Some(0), "", "f"), call(Some(1), "", "g")])), chunk(more)].concat();
    let mut forwarded = Vec::new();
    let mut relay = OPENAI_CHAT.relay(true);
    for byte in stream.bytes() {
        relay.push(Bytes::copy_from_slice(&[byte]), &mut forwarded);
    }
    let text = String::from_utf8(forwarded.concat()).unwrap();
    assert_eq!(text.matches("\"id\":\"call_r1_0_0\"").count(), 2, "{text}");
    assert_eq!(text.matches("\"id\":\"call_r1_0_1\"").count(), 1, "{text}");

    let mut decoder = OPENAI_CHAT.stream_decoder();
    let mut events = Vec::new();
    for frame in stream.split_terminator("\n\n") {
        let data = Bytes::copy_from_slice(frame.trim_start_matches("data: ").as_bytes());
        decoder.push(&Frame { event: Bytes::new(), data }, &mut events).unwrap();
    }
    let ids: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            llm_types::Event::ToolStart { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(ids, ["call_r1_0_0", "call_r1_0_1"]);
}
