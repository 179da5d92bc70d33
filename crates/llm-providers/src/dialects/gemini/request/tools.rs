//! Tools, the choice among them, and what the vendor runs itself.

use llm_types::{ChatRequest, Options, Result, Tool, ToolChoice, ToolKind};
use serde_json::{Map, Value, json};

use super::super::models::Traits;
use super::super::schema;
use super::super::wire::{NATIVE, camel_value};
use super::judge::Judge;
use crate::write::{Array, Object};

/// Members of a declaration that have no canonical form and are sent on for callers of this dialect.
const KEPT: &[&str] = &["behavior", "response", "responseJsonSchema"];

/// The vendor's own tools, by their names in `tools`.
const OWN_TOOLS: &[&str] = &[
    "codeExecution",
    "computerUse",
    "enterpriseWebSearch",
    "exaAiSearch",
    "fileSearch",
    "googleMaps",
    "googleSearch",
    "googleSearchRetrieval",
    "mcpServers",
    "parallelAiSearch",
    "retrieval",
    "urlContext",
];

/// What is written of tools.
#[derive(Debug)]
pub(super) struct Plan<'r> {
    functions: Vec<&'r Tool>,
    /// Entries of the vendor's own tools.
    own: Vec<Value>,
    /// `toolConfig`.
    config: Map<String, Value>,
    from_own: bool,
}

impl<'r> Plan<'r> {
    /// Decides for one request. `kept` is what a caller of this dialect said of `toolConfig` beside the
    /// choice.
    pub(super) fn of(
        request: &'r ChatRequest,
        options: &Options,
        traits: Traits,
        judge: Judge<'_>,
        kept: Option<&Map<String, Value>>,
    ) -> Result<Self> {
        let config = kept.cloned().unwrap_or_default();
        let mut plan = Self { functions: Vec::new(), own: Vec::new(), config, from_own: kept.is_some() };
        for tool in &request.tools {
            plan.add(tool, options, judge)?;
        }
        if options.web_search.is_some() && judge.takes("web_search_options")? {
            plan.add_own(json!({ "googleSearch": {} }));
        }
        plan.combine(traits, judge)?;
        plan.choose(options.tool_choice.as_ref());
        Ok(plan)
    }

    fn add(&mut self, tool: &'r Tool, options: &Options, judge: Judge<'_>) -> Result<()> {
        match &tool.kind {
            ToolKind::Function { .. } => {
                // The vendor takes a list of allowed functions with `ANY` only; without it, those that
                // may not be called are not declared.
                let left_out = match &options.tool_choice {
                    Some(ToolChoice::Among { tools, required: false }) => !tools.contains(&tool.name),
                    _ => false,
                };
                if !left_out {
                    self.functions.push(tool);
                }
                Ok(())
            }
            ToolKind::Native { dialect, value } if dialect == NATIVE => {
                self.own.push(value.clone());
                Ok(())
            }
            ToolKind::Native { value, .. } => match translated(value) {
                Some(entry) => {
                    self.add_own(entry);
                    Ok(())
                }
                None => judge.leave_out("tools", &format!("it does not have the tool `{}`", tool.name)),
            },
            ToolKind::Custom { .. } => judge.leave_out("tools", "it has no tools that take free text"),
        }
    }

    fn add_own(&mut self, entry: Value) {
        if !self.own.contains(&entry) {
            self.own.push(entry);
        }
    }

    /// Functions beside the vendor's own tools: the third generation takes both when told that its own
    /// calls will be seen, those before refuse them.
    fn combine(&mut self, traits: Traits, judge: Judge<'_>) -> Result<()> {
        if self.functions.is_empty() || self.own.is_empty() || self.from_own {
            return Ok(());
        }
        if traits.third {
            self.config.insert("includeServerSideToolInvocations".to_owned(), Value::Bool(true));
            return Ok(());
        }
        judge.leave_out("tools", "the model does not take functions beside the vendor's own tools")?;
        self.own.clear();
        Ok(())
    }

    fn choose(&mut self, choice: Option<&ToolChoice>) {
        let (mode, names) = match choice {
            _ if self.functions.is_empty() => return,
            None => return,
            Some(ToolChoice::Auto | ToolChoice::Among { required: false, .. }) => ("AUTO", None),
            Some(ToolChoice::None) => ("NONE", None),
            Some(ToolChoice::Required) => ("ANY", None),
            Some(ToolChoice::Tool(name)) => ("ANY", Some(json!([name]))),
            Some(ToolChoice::Among { tools, required: true }) => ("ANY", Some(json!(tools))),
        };
        let calling = self.config.entry("functionCallingConfig").or_insert_with(|| json!({}));
        if let Value::Object(calling) = calling {
            calling.entry("mode").or_insert_with(|| Value::from(mode));
            calling.extend(names.map(|names| ("allowedFunctionNames".to_owned(), names)));
        }
    }

    /// Writes `tools` and `toolConfig`.
    pub(super) fn write(&self, body: &mut Object<'_>) {
        if !(self.functions.is_empty() && self.own.is_empty()) {
            body.array("tools", |list| {
                if !self.functions.is_empty() {
                    list.object(|entry| {
                        entry.array("functionDeclarations", |declared| {
                            self.functions.iter().for_each(|tool| function(declared, tool, self.from_own));
                        });
                    });
                }
                self.own.iter().for_each(|entry| list.value(entry));
            });
        }
        if !self.config.is_empty() {
            body.value("toolConfig", &self.config);
        }
    }
}

fn function(list: &mut Array<'_>, tool: &Tool, own: bool) {
    let ToolKind::Function { parameters } = &tool.kind else { return };
    list.object(|out| {
        out.text("name", &tool.name);
        out.some("description", tool.description.as_ref());
        if let Some(schema) = parameters.as_ref().filter(|schema| says_something(schema)) {
            // A caller of this dialect may have said more than the subset holds.
            match schema::to_openapi(schema).filter(|_| !own && has_properties(schema)) {
                Some(schema) => out.value("parameters", &schema),
                None => out.value("parametersJsonSchema", schema),
            }
        }
        if own {
            for name in KEPT {
                out.some(name, tool.extra.value(name));
            }
        }
    });
}

fn says_something(schema: &Value) -> bool {
    schema.as_object().is_some_and(|map| !map.is_empty())
}

/// Whether a schema can stand in `parameters`: the vendor's `Schema` refuses objects without
/// properties.
fn has_properties(schema: &Value) -> bool {
    let members = schema.get("properties").and_then(Value::as_object);
    members.is_some_and(|members| !members.is_empty()) || schema.get("type").is_none()
}

/// The entry for a tool that another dialect's caller names: the vendor's own, as LiteLLM's callers
/// write it, or what does the same. A tool with limits the vendor's has not is none.
fn translated(value: &Value) -> Option<Value> {
    let map = value.as_object()?;
    let kind = map.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind.is_empty() {
        let entry = camel_value(value.clone());
        let known = entry.as_object()?.keys().all(|name| OWN_TOOLS.contains(&name.as_str()));
        return known.then_some(entry);
    }
    let limits = ["allowed_domains", "blocked_domains", "filters"];
    if limits.iter().any(|name| map.get(*name).is_some_and(|limit| !limit.is_null())) {
        return None;
    }
    match kind {
        kind if kind.starts_with("web_search") => Some(json!({ "googleSearch": {} })),
        kind if kind.starts_with("web_fetch_") => Some(json!({ "urlContext": {} })),
        kind if kind.starts_with("code_execution_") => Some(json!({ "codeExecution": {} })),
        _ => None,
    }
}
