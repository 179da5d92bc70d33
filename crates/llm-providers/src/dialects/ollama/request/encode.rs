//! A canonical request for a provider.

use llm_types::{ChatRequest, Error, PartKind, Result, Tool, ToolKind};
use serde_json::{Map, Value, json};

use super::super::wire::{CHAT, GENERATE, NATIVE, own_name};
use super::options::{self, is_dropped, is_option, is_said};
use super::prompt;
use super::turns::Turns;
use crate::dialects::params::{self, leave_out};
use crate::dialects::unsaid::{PLAIN, note_unsaid};
use crate::write::{Array, Object};
use crate::{Encoded, ParamPolicy, Target};

/// Members written from canonical fields: never written again from kept fields.
const OWN: &[&str] = &[
    "format",
    "images",
    "logprobs",
    "messages",
    "model",
    "prompt",
    "stream",
    "think",
    "tools",
    "top_logprobs",
];

/// Members that LiteLLM's callers give beside the body, and those of other dialects' callers that mean
/// nothing here.
const BESIDE: [&str; 2] = ["extra_headers", "extra_body"];

/// Writes a request.
pub(in super::super) fn encode(request: &ChatRequest, target: &Target) -> Result<Encoded> {
    let policy = &target.policy;
    let request = &*params::without_functions(request, policy)?;
    let own = options::is_own(request);
    let (mut options, defaults) = params::settle(request, target);
    options::settle(request, &mut options, target)?;
    if request.messages.is_empty() {
        return Err(Error::bad_param("messages", "`messages`: expected at least one message, found none"));
    }
    if !own {
        note_unsaid(request, PLAIN);
    }
    let tools = tools(request, options::offered(&options, policy)?, policy)?;
    let as_prompt = target.spec.quirks.as_prompt && !own && tools.is_empty() && !uses_tools(request);

    let mut out = Vec::with_capacity(1024);
    let mut body = Object::begin(&mut out);
    body.text("model", &target.model);
    if as_prompt {
        prompt::write(request, policy, &mut body)?;
    } else {
        Turns::new(policy, own).write(&request.messages, &mut body)?;
    }
    if !tools.is_empty() {
        body.array("tools", |list| tools.iter().for_each(|tool| write_tool(tool, list)));
    }
    options::write(&options, own, target, &mut body);
    let (mut fields, mut more) = rest(request, &defaults, policy);
    more.retain(|name, _| !is_said(&options, name));
    options::write_options(&options, &more, &mut body);
    fields.retain(|name, _| !OWN.contains(&name.as_str()));
    for (name, value) in &fields {
        body.value(name, value);
    }
    // Said aloud: this dialect streams unless it is told not to.
    body.value("stream", &request.stream);
    body.end();
    let path = if as_prompt { GENERATE } else { CHAT };
    Ok(Encoded { path: path.to_owned(), body: out.into(), ..Encoded::default() })
}

fn uses_tools(request: &ChatRequest) -> bool {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let mut kinds = parts.map(|part| &part.kind);
    kinds.any(|kind| matches!(kind, PartKind::ToolCall(_) | PartKind::ToolResult(_)))
}

/// Body members without canonical form, the caller's own before the target's, and those among them that
/// stand in `options`.
fn rest(
    request: &ChatRequest,
    defaults: &Map<String, Value>,
    policy: &ParamPolicy,
) -> (Map<String, Value>, Map<String, Value>) {
    let (mut fields, mut options) = (Map::new(), Map::new());
    let mut add = |name: &str, value: &Value| {
        let name = own_name(name);
        if value.is_null() || is_dropped(policy, name) {
            return;
        }
        match value {
            Value::Object(members) if name == "options" => {
                for (name, value) in members.iter().filter(|(name, _)| !is_dropped(policy, name)) {
                    options.entry(name.as_str()).or_insert_with(|| value.clone());
                }
            }
            _ if is_option(name) => {
                options.entry(name).or_insert_with(|| value.clone());
            }
            _ => {
                fields.entry(name).or_insert_with(|| value.clone());
            }
        }
    };
    let native = request.native.as_ref().filter(|native| native.dialect == NATIVE);
    for (name, value) in native.iter().flat_map(|native| &native.fields.0) {
        add(name, value);
    }
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
    (fields, options)
}

/// The tools that are offered: those among `wanted`, where that is said.
fn tools<'r>(
    request: &'r ChatRequest,
    wanted: Option<Vec<String>>,
    policy: &ParamPolicy,
) -> Result<Vec<&'r Tool>> {
    let mut offered = Vec::with_capacity(request.tools.len());
    for tool in &request.tools {
        match &tool.kind {
            ToolKind::Function { .. } => offered.push(tool),
            ToolKind::Custom { .. } => leave_out(policy, "tools", "it has no tools that take free text")?,
            ToolKind::Native { .. } => {
                leave_out(policy, "tools", &format!("it does not have the tool `{}`", tool.name))?;
            }
        }
    }
    if let Some(wanted) = wanted {
        offered.retain(|tool| wanted.contains(&tool.name));
    }
    Ok(offered)
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
            function.some("strict", tool.strict.as_ref());
        });
    });
}
