//! What one look tells.

use super::glance;
use crate::dialect::Control;

#[test]
fn what_the_rooms_need_is_seen() {
    let body = br#"{"messages":[{"role":"user","content":[{"text":"hi"}]}],"system":[{"text":"s"}],
        "inferenceConfig":{"maxTokens":7,"temperature":0},"toolConfig":{"tools":[{"toolSpec":{}}]},"tags":["a"]}"#;
    let seen = glance(body).unwrap();
    assert_eq!((seen.max_tokens, seen.has_tools, seen.stream, seen.n), (Some(7), true, false, 1));
    assert!(seen.prompt_bytes > 60 && seen.include_usage && seen.model.is_empty());
    assert_eq!(seen.controls.iter().map(|(control, _)| *control).collect::<Vec<_>>(), [Control::Tags]);
}

#[test]
fn wrong_types_are_named() {
    let cases = [
        (r#"{"messages":{}}"#, "`messages`: expected an array of messages, found an object"),
        (r#"{"inferenceConfig":[]}"#, "`inferenceConfig`: expected an object, found an array"),
        (
            r#"{"inferenceConfig":{"maxTokens":-1}}"#,
            "`inferenceConfig.maxTokens`: expected a whole number from 0, found `-1`",
        ),
        (r#"{"system":[],"system":[]}"#, "`system` is given twice; give it once"),
    ];
    for (body, expected) in cases {
        assert_eq!(glance(body.as_bytes()).unwrap_err().message(), expected);
    }
    assert!(glance(b"[]").is_err());
}
