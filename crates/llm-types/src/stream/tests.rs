//! Whole replies told as streams.

use serde_json::json;

use super::Event;
use crate::{ChatResponse, Choice, Extra, Finish, Message, Part, PartKind, Role, ToolCall, Usage};

fn answer(parts: Vec<Part>) -> ChatResponse {
    let message = Message::new(Role::Assistant, parts);
    let finish = Some(Finish::ToolCalls);
    ChatResponse {
        id: "r".to_owned(),
        choices: vec![Choice { index: 1, message, finish, logprobs: None, extra: Extra::default() }],
        usage: Some(Usage { input_tokens: 3, ..Usage::default() }),
        service_tier: Some("flex".to_owned()),
        ..ChatResponse::default()
    }
}

fn call(id: &str, arguments: &str) -> Part {
    let (id, name, arguments) = (id.to_owned(), "look".to_owned(), arguments.to_owned());
    Part::new(PartKind::ToolCall(ToolCall { id, name, arguments, custom: false }))
}

#[test]
fn a_whole_reply_is_told_part_by_part() {
    let thought = Part::reasoning("hm", Some("sealed".to_owned()));
    let shown = Part::new(PartKind::RedactedReasoning { data: "x".to_owned() });
    let events =
        answer(vec![thought, shown.clone(), Part::text("So"), call("a", "{}"), call("b", "{\"n\":1}")])
            .into_events();
    let choice = 1;
    let start = |index: u32, id: &str| {
        let (id, name) = (id.to_owned(), "look".to_owned());
        Event::ToolStart { choice, index, id, name, custom: false }
    };
    let arguments =
        |index: u32, text: &str| Event::ToolArguments { choice, index, arguments: text.to_owned() };
    let tier = Some("flex".to_owned());
    let usage = Usage { input_tokens: 3, service_tier: tier, ..Usage::default() };
    assert_eq!(
        events[1..],
        [
            Event::Reasoning { choice, text: "hm".to_owned() },
            Event::Signature { choice, signature: "sealed".to_owned() },
            Event::BlockEnd { choice },
            Event::Part { choice, part: Box::new(shown) },
            Event::BlockEnd { choice },
            Event::Text { choice, text: "So".to_owned() },
            Event::BlockEnd { choice },
            start(0, "a"),
            arguments(0, "{}"),
            Event::BlockEnd { choice },
            start(1, "b"),
            arguments(1, "{\"n\":1}"),
            Event::BlockEnd { choice },
            Event::Finish { choice, reason: Finish::ToolCalls },
            Event::Usage(usage),
            Event::Done,
        ]
    );
}

#[test]
fn what_is_known_of_the_tokens_is_told_with_the_text() {
    let mut reply = answer(vec![Part::text("So")]);
    reply.choices[0].logprobs = Some(json!({ "content": [] }));
    let mut events = reply.clone().into_events();
    assert_eq!(events[2], Event::Logprobs { choice: 1, value: json!({ "content": [] }) });

    reply.choices[0].message.parts = vec![call("a", "{}")];
    events = reply.into_events();
    assert_eq!(events[4], Event::Logprobs { choice: 1, value: json!({ "content": [] }) });
}
