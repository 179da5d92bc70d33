//! The checks of Cohere's fuzz targets (`fuzz/`) on inputs made from seeds: the same on every machine.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../../../fuzz/checks/cohere.rs"]
mod cohere;

/// A small generator (xorshift), so that a failure can be found again by its round.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }

    /// The seed with a few pieces changed, cut, doubled or put in.
    fn changed(&mut self, seed: &str, words: &[&str]) -> Vec<u8> {
        let mut data = seed.as_bytes().to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(data.len() + 1);
            let end = (at + self.below(40)).min(data.len());
            match self.below(5) {
                0 if at < data.len() => data[at] = u8::try_from(self.below(256)).unwrap(),
                1 => data.truncate(at),
                2 => {
                    let piece = data[at..end].to_vec();
                    data.splice(at..at, piece);
                }
                3 => {
                    let word = words[self.below(words.len())];
                    data.splice(at..at, word.bytes());
                }
                _ => {
                    data.drain(at..end);
                }
            }
        }
        data
    }
}

fn run(seed: &str, words: &[&str], check: fn(&[u8])) {
    check(seed.as_bytes());
    for round in 1..=3_000_u64 {
        let data = Seeded(round.wrapping_mul(0x9e37_79b9_7f4a_7c15)).changed(seed, words);
        let outcome = std::panic::catch_unwind(|| check(&data));
        assert!(outcome.is_ok(), "round {round}: {:?}", String::from_utf8_lossy(&data));
    }
}

#[test]
fn requests() {
    let seed = r#"{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},
        {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},{"type":"document","document":{"data":{"text":"x","n":1}}}]},
        {"role":"assistant","content":[{"type":"thinking","thinking":"t"},{"type":"text","text":"b"}],"citations":[{"start":0,"end":1,"text":"b","sources":[]}]},
        {"role":"assistant","tool_plan":"p","tool_calls":[{"id":"c","type":"function","function":{"name":"n","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"c","content":[{"type":"document","document":{"id":"d","data":{"k":[1]}}}]}],
        "documents":["d",{"id":"e","data":{"text":"x","title":"t"}}],"tools":[{"type":"function","function":{"name":"n","parameters":{"type":"object"}}}],
        "tool_choice":"REQUIRED","strict_tools":true,"response_format":{"type":"json_object","json_schema":{"type":"object"}},
        "thinking":{"type":"enabled","token_budget":9},"p":0.5,"k":3,"seed":1,"stop_sequences":["x"],"logprobs":true,"priority":1}"#;
    let words = [
        "null",
        "{}",
        "[]",
        "\"\"",
        ",{\"role\":\"user\",\"content\":\"x\"}",
        "-1",
        "1e400",
        "\"\\ud800\"",
        "\"documents\":[1],",
    ];
    run(seed, &words, cohere::request);
}

#[test]
fn streams() {
    let seed = r#"data: {"id":"s","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}

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
    let words = [
        "\n",
        "data: {}\n\n",
        "data: {\"message\":\"no\"}\n\n",
        "null",
        "[]",
        "1e400",
        "\r",
        "event: content-delta\n",
    ];
    run(seed, &words, cohere::stream);
    // The decoder gets frames without their framing: lines of data.
    let bare = seed.replace("data: ", "").replace("\n\n", "\n");
    run(&bare, &words, cohere::stream);
}
