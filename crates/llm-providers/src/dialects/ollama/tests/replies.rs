//! Replies, streams and errors that no recording holds.

use http::{HeaderMap, StatusCode};
use llm_types::{
    ChatResponse, Choice, Error, ErrorKind, Event, Extra, Finish, Message, Part, PartKind, Role, Start,
    ToolCall, Usage,
};
use serde_json::{Value, json};

use super::{events, lines};
use crate::ReplyContext;
use crate::dialect::Dialect;
use crate::dialects::ollama::Ollama;

fn start() -> Event {
    Event::Start(Start { model: "m".into(), created: Some(0), ..Start::default() })
}

#[test]
fn calls_are_written_whole_at_the_end() {
    let call = |index: u32| Event::ToolStart {
        choice: 0,
        index,
        id: format!("c{index}"),
        name: "n".into(),
        custom: false,
    };
    let more = |index: u32, text: &str| Event::ToolArguments { choice: 0, index, arguments: text.into() };
    let told = [
        start(),
        Event::Text { choice: 0, text: "Hm".into() },
        call(0),
        more(0, "{\"a\":"),
        call(1),
        more(0, "1}"),
        Event::Usage(Usage { input_tokens: 3, output_tokens: 4, ..Usage::default() }),
        Event::Finish { choice: 0, reason: Finish::ToolCalls },
        Event::Done,
    ];
    let lines = lines(&told);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["message"], json!({ "role": "assistant", "content": "Hm" }));
    assert_eq!(lines[0]["created_at"], "1970-01-01T00:00:00Z");
    let call = |index: u32, arguments: Value| json!({ "id": format!("c{index}"), "function": { "index": index, "name": "n", "arguments": arguments } });
    assert_eq!(lines[1]["message"]["tool_calls"], json!([call(0, json!({ "a": 1 })), call(1, json!({}))]));
    assert_eq!((&lines[2]["done"], &lines[2]["done_reason"]), (&json!(true), &json!("stop")));
    assert_eq!((&lines[2]["prompt_eval_count"], &lines[2]["eval_count"]), (&json!(3), &json!(4)));
}

#[test]
fn a_stated_error_ends_a_stream() {
    let body = b"{\"model\":\"m\",\"message\":{\"content\":\"a\"},\"done\":false}\n{\"error\":\"an error was encountered while running the model\"}\n{\"done\":true}\n";
    let told = events(body);
    assert!(
        matches!(told.last(), Some(Event::Error(error)) if error.kind() == ErrorKind::BadUpstream),
        "{told:?}"
    );
    let written = lines(&told);
    assert_eq!(
        written.last().unwrap(),
        &json!({ "error": "an error was encountered while running the model" })
    );
}

#[test]
fn arguments_that_were_cut_off_are_an_object_still() {
    let parts = vec![Part::new(PartKind::ToolCall(ToolCall {
        id: String::new(),
        name: "n".into(),
        arguments: "{\"a\":".into(),
        custom: false,
    }))];
    let choice = Choice {
        index: 0,
        message: Message::new(Role::Assistant, parts),
        finish: Some(Finish::Length),
        logprobs: None,
        extra: Extra::default(),
    };
    let response = ChatResponse { choices: vec![choice], ..ChatResponse::default() };
    let cx = ReplyContext { model: "shown".into(), now: 86_400, elapsed_ms: 2, ..ReplyContext::default() };
    let written: Value = serde_json::from_slice(&Ollama.encode_response(&response, &cx).unwrap()).unwrap();
    assert_eq!(
        written["message"]["tool_calls"][0]["function"]["arguments"],
        json!({ "INVALID_JSON": "{\"a\":" })
    );
    assert_eq!(
        (&written["model"], &written["created_at"]),
        (&json!("shown"), &json!("1970-01-02T00:00:00Z"))
    );
    assert_eq!((&written["done_reason"], &written["total_duration"]), (&json!("length"), &json!(2_000_000)));
}

#[test]
fn replies_that_are_none() {
    for (body, kind) in [
        ("[]", ErrorKind::BadUpstream),
        ("{}", ErrorKind::BadUpstream),
        ("{\"error\":\"the input length exceeds the context length\"}", ErrorKind::ContextTooLong),
    ] {
        assert_eq!(Ollama.decode_response(body.as_bytes()).unwrap_err().kind(), kind, "{body}");
        assert_eq!(Ollama.reply_facts(body.as_bytes()).error.unwrap().kind(), kind, "{body}");
    }
}

#[test]
fn errors_by_status_and_words() {
    for (status, body, kind) in [
        (400, "{\"error\":\"\\\"m\\\" does not support tools\"}", ErrorKind::BadRequest),
        (404, "{\"error\":\"model 'm' not found\"}", ErrorKind::NotFound),
        (500, "{\"error\":\"boom\"}", ErrorKind::BadUpstream),
        (
            503,
            "{\"error\":\"server busy, please try again.  maximum pending requests exceeded\"}",
            ErrorKind::Overloaded,
        ),
        (401, "unauthorized", ErrorKind::Unauthenticated),
        (429, "", ErrorKind::RateLimited),
    ] {
        let error =
            Ollama.decode_error(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes());
        assert_eq!(error.kind(), kind, "{body}");
    }
    let (status, body) = Ollama.encode_error(&Error::new(ErrorKind::NotFound, "no such model"));
    assert_eq!((status.as_u16(), &body[..]), (404, &b"{\"error\":\"no such model\"}"[..]));
}
