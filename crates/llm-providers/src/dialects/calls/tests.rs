//! Arguments and ids.

use llm_types::ToolCall;

use super::{input_json, made_id};

#[test]
fn arguments_are_always_an_object() {
    let call =
        |arguments: &str, custom| ToolCall { arguments: arguments.into(), custom, ..ToolCall::default() };
    let cases = [
        (call("{\"a\": 1.50}", false), "{\"a\": 1.50}"),
        (call("", false), "{}"),
        (call("null", false), "{}"),
        (call("{\"a\":", false), r#"{"INVALID_JSON":"{\"a\":"}"#),
        (call("[1]", false), r#"{"INVALID_JSON":"[1]"}"#),
        (call("free", true), r#"{"input":"free"}"#),
    ];
    for (call, expected) in cases {
        assert_eq!(input_json(&call), expected);
    }
}

#[test]
fn made_ids_differ_where_what_they_are_made_of_differs() {
    let one = made_id(&["r1", "0", "plan"], 0);
    assert_eq!(one, made_id(&["r1", "0", "plan"], 0));
    assert_eq!(one.len(), "call_".len() + 24);
    for other in
        [made_id(&["r1", "0", "plan"], 1), made_id(&["r2", "0", "plan"], 0), made_id(&["r10", "plan"], 0)]
    {
        assert_ne!(one, other);
    }
}
