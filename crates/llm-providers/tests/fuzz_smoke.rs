//! The checks of the fuzz targets (`fuzz/`) on inputs made from seeds: the same on every machine.

#[path = "../../../fuzz/checks/converse.rs"]
mod converse;
#[path = "../../../fuzz/checks/event_stream.rs"]
mod event_stream;
#[path = "../../../fuzz/checks/gemini.rs"]
mod gemini;
#[path = "../../../fuzz/checks/ollama.rs"]
mod ollama;

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
    run(&[full, br#"{"messages":[]}"#], &words, converse::request);
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
    run(&[full], &words, converse::stream);
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
    run(&[full], &words, gemini::request);
}

#[test]
fn gemini_streams() {
    let full = br#"{"candidates":[{"content":{"parts":[{"text":"a","thought":true},{"text":"b","thoughtSignature":"c2ln"}]},"index":0}]}
{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}},{"functionCall":{"partialArgs":[{"jsonPath":"$.a[1]['b']","stringValue":"x","willContinue":true}],"willContinue":true}},{"functionCall":{}}]}}]}
{"candidates":[{"finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"u"}}],"groundingSupports":[{"segment":{"endIndex":3},"groundingChunkIndices":[0]}]}}],"usageMetadata":{"promptTokenCount":1,"totalTokenCount":2}}
{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}"#;
    let words: [&[u8]; 5] = [b"\n", b"null", b"99999999999", b"$[", b"\"willContinue\":true,"];
    run(&[full], &words, gemini::stream);
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
    run(&[full, b"{}"], &words, ollama::request);
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
    run(&[full, b""], &words, ollama::stream);
}
