//! Each form: requests, replies, streams whatever their pieces, errors, and cuts.

mod requests;
mod streams;
mod vectors;

use llm_types::{ChatResponse, ErrorKind, Finish, PartKind};
use serde_json::{Value, json};

use super::{
    A2A, AGENT_ENGINE, AGENTCORE, BYTEZ, FUNCTIONS, LANGFLOW, LANGGRAPH, ORACLE, ORACLE_COHERE, THREADS,
};
use crate::dialect::Dialect;

fn read(dialect: &dyn Dialect, reply: &Value) -> ChatResponse {
    dialect.decode_response(reply.to_string().as_bytes()).unwrap()
}

fn calls(response: &ChatResponse) -> Vec<(String, String)> {
    let parts = response.choices[0].message.parts.iter();
    let call = |kind: &PartKind| match kind {
        PartKind::ToolCall(call) => Some((call.name.clone(), call.arguments.clone())),
        _ => None,
    };
    parts.filter_map(|part| call(&part.kind)).collect()
}

#[test]
fn oracles_generic_replies() {
    let usage = json!({"promptTokens": 10, "completionTokens": 5, "totalTokens": 15, "promptTokensDetails": {"cachedTokens": 4}});
    let message = json!({"role": "ASSISTANT", "content": [{"type": "TEXT", "text": "Hi"}],
        "toolCalls": [{"id": "c1", "type": "FUNCTION", "name": "look", "arguments": "{\"a\":1}"}]});
    let reply = json!({"modelId": "m", "chatResponse": {"apiFormat": "GENERIC",
        "choices": [{"index": 0, "message": message, "finishReason": "tool_calls"}], "usage": usage}});
    let response = read(ORACLE, &reply);
    assert_eq!(response.choices[0].message.text(), "Hi");
    assert_eq!(calls(&response), [("look".to_owned(), "{\"a\":1}".to_owned())]);
    assert_eq!((response.model.as_str(), &response.choices[0].finish), ("m", &Some(Finish::ToolCalls)));
    let usage = response.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cache_read_tokens), (10, 5, Some(4)));
}

#[test]
fn oracles_cohere_replies() {
    let reply = json!({"modelId": "m", "chatResponse": {"apiFormat": "COHERE", "text": "", "finishReason": "COMPLETE",
        "toolCalls": [{"name": "look", "parameters": {"a": 1}}], "usage": {"promptTokens": 1, "completionTokens": 2, "totalTokens": 3}}});
    let response = read(ORACLE_COHERE, &reply);
    assert_eq!(calls(&response), [("look".to_owned(), "{\"a\":1}".to_owned())]);
    assert_eq!(response.choices[0].finish, Some(Finish::ToolCalls));
    let reply = json!({"chatResponse": {"text": "Hi", "finishReason": "MAX_TOKENS"}});
    let response = read(ORACLE_COHERE, &reply);
    assert_eq!(
        (response.choices[0].message.text().as_str(), &response.choices[0].finish),
        ("Hi", &Some(Finish::Length))
    );
}

#[test]
fn calls_of_functions_are_calls_of_tools() {
    let reply = |name: &str| {
        json!({"choices": [{"index": 0, "finish_reason": "function_call", "message": {"role": "assistant", "content": "",
            "functions_state_id": "s", "function_call": {"name": name, "arguments": {"a": 1}}}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}})
    };
    let response = read(FUNCTIONS, &reply("look"));
    assert_eq!(calls(&response), [("look".to_owned(), "{\"a\":1}".to_owned())]);
    assert_eq!(response.choices[0].finish, Some(Finish::ToolCalls));
    let response = read(FUNCTIONS, &reply("structured_answer"));
    assert_eq!(response.choices[0].message.text(), "{\"a\":1}", "the function that stands in for an answer");
    assert_eq!((calls(&response).len(), &response.choices[0].finish), (0, &Some(Finish::Stop)));
}

#[test]
fn agents_answer_with_messages_and_tasks() {
    let parts = json!([{"kind": "text", "text": "Hi"}, {"kind": "text", "text": " there"}]);
    for result in [
        json!({"kind": "message", "role": "agent", "parts": parts, "messageId": "m1"}),
        json!({"kind": "task", "id": "t1", "status": {"state": "completed"}, "artifacts": [{"artifactId": "a", "parts": parts}]}),
        json!({"kind": "task", "id": "t1", "status": {"state": "input-required", "message": {"parts": parts}}}),
    ] {
        let response = read(A2A, &json!({"jsonrpc": "2.0", "id": "1", "result": result}));
        assert_eq!(response.choices[0].message.text(), "Hi there", "{result}");
    }
}

#[test]
fn agents_failures_are_errors() {
    for (reply, words) in [
        (json!({"jsonrpc": "2.0", "id": "1", "error": {"code": -32603, "message": "boom"}}), "boom"),
        (
            json!({"result": {"kind": "task", "status": {"state": "failed", "message": {"parts": [{"text": "no fuel"}]}}}}),
            "failed: no fuel",
        ),
        (json!({"result": {"kind": "task", "status": {"state": "working"}}}), "before it was done"),
        (json!({"jsonrpc": "2.0"}), "no `result`"),
    ] {
        let error = A2A.decode_response(reply.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadUpstream);
        assert!(error.message().contains(words), "{error}");
    }
}

#[test]
fn a_graphs_last_message_is_the_answer() {
    let human = json!({"type": "human", "content": "Hello"});
    let ai = json!({"type": "ai", "content": [{"type": "text", "text": "Hi"}],
        "usage_metadata": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}});
    for state in [json!({"messages": [human, ai]}), json!({"values": {"messages": [ai]}}), json!([human, ai])]
    {
        let response = read(LANGGRAPH, &state);
        assert_eq!(response.choices[0].message.text(), "Hi", "{state}");
        assert_eq!(response.usage.unwrap().input_tokens, 3);
    }
    let error = LANGGRAPH.decode_response(json!({"messages": [human]}).to_string().as_bytes()).unwrap_err();
    assert!(error.message().contains("no message of an assistant"), "{error}");
    let error =
        LANGGRAPH.decode_response(br#"{"__error__":{"error":"ValueError","message":"bad"}}"#).unwrap_err();
    assert_eq!(error.message(), "bad");
}

#[test]
fn a_flows_first_output_is_the_answer() {
    let reply =
        json!({"session_id": "s", "outputs": [{"outputs": [{"results": {"message": {"text": "Hi"}}}]}]});
    assert_eq!(read(LANGFLOW, &reply).choices[0].message.text(), "Hi");
    let error = LANGFLOW.decode_response(br#"{"detail":"no such flow"}"#).unwrap_err();
    assert_eq!(error.message(), "no such flow");
}

#[test]
fn a_whole_answer_may_come_as_a_stream() {
    let run = "event: thread.run.created\ndata: {\"id\":\"r\"}\n\n\
        event: thread.message.delta\ndata: {\"delta\":{\"content\":[{\"index\":0,\"type\":\"text\",\"text\":{\"value\":\"Hi\"}}]}}\n\n\
        event: thread.message.delta\ndata: {\"delta\":{\"content\":[{\"index\":0,\"type\":\"text\",\"text\":{\"value\":\" there\"}}]}}\n\n\
        event: thread.run.completed\ndata: {\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}\n\n\
        event: done\ndata: [DONE]\n\n";
    let response = THREADS.decode_response(run.as_bytes()).unwrap();
    assert_eq!(response.choices[0].message.text(), "Hi there");
    assert_eq!(response.usage.unwrap().output_tokens, 2);
    let cut = &run[..run.find("event: thread.run.completed").unwrap()];
    let error = THREADS.decode_response(cut.as_bytes()).unwrap_err();
    assert!(error.message().contains("ends before the answer does"), "{error}");
    let failed = "event: thread.run.failed\ndata: {\"last_error\":{\"message\":\"no fuel\"}}\n\n";
    let error = THREADS.decode_response(failed.as_bytes()).unwrap_err();
    assert_eq!(error.message(), "the agent's run is failed: no fuel");
    let error = THREADS.decode_response(b"<html>").unwrap_err();
    assert_eq!(error.message(), "provider reply is not JSON");
}

#[test]
fn runtimes_answer_as_their_operators_wrote_them() {
    for reply in [
        json!({"result": {"role": "assistant", "content": [{"text": "Hi"}]}}),
        json!({"result": "Hi"}),
        json!({"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}}),
    ] {
        assert_eq!(read(AGENTCORE, &reply).choices[0].message.text(), "Hi", "{reply}");
    }
    let error = AGENTCORE.decode_response(br#"{"error":"boom"}"#).unwrap_err();
    assert_eq!(error.message(), "boom");
}

#[test]
fn bytez_answers_with_parts_or_a_text() {
    for content in [json!("Hi"), json!([{"type": "text", "text": "H"}, {"type": "text", "text": "i"}])] {
        let reply = json!({"error": null, "output": {"role": "assistant", "content": content}});
        assert_eq!(read(BYTEZ, &reply).choices[0].message.text(), "Hi");
    }
    let error = BYTEZ.decode_response(br#"{"error": "no such model", "output": null}"#).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::BadUpstream, "no such model"));
}

#[test]
fn an_engines_events_tell_each_text_once() {
    let event = |text: &str, partial: bool| {
        json!({"author": "a", "partial": partial, "content": {"role": "model", "parts": [{"text": text}]},
            "usage_metadata": {"prompt_token_count": 3, "candidates_token_count": 2}})
    };
    let whole = read(AGENT_ENGINE, &event("Hi", false));
    assert_eq!(whole.choices[0].message.text(), "Hi");
    assert_eq!(whole.usage.unwrap().output_tokens, 2);
    for prefix in ["", "data: "] {
        let lines: String = [("H", true), ("i", true), ("Hi", false), ("you", false)]
            .map(|(text, partial)| format!("{prefix}{}\n", event(text, partial)))
            .concat();
        let reply = AGENT_ENGINE.decode_response(lines.as_bytes()).unwrap();
        assert_eq!(reply.choices[0].message.text(), "Hiyou", "{prefix}");
    }
    let failed =
        AGENT_ENGINE.decode_response(br#"{"error_code": "X", "error_message": "it broke"}"#).unwrap_err();
    assert_eq!(failed.message(), "it broke");
    assert!(AGENT_ENGINE.decode_response(b"{}").is_err());
}
