//! Entries come back whole or not at all.

use llm_types::ChatResponse;

use super::Entry;

#[test]
fn a_reply_comes_back_whole() {
    let reply =
        ChatResponse { id: "chatcmpl-1".into(), model: "gpt-4o-mini".into(), ..ChatResponse::default() };
    let entry = Entry::new(&reply, 1_000, 60_000).unwrap();
    assert_eq!(entry.reply().unwrap(), reply);
}

#[test]
fn it_expires_at_the_end_of_its_time() {
    let entry = Entry::new(&ChatResponse::default(), 1_000, 60_000).unwrap();
    assert!(!entry.is_expired(60_999));
    assert!(entry.is_expired(61_000));
}

#[test]
fn foreign_bytes_are_an_error_and_not_an_answer() {
    let entry = Entry { body: "PNG".into(), stored_ms: 0, expires_ms: 1 };
    assert_eq!(entry.reply().unwrap_err().message(), "cached bytes are not a reply");
}
