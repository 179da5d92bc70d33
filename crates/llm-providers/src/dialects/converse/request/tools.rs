//! Tools, the choice among them, and tools that stand in for what the model has no field for.

use llm_types::{CacheMark, ChatRequest, Options, Result, Tool, ToolChoice, ToolKind};
use serde_json::{Map, Value, json};

use super::super::content::{self, ANSWER_TOOL, NATIVE};
use super::super::models::{Forced, Model};
use super::messages::Past;
use super::refs::written_out;
use crate::ParamPolicy;
use crate::dialects::anthropic::Features;
use crate::dialects::params::leave_out;
use crate::write::{Array, Object};

/// Tools of Anthropic's that Claude knows behind this dialect, too, by the beginnings of their types.
/// Vendor's page: `userguide/computer-use`.
const CLAUDE_TOOLS: &[&str] = &["bash_", "computer_", "text_editor_"];

/// What is written of tools.
#[derive(Debug)]
pub(super) struct Plan<'r> {
    tools: Vec<Entry<'r>>,
    choice: Option<Choice<'r>>,
    /// Tools in Anthropic's form, for Claude.
    native: Vec<&'r Value>,
    /// Several calls at once are forbidden.
    single: bool,
    /// How calls of the past are told.
    pub(super) past: Past,
    model: Model,
}

#[derive(Debug)]
enum Entry<'r> {
    /// A function of the caller.
    Function(&'r Tool),
    /// An entry in this dialect's own form.
    Whole(&'r Value, Option<CacheMark>),
    /// An entry made up here.
    Made(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice<'r> {
    Auto,
    Any,
    Tool(&'r str),
}

impl<'r> Plan<'r> {
    /// Decides for one request. `answer` is the schema of an answer that has to come as a tool call, and
    /// `thinks` tells that the model thinks within a budget, so that no call can be forced.
    pub(super) fn of(
        request: &'r ChatRequest,
        options: &'r Options,
        (answer, thinks): (Option<&'r Value>, bool),
        model: &Model,
        policy: &ParamPolicy,
    ) -> Result<Self> {
        let mut plan = Self {
            tools: Vec::new(),
            choice: None,
            native: Vec::new(),
            single: false,
            past: Past::Blocks,
            model: *model,
        };
        if let Some(schema) = answer {
            plan.tools.push(Entry::Made(answer_tool(schema, model)));
        }
        if model.tools {
            for tool in &request.tools {
                plan.add(tool, options, policy)?;
            }
        } else {
            plan.past = Past::WordsOnly;
            if !request.tools.is_empty() {
                leave_out(policy, "tools", "the model does not take tools")?;
            }
        }
        plan.web_search(options, policy)?;
        if plan.tools.is_empty() && plan.native.is_empty() {
            plan.past = if model.tools { Past::Words } else { Past::WordsOnly };
            return Ok(plan);
        }
        plan.choose(options, policy)?;
        if answer.is_some() && model.forced == Forced::Named {
            plan.choice = Some(Choice::Tool(ANSWER_TOOL));
        }
        if thinks && matches!(plan.choice, Some(Choice::Any | Choice::Tool(_))) {
            // The vendor refuses a forced call beside a thinking budget; LiteLLM lets the model choose.
            plan.choice = Some(Choice::Auto);
        }
        plan.parallel(options, policy)?;
        Ok(plan)
    }

    fn add(&mut self, tool: &'r Tool, options: &Options, policy: &ParamPolicy) -> Result<()> {
        if let Some(ToolChoice::Among { tools, .. }) = &options.tool_choice
            && !tools.contains(&tool.name)
        {
            return Ok(());
        }
        match &tool.kind {
            ToolKind::Function { .. } => self.tools.push(Entry::Function(tool)),
            ToolKind::Native { dialect, value } if dialect == NATIVE => {
                self.tools.push(Entry::Whole(value, tool.cache));
            }
            ToolKind::Native { value, .. } if self.model.claude.is_some() && is_claude_tool(value) => {
                self.native.push(value);
            }
            ToolKind::Native { .. } => {
                leave_out(policy, "tools", &format!("it does not have the tool `{}`", tool.name))?;
            }
            ToolKind::Custom { .. } => leave_out(policy, "tools", "it has no tools that take free text")?,
        }
        Ok(())
    }

    fn web_search(&mut self, options: &Options, policy: &ParamPolicy) -> Result<()> {
        match (&options.web_search, self.model.grounding) {
            (None, _) => {}
            (Some(_), true) => {
                self.tools.push(Entry::Made(json!({ "systemTool": { "name": "nova_grounding" } })));
            }
            (Some(_), false) => leave_out(policy, "web_search_options", "the model cannot search the web")?,
        }
        Ok(())
    }

    fn choose(&mut self, options: &'r Options, policy: &ParamPolicy) -> Result<()> {
        let choice = match &options.tool_choice {
            None => return Ok(()),
            Some(ToolChoice::None) => {
                return leave_out(
                    policy,
                    "tool_choice",
                    "the Converse API cannot forbid tools: leave `tools` out",
                );
            }
            Some(ToolChoice::Auto | ToolChoice::Among { required: false, .. }) => Choice::Auto,
            Some(ToolChoice::Required | ToolChoice::Among { required: true, .. }) => Choice::Any,
            Some(ToolChoice::Tool(name)) => Choice::Tool(name),
        };
        let needs = match choice {
            Choice::Any => Forced::Any,
            // `auto` is the default; it is said to models that know all choices, as LiteLLM does.
            Choice::Auto | Choice::Tool(_) => Forced::Named,
        };
        if self.model.forced >= needs {
            self.choice = Some(choice);
        } else if choice != Choice::Auto {
            // To decide itself is what such a model does anyhow.
            leave_out(policy, "tool_choice", "the model cannot be forced to call this tool")?;
        }
        Ok(())
    }

    fn parallel(&mut self, options: &Options, policy: &ParamPolicy) -> Result<()> {
        if options.parallel_tool_calls != Some(false) {
            return Ok(());
        }
        self.single = self.model.claude.is_some();
        if self.single {
            Ok(())
        } else {
            leave_out(policy, "parallel_tool_calls", "the model has no such switch")
        }
    }

    /// Adds what Claude takes in Anthropic's own form.
    pub(super) fn add_to(&self, added: &mut Map<String, Value>) {
        if !self.native.is_empty() {
            added.insert("tools".to_owned(), Value::from_iter(self.native.iter().copied().cloned()));
        }
        if self.single {
            let mut choice = match self.choice {
                None | Some(Choice::Auto) => json!({ "type": "auto" }),
                Some(Choice::Any) => json!({ "type": "any" }),
                Some(Choice::Tool(name)) => json!({ "type": "tool", "name": name }),
            };
            choice["disable_parallel_tool_use"] = Value::Bool(true);
            added.insert("tool_choice".to_owned(), choice);
        }
    }

    /// Whether the reply can be streamed: some models take tools in whole calls only.
    pub(super) fn can_stream(&self) -> bool {
        self.tools.is_empty() || self.model.streams_tools
    }

    /// Notes the beta features the tools need.
    pub(super) fn features(&self, features: &mut Features) {
        self.native.iter().for_each(|tool| features.of_tool(tool));
    }

    /// Writes `toolConfig`.
    pub(super) fn write(&self, body: &mut Object<'_>) {
        if self.tools.is_empty() {
            return;
        }
        body.object("toolConfig", |config| {
            config.array("tools", |list| self.tools.iter().for_each(|entry| self.entry(list, entry)));
            if let Some(choice) = self.choice {
                config.object("toolChoice", |out| match choice {
                    Choice::Auto => out.object("auto", |_| {}),
                    Choice::Any => out.object("any", |_| {}),
                    Choice::Tool(name) => out.object("tool", |tool| tool.text("name", name)),
                });
            }
        });
    }

    fn entry(&self, list: &mut Array<'_>, entry: &Entry<'_>) {
        let mark = match entry {
            Entry::Function(tool) => {
                function(list, tool, &self.model);
                tool.cache
            }
            Entry::Whole(value, mark) => {
                list.value(value);
                *mark
            }
            Entry::Made(value) => {
                list.value(value);
                None
            }
        };
        if let Some(mark) = mark.filter(|_| self.model.cache) {
            content::cache_point(list, mark);
        }
    }
}

fn function(list: &mut Array<'_>, tool: &Tool, model: &Model) {
    let ToolKind::Function { parameters } = &tool.kind else { return };
    list.object(|entry| {
        entry.object("toolSpec", |spec| {
            spec.text("name", &tool.name);
            spec.some("description", tool.description.as_ref().filter(|words| !words.is_empty()));
            spec.object("inputSchema", |schema| match parameters {
                Some(parameters) => schema.value("json", &written_out(parameters, model.strict)),
                None => schema.value("json", &json!({ "type": "object", "properties": {} })),
            });
            spec.some("strict", tool.strict.filter(|_| model.strict).as_ref());
        });
    });
}

/// The tool whose input is the answer.
fn answer_tool(schema: &Value, model: &Model) -> Value {
    let schema = written_out(schema, model.strict);
    json!({ "toolSpec": { "name": ANSWER_TOOL, "description": ANSWER_TOOL, "inputSchema": { "json": schema } } })
}

fn is_claude_tool(value: &Value) -> bool {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    CLAUDE_TOOLS.iter().any(|beginning| kind.starts_with(beginning))
}
