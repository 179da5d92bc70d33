//! What one look tells, and what it refuses.

use super::{control_of, glance};
use crate::dialect::Control;

#[test]
fn the_rooms_are_told_what_they_need() {
    let body = br#"{"model":"gp\u0074-4o","stream":true,"stream_options":{"include_usage":true},"max_tokens":5,
        "max_completion_tokens":9,"n":2,"user":"u\n1","messages":[{"role":"user","content":"hi"}],"tools":[{}],
        "tags":["a"],"api_base":"http://evil","mock_response":"x","unknown":1}"#;
    let seen = glance(body).unwrap();
    assert_eq!(seen.model, "gpt-4o");
    assert_eq!(&body[seen.model_span.unwrap()], br#""gp\u0074-4o""#);
    assert!(seen.stream && seen.include_usage && seen.has_tools);
    assert_eq!((seen.max_tokens, seen.n, seen.user.as_deref()), (Some(9), 2, Some("u\n1")));
    assert_eq!(seen.prompt_bytes, 32 + 4);
    let controls: Vec<_> =
        seen.controls.iter().map(|(control, span)| (*control, &body[span.clone()])).collect();
    assert_eq!(
        controls,
        [
            (Control::Tags, br#"["a"]"#.as_slice()),
            (Control::OwnBase, br#""http://evil""#.as_slice()),
            (Control::Other, br#""x""#.as_slice()),
        ]
    );
}

#[test]
fn an_empty_body_has_plain_answers() {
    let mut seen = glance(b"{}").unwrap();
    assert_eq!((seen.model.as_str(), seen.n, seen.stream, seen.has_tools), ("", 1, false, false));
    let nulls = br#"{"model":null,"stream":null,"max_tokens":null,"n":null,"user":null,"stream_options":null,"tools":null}"#;
    let of_nulls = glance(nulls).unwrap();
    seen.names = of_nulls.names;
    assert_eq!(of_nulls, seen);
}

#[test]
fn wrong_types_and_doubled_members_are_refused_by_name() {
    for (body, param, message) in [
        (r#"{"model":5}"#, "model", "`model`: expected a string, found `5`"),
        (r#"{"stream":"yes"}"#, "stream", "`stream`: expected a boolean, found a string"),
        (r#"{"max_tokens":-1}"#, "max_tokens", "`max_tokens`: expected a whole number from 0, found `-1`"),
        (r#"{"n":1.5}"#, "n", "`n`: expected a whole number from 1, found `1.5`"),
        (r#"{"messages":{}}"#, "messages", "`messages`: expected an array of messages, found an object"),
        (r#"{"user":1}"#, "user", "`user`: expected a string, found `1`"),
        (r#"{"model":"a","mod\u0065l":"b"}"#, "model", "`model` is given twice; give it once"),
    ] {
        let error = glance(body.as_bytes()).unwrap_err();
        assert_eq!((error.param(), error.message()), (Some(param), message));
    }
    assert!(glance(b"[]").unwrap_err().message().contains("expected a JSON object, found `[`"));
}

#[test]
fn members_for_the_gateway_are_known_by_name() {
    for (name, control) in [
        ("metadata", Some(Control::Metadata)),
        ("max_retries", Some(Control::NumRetries)),
        ("request_timeout", Some(Control::Timeout)),
        ("aws_role_name", Some(Control::Banned)),
        ("api_key", Some(Control::OwnKey)),
        ("base_url", Some(Control::OwnBase)),
        ("workspace_id", Some(Control::Banned)),
        ("applied_guardrails", Some(Control::Other)),
        ("weights", Some(Control::Other)),
        ("no-log", Some(Control::NoLog)),
        ("litellm_trace_id", Some(Control::Trace)),
        ("input_cost_per_token", Some(Control::Other)),
        ("temperature", None),
        ("service_tier", None),
        ("prompt_cache_key", None),
        ("provider", None),
    ] {
        assert_eq!(control_of(name), control, "{name}");
    }
}
