//! Tools, the choice among them, and tools that stand in for what the dialect has no field for.

use std::collections::BTreeSet;

use llm_types::{ChatRequest, Options, PartKind, Result, Tool, ToolChoice, ToolKind};
use serde_json::{Map, Value, json};

use super::super::content::{self, ANSWER_TOOL};
use super::super::models::Traits;
use super::features::Features;
use crate::ParamPolicy;
use crate::dialects::params;
use crate::write::{Array, Object};

/// Members of a tool that have no canonical form and are sent on.
pub(super) const KEPT: &[&str] =
    &["defer_loading", "allowed_callers", "input_examples", "eager_input_streaming"];

/// Types of provider-run tools, by their beginnings: whoever names one means this dialect's.
const SERVER_TOOLS: &[&str] = &[
    "advisor_",
    "bash_",
    "browser_",
    "code_execution_",
    "computer_",
    "memory_",
    "text_editor_",
    "tool_search_tool_",
    "web_fetch_",
    "web_search_2",
];

/// What is written of tools.
#[derive(Debug)]
pub(super) struct Plan<'r> {
    tools: Vec<Entry<'r>>,
    choice: Option<Choice<'r>>,
    parallel: Option<bool>,
    /// Functions say that they are the caller's own.
    typed: bool,
}

#[derive(Debug)]
enum Entry<'r> {
    /// A function of the caller.
    Function(&'r Tool),
    /// An entry in this dialect's own form.
    Whole(&'r Value),
    /// An entry made up here.
    Made(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice<'r> {
    Auto,
    Any,
    None,
    Tool(&'r str),
}

impl<'r> Plan<'r> {
    /// Decides for one request. `answer` is the schema of an answer that has to come as a tool call,
    /// and whether that call may be forced.
    pub(super) fn of(
        request: &'r ChatRequest,
        options: &'r Options,
        answer: Option<(&'r Value, bool)>,
        traits: Traits,
        policy: &ParamPolicy,
    ) -> Result<Self> {
        let mut plan = Self {
            tools: Vec::new(),
            choice: None,
            parallel: options.parallel_tool_calls,
            typed: traits.typed,
        };
        if let Some((schema, _)) = answer {
            let schema = with_type(schema);
            plan.tools.push(Entry::Made(json!({ "name": ANSWER_TOOL, "input_schema": schema })));
        }
        for tool in &request.tools {
            plan.tools.extend(entry(tool, options, policy)?);
        }
        plan.tools.extend(options.web_search.as_ref().map(|search| Entry::Made(web_search(search))));
        if plan.tools.is_empty() {
            plan.declare_called(request);
            return Ok(plan);
        }
        plan.choice = options.tool_choice.as_ref().map(|choice| match choice {
            ToolChoice::Auto | ToolChoice::Among { required: false, .. } => Choice::Auto,
            ToolChoice::None => Choice::None,
            ToolChoice::Required | ToolChoice::Among { required: true, .. } => Choice::Any,
            ToolChoice::Tool(name) => Choice::Tool(name),
        });
        if let Some((_, true)) = answer {
            plan.choice = Some(Choice::Tool(ANSWER_TOOL));
        }
        if !traits.forced_tools && matches!(plan.choice, Some(Choice::Any | Choice::Tool(_))) {
            params::leave_out(policy, "tool_choice", "the model cannot be forced to call a tool")?;
            plan.choice = Some(Choice::Auto);
        }
        Ok(plan)
    }

    /// A conversation with tool calls must declare tools even if none may be called any more: those
    /// that were called are declared and forbidden.
    fn declare_called(&mut self, request: &'r ChatRequest) {
        let parts = request.messages.iter().flat_map(|message| &message.parts);
        let called: BTreeSet<&str> = parts
            .filter_map(|part| match &part.kind {
                PartKind::ToolCall(call) => Some(call.name.as_str()),
                _ => None,
            })
            .collect();
        self.tools.extend(called.into_iter().map(|name| {
            let schema = json!({ "type": "object", "properties": {} });
            Entry::Made(json!({ "name": name, "input_schema": schema, "type": "custom" }))
        }));
        self.choice = Some(Choice::None).filter(|_| !self.tools.is_empty());
    }

    /// Notes the beta features the tools need.
    pub(super) fn features(&self, features: &mut Features) {
        for entry in &self.tools {
            if let Entry::Whole(value) = entry {
                features.of_tool(value);
            }
        }
    }

    /// Writes `tools` and `tool_choice`. `own` tells that the caller speaks this dialect.
    pub(super) fn write(&self, body: &mut Object<'_>, own: bool) {
        if self.tools.is_empty() {
            return;
        }
        body.array("tools", |list| {
            for entry in &self.tools {
                match entry {
                    Entry::Function(tool) => function(list, tool, own, self.typed),
                    Entry::Whole(value) => list.value(value),
                    Entry::Made(value) => list.value(value),
                }
            }
        });
        let choice = self.choice.or(self.parallel.map(|_| Choice::Auto));
        let Some(choice) = choice else { return };
        body.object("tool_choice", |out| {
            let (kind, name) = match choice {
                Choice::Auto => ("auto", None),
                Choice::Any => ("any", None),
                Choice::None => ("none", None),
                Choice::Tool(name) => ("tool", Some(name)),
            };
            out.text("type", kind);
            out.some("name", name.as_ref());
            if let Some(parallel) = self.parallel.filter(|_| choice != Choice::None) {
                out.value("disable_parallel_tool_use", &!parallel);
            }
        });
    }
}

/// The entry of a tool; none when the choice leaves it out or the policy drops it.
fn entry<'r>(tool: &'r Tool, options: &Options, policy: &ParamPolicy) -> Result<Option<Entry<'r>>> {
    if let Some(ToolChoice::Among { tools, .. }) = &options.tool_choice
        && !tools.contains(&tool.name)
    {
        return Ok(None);
    }
    match &tool.kind {
        ToolKind::Function { .. } => Ok(Some(Entry::Function(tool))),
        ToolKind::Native { dialect, value } if dialect == content::NATIVE || is_server_tool(value) => {
            Ok(Some(Entry::Whole(value)))
        }
        ToolKind::Native { .. } => {
            params::leave_out(policy, "tools", &format!("it does not have the tool `{}`", tool.name))?;
            Ok(None)
        }
        ToolKind::Custom { .. } => {
            params::leave_out(policy, "tools", "it has no tools that take free text")?;
            Ok(None)
        }
    }
}

fn is_server_tool(value: &Value) -> bool {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    SERVER_TOOLS.iter().any(|beginning| kind.starts_with(beginning))
}

fn function(list: &mut Array<'_>, tool: &Tool, own: bool, typed: bool) {
    let ToolKind::Function { parameters } = &tool.kind else { return };
    // Other dialects' `strict` allows schemas that are refused here: LiteLLM leaves it out, and so do we.
    let strict = tool.strict.filter(|_| own);
    list.object(|out| {
        out.text("name", &tool.name);
        out.some("description", tool.description.as_ref());
        match parameters {
            Some(schema) if schema.get("type").is_some() => out.value("input_schema", schema),
            Some(schema) => out.value("input_schema", &with_type(schema)),
            None => out.value("input_schema", &json!({ "type": "object", "properties": {} })),
        }
        if typed {
            out.text("type", "custom");
        }
        out.some("strict", strict.as_ref());
        for name in KEPT {
            out.some(name, tool.extra.value(name));
        }
        content::cache(out, tool.cache);
    });
}

/// A schema with the `type` the vendor demands at its root.
fn with_type(schema: &Value) -> Value {
    match schema {
        Value::Object(map) if map.contains_key("type") => schema.clone(),
        Value::Object(map) => {
            let mut typed = Map::from_iter([("type".to_owned(), Value::from("object"))]);
            typed.extend(map.clone());
            typed.entry("properties").or_insert_with(|| json!({}));
            Value::Object(typed)
        }
        _ => json!({ "type": "object", "properties": {} }),
    }
}

/// OpenAI's `web_search_options` as the provider-run tool; the counts are LiteLLM's.
fn web_search(options: &Value) -> Value {
    let uses = match options.get("search_context_size").and_then(Value::as_str) {
        Some("low") => 1,
        Some("high") => 10,
        _ => 5,
    };
    let mut tool = json!({ "type": "web_search_20250305", "name": "web_search", "max_uses": uses });
    let place = options.get("user_location");
    if let Some(Value::Object(place)) = place.map(|place| place.get("approximate").unwrap_or(place)) {
        let mut place = place.clone();
        place.insert("type".to_owned(), Value::from("approximate"));
        place.retain(|_, value| !value.is_null());
        tool["user_location"] = Value::Object(place);
    }
    tool
}
