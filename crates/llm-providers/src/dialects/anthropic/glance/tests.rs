//! What one look tells, and what it refuses.

use super::*;

#[test]
fn tells_what_the_rooms_need() {
    let body = br#"{"model":"claude-x","max_tokens":100,"stream":true,"system":"Be brief.",
        "messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"t"}],
        "metadata":{"user_id":"u-1"},"litellm_metadata":{"tags":["a"]},"num_retries":3}"#;
    let glance = glance(body).unwrap();
    assert_eq!((glance.model.as_str(), glance.stream, glance.max_tokens), ("claude-x", true, Some(100)));
    assert_eq!((glance.n, glance.include_usage, glance.has_tools), (1, true, true));
    assert_eq!(glance.user.as_deref(), Some("u-1"));
    assert_eq!(&body[glance.model_span.unwrap()], b"\"claude-x\"");
    let lengths =
        [r#""Be brief.""#, r#"[{"role":"user","content":"Hi"}]"#, r#"[{"name":"t"}]"#].map(str::len);
    assert_eq!(glance.prompt_bytes, lengths.iter().sum::<usize>() as u64);
    let controls: Vec<_> =
        glance.controls.into_iter().map(|(control, span)| (control, &body[span])).collect();
    assert_eq!(
        controls,
        [(Control::LitellmMetadata, &br#"{"tags":["a"]}"#[..]), (Control::NumRetries, b"3")]
    );
}

#[test]
fn the_body_names_the_end_user_in_two_ways() {
    let user = |body: &str| glance(body.as_bytes()).unwrap().user;
    assert_eq!(user(r#"{"user":"a"}"#).as_deref(), Some("a"));
    assert_eq!(user(r#"{"user":"a","metadata":{"user_id":"b"}}"#).as_deref(), Some("b"));
    assert_eq!(user(r#"{"metadata":{"user_id":"b"},"user":"a"}"#).as_deref(), Some("b"));
    assert_eq!(user(r#"{"metadata":{"user_id":null},"user":null}"#), None);
}

#[test]
fn members_callers_may_not_send_are_told() {
    let glance = glance(br#"{"model":"m","api_base":"http://evil"}"#).unwrap();
    assert_eq!(glance.controls[0].0, Control::OwnBase);
}

#[test]
fn refuses_wrong_types_by_name() {
    let check = |body: &str, param: &str, message: &str| {
        let error = glance(body.as_bytes()).unwrap_err();
        assert_eq!((error.param(), error.message()), (Some(param), message));
    };
    check(r#"{"model":7}"#, "model", "`model`: expected a string, found `7`");
    check(r#"{"stream":"yes"}"#, "stream", "`stream`: expected a boolean, found a string");
    check(r#"{"max_tokens":-1}"#, "max_tokens", "`max_tokens`: expected a whole number from 0, found `-1`");
    check(r#"{"messages":"Hi"}"#, "messages", "`messages`: expected an array of messages, found a string");
    check(r#"{"metadata":[]}"#, "metadata", "`metadata`: expected an object, found an array");
    check(
        r#"{"metadata":{"user_id":7}}"#,
        "metadata.user_id",
        "`metadata.user_id`: expected a string, found `7`",
    );
    check(r#"{"model":"a","model":"b"}"#, "model", "`model` is given twice; give it once");
    assert!(glance(b"[]").is_err());
    assert!(glance(b"{\"model\":").is_err());
}
