//! What is read of a request, and a conversation given back.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Outline, input_items, last_reply, outline, with_history};

#[test]
fn a_request_says_how_it_is_kept() {
    assert_eq!(outline(br#"{"input":"x"}"#), Outline { store: true, ..Outline::default() });
    assert_eq!(
        outline(br#"{"store":false,"background":true,"previous_response_id":"resp_1","prompt":{"id":"p"}}"#),
        Outline { store: false, background: true, previous: Some("resp_1".into()), elsewhere: true }
    );
}

#[test]
fn input_is_listed_with_ids() {
    let items = input_items(br#"{"input":"hi"}"#, "ab");
    assert_eq!(
        items,
        [
            json!({"id": "msg_abi00", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}], "status": "completed"})
        ]
    );
    let items = input_items(br#"{"input":[{"id":"fc_1","type":"function_call","call_id":"c"},{"role":"assistant","content":"x"}]}"#, "ab");
    assert_eq!(items[0], json!({"id": "fc_1", "type": "function_call", "call_id": "c"}));
    assert_eq!(items[1]["content"][0]["type"], "output_text");
}

#[test]
fn a_conversation_stands_before_the_new_input() {
    let history = input_items(br#"{"input":"first"}"#, "ab");
    for (input, own) in [
        (r#""next""#, json!({"role": "user", "content": "next"})),
        (r#" [ {"role":"user","content":"next"} ] "#, json!({"role": "user", "content": "next"})),
    ] {
        let body =
            Bytes::from(format!(r#"{{"model":"m","previous_response_id":"r","input":{input},"top_p":1}}"#));
        let whole = with_history(&body, &history, &["previous_response_id"]).unwrap();
        let whole: Value = serde_json::from_slice(&whole).unwrap();
        let first =
            json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "first"}]});
        assert_eq!(whole, json!({"model": "m", "input": [first, own], "top_p": 1}));
    }
    let whole = with_history(&Bytes::from_static(br#"{"input":[]}"#), &history, &[]).unwrap();
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(whole["input"].as_array().unwrap().len(), 1);
}

#[test]
fn the_last_frame_holds_the_reply() {
    let frames = b"event: a\ndata: {\"response\":{\"id\":1}}\n\nevent: response.completed\ndata: {\"response\":{\"id\":2}}\n\n";
    assert_eq!(last_reply(frames), Some(json!({"id": 2})));
    assert_eq!(last_reply(b"event: x\ndata: {\"delta\":\"y\"}\n\n"), None);
}
