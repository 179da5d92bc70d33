//! Questions are signed, replies are read to the letter.

use super::{Question, Reply, read, refusal, signature};

#[test]
fn a_question_holds_what_is_known() {
    let question = Question { secret: "a\"b", method: "POST", path: "/v1/x", address: None };
    let value: serde_json::Value = serde_json::from_str(&question.body()).unwrap();
    assert_eq!(value["api_key"], "a\"b");
    assert_eq!(value["client_ip"], serde_json::Value::Null);
}

#[test]
fn a_signature_is_over_time_and_body() {
    let own = signature("key", 17, "{}");
    assert!(own.starts_with("sha256=") && own.len() == 7 + 64);
    for other in [signature("kez", 17, "{}"), signature("key", 18, "{}"), signature("key", 17, "{ }")] {
        assert_ne!(own, other);
    }
}

#[test]
fn replies_name_somebody_and_nothing_unknown() {
    let whole = br#"{"user_id": "ann", "team_id": "red", "models": ["gpt"], "rpm_limit": 5, "user_role": "internal_user"}"#;
    let reply = read(whole).unwrap();
    assert_eq!((reply.user_id.as_deref(), reply.rpm_limit), (Some("ann"), Some(5)));
    assert_eq!(read(br#"{"user_id": "ann"}"#), Ok(Reply { user_id: Some("ann".into()), ..Reply::default() }));
    for (wrong, word) in [
        (r#"{"user_id": "ann", "max_budget": 5}"#, "max_budget"),
        (r#"{"user_id": "ann", "user_role": "root"}"#, "user_role"),
        (r#"{"user_id": "ann", "rpm_limit": -1}"#, "rpm_limit"),
        (r#"{"user_id": 5}"#, "string"),
        ("{}", "names nobody"),
        ("<html>", "expected value"),
        ("", "EOF"),
    ] {
        let why = read(wrong.as_bytes()).unwrap_err();
        assert!(why.contains(word), "{wrong}: {why}");
    }
}

#[test]
fn refusals_are_short_and_plain() {
    assert_eq!(refusal(br#"{"message": "no\n more"}"#), "no more");
    assert_eq!(refusal(br#"{"error": "gone"}"#), "gone");
    assert_eq!(refusal(b"<html>"), "the key is not accepted");
    assert_eq!(refusal(format!(r#"{{"detail": "{}"}}"#, "x".repeat(999)).as_bytes()).len(), 200);
}
