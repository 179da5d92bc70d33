//! Prompts in tokens.

use llm_types::{ChatRequest, Message};

use super::*;

#[test]
fn texts_are_estimated() {
    let check = |text: &str, expect: u64| assert_eq!(Encoding::Unknown.text(text), expect, "{text}");
    check("", 0);
    check("four", 1);
    check("fours", 2);
    check("日本語", 2);
}

#[test]
fn a_request_is_its_messages() {
    let said = |text: &str| Message::user(text);
    let one = ChatRequest::new("m", vec![said("four four four four")]);
    assert_eq!(count(Encoding::Unknown, &one), 4 + 5 + 3);
    let two = ChatRequest::new("m", vec![said("four"), said("four")]);
    assert_eq!(count(Encoding::Unknown, &two), 2 * (4 + 1) + 3);
}
