//! What a vendor's record claims of chats, found by asking: one request for each thing a caller may want, written
//! for the vendor as calls are. What its dialect or its record cannot say is refused by name.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use bytes::Bytes;
use llm_types::{HttpRequest, Result, Secret};
use serde_json::{Value, json};

use crate::cloud::{Cloud, CloudSpec};
use crate::dialects::{OPENAI_CHAT, dialect};
use crate::{DialectId, PreparedTarget, Provider, ProviderSpec, Target};

/// A thing a caller may want of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// An answer.
    Plain,
    /// An answer piece by piece.
    Stream,
    /// What was said before.
    Turns,
    /// Instructions of the operator's.
    System,
    /// Functions the model may call.
    Tools,
    /// What a function gave.
    ToolResults,
    /// Several calls at once, and what they gave.
    ParallelTools,
    /// An answer of a given form.
    JsonSchema,
    /// A picture.
    Vision,
    /// A document.
    Pdf,
    /// Sound.
    Audio,
    /// More or less thinking.
    Reasoning,
    /// A text that ends the answer.
    Stop,
}

/// One white pixel.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
/// The beginning of a document, and its end.
const PDF: &str = "JVBERi0xLjEKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZz4+ZW5kb2JqCnRyYWlsZXI8PC9Sb290IDEgMCBSPj4=";
/// No sound at all.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";

impl Claim {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Plain,
        Self::Stream,
        Self::Turns,
        Self::System,
        Self::Tools,
        Self::ToolResults,
        Self::ParallelTools,
        Self::JsonSchema,
        Self::Vision,
        Self::Pdf,
        Self::Audio,
        Self::Reasoning,
        Self::Stop,
    ];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Stream => "stream",
            Self::Turns => "turns",
            Self::System => "system",
            Self::Tools => "tools",
            Self::ToolResults => "tool results",
            Self::ParallelTools => "parallel tools",
            Self::JsonSchema => "JSON schema",
            Self::Vision => "pictures",
            Self::Pdf => "documents",
            Self::Audio => "sound",
            Self::Reasoning => "reasoning effort",
            Self::Stop => "stop",
        }
    }

    /// The request that wants it, in OpenAI's Chat Completions.
    #[must_use]
    pub fn request(self) -> Value {
        let user = |content: Value| json!({"role": "user", "content": content});
        let asked = |kind: &str, rest: Value| {
            user(json!([{"type": "text", "text": "Kestrel"}, {"type": kind, kind: rest}]))
        };
        let call = |id: &str, city: &str| {
            let arguments = json!({"city": city}).to_string();
            json!({"id": id, "type": "function", "function": {"name": "look_up", "arguments": arguments}})
        };
        let result = |id: &str, said: &str| json!({"role": "tool", "tool_call_id": id, "content": said});
        let plain = user("Kestrel".into());
        let mut request = json!({"model": "asked"});
        let messages = match self {
            Self::Turns => json!([plain, {"role": "assistant", "content": "Falcon"}, user("Merlin".into())]),
            Self::System => json!([{"role": "system", "content": "Brevity"}, plain]),
            Self::ToolResults => {
                let calls = json!([call("call_1", "Oslo")]);
                let turn = json!({"role": "assistant", "content": null, "tool_calls": calls});
                json!([plain, turn, result("call_1", "seven degrees")])
            }
            Self::ParallelTools => {
                let calls = json!([call("call_1", "Oslo"), call("call_2", "Rome")]);
                let turn = json!({"role": "assistant", "content": null, "tool_calls": calls});
                json!([plain, turn, result("call_1", "seven degrees"), result("call_2", "twenty degrees")])
            }
            Self::Vision => {
                json!([asked("image_url", json!({"url": format!("data:image/png;base64,{PNG}")}))])
            }
            Self::Pdf => {
                let data = format!("data:application/pdf;base64,{PDF}");
                json!([asked("file", json!({"filename": "a.pdf", "file_data": data}))])
            }
            Self::Audio => json!([asked("input_audio", json!({"data": WAV, "format": "wav"}))]),
            _ => json!([plain]),
        };
        request["messages"] = messages;
        match self {
            Self::Stream => request["stream"] = true.into(),
            Self::Tools | Self::ToolResults | Self::ParallelTools => request["tools"] = tools(),
            Self::JsonSchema => request["response_format"] = form(),
            Self::Reasoning => request["reasoning_effort"] = "high".into(),
            Self::Stop => request["stop"] = json!(["HALT"]),
            _ => {}
        }
        request
    }

    /// The words of it that must arrive, whatever the dialect.
    #[must_use]
    pub const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Plain | Self::Stream | Self::Reasoning => &["Kestrel"],
            Self::Turns => &["Kestrel", "Falcon", "Merlin"],
            Self::System => &["Kestrel", "Brevity"],
            Self::Tools => &["Kestrel", "look_up", "Weather somewhere", "city"],
            Self::ToolResults => &["Kestrel", "look_up", "Oslo", "seven degrees"],
            Self::ParallelTools => &["Kestrel", "look_up", "Oslo", "Rome", "seven degrees", "twenty degrees"],
            Self::JsonSchema => &["Kestrel", "wingspan"],
            Self::Vision => &["Kestrel", PNG],
            Self::Pdf => &["Kestrel", PDF],
            Self::Audio => &["Kestrel", WAV],
            Self::Stop => &["Kestrel", "HALT"],
        }
    }

    /// What a target is sent for it, and behind the body what it is left before the call.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Unsupported`] naming what its dialect or its record cannot say.
    pub fn sent(self, target: &Target) -> Result<HttpRequest> {
        let body = Bytes::from(self.request().to_string());
        let glance = OPENAI_CHAT.glance(&body)?;
        let same = target.spec.dialect == DialectId::OpenaiChat;
        let mut encoded = if same && !OPENAI_CHAT.rewrites(&body, &glance, target) {
            OPENAI_CHAT.forward_request(&body, &glance, target)?
        } else {
            let mut request = OPENAI_CHAT.decode_request(&body)?;
            request.model.clone_from(&target.model);
            dialect(target.spec.dialect).encode_request(&request, target)?
        };
        let left = encoded.beforehand.take();
        let mut request = PreparedTarget::new(Arc::new(target.clone())).request(encoded)?;
        for file in left.iter().flatten() {
            request.body = [request.body, file.leaving().body].concat().into();
        }
        Ok(request)
    }

    /// Whether a target is told all of it.
    #[must_use]
    pub fn is_told(self, target: &Target) -> bool {
        self.sent(target).is_ok_and(|request| self.arrives(&request.body))
    }

    /// Whether a body holds all its words, files as the bytes they are or as base64.
    #[must_use]
    pub fn arrives(self, body: &[u8]) -> bool {
        let holds = |what: &[u8]| memchr::memmem::find(body, what).is_some();
        let is_file = |word: &&str| [PNG, PDF, WAV].contains(word);
        let bytes = |word: &&str| STANDARD.decode(word).is_ok_and(|bytes| holds(&bytes));
        self.words().iter().all(|word| holds(word.as_bytes()) || is_file(word) && bytes(word))
    }
}

fn tools() -> Value {
    let parameters =
        json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    json!([{"type": "function", "function": {
        "name": "look_up", "description": "Weather somewhere", "parameters": parameters}}])
}

fn form() -> Value {
    let schema = json!({"type": "object", "properties": {"wingspan": {"type": "number"}},
        "required": ["wingspan"], "additionalProperties": false});
    json!({"type": "json_schema", "json_schema": {"name": "bird", "strict": true, "schema": schema}})
}

/// Targets of a vendor as operators configure them: one for its usual models, and one for each kind of model that
/// its cloud calls otherwise. Its models can all that any of them can.
#[must_use]
pub fn examples(spec: &Provider) -> Vec<Target> {
    let mut models = vec!["model-1".to_owned()];
    for route in spec.cloud.routes.iter().filter(|route| route.bases.is_empty() && route.versions.is_empty())
    {
        let look = route.models.iter().find(|look| !look.starts_with('!'));
        // Agents have names of two words.
        let end = if route.dialect == DialectId::BedrockAgent { "/1" } else { "1" };
        models.extend(look.map(|look| match look.split_once('*') {
            Some((start, part)) => format!("{start}x{part}{end}"),
            None => look.to_string(),
        }));
    }
    models.iter().map(|model| example(spec, model)).collect()
}

fn example(spec: &Provider, model: &str) -> Target {
    let mut target = Target::bare(Arc::clone(spec), model);
    if target.base_url.is_empty() {
        target.base_url = "https://own.example".to_owned();
    }
    if let Ok(filled) = ProviderSpec::filled(&target.base_url, |_| Some("account-1".to_owned())) {
        target.base_url = filled;
    }
    target.key = Some(Secret::new("a-key".to_owned()));
    if spec.cloud != CloudSpec::NONE {
        let said = |param: &str, value: &str| (!param.is_empty()).then(|| value.to_owned());
        let more = spec.cloud.more.iter().map(|setting| (setting.param.to_string(), "more-1".to_owned()));
        target.cloud = Some(Cloud {
            project: said(&spec.cloud.project.param, "project-1"),
            more: more.collect(),
            ..Cloud::default()
        });
    }
    target.routed().for_model(|_| true)
}

#[cfg(test)]
mod tests;
