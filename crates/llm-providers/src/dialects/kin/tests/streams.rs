//! Streams: whatever their pieces the same is told, a cut is no end, an error inside is one.

use llm_types::{Event, Finish};

use crate::dialect::Dialect;
use crate::dialects::kin::{
    A2A, AGENTCORE, BEDROCK_AGENT, FUNCTIONS, LANGFLOW, LANGGRAPH, ORACLE, ORACLE_COHERE, THREADS,
};
use crate::dialects::tests::bench::{events, said};

const GENERIC: &str = "data: {\"index\":0,\"message\":{\"role\":\"ASSISTANT\",\"content\":[{\"type\":\"TEXT\",\"text\":\"H\u{e9}\"}]},\"pad\":\"a\"}\n\n\
data: {\"index\":0,\"message\":{\"role\":\"ASSISTANT\",\"content\":[{\"type\":\"TEXT\",\"text\":\"llo\"}]}}\n\n\
data: {\"finishReason\":\"stop\",\"usage\":{\"promptTokens\":10,\"completionTokens\":5,\"totalTokens\":15}}\n\n";
const COHERE: &str = "data: {\"apiFormat\":\"COHERE\",\"text\":\"H\u{e9}\"}\n\ndata: {\"apiFormat\":\"COHERE\",\"text\":\"llo\"}\n\n\
data: {\"apiFormat\":\"COHERE\",\"text\":\"H\u{e9}llo\",\"finishReason\":\"COMPLETE\",\"usage\":{\"promptTokens\":10,\"completionTokens\":5}}\n\n";
const FUNCTION: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"H\u{e9}\"}}]}\n\n\
data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"llo\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":15}}\n\n\
data: [DONE]\n\n";
const AGENT: &str = "data: {\"jsonrpc\":\"2.0\",\"result\":{\"kind\":\"task\",\"id\":\"t\",\"status\":{\"state\":\"submitted\"}}}\n\n\
data: {\"result\":{\"kind\":\"artifact-update\",\"artifact\":{\"parts\":[{\"kind\":\"text\",\"text\":\"H\u{e9}\"}]}}}\n\n\
data: {\"result\":{\"kind\":\"artifact-update\",\"artifact\":{\"parts\":[{\"kind\":\"text\",\"text\":\"llo\"}]},\"append\":true}}\n\n\
data: {\"result\":{\"kind\":\"status-update\",\"status\":{\"state\":\"completed\"},\"final\":true}}\n\n";
const GRAPH: &str = "event: metadata\ndata: {\"run_id\":\"r\"}\n\n\
event: values\ndata: {\"messages\":[{\"type\":\"human\",\"content\":\"x\"}]}\n\n\
event: values\ndata: {\"messages\":[{\"type\":\"human\",\"content\":\"x\"},{\"type\":\"ai\",\"content\":\"H\u{e9}\"}]}\n\n\
event: values\ndata: {\"messages\":[{\"type\":\"human\",\"content\":\"x\"},{\"type\":\"ai\",\"content\":\"H\u{e9}llo\"}]}\n\n";
const FLOW: &str = "data: {\"event\":\"add_message\",\"data\":{}}\n\ndata: {\"event\":\"token\",\"data\":{\"chunk\":\"H\u{e9}\"}}\n\n\
data: {\"event\":\"token\",\"data\":{\"chunk\":\"llo\"}}\n\ndata: {\"event\":\"end\",\"data\":{}}\n\n";

const RUN: &str = "event: thread.run.created\ndata: {\"id\":\"r\"}\n\n\
event: thread.message.delta\ndata: {\"delta\":{\"content\":[{\"index\":0,\"type\":\"text\",\"text\":{\"value\":\"H\u{e9}\"}}]}}\n\n\
event: thread.message.delta\ndata: {\"delta\":{\"content\":[{\"index\":0,\"type\":\"text\",\"text\":{\"value\":\"llo\"}}]}}\n\n\
event: thread.run.completed\ndata: {\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}\n\n\
event: done\ndata: [DONE]\n\n";
const RUNTIME: &str = "data: {\"event\":{\"contentBlockDelta\":{\"delta\":{\"text\":\"H\u{e9}\"}}}}\n\n\
data: {\"event\":{\"contentBlockDelta\":{\"delta\":{\"text\":\"llo\"}}}}\n\n\
data: {\"event\":{\"messageStop\":{\"stopReason\":\"end_turn\"}}}\n\n\
data: {\"event\":{\"metadata\":{\"usage\":{\"inputTokens\":3,\"outputTokens\":2}}}}\n\n\
data: {\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"H\u{e9}llo\"}]}}\n\n";

fn all() -> [(&'static dyn Dialect, &'static str); 8] {
    [
        (ORACLE, GENERIC),
        (ORACLE_COHERE, COHERE),
        (FUNCTIONS, FUNCTION),
        (A2A, AGENT),
        (LANGGRAPH, GRAPH),
        (LANGFLOW, FLOW),
        (THREADS, RUN),
        (AGENTCORE, RUNTIME),
    ]
}

#[test]
fn streams_do_not_depend_on_their_pieces() {
    for (dialect, stream) in all() {
        let whole = said(&events(dialect, stream.as_bytes(), usize::MAX));
        assert!(whole.contains(&"text: H\u{e9}llo".to_owned()), "{:?}: {whole:?}", dialect.id());
        let ends = whole.iter().filter(|line| line.contains("Done")).count();
        assert_eq!(ends, 1, "{:?}: {whole:?}", dialect.id());
        assert!(
            whole.iter().any(|line| line.contains("Finish { choice: 0, reason: Stop }")),
            "{:?}: {whole:?}",
            dialect.id()
        );
        for size in 1..stream.len() {
            assert_eq!(
                said(&events(dialect, stream.as_bytes(), size)),
                whole,
                "{:?} in {size}",
                dialect.id()
            );
        }
    }
}

#[test]
fn a_cut_stream_has_no_end() {
    for (dialect, stream) in all() {
        let first = stream.match_indices("\n\n").nth(usize::from(stream == GRAPH)).unwrap().0 + 2;
        let cut = events(dialect, &stream.as_bytes()[..first], usize::MAX);
        assert!(!cut.contains(&Event::Done), "{:?}: {cut:?}", dialect.id());
    }
}

#[test]
fn an_error_inside_ends_the_stream() {
    for (dialect, stream) in [
        (ORACLE, "data: {\"code\":\"500\",\"message\":\"boom\"}\n\n"),
        (FUNCTIONS, "data: {\"error\":{\"message\":\"boom\",\"code\":503}}\n\n"),
        (A2A, "data: {\"jsonrpc\":\"2.0\",\"error\":{\"code\":-1,\"message\":\"boom\"}}\n\n"),
        (LANGGRAPH, "event: error\ndata: {\"error\":\"X\",\"message\":\"boom\"}\n\n"),
        (LANGFLOW, "data: {\"event\":\"error\",\"data\":{\"error\":\"boom\"}}\n\n"),
    ] {
        let told = events(dialect, stream.as_bytes(), usize::MAX);
        let error = told.iter().find_map(|event| match event {
            Event::Error(error) => Some(error.message().to_owned()),
            _ => None,
        });
        assert!(error.as_deref().is_some_and(|words| words.contains("boom")), "{:?}: {told:?}", dialect.id());
        assert!(!told.contains(&Event::Done), "{:?}", dialect.id());
    }
}

#[test]
fn calls_of_functions_come_whole() {
    let stream = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"function_call\":{\"name\":\"look\",\"arguments\":{\"a\":1}}},\"finish_reason\":\"function_call\"}]}\n\ndata: [DONE]\n\n";
    let told = events(FUNCTIONS, stream.as_bytes(), 5);
    assert!(
        told.iter().any(|event| matches!(event, Event::ToolStart { name, .. } if name == "look")),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|event| matches!(event, Event::ToolArguments { arguments, .. } if arguments == "{\"a\":1}"))
    );
    assert!(told.contains(&Event::Finish { choice: 0, reason: Finish::ToolCalls }));
}

#[test]
fn bedrocks_agents_answer_in_frames() {
    let mut body = bytes::BytesMut::new();
    for (event, payload) in [
        (
            "trace",
            r#"{"trace":{"orchestrationTrace":{"modelInvocationOutput":{"metadata":{"usage":{"inputTokens":3,"outputTokens":2}}}}}}"#,
        ),
        ("chunk", r#"{"bytes":"SMOp"}"#),
        ("chunk", r#"{"bytes":"bGxv"}"#),
    ] {
        crate::framing::event_stream::write(&mut body, event, payload.as_bytes());
    }
    let whole = said(&events(BEDROCK_AGENT, &body, usize::MAX));
    assert!(whole.contains(&"text: H\u{e9}llo".to_owned()), "{whole:?}");
    assert!(whole.iter().any(|line| line.contains("input_tokens: 3")), "{whole:?}");
    for size in 1..body.len() {
        assert_eq!(said(&events(BEDROCK_AGENT, &body, size)), whole, "in {size}");
    }
    let response = BEDROCK_AGENT.decode_response(&body).unwrap();
    assert_eq!(response.choices[0].message.text(), "H\u{e9}llo");
}
