//! What must hold between all dialects: whatever happened in a stream, and whichever decoder told it, every
//! encoder writes a well-formed stream that says the same.

pub(crate) mod bench;
mod events;
mod fidelity;
mod shapes;

use bytes::Bytes;
use llm_types::{ChatResponse, Choice, Event, Extra, Finish, Message, Part, PartKind, Role, ToolCall};
use proptest::prelude::*;

use self::bench::{events as events_of, written};
use self::events::{Case, End};
use self::shapes::{Said, read};
use crate::dialect::{Dialect, InvokedTools, ReplyContext, ReplyFacts};
use crate::dialects::{ANTHROPIC, COHERE, CONVERSE, GEMINI, OLLAMA, OPENAI_CHAT, OPENAI_RESPONSES};

/// The dialects with streams of their own.
const ALL: [&dyn Dialect; 7] = [OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC, GEMINI, COHERE, CONVERSE, OLLAMA];

fn cx() -> ReplyContext {
    ReplyContext {
        id: "reply-1".to_owned(),
        model: "shown".to_owned(),
        now: 1_700_000_000,
        include_usage: true,
        ..ReplyContext::default()
    }
}

/// What a case says in a dialect: all of it, except after a failure, when what was held back is lost.
fn check(said: &Said, case: &Case, name: &str) {
    assert_eq!(said.failed, case.end != End::Done, "{name}: {said:?}");
    if case.end == End::Done {
        assert_eq!(said.text, case.text(), "{name}");
        assert_eq!(said.reasoning, case.reasoning(), "{name}");
        assert_eq!(said.calls, case.calls(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Ids are constant, roles come first, numbers are right, calls are whole, usage comes once, and there is
    /// one end, which is no clean one after a failure.
    #[test]
    fn every_encoder_writes_well_formed_streams(case in events::case()) {
        for dialect in ALL {
            let name = format!("{:?} of {:?}", dialect.id(), case.events);
            check(&read(dialect.id(), &written(dialect, cx(), &case.events)), &case, &name);
        }
    }

    /// The same holds behind every decoder.
    #[test]
    fn every_encoder_writes_what_every_decoder_tells(case in events::case(), size in 1..200_usize) {
        for from in ALL {
            let events = events_of(from, &written(from, cx(), &case.events), size);
            for to in ALL {
                let name = format!("{:?} behind {:?} of {:?}", to.id(), from.id(), case.events);
                check(&read(to.id(), &written(to, cx(), &events)), &case, &name);
            }
        }
    }

    /// Whoever forwards a stream as it came knows which functions it calls, however its bytes are cut; and so does
    /// whoever reads the same reply whole.
    #[test]
    fn what_is_called_is_known_by_name(case in events::case(), size in 1..200_usize) {
        let mut called = InvokedTools::default();
        case.calls().iter().for_each(|(name, _)| called.note(name));
        for dialect in ALL {
            let name = format!("{:?} of {:?}", dialect.id(), case.events);
            if case.end == End::Done {
                let stream = written(dialect, cx(), &case.events);
                prop_assert_eq!(&forwarded(dialect, &stream, size).tools, &called, "{}", name);
            }
            let whole = dialect.encode_response(&calling(&case), &cx()).unwrap();
            prop_assert_eq!(&dialect.reply_facts(&whole).tools, &called, "{}", name);
        }
    }

    /// No decoder tells more than one end, nor anything after it.
    #[test]
    fn every_decoder_tells_one_end(case in events::case()) {
        for dialect in ALL {
            let events = events_of(dialect, &written(dialect, cx(), &case.events), usize::MAX);
            let is_end = |event: &&Event| matches!(event, Event::Done | Event::Error(_));
            prop_assert!(events.iter().filter(is_end).count() <= 1, "{:?}: {:?}", dialect.id(), events);
            let done = events.contains(&Event::Done);
            prop_assert_eq!(done, case.end == End::Done, "{:?}: {:?}", dialect.id(), events);
            prop_assert!(matches!(events.first(), None | Some(Event::Start(_) | Event::Error(_))), "{:?}", dialect.id());
            if done {
                prop_assert_eq!(events.last(), Some(&Event::Done));
                let finishes = events.iter().filter(|event| matches!(event, Event::Finish { .. })).count();
                prop_assert_eq!(finishes, 1, "{:?}: {:?}", dialect.id(), events);
            }
        }
    }
}

/// What is learnt of a stream that is forwarded in pieces.
fn forwarded(dialect: &dyn Dialect, stream: &[u8], size: usize) -> ReplyFacts {
    let (mut relay, mut out) = (dialect.relay(true), Vec::new());
    stream.chunks(size).for_each(|piece| relay.push(Bytes::copy_from_slice(piece), &mut out));
    relay.finish(None, &mut out);
    relay.facts().clone()
}

/// A whole reply with the calls of a case.
fn calling(case: &Case) -> ChatResponse {
    let call = |(name, arguments): (String, serde_json::Value)| {
        let (id, arguments) = (format!("call_{name}"), arguments.to_string());
        Part::new(PartKind::ToolCall(ToolCall { id, name, arguments, custom: false }))
    };
    let message = Message::new(Role::Assistant, case.calls().into_iter().map(call).collect());
    let (finish, extra) = (Some(Finish::ToolCalls), Extra::default());
    ChatResponse {
        choices: vec![Choice { index: 0, message, finish, logprobs: None, extra }],
        ..ChatResponse::default()
    }
}

/// A reply whose call was cut off by the token limit.
fn cut_call(arguments: &str) -> ChatResponse {
    let (id, name, arguments) = ("call_1".to_owned(), "report".to_owned(), arguments.to_owned());
    let call = Part::new(PartKind::ToolCall(ToolCall { id, name, arguments, custom: false }));
    let message = Message::new(Role::Assistant, vec![call]);
    let (finish, extra) = (Some(Finish::Length), Extra::default());
    ChatResponse {
        choices: vec![Choice { index: 0, message, finish, logprobs: None, extra }],
        ..ChatResponse::default()
    }
}

/// The dialects whose arguments are text give it as the model wrote it; those whose arguments are an object
/// (Anthropic's `input`, Gemini's `args`, the `input` that Converse hands to such models, Ollama's
/// `arguments`) cannot say half of one, and keep the text in a member.
#[test]
fn a_call_that_was_cut_off_keeps_what_the_model_wrote() {
    const CUT: &str = r#"{"summary": "#;
    let places = [
        (OPENAI_CHAT, "/choices/0/message/tool_calls/0/function/arguments"),
        (OPENAI_RESPONSES, "/output/0/arguments"),
        (COHERE, "/message/tool_calls/0/function/arguments"),
        (ANTHROPIC, "/content/0/input"),
        (GEMINI, "/candidates/0/content/parts/0/functionCall/args"),
        (CONVERSE, "/output/message/content/0/toolUse/input"),
        (OLLAMA, "/message/tool_calls/0/function/arguments"),
    ];
    for (number, (dialect, place)) in places.into_iter().enumerate() {
        let said = dialect.encode_response(&cut_call(CUT), &cx()).unwrap();
        let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
        let arguments = said.pointer(place).unwrap_or_else(|| panic!("{:?}: {said}", dialect.id()));
        if number < 3 {
            assert_eq!(arguments, CUT, "{:?}", dialect.id());
        } else {
            let kept = arguments.as_object().unwrap_or_else(|| panic!("{:?}: {said}", dialect.id()));
            assert!(kept.values().any(|value| value == CUT), "{:?}: {said}", dialect.id());
        }
    }
}
