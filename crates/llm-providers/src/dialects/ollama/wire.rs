//! The vendor's words, and the shape of its replies.

use llm_types::Finish;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The dialect's name in native parts and fields.
pub(super) const NATIVE: &str = "ollama";

/// Where conversations go, behind the target's base URL.
pub(super) const CHAT: &str = "/api/chat";

/// Where prompts go.
pub(super) const GENERATE: &str = "/api/generate";

/// Members of `options` that have no canonical form. Source: `api.Options` and `api.Runner` of the
/// vendor's server, and its documentation of the Modelfile's parameters.
pub(super) const OPTIONS: &[&str] = &[
    "draft_num_predict",
    "f16_kv",
    "logits_all",
    "low_vram",
    "main_gpu",
    "min_p",
    "mirostat",
    "mirostat_eta",
    "mirostat_tau",
    "num_batch",
    "num_ctx",
    "num_gpu",
    "num_keep",
    "num_thread",
    "numa",
    "penalize_newline",
    "repeat_last_n",
    "repeat_penalty",
    "tfs_z",
    "typical_p",
    "use_mlock",
    "use_mmap",
    "vocab_only",
];

/// The dialect's name of a parameter that OpenAI names otherwise; those but `format` and `think` are
/// members of `options`.
pub(super) fn own_name(name: &str) -> &str {
    match name {
        "max_tokens" | "max_completion_tokens" => "num_predict",
        "stop_sequences" => "stop",
        "response_format" => "format",
        "reasoning_effort" | "thinking" => "think",
        other => other,
    }
}

/// A reply or a line of a streamed one, of either endpoint.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireReply {
    pub(super) model: Option<String>,
    pub(super) created_at: Option<String>,
    pub(super) message: Option<WireMessage>,
    /// The text, where a prompt was completed.
    pub(super) response: Option<String>,
    /// The thoughts, where a prompt was completed.
    pub(super) thinking: Option<String>,
    pub(super) done: bool,
    pub(super) done_reason: Option<String>,
    pub(super) prompt_eval_count: Option<u64>,
    pub(super) eval_count: Option<u64>,
    pub(super) logprobs: Option<Vec<Value>>,
    /// What went wrong: such a line is the last.
    pub(super) error: Option<Value>,
}

/// What the model says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireMessage {
    pub(super) content: Option<String>,
    pub(super) thinking: Option<String>,
    pub(super) images: Option<Vec<String>>,
    pub(super) tool_calls: Option<Vec<WireCall>>,
}

/// A call, whole.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireCall {
    pub(super) id: Option<String>,
    pub(super) function: WireFunction,
}

/// What is called.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireFunction {
    pub(super) name: String,
    pub(super) arguments: Option<Map<String, Value>>,
}

impl WireFunction {
    /// The arguments as JSON text.
    pub(super) fn arguments_text(&mut self) -> String {
        Value::Object(self.arguments.take().unwrap_or_default()).to_string()
    }
}

impl WireReply {
    /// The message, whichever endpoint wrote it.
    pub(super) fn said(&mut self) -> WireMessage {
        match self.message.take() {
            Some(message) => message,
            None => WireMessage {
                content: self.response.take(),
                thinking: self.thinking.take(),
                ..WireMessage::default()
            },
        }
    }

    /// Log-probabilities in OpenAI's form, whose entries are the wire's.
    pub(super) fn probabilities(&mut self) -> Option<Value> {
        let entries = self.logprobs.take().filter(|entries| !entries.is_empty())?;
        Some(Value::Object(Map::from_iter([("content".to_owned(), Value::Array(entries))])))
    }
}

/// The meaning of a `done_reason`. The wire says `stop` where the answer asks for tools.
pub(super) fn finish(word: Option<&str>, calls: bool) -> Finish {
    match word {
        Some("length") => Finish::Length,
        _ if calls => Finish::ToolCalls,
        // A model that was only loaded or unloaded says nothing and is done.
        None | Some("stop" | "load" | "unload" | "") => Finish::Stop,
        Some(other) => Finish::Other(other.to_owned()),
    }
}

/// The `done_reason` of an answer.
pub(super) fn finish_word(finish: Option<&Finish>) -> &str {
    match finish {
        None | Some(Finish::Stop | Finish::StopSequence(_) | Finish::ToolCalls | Finish::Pause) => "stop",
        Some(Finish::Length | Finish::ContextWindow) => "length",
        Some(Finish::ContentFilter) => "content_filter",
        Some(Finish::Refusal) => "refusal",
        Some(Finish::Other(word)) => word,
    }
}

/// Log-probabilities as the wire writes them.
pub(super) fn entries(record: &Value) -> Option<&Vec<Value>> {
    record.get("content").and_then(Value::as_array).filter(|entries| !entries.is_empty())
}
