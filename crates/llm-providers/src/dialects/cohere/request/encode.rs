//! A canonical request for a provider.

use llm_types::{ChatRequest, Error, Options, Result, Tool, ToolChoice, ToolKind};
use serde_json::{Map, Value, json};

use super::super::content;
use super::super::models::reasons;
use super::super::wire::{NATIVE, PATH};
use super::options::{self, Thinking, is_dropped};
use super::turns::Turns;
use crate::dialects::params::{self, leave_out};
use crate::dialects::unsaid::{Unsaid, note_unsaid};
use crate::write::{Array, Object};
use crate::{Encoded, ParamPolicy, Target};

/// Members written from canonical fields: never written again from kept fields.
const OWN: &[&str] = &[
    "documents",
    "frequency_penalty",
    "k",
    "logprobs",
    "max_tokens",
    "messages",
    "model",
    "p",
    "presence_penalty",
    "response_format",
    "seed",
    "stop_sequences",
    "stream",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
];

/// What callers of other dialects say and this one has no place for.
const UNSAID: &[Unsaid] = &[
    Unsaid::Speaker,
    Unsaid::CacheMark,
    Unsaid::Signature,
    Unsaid::Redacted,
    Unsaid::SchemaName,
    Unsaid::User,
    Unsaid::ErrorMark,
    Unsaid::Citations(NATIVE),
    Unsaid::Members,
    Unsaid::PartMembers(&[]),
    Unsaid::ToolMembers(&[]),
];

/// Members that LiteLLM's callers give beside the body.
const BESIDE: [&str; 2] = ["extra_headers", "extra_body"];

/// Writes a request.
pub(in super::super) fn encode(request: &ChatRequest, target: &Target) -> Result<Encoded> {
    let policy = &target.policy;
    let request = &*params::without_openais(params::without_functions(request, policy)?, policy)?;
    let own = request.native.as_ref().is_some_and(|native| native.dialect == NATIVE);
    let (mut options, mut defaults) = params::settle(request, target);
    options::own_defaults(&mut options, &mut defaults);
    let passed = options::unsupported(&options, policy)?;
    if request.messages.is_empty() {
        return Err(options::nothing_said());
    }
    if !own {
        note_unsaid(request, UNSAID);
    }
    let thinking = Thinking::of(&options, own, target)?;
    let tools = Tools::of(&request.tools, &options, policy)?;

    let mut out = Vec::with_capacity(1024);
    let mut body = Object::begin(&mut out);
    body.text("model", &target.model);
    let mut turns = Turns::new(policy, reasons(&target.model));
    turns.write(&request.messages, &mut body)?;
    if !turns.documents.is_empty() {
        let documents = turns.documents.iter().enumerate();
        let documents: Vec<Value> =
            documents.filter_map(|(number, part)| content::wire_document(part, number)).collect();
        body.value("documents", &documents);
    }
    tools.write(&mut body);
    options::write(&options, &mut body);
    if let Some(thinking) = thinking {
        thinking.write(&mut body);
    }
    for (name, value) in rest(request, &defaults, policy) {
        if !(name == "strict_tools" && tools.strict()) {
            body.value(&name, &value);
        }
    }
    for (name, value) in &passed {
        body.value(name, value);
    }
    if request.stream {
        body.value("stream", &true);
    }
    body.end();
    Ok(Encoded { path: PATH.to_owned(), body: out.into(), ..Encoded::default() })
}

/// Body members without canonical form: the caller's own, then the target's.
fn rest(request: &ChatRequest, defaults: &Map<String, Value>, policy: &ParamPolicy) -> Map<String, Value> {
    let native = request.native.as_ref().filter(|native| native.dialect == NATIVE);
    let mut fields = native.map(|native| native.fields.0.clone()).unwrap_or_default();
    let mut add = |name: &str, value: &Value| {
        if !fields.contains_key(name) {
            fields.insert(name.to_owned(), value.clone());
        }
    };
    for (name, value) in &request.extra.0 {
        match (name.as_str(), value) {
            // SDKs spread `extra_body` over the body; raw callers may leave it whole.
            ("extra_body", Value::Object(members)) => {
                members.iter().for_each(|(name, value)| add(name, value));
            }
            (name, value) if !BESIDE.contains(&name) => add(name, value),
            _ => {}
        }
    }
    defaults.iter().for_each(|(name, value)| add(name, value));
    fields
        .retain(|name, value| !OWN.contains(&name.as_str()) && !value.is_null() && !is_dropped(policy, name));
    fields
}

/// The tools that are offered, and whether one must be called. The dialect cannot name one of them: it
/// alone is offered then.
#[derive(Debug)]
struct Tools<'r> {
    offered: Vec<&'r Tool>,
    choice: Option<&'static str>,
}

impl<'r> Tools<'r> {
    fn of(tools: &'r [Tool], options: &Options, policy: &ParamPolicy) -> Result<Self> {
        let mut offered = Vec::with_capacity(tools.len());
        for tool in tools {
            match &tool.kind {
                ToolKind::Function { .. } => offered.push(tool),
                ToolKind::Custom { .. } => leave_out(policy, "tools", "it has no tools that take free text")?,
                ToolKind::Native { .. } => {
                    leave_out(policy, "tools", &format!("it does not have the tool `{}`", tool.name))?;
                }
            }
        }
        let choice = match &options.tool_choice {
            Some(ToolChoice::None) => Some("NONE"),
            Some(ToolChoice::Required) => Some("REQUIRED"),
            Some(ToolChoice::Tool(name)) => {
                keep(&mut offered, std::slice::from_ref(name))?;
                Some("REQUIRED")
            }
            Some(ToolChoice::Among { tools, required }) => {
                keep(&mut offered, tools)?;
                required.then_some("REQUIRED")
            }
            Some(ToolChoice::Auto) | None => None,
        };
        Ok(Self { offered, choice })
    }

    /// Whether calls must follow the schemas: one switch for all tools, and one wish is enough.
    fn strict(&self) -> bool {
        self.offered.iter().any(|tool| tool.strict == Some(true))
    }

    fn write(&self, body: &mut Object<'_>) {
        if self.offered.is_empty() {
            return;
        }
        body.array("tools", |list| self.offered.iter().for_each(|tool| write_tool(tool, list)));
        if self.strict() {
            body.value("strict_tools", &true);
        }
        body.some("tool_choice", self.choice.as_ref());
    }
}

/// Keeps the named tools.
fn keep(offered: &mut Vec<&Tool>, names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| offered.iter().all(|tool| tool.name != **name)) {
        let message = format!("`tool_choice` names the tool `{unknown}`, which is not among `tools`");
        return Err(Error::bad_param("tool_choice", message));
    }
    offered.retain(|tool| names.contains(&tool.name));
    Ok(())
}

fn write_tool(tool: &Tool, list: &mut Array<'_>) {
    let ToolKind::Function { parameters } = &tool.kind else { return };
    list.object(|entry| {
        entry.text("type", "function");
        entry.object("function", |function| {
            function.text("name", &tool.name);
            function.some("description", tool.description.as_ref());
            // The vendor demands a schema.
            match parameters {
                Some(parameters) => function.value("parameters", parameters),
                None => function.value("parameters", &json!({ "type": "object", "properties": {} })),
            }
        });
    });
}
