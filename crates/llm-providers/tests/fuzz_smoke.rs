//! The checks of the fuzz targets (`fuzz/`) on inputs made from seeds: the same on every machine.

#[path = "../../../fuzz/checks/dialect.rs"]
mod dialect;
#[path = "../../../fuzz/checks/event_stream.rs"]
mod event_stream;

use bytes::BytesMut;
use llm_providers::framing::event_stream as frames;

/// A small generator (xorshift), so that a failure can be found again by its seed.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below.max(1) as u64).expect("below a usize")
    }

    /// The seed with a few bytes changed, cut, repeated or moved.
    fn mutate(&mut self, seed: &[u8], words: &[&[u8]]) -> Vec<u8> {
        let mut data = seed.to_vec();
        for _ in 0..=self.next(4) {
            let at = self.next(data.len() + 1);
            match self.next(5) {
                0 if at < data.len() => data[at] = u8::try_from(self.next(256)).expect("below 256"),
                1 => data.truncate(at),
                2 => {
                    let end = (at + self.next(40)).min(data.len());
                    let piece = data[at..end].to_vec();
                    data.splice(at..at, piece);
                }
                3 => {
                    let word = words[self.next(words.len())];
                    data.splice(at..at, word.iter().copied());
                }
                _ => {
                    let end = (at + self.next(12)).min(data.len());
                    data.drain(at..end);
                }
            }
        }
        data
    }
}

const ROUNDS: u64 = 2_000;

fn run(seeds: &[&[u8]], words: &[&[u8]], check: fn(&[u8])) {
    for round in 1..=ROUNDS {
        let mut random = Seeded(round.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let seed = seeds[random.next(seeds.len())];
        let data = random.mutate(seed, words);
        let outcome = std::panic::catch_unwind(|| check(&data));
        assert!(outcome.is_ok(), "round {round}: {:?}", String::from_utf8_lossy(&data));
    }
}

#[test]
fn event_stream_frames() {
    let mut body = BytesMut::new();
    frames::write(&mut body, "messageStart", br#"{"role":"assistant"}"#);
    frames::write(&mut body, "metadata", b"");
    frames::write_exception(&mut body, "throttlingException", br#"{"message":"slow"}"#);
    run(&[&body, b""], &[&body[..40], &[0; 12], &[0xff; 4]], event_stream::cut);
}

#[test]
fn converse_requests() {
    let full = br#"{"messages":[{"role":"user","content":[{"text":"a"},{"cachePoint":{"type":"default"}},
        {"image":{"format":"png","source":{"bytes":"AAAA"}}},{"document":{"name":"n","format":"pdf","source":{"s3Location":{"uri":"s3://b/k"}}}}]},
        {"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"t","signature":"s"}}},{"toolUse":{"toolUseId":"t","name":"n","input":{"a":1}}}]},
        {"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[{"json":{"a":[1]}}],"status":"error"}}]}],
        "system":[{"text":"s"}],"inferenceConfig":{"maxTokens":9,"temperature":0.5,"stopSequences":["x"]},
        "toolConfig":{"tools":[{"toolSpec":{"name":"n","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"tool":{"name":"n"}}},
        "additionalModelRequestFields":{"top_k":3,"thinking":{"type":"enabled","budget_tokens":2000}},
        "outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}"}}}}}"#;
    let words: [&[u8]; 8] =
        [b"null", b"{}", b"[]", b"\"\"", b",{\"text\":\"b\"}", b"-1", b"1e400", b"\"\\ud800\""];
    run(&[full, br#"{"messages":[]}"#], &words, dialect::converse_request);
}

#[test]
fn converse_streams() {
    let full = br#"messageStart {"role":"assistant"}
contentBlockDelta {"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}
contentBlockDelta {"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"s"}}}
contentBlockStop {"contentBlockIndex":0}
contentBlockStart {"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t","name":"n"}}}
contentBlockDelta {"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"a\":1}"}}}
contentBlockStart {"contentBlockIndex":2,"start":{"toolResult":{"toolUseId":"t","type":"x"}}}
contentBlockDelta {"contentBlockIndex":2,"delta":{"toolResult":[{"json":{}}]}}
contentBlockStop {"contentBlockIndex":2}
messageStop {"stopReason":"tool_use"}
metadata {"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}"#;
    let words: [&[u8]; 6] = [
        b"\n",
        b"contentBlockStop {}\n",
        b"exception:throttlingException {}\n",
        b"null",
        b"[]",
        b"metadata {}\n",
    ];
    run(&[full], &words, dialect::converse_stream);
}

#[test]
fn gemini_requests() {
    let full = br#"{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"a"},
        {"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"file_data":{"file_uri":"gs://b/v.mp4"}}]},
        {"role":"model","parts":[{"text":"t","thought":true},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"c2ln"}]},
        {"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"1"}}}]}],
        "tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true}}}}]},{"googleSearch":{}}],
        "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},
        "generationConfig":{"temperature":0.5,"stopSequences":["x"],"thinkingConfig":{"thinkingBudget":-1},"responseSchema":{"type":"STRING"}}}"#;
    let words: [&[u8]; 6] = [b"null", b"{}", b"[]", b"\"thought\":true,", b"\"parts\":", b"_"];
    run(&[full], &words, dialect::gemini_request);
}

#[test]
fn gemini_streams() {
    let full = br#"{"candidates":[{"content":{"parts":[{"text":"a","thought":true},{"text":"b","thoughtSignature":"c2ln"}]},"index":0}]}
{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}},{"functionCall":{"partialArgs":[{"jsonPath":"$.a[1]['b']","stringValue":"x","willContinue":true}],"willContinue":true}},{"functionCall":{}}]}}]}
{"candidates":[{"finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"u"}}],"groundingSupports":[{"segment":{"endIndex":3},"groundingChunkIndices":[0]}]}}],"usageMetadata":{"promptTokenCount":1,"totalTokenCount":2}}
{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}"#;
    let words: [&[u8]; 5] = [b"\n", b"null", b"99999999999", b"$[", b"\"willContinue\":true,"];
    run(&[full], &words, dialect::gemini_stream);
}

#[test]
fn ollama_requests() {
    let full = br#"{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"a","images":["iVBO"]},
        {"role":"assistant","content":"","thinking":"t","tool_calls":[{"function":{"name":"n","arguments":{"a":1}}},{"id":"c","function":{"name":"o","arguments":{}}}]},
        {"role":"tool","tool_name":"n","content":"r"},{"role":"tool","tool_call_id":"c","content":"r"},{"role":"user","content":"b"}],
        "tools":[{"type":"function","function":{"name":"n","description":"d","parameters":{"type":"object"}}}],
        "options":{"num_predict":9,"temperature":0.5,"stop":["x"],"seed":1,"num_ctx":5},"format":{"type":"object"},"think":"low",
        "stream":false,"keep_alive":"5m","logprobs":true,"top_logprobs":2}"#;
    let words: [&[u8]; 7] =
        [b"null", b"{}", b"[]", b"\"\"", b"-1", b"1e400", b",{\"role\":\"tool\",\"content\":\"x\"}"];
    run(&[full, b"{}"], &words, dialect::ollama_request);
}

#[test]
fn ollama_streams() {
    let full = br#"{"model":"m","created_at":"2026-01-01T00:00:00.5Z","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}
{"model":"m","message":{"role":"assistant","content":"Hi","images":["iVBO"]},"logprobs":[{"token":"Hi","logprob":-1}],"done":false}
{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"n","arguments":{"a":1}}}]},"done":false}
{"model":"m","response":"more","done":false}
{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":4}
"#;
    let words: [&[u8]; 7] =
        [b"\n", b"{\"error\":\"e\"}\n", b"null", b"[]", b"\r", b"{\"done\":true}\n", b"\xff"];
    run(&[full, b""], &words, dialect::ollama_stream);
}

#[test]
fn cohere_requests() {
    let full = br#"{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},
        {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},{"type":"document","document":{"data":{"text":"x","n":1}}}]},
        {"role":"assistant","content":[{"type":"thinking","thinking":"t"},{"type":"text","text":"b"}],"citations":[{"start":0,"end":1,"text":"b","sources":[]}]},
        {"role":"assistant","tool_plan":"p","tool_calls":[{"id":"c","type":"function","function":{"name":"n","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"c","content":[{"type":"document","document":{"id":"d","data":{"k":[1]}}}]}],
        "documents":["d",{"id":"e","data":{"text":"x","title":"t"}}],"tools":[{"type":"function","function":{"name":"n","parameters":{"type":"object"}}}],
        "tool_choice":"REQUIRED","strict_tools":true,"response_format":{"type":"json_object","json_schema":{"type":"object"}},
        "thinking":{"type":"enabled","token_budget":9},"p":0.5,"k":3,"seed":1,"stop_sequences":["x"],"logprobs":true,"priority":1}"#;
    let words: [&[u8]; 9] = [
        b"null",
        b"{}",
        b"[]",
        b"\"\"",
        b",{\"role\":\"user\",\"content\":\"x\"}",
        b"-1",
        b"1e400",
        b"\"\\ud800\"",
        b"\"documents\":[1],",
    ];
    run(&[full], &words, dialect::cohere_request);
}

#[test]
fn cohere_streams() {
    let full = br#"data: {"id":"s","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}

data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":""}}}}

data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"hm"}}},"logprobs":{"text":"hm","token_ids":[1],"logprobs":[-1]}}

data: {"type":"content-end","index":0}

data: {"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will"}}}

data: {"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"t","type":"function","function":{"name":"n","arguments":""}}}}}

data: {"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}

data: {"type":"tool-call-end","index":0}

data: {"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":2,"text":"hm","sources":[{"type":"tool","id":"t:0"}]}}}}

data: {"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"tokens":{"input_tokens":1,"output_tokens":2}}}}

data: [DONE]

"#;
    let words: [&[u8]; 8] = [
        b"\n",
        b"data: {}\n\n",
        b"data: {\"message\":\"no\"}\n\n",
        b"null",
        b"[]",
        b"1e400",
        b"\r",
        b"event: content-delta\n",
    ];
    // The decoder gets frames without their framing too: lines of data.
    let bare = String::from_utf8_lossy(full).replace("data: ", "").replace("\n\n", "\n");
    run(&[full, bare.as_bytes()], &words, dialect::cohere_stream);
}

/// What breaks JSON and what JSON may hold but requests do not expect.
const WORDS: [&[u8]; 9] = [
    b"null",
    b"{}",
    b"[]",
    b"\"\"",
    b"-1",
    b"1e400",
    b"\"\\ud800\"",
    b",{\"role\":\"user\",\"content\":\"b\"}",
    b"99999999999999999999",
];

#[test]
fn chat_requests() {
    let full = br#"{"model":"m","messages":[{"role":"system","content":"s"},{"role":"developer","content":[{"type":"text","text":"d","cache_control":{"type":"ephemeral"}}]},
        {"role":"user","name":"bo","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},
        {"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA","filename":"f"}}]},
        {"role":"assistant","content":null,"reasoning_content":"r","thinking_blocks":[{"type":"thinking","thinking":"t","signature":"s"}],"refusal":"no",
        "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"d","type":"custom","custom":{"name":"g","input":"x"}}]},
        {"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"1"}]},{"role":"function","name":"f","content":"2"}],
        "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","$defs":{"x":{"type":"string"}},"properties":{"a":{"$ref":"\u0023/$defs/x"}}},"strict":true}},{"type":"custom","custom":{"name":"g"}},{"googleSearch":{}}],
        "tool_choice":{"type":"function","function":{"name":"f"}},"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}},
        "temperature":0.5,"top_p":0.9,"n":2,"stop":["x"],"seed":1,"logprobs":true,"top_logprobs":2,"max_completion_tokens":9,"reasoning_effort":"low","thinking":{"type":"enabled","budget_tokens":2000},
        "modalities":["text"],"metadata":{"a":"b"},"stream":true,"stream_options":{"include_usage":true},"functions":[{"name":"h"}],"function_call":"auto","web_search_options":{},"user":"u","moderation":{},"extra_body":{"k":1}}"#;
    run(&[full, br#"{"model":"m","messages":[]}"#], &WORDS, dialect::chat_request);
}

#[test]
fn chat_streams() {
    let full = br#"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning_content":"hm"}}]}

data: {"id":"c","choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":-1,"bytes":[97],"top_logprobs":[]}]}},{"index":1,"delta":{"refusal":"no"}}]}

data: {"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":""}}]}}]}

data: {"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}},{"id":"u","function":{"name":"g","arguments":"{}"}}]}}]}

data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"},{"index":1,"delta":{},"finish_reason":"stop"}]}

data: {"id":"c","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":1}}}

data: [DONE]

"#;
    let words: [&[u8]; 7] = [
        b"\n",
        b"\r",
        b"data: {\"error\":{\"message\":\"m\"}}\n\n",
        b"data: [DONE]\n\n",
        b"null",
        b": ping\n\n",
        b"\"index\":7,",
    ];
    run(&[full], &words, dialect::chat_stream);
}

#[test]
fn anthropic_requests() {
    let full = br#"{"model":"m","max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],
        "messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},{"type":"image","source":{"type":"url","url":"https://e.org/a"}},
        {"type":"document","source":{"type":"content","content":[{"type":"text","text":"x"}]},"title":"t","citations":{"enabled":true}},{"type":"document","source":{"type":"file","file_id":"f"}}]},
        {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"redacted_thinking","data":"d"},{"type":"text","text":"b","citations":[{"type":"char_location","cited_text":"x","document_index":0,"start_char_index":0,"end_char_index":1}]},
        {"type":"tool_use","id":"i","name":"n","input":{"a":1}},{"type":"server_tool_use","id":"j","name":"web_search","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"i","is_error":true,"content":[{"type":"text","text":"1"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}]},{"role":"system","content":"s"}],
        "tools":[{"name":"n","input_schema":{"type":"object"},"description":"d"},{"type":"web_search_20250305","name":"web_search","max_uses":2},{"type":"mcp_toolset","mcp_server_name":"m"}],
        "tool_choice":{"type":"tool","name":"n","disable_parallel_tool_use":true},"thinking":{"type":"enabled","budget_tokens":2000},"output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object"}}},
        "temperature":1,"top_k":-1,"top_p":-1,"stop_sequences":["x"],"metadata":{"user_id":"u"},"stream":true,"context_management":{"edits":[]},"mcp_servers":[{"name":"m"}],"service_tier":"auto"}"#;
    run(&[full, br#"{"model":"m","max_tokens":1,"messages":[]}"#], &WORDS, dialect::anthropic_request);
}

#[test]
fn anthropic_streams() {
    let full = br#"event: message_start
data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"n","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"web_search_tool_result","tool_use_id":"j","content":[]}}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":5}}

event: message_stop
data: {"type":"message_stop"}

"#;
    let words: [&[u8]; 6] = [
        b"\n",
        b"\r",
        b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n",
        b"null",
        b"data: {}\n\n",
        b"\"index\":7,",
    ];
    run(&[full], &words, dialect::anthropic_stream);
}

#[test]
fn responses_requests() {
    let full = br#"{"model":"m","instructions":"i","input":[{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"},{"type":"input_file","file_data":"data:application/pdf;base64,AAAA"}]},
        {"type":"reasoning","id":"rs","summary":[{"type":"summary_text","text":"t"}],"encrypted_content":"sig1|s"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"b","annotations":[{"type":"url_citation","url":"u"}]},{"type":"refusal","refusal":"no"}]},
        {"type":"function_call","call_id":"c","name":"f","namespace":"ns","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"1"}]},{"type":"custom_tool_call","call_id":"d","name":"g","input":"x"},{"type":"item_reference","id":"x"},{"type":"web_search_call","id":"w"}],
        "tools":[{"type":"function","name":"f","parameters":{"type":"object"}},{"type":"custom","name":"g","format":{"type":"grammar","syntax":"lark","definition":"x"}},{"type":"namespace","name":"ns","description":"d","tools":[{"type":"function","name":"f"}]},{"type":"web_search","external_web_access":true},{"type":"mcp","server_label":"s"}],
        "tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]},"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}},"verbosity":"low"},"reasoning":{"effort":"low","summary":"auto"},
        "include":["reasoning.encrypted_content"],"store":false,"max_output_tokens":9,"temperature":0.5,"top_logprobs":1,"metadata":{"a":"b"},"stream":true,"prompt_cache_key":"k","client_metadata":{},"background":false,"truncation":"auto"}"#;
    run(&[full, br#"{"model":"m","input":"a"}"#], &WORDS, dialect::responses_request);
}

#[test]
fn responses_streams() {
    let full = br#"event: response.created
data: {"type":"response.created","sequence_number":0,"response":{"id":"r","object":"response","status":"in_progress","model":"m","output":[]}}

event: response.output_item.added
data: {"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs","summary":[]}}

event: response.reasoning_summary_text.delta
data: {"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"hm"}

event: response.output_item.done
data: {"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs","summary":[],"encrypted_content":"e"}}

event: response.output_text.delta
data: {"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":"a","logprobs":[]}

event: response.output_item.added
data: {"type":"response.output_item.added","output_index":2,"item":{"type":"function_call","id":"fc","call_id":"c","name":"f","namespace":"n","arguments":""}}

event: response.function_call_arguments.delta
data: {"type":"response.function_call_arguments.delta","output_index":2,"delta":"{}"}

event: response.output_text.annotation.added
data: {"type":"response.output_text.annotation.added","output_index":1,"annotation":{"type":"url_citation","url":"u"}}

event: response.completed
data: {"type":"response.completed","response":{"id":"r","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"a"}]}],"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}}

"#;
    let words: [&[u8]; 6] = [
        b"\n",
        b"\r",
        b"event: error\ndata: {\"type\":\"error\",\"message\":\"m\"}\n\n",
        b"null",
        b"data: {}\n\n",
        b"\"response\":{},",
    ];
    run(&[full], &words, dialect::responses_stream);
}
