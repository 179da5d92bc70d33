//! Every vendor, each kind of model it calls: what its record claims arrives whole, what it does not claim is
//! refused by name, and its replies and errors are understood.

mod operations;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{
    ChatResponse, Choice, ErrorKind, Event, Extra, Finish, Message, Part, PartKind, Role, ToolCall, Usage,
};
use serde_json::{Value, json};

use super::{Claim, examples};
use crate::dialects::prompt::Wire;
use crate::dialects::{OPENAI_CHAT, dialect};
use crate::framing::Frames;
use crate::{Dialect, DialectId, ParamPolicy, Registry, ReplyContext, Target};

/// Agents have their own memory and instructions: they are given the user's last words.
const LAST_WORDS: [DialectId; 4] =
    [DialectId::Langflow, DialectId::Agentcore, DialectId::BedrockAgent, DialectId::AgentEngine];

/// Every kind of target there is, with a name for messages.
fn targets() -> Vec<(String, Target)> {
    let all = Registry::built_in();
    let chats = all.all().into_iter().filter(|spec| !spec.quirks.no_chat && spec.id.as_str() != "mock");
    let named =
        |target: Target| (format!("{}/{} ({:?})", target.spec.id, target.model, target.spec.dialect), target);
    chats.flat_map(|spec| examples(spec).into_iter().map(named)).collect()
}

/// Whether a vendor is not told something on purpose: an agent what was said before.
fn keeps_its_own(target: &Target, claim: Claim) -> bool {
    LAST_WORDS.contains(&target.spec.dialect)
        && matches!(claim, Claim::Turns | Claim::System | Claim::ToolResults | Claim::ParallelTools)
}

#[test]
fn what_a_record_claims_arrives_and_the_rest_is_refused_by_name() {
    let (mut faults, mut told) = (Vec::new(), BTreeMap::new());
    let all = targets();
    for (name, target) in &all {
        for claim in Claim::ALL {
            let what = claim.name();
            match claim.sent(target) {
                Ok(request) if claim.arrives(&request.body) => *told.entry(what).or_insert(0) += 1,
                Ok(_) if keeps_its_own(target, claim) => {}
                Ok(request) => {
                    let body = String::from_utf8_lossy(&request.body).into_owned();
                    faults.push(format!("{name}: {what} is lost: {body:.300}"));
                }
                Err(error) => faults.extend(refusal_fault(name, target, claim, &error)),
            }
        }
    }
    println!("{} targets: {told:?}", all.len());
    assert!(all.len() > 150, "{}", all.len());
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    for claim in [Claim::Plain, Claim::Stream] {
        assert_eq!(told[claim.name()], all.len(), "{}", claim.name());
    }
    for claim in Claim::ALL {
        assert!(told[claim.name()] > 20, "{}: {told:?}", claim.name());
    }
}

/// A refusal names what it is about, and there is none where the caller lets it be dropped: all else arrives.
fn refusal_fault(name: &str, target: &Target, claim: Claim, error: &llm_types::Error) -> Option<String> {
    let what = claim.name();
    if matches!(claim, Claim::Plain | Claim::Stream) {
        return Some(format!("{name}: {what} is refused: {error}"));
    }
    if error.kind() != ErrorKind::Unsupported || error.param().is_none() {
        return Some(format!("{name}: {what}: no refusal by name: {:?} {error}", error.kind()));
    }
    if matches!(claim, Claim::Vision | Claim::Pdf | Claim::Audio) {
        // A part of a message is no parameter: not every dialect leaves one out.
        return None;
    }
    let dropping = Target { policy: ParamPolicy { drop: true, ..ParamPolicy::default() }, ..target.clone() };
    match claim.sent(&dropping) {
        Ok(request) if Claim::Plain.arrives(&request.body) || keeps_its_own(target, claim) => None,
        Ok(request) => {
            Some(format!("{name}: {what}: the rest is lost: {:.200}", String::from_utf8_lossy(&request.body)))
        }
        Err(error) => Some(format!("{name}: {what}: refused although it may be dropped: {error}")),
    }
}

#[test]
fn streams_are_asked_for_where_a_vendor_has_them() {
    for (name, target) in targets() {
        let (plain, stream) = (Claim::Plain.sent(&target).unwrap(), Claim::Stream.sent(&target).unwrap());
        // Some tell their streams by themselves, are asked again until they have answered, or have none to tell.
        let alike = matches!(
            target.spec.dialect,
            DialectId::Bytez
                | DialectId::Threads
                | DialectId::Langflow
                | DialectId::AgentEngine
                | DialectId::Agentcore
                | DialectId::Prompt(Wire::Prediction)
        ) || target.spec.quirks.streams_only;
        let told = (&plain.uri, &plain.body) != (&stream.uri, &stream.body);
        assert!(told || alike, "{name}");
    }
}

fn answer(tool: bool) -> ChatResponse {
    let mut parts = vec![Part::text("Kestrel")];
    if tool {
        parts.push(Part::new(PartKind::ToolCall(ToolCall {
            id: "call_1".into(),
            name: "look_up".into(),
            arguments: json!({"city": "Oslo"}).to_string(),
            custom: false,
        })));
    }
    let finish = if tool { Finish::ToolCalls } else { Finish::Stop };
    ChatResponse {
        id: "reply-1".into(),
        model: "m".into(),
        created: Some(1),
        choices: vec![Choice {
            index: 0,
            message: Message::new(Role::Assistant, parts),
            finish: Some(finish),
            logprobs: None,
            extra: Extra::default(),
        }],
        usage: Some(Usage { input_tokens: 3, output_tokens: 2, ..Usage::default() }),
        service_tier: None,
        extra: Extra::default(),
    }
}

/// A reply of a vendor that says `Kestrel`, where its dialect does not write replies itself.
fn sample(id: DialectId) -> Option<Value> {
    let ibm = json!([{"generated_text": "Kestrel", "stop_reason": "eos_token"}]);
    Some(match id {
        DialectId::Prompt(wire) => match wire {
            Wire::Titan => {
                json!({"inputTextTokenCount": 3, "results": [{"outputText": "Kestrel", "completionReason": "FINISH"}]})
            }
            Wire::OwnDeepseek => json!({"generation": "A bird?</think>Kestrel", "stop_reason": "stop"}),
            Wire::Llama | Wire::OwnLlama => {
                json!({"generation": "Kestrel", "stop_reason": "stop"})
            }
            Wire::Mistral => json!({"outputs": [{"text": "Kestrel", "stop_reason": "stop"}]}),
            Wire::Command => json!({"generations": [{"text": "Kestrel", "finish_reason": "COMPLETE"}]}),
            Wire::Jurassic => {
                json!({"completions": [{"data": {"text": "Kestrel"}, "finishReason": {"reason": "endoftext"}}]})
            }
            Wire::Complete => json!({"completion": "Kestrel", "stop_reason": "stop_sequence"}),
            Wire::Generation | Wire::Lorax => json!({"generated_text": "Kestrel"}),
            Wire::TextGeneration => json!([{"generated_text": "Kestrel"}]),
            Wire::Triton => json!({"text_output": "Kestrel"}),
            Wire::Prediction => json!({"status": "succeeded", "output": ["Kes", "trel"]}),
            Wire::Watsonx => json!({ "results": ibm }),
            Wire::OwnQwen => json!({"generation": "Kestrel", "stop_reason": "stop"}),
        },
        DialectId::OracleGeneric => json!({"chatResponse": {"apiFormat": "GENERIC", "choices": [{"index": 0,
            "message": {"role": "ASSISTANT", "content": [{"type": "TEXT", "text": "Kestrel"}]}, "finishReason": "stop"}]}}),
        DialectId::OracleCohere => json!({"chatResponse": {"text": "Kestrel", "finishReason": "COMPLETE"}}),
        DialectId::A2a => {
            json!({"result": {"kind": "message", "parts": [{"kind": "text", "text": "Kestrel"}]}})
        }
        DialectId::Langgraph => json!({"messages": [{"type": "ai", "content": "Kestrel"}]}),
        DialectId::Langflow => {
            json!({"outputs": [{"outputs": [{"results": {"message": {"text": "Kestrel"}}}]}]})
        }
        DialectId::Threads => json!({"data": [{"content": [{"text": {"value": "Kestrel"}}]}]}),
        DialectId::Agentcore => json!({"result": "Kestrel"}),
        DialectId::Bytez => json!({"output": {"content": "Kestrel"}}),
        DialectId::AgentEngine => json!({"content": {"role": "model", "parts": [{"text": "Kestrel"}]}}),
        DialectId::CohereV1 => json!({"text": "Kestrel", "finish_reason": "COMPLETE"}),
        DialectId::Nova => {
            json!({"output": {"message": {"role": "assistant", "content": [{"text": "Kestrel"}]}},
            "stopReason": "end_turn", "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}})
        }
        _ => return None,
    })
}

/// Dialects that callers speak too: they write what they read.
const BOTH_WAYS: [DialectId; 7] = [
    DialectId::OpenaiChat,
    DialectId::OpenaiResponses,
    DialectId::Anthropic,
    DialectId::Gemini,
    DialectId::Cohere,
    DialectId::Converse,
    DialectId::Ollama,
];

fn calls(reply: &ChatResponse) -> usize {
    let parts = &reply.choices[0].message.parts;
    parts.iter().filter(|part| matches!(part.kind, PartKind::ToolCall(_))).count()
}

#[test]
fn whole_replies_are_read() {
    let cx = ReplyContext {
        id: "r".into(),
        model: "m".into(),
        now: 1,
        include_usage: true,
        ..ReplyContext::default()
    };
    for (name, target) in targets() {
        let dialect = dialect(target.spec.dialect);
        if BOTH_WAYS.contains(&dialect.id()) {
            for tool in [false, Claim::Tools.is_told(&target)] {
                let body = dialect.encode_response(&answer(tool), &cx).unwrap();
                let reply = dialect.decode_response(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(
                    (&*reply.choices[0].message.text(), calls(&reply)),
                    ("Kestrel", usize::from(tool)),
                    "{name}"
                );
                assert_eq!(reply.usage.map(|usage| usage.output_tokens), Some(2), "{name}");
            }
        } else if let Some(body) = sample(dialect.id()) {
            let reply = dialect.decode_response(body.to_string().as_bytes());
            let reply = reply.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(reply.choices[0].message.text(), "Kestrel", "{name}");
        } else {
            let has_tests = [DialectId::OpenaiText, DialectId::Functions, DialectId::BedrockAgent]
                .contains(&dialect.id());
            assert!(has_tests, "{name}: no reply to read");
        }
    }
}

#[test]
fn streams_are_read_with_their_usage_and_a_cut_one_has_no_end() {
    let cx = ReplyContext {
        id: "r".into(),
        model: "m".into(),
        now: 1,
        include_usage: true,
        ..ReplyContext::default()
    };
    for (name, target) in targets() {
        let dialect = dialect(target.spec.dialect);
        if !BOTH_WAYS.contains(&dialect.id()) {
            continue; // Their streams have tests of their own: nobody but the vendor writes them.
        }
        for tool in [false, Claim::Tools.is_told(&target)] {
            let mut encoder = dialect.stream_encoder(cx.clone());
            let mut out = bytes::BytesMut::new();
            answer(tool).into_events().iter().for_each(|event| encoder.push(event, &mut out));
            encoder.finish(&mut out);
            let events = read(dialect, &out);
            let text: String = events.iter().filter_map(said).collect();
            let used = events.iter().filter_map(|event| match event {
                Event::Usage(usage) => Some(usage.output_tokens),
                _ => None,
            });
            assert_eq!((&*text, used.max()), ("Kestrel", Some(2)), "{name}");
            assert!(events.iter().any(|event| matches!(event, Event::Finish { .. })), "{name}");
            assert!(events.contains(&Event::Done), "{name}: {events:?}");
            let cut = read(dialect, &out[..out.len() / 2]);
            assert!(!cut.contains(&Event::Done), "{name}: a cut stream ends");
        }
    }
}

fn said(event: &Event) -> Option<&str> {
    match event {
        Event::Text { text, .. } => Some(text),
        _ => None,
    }
}

fn read(dialect: &dyn Dialect, body: &[u8]) -> Vec<Event> {
    let (mut frames, mut decoder, mut events) =
        (Frames::new(dialect.framing()), dialect.stream_decoder(), Vec::new());
    frames.push(Bytes::copy_from_slice(body));
    while let Ok(Some(frame)) = frames.next_frame() {
        if decoder.push(&frame, &mut events).is_err() {
            return events;
        }
    }
    decoder.finish(&mut events);
    events
}

#[test]
fn refusals_are_understood_in_every_dialect() {
    let shapes = [
        json!({"error": {"message": "too much", "type": "t", "code": "c"}}),
        json!({"message": "too much"}),
        json!({"error": "too much"}),
        json!({"detail": "too much"}),
    ];
    for (name, target) in targets() {
        let dialect = dialect(target.spec.dialect);
        for shape in &shapes {
            let body = shape.to_string();
            let told = |status: StatusCode| dialect.decode_error(status, &HeaderMap::new(), body.as_bytes());
            for (status, kind) in [
                (StatusCode::TOO_MANY_REQUESTS, ErrorKind::RateLimited),
                (StatusCode::UNAUTHORIZED, ErrorKind::Unauthenticated),
                (StatusCode::BAD_REQUEST, ErrorKind::BadRequest),
            ] {
                assert_eq!(told(status).kind(), kind, "{name}: {status} {body}");
            }
        }
        let broken = dialect.decode_error(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"<html>");
        assert!(!broken.message().is_empty(), "{name}");
        assert!(dialect.decode_response(b"<html>").is_err(), "{name}");
    }
    assert_eq!(OPENAI_CHAT.id(), DialectId::OpenaiChat);
}
