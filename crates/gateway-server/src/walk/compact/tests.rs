//! What is summed up and what stays.

use serde_json::json;

use super::*;

fn cut(body: &Value) -> Option<Split> {
    cut_of(body.to_string().as_bytes())
}

#[test]
fn what_lies_before_the_newest_question_is_summed_up() {
    let body = json!({
        "model": "smart", "temperature": 0.5,
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "first" },
            { "role": "assistant", "content": null, "tool_calls": [{ "id": "c1" }] },
            { "role": "tool", "tool_call_id": "c1", "content": "done" },
            { "role": "user", "content": "second" },
            { "role": "assistant", "content": null, "tool_calls": [{ "id": "c2" }] },
            { "role": "tool", "tool_call_id": "c2", "content": "more" },
        ],
    });
    let split = cut(&body).expect("something is old");
    assert_eq!(split.old.len(), 3);
    let shorter = split.with("They began.");
    let messages = shorter["messages"].as_array().expect("messages");
    assert_eq!(messages.len(), 4);
    assert_eq!(messages[0], body["messages"][0]);
    assert_eq!(messages[1]["role"], "user");
    let opening = messages[1]["content"][0]["text"].as_str().expect("text");
    assert!(opening.starts_with(TITLE) && opening.ends_with("They began."), "{opening}");
    assert_eq!(messages[1]["content"][1], json!({ "type": "text", "text": "second" }));
    assert_eq!(messages[2..], body["messages"].as_array().expect("messages")[5..]);
    assert_eq!((&shorter["model"], &shorter["temperature"]), (&json!("smart"), &json!(0.5)));
}

#[test]
fn results_of_tools_are_no_questions() {
    let result = json!({ "type": "tool_result", "tool_use_id": "t1", "content": "done" });
    let question =
        json!({ "role": "user", "content": [{ "type": "text", "text": "second" }, { "type": "image" }] });
    let body = json!({
        "system": "Be brief.",
        "messages": [
            { "role": "user", "content": "first" },
            { "role": "assistant", "content": "yes" },
            question,
            { "role": "assistant", "content": [{ "type": "tool_use", "id": "t1" }] },
            { "role": "user", "content": [result, { "type": "text", "text": "go on" }] },
        ],
    });
    let split = cut(&body).expect("something is old");
    assert_eq!((split.old.len(), split.kept.len()), (2, 3), "a result does not lose the call it belongs to");
    let shorter = split.with("s");
    assert_eq!(shorter["messages"][0]["content"].as_array().map(Vec::len), Some(3));
    assert_eq!(shorter["system"], "Be brief.");
}

#[test]
fn where_nothing_is_old_nothing_is_summed_up() {
    let one = json!({ "role": "user", "content": "first" });
    for messages in
        [json!([]), json!([one]), json!([{ "role": "system", "content": "s" }, one]), json!("first")]
    {
        assert!(cut(&json!({ "messages": messages })).is_none(), "{messages}");
    }
    assert!(cut(&json!({})).is_none());
}

#[test]
fn pictures_are_told_of_and_not_sent() {
    let message = json!({ "role": "user", "content": [
        { "type": "text", "text": "look" },
        { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } },
    ]});
    let told = readable(&message);
    assert_eq!(told["content"], json!([{ "type": "text", "text": "look" }, { "left_out": "image_url" }]));
}
