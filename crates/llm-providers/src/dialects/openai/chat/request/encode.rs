//! The canonical request into a provider's OpenAI-like JSON.

use llm_types::{
    ChatRequest, Error, Options, Reasoning, ReasoningEffort, ResponseFormat, Result, Tool, ToolChoice,
    ToolKind,
};
use serde::Serialize;

use super::super::amend::amend;
use super::super::wire::{DIALECT, PATH};
use super::encode_messages;
use super::judge::{Fate, Judge, MAX_STOPS, Said, canonical};
use crate::Target;
use crate::dialect::Encoded;
use crate::dialects::params::drops;
use crate::dialects::unsaid::{Unsaid, note_unsaid};
use crate::left_out::note;
use crate::write::{Array, Object};

/// What callers of other dialects say and this one has no place for; vendors with marks take the first.
const UNSAID: &[Unsaid] = &[
    Unsaid::CacheMark,
    Unsaid::Signature,
    Unsaid::Redacted,
    Unsaid::ErrorMark,
    Unsaid::Citations(DIALECT),
    Unsaid::PartMembers(&[]),
    Unsaid::ToolMembers(&[]),
];

/// Writes a request for a provider.
pub(crate) fn encode(request: &ChatRequest, target: &Target) -> Result<Encoded> {
    let mut body = Vec::with_capacity(1024);
    let effort = request.options.reasoning.as_ref().and_then(effort_of);
    let judge = Judge::new(target, effort.map(|effort| effort.as_str().into()), false);
    let mut writer =
        Writer { object: Object::begin(&mut body), target, judge, written: Vec::new(), refused: None };
    writer.object.text("model", &target.spec.quirks.model_name(&target.model));
    let mut messages = Vec::new();
    let keeps_marks = target.spec.quirks.keeps_cache_control;
    note_unsaid(request, if keeps_marks { &UNSAID[1..] } else { UNSAID });
    encode_messages::encode(&request.messages, target, &writer.judge, &mut messages)?;
    writer.object.raw("messages", &messages);
    writer.written.extend(["model", "messages"]);
    writer.options(&request.options, &request.tools)?;
    writer.tools(request)?;
    if request.stream {
        writer.object.value("stream", &true);
        if !target.spec.quirks.no_stream_options {
            writer.object.object("stream_options", |options| options.value("include_usage", &true));
        }
    }
    writer.written.extend(["stream", "stream_options"]);
    writer.rest(request);
    if let Some(error) = writer.refused {
        return Err(error);
    }
    writer.object.end();
    let body = amend(body.into(), target)?;
    Ok(Encoded { path: PATH.to_owned(), body, ..Encoded::default() })
}

struct Writer<'w> {
    object: Object<'w>,
    target: &'w Target,
    judge: Judge<'w>,
    written: Vec<&'w str>,
    refused: Option<Error>,
}

impl<'w> Writer<'w> {
    /// Writes one parameter if the target takes it.
    fn param<T: Serialize + ?Sized>(&mut self, name: &'w str, value: Option<&T>) {
        self.saying(name, value, Said::Other);
    }

    /// Writes one parameter if the target takes what it says.
    fn saying<T: Serialize + ?Sized>(&mut self, name: &'w str, value: Option<&T>, said: Said<'_>) {
        let Some(value) = value else { return };
        self.written.push(name);
        match self.judge.fate(name, said) {
            Fate::Send => self.object.value(self.judge.name_of(name), value),
            Fate::Drop => note(name.to_owned()),
            Fate::Idle => {}
            Fate::Refuse => {
                self.refused.get_or_insert_with(|| self.judge.refusal(name, said));
            }
        }
    }

    fn options(&mut self, options: &Options, tools: &[Tool]) -> Result<()> {
        // OpenAI's newest models take the newer name only; everybody else knows the older one, and versions of
        // Azure's API no other.
        let quirks = &self.target.spec.quirks;
        let newer = (quirks.openai_families && self.judge.is_new()) || !quirks.takes("max_tokens");
        let cap = if newer { "max_completion_tokens" } else { "max_tokens" };
        self.param(cap, options.max_tokens.as_ref());
        let heat = options.temperature.map_or(Said::Other, Said::Number);
        self.saying("temperature", options.temperature.as_ref(), heat);
        self.param("top_p", options.top_p.as_ref());
        self.top_k(options)?;
        let stops = &options.stop[..options.stop.len().min(MAX_STOPS)];
        if stops.len() < options.stop.len() {
            note("stop");
        }
        self.param("stop", (!stops.is_empty()).then_some(stops));
        self.param("seed", options.seed.as_ref());
        self.param("frequency_penalty", options.frequency_penalty.as_ref());
        self.param("presence_penalty", options.presence_penalty.as_ref());
        self.param("logit_bias", options.logit_bias.as_ref());
        self.param("logprobs", options.logprobs.as_ref());
        self.param("top_logprobs", options.top_logprobs.as_ref());
        let answers = if options.n == Some(1) { Said::Number(1.0) } else { Said::Other };
        self.saying("n", options.n.as_ref(), answers);
        if !tools.is_empty() {
            self.param("parallel_tool_calls", options.parallel_tool_calls.as_ref());
        }
        self.param("response_format", options.response_format.as_ref().map(Format).as_ref());
        self.reasoning(options.reasoning.as_ref());
        self.modalities(options)?;
        self.param("audio", options.audio.as_ref());
        self.param("prediction", options.prediction.as_ref());
        self.param("web_search_options", options.web_search.as_ref());
        self.param("verbosity", options.verbosity.as_ref());
        self.param("service_tier", options.service_tier.as_ref());
        self.param("user", options.user.as_ref());
        self.param("store", options.store.as_ref());
        if options.store == Some(true) {
            // Without `store` OpenAI refuses `metadata`; LiteLLM sends none.
            let labels = options.metadata.as_ref();
            self.param("metadata", labels.filter(|map| map.values().all(serde_json::Value::is_string)));
        }
        self.param("prompt_cache_key", options.prompt_cache_key.as_ref());
        self.param("safety_identifier", options.safety_identifier.as_ref());
        if options.safety_settings.is_some() {
            self.inexpressible("safety_settings")?;
        }
        Ok(())
    }

    /// A parameter of other vendors, not OpenAI's.
    fn top_k(&mut self, options: &Options) -> Result<()> {
        if options.top_k.is_some() && self.is_beyond("top_k") {
            return self.inexpressible("top_k");
        }
        self.param("top_k", options.top_k.as_ref());
        Ok(())
    }

    /// Kinds of answers; OpenAI's models make no pictures here.
    fn modalities(&mut self, options: &Options) -> Result<()> {
        let Some(kinds) = &options.modalities else { return Ok(()) };
        let known = |kind: &&String| matches!(kind.as_str(), "text" | "audio");
        if kinds.iter().all(|kind| known(&kind)) || !self.is_beyond("modalities") {
            self.param("modalities", Some(kinds));
            return Ok(());
        }
        self.inexpressible("modalities")?;
        let left: Vec<&String> = kinds.iter().filter(known).collect();
        self.param("modalities", (!left.is_empty()).then_some(&left));
        Ok(())
    }

    /// Whether OpenAI's models refuse what other vendors have under this name.
    fn is_beyond(&self, name: &str) -> bool {
        self.judge.is_openais() && !self.target.policy.allow.iter().any(|listed| listed == name)
    }

    /// A parameter this dialect has no word for: dropped by policy, or an error.
    fn inexpressible(&mut self, name: &'static str) -> Result<()> {
        let policy = &self.target.policy;
        if drops(policy, name) {
            note(name);
            return Ok(());
        }
        Err(Error::unsupported(
            name,
            format!(
                "OpenAI Chat Completions has no parameter for `{name}`; leave it out, or set `drop_params: true`"
            ),
        ))
    }

    fn reasoning(&mut self, reasoning: Option<&Reasoning>) {
        let Some(effort) = reasoning.and_then(effort_of) else { return };
        // A budget that is nearest to a word the model does not know is said with the next one.
        let spoken = reasoning.is_some_and(|reasoning| reasoning.effort.is_some());
        let unknown = effort == ReasoningEffort::Minimal && !self.judge.takes_effort(effort.as_str());
        let word = if unknown && !spoken { ReasoningEffort::Low } else { effort }.as_str();
        self.saying("reasoning_effort", Some(word), Said::Word(word));
    }

    fn tools(&mut self, request: &'w ChatRequest) -> Result<()> {
        if request.tools.is_empty() {
            return Ok(());
        }
        match self.judge.fate("tools", Said::Other) {
            Fate::Drop | Fate::Idle => {
                note("tools");
                return Ok(());
            }
            Fate::Refuse => return Err(self.judge.refusal("tools", Said::Other)),
            Fate::Send => {}
        }
        let mut foreign = None;
        let keep_marks = self.target.spec.quirks.keeps_cache_control;
        self.object.array("tools", |list| {
            for (index, tool) in request.tools.iter().enumerate() {
                if !write_tool(tool, keep_marks, list) {
                    foreign.get_or_insert(index);
                }
            }
        });
        if let Some(index) = foreign {
            let name = &request.tools[index].name;
            let message = format!("`tools[{index}]`: OpenAI Chat Completions has no tool like `{name}`");
            return Err(Error::unsupported("tools", message));
        }
        let choice =
            request.options.tool_choice.as_ref().map(|choice| Choice { choice, tools: &request.tools });
        self.param("tool_choice", choice.as_ref());
        Ok(())
    }

    /// The caller's unknown members and the operator's defaults, each unless written already.
    fn rest(&mut self, request: &'w ChatRequest) {
        let target = self.target;
        for (name, value) in &request.extra.0 {
            self.param(name, Some(value));
        }
        for (name, value) in &target.defaults {
            if !self.written.iter().any(|written| canonical(written) == canonical(name)) {
                self.object.value(self.judge.name_of(name), value);
                self.written.push(name);
            }
        }
        if target.spec.quirks.usage_on_request && !self.written.contains(&"usage") {
            self.object.object("usage", |usage| usage.value("include", &true));
        }
    }
}

/// The effort word for what the caller asked. Budgets become words where LiteLLM draws its lines
/// (2000, 5000 and 10000 tokens); thinking switched off is left unsaid, for models without it.
pub(crate) fn effort_of(reasoning: &Reasoning) -> Option<ReasoningEffort> {
    if reasoning.effort.is_some() {
        return reasoning.effort;
    }
    match (reasoning.enabled, reasoning.budget_tokens) {
        (Some(false), _) => None,
        (_, Some(budget)) => Some(match budget {
            0..2000 => ReasoningEffort::Minimal,
            2000..5000 => ReasoningEffort::Low,
            5000..10000 => ReasoningEffort::Medium,
            _ => ReasoningEffort::High,
        }),
        (Some(true), None) => Some(ReasoningEffort::Medium),
        (None, None) => reasoning.adaptive.then_some(ReasoningEffort::Medium),
    }
}

/// Writes one tool; false when it is another dialect's own.
fn write_tool(tool: &Tool, keep_marks: bool, list: &mut Array<'_>) -> bool {
    match &tool.kind {
        ToolKind::Native { dialect, value } => {
            if dialect == DIALECT {
                list.value(value);
            }
            return dialect == DIALECT;
        }
        ToolKind::Function { parameters } => list.object(|entry| {
            entry.text("type", "function");
            entry.object("function", |function| {
                function.text("name", &tool.name);
                function.some("description", tool.description.as_ref());
                function.some("parameters", parameters.as_ref());
                function.some("strict", tool.strict.as_ref());
            });
            write_mark(tool, keep_marks, entry);
        }),
        ToolKind::Custom { format } => list.object(|entry| {
            entry.text("type", "custom");
            entry.object("custom", |custom| {
                custom.text("name", &tool.name);
                custom.some("description", tool.description.as_ref());
                custom.some("format", format.as_ref());
            });
            write_mark(tool, keep_marks, entry);
        }),
    }
    true
}

fn write_mark(tool: &Tool, keep_marks: bool, entry: &mut Object<'_>) {
    if let Some(mark) = tool.cache.filter(|_| keep_marks) {
        encode_messages::cache_mark(mark, entry);
    }
}

/// `response_format` as OpenAI writes it.
struct Format<'r>(&'r ResponseFormat);

impl Serialize for Format<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'r> {
            r#type: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            json_schema: Option<Schema<'r>>,
        }
        #[derive(Serialize)]
        struct Schema<'r> {
            name: &'r str,
            #[serde(skip_serializing_if = "Option::is_none")]
            description: Option<&'r str>,
            schema: &'r serde_json::Value,
            #[serde(skip_serializing_if = "Option::is_none")]
            strict: Option<bool>,
        }
        let wire = match self.0 {
            ResponseFormat::Text => Wire { r#type: "text", json_schema: None },
            ResponseFormat::JsonObject => Wire { r#type: "json_object", json_schema: None },
            ResponseFormat::JsonSchema { name, description, schema, strict } => Wire {
                r#type: "json_schema",
                json_schema: Some(Schema {
                    name: name.as_deref().unwrap_or("response"),
                    description: description.as_deref(),
                    schema,
                    strict: *strict,
                }),
            },
        };
        wire.serialize(serializer)
    }
}

/// `tool_choice` as OpenAI writes it; a named tool is `custom` if the request's tool is.
struct Choice<'r> {
    choice: &'r ToolChoice,
    tools: &'r [Tool],
}

impl Choice<'_> {
    fn named(&self, name: &str) -> serde_json::Value {
        let custom = |tool: &Tool| tool.name == name && matches!(tool.kind, ToolKind::Custom { .. });
        let kind = if self.tools.iter().any(custom) { "custom" } else { "function" };
        serde_json::json!({"type": kind, kind: {"name": name}})
    }
}

impl Serialize for Choice<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = match self.choice {
            ToolChoice::Auto => "auto".into(),
            ToolChoice::None => "none".into(),
            ToolChoice::Required => "required".into(),
            ToolChoice::Tool(name) => self.named(name),
            ToolChoice::Among { tools, required } => {
                let mode = if *required { "required" } else { "auto" };
                let tools: Vec<_> = tools.iter().map(|name| self.named(name)).collect();
                serde_json::json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
            }
        };
        value.serialize(serializer)
    }
}
