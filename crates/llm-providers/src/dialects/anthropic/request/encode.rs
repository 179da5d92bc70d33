//! A canonical request for a provider.

use llm_types::{ChatRequest, Error, Options, ResponseFormat, Result, Role};
use serde_json::{Map, Value};

use super::super::content::{self, NATIVE};
use super::super::models::Traits;
use super::features::{self, Features, STRUCTURED_OUTPUTS};
use super::messages::Conversation;
use super::{options, schema, thinking, tools};
use crate::dialects::params;
use crate::dialects::unsaid::{Unsaid, note_unsaid};
use crate::write::Object;
use crate::{Encoded, Target};

/// Where requests go, behind the target's base URL.
pub(in super::super) const PATH: &str = "/v1/messages";

/// Members written from canonical fields: never written again from kept fields.
const OWN: &[&str] = &[
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "output_format",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];

/// What callers of other dialects say and this one has no place for.
const UNSAID: &[Unsaid] = &[
    Unsaid::Speaker,
    Unsaid::FileName,
    Unsaid::Detail,
    Unsaid::Strict,
    Unsaid::SchemaName,
    Unsaid::JsonObject,
    Unsaid::Citations(NATIVE),
    Unsaid::Members,
    Unsaid::PartMembers(content::KEPT),
    Unsaid::ToolMembers(tools::KEPT),
];

/// LiteLLM's body member for headers to the provider.
const EXTRA_HEADERS: &str = "extra_headers";

/// Writes a request.
pub(in super::super) fn encode(request: &ChatRequest, target: &Target) -> Result<Encoded> {
    let traits = Traits::at(target);
    let policy = &target.policy;
    let request = &*params::without_openais(params::without_functions(request, policy)?, policy)?;
    let (mut options, defaults) = params::settle(request, target);
    params::not_taken(&mut options, target)?;
    let fields = Fields::of(request, &defaults, target);
    let own = request.native.as_ref().is_some_and(|native| native.dialect == NATIVE);
    let passed = options::unsupported(&options, own, policy)?;
    options::sampling(&mut options, traits, policy)?;
    if !own {
        note_unsaid(request, UNSAID);
    }

    let conversation = Conversation::of(&request.messages, traits, policy)?;
    if request.messages.iter().all(|message| matches!(message.role, Role::System | Role::Developer)) {
        let message = "`messages`: expected at least one message that is not a system message, found none";
        return Err(Error::bad_param("messages", message));
    }
    let thinking = thinking::Plan::of(&options, fields.effort_only(&options), traits, policy)?;
    let format = Format::of(&options, traits, own);
    let answer = format.tool().map(|schema| (schema, !thinking.thinks() && traits.forced_tools));
    let tools = tools::Plan::of(request, &options, answer, traits, policy)?;

    let mut features = Features::default();
    features.of_messages(request);
    features.of_fields(&fields.0);
    tools.features(&mut features);

    let mut out = Vec::with_capacity(1024);
    let mut body = Object::begin(&mut out);
    body.text("model", &target.model);
    conversation.write(&mut body, own);
    body.value("max_tokens", &thinking.max_tokens);
    tools.write(&mut body, own);
    options::write(&mut body, &options);
    thinking.write(&mut body);
    let in_config = target.spec.quirks.answer_schema_in_config;
    if let Format::Schema(schema) = &format {
        features.need(STRUCTURED_OUTPUTS);
        if !in_config {
            body.object("output_format", |out| {
                out.text("type", "json_schema");
                out.value("schema", schema);
            });
        }
    }
    fields.write(&mut body, &thinking, format.in_config(in_config));
    for (name, value) in &passed {
        body.value(name, value);
    }
    if request.stream {
        body.value("stream", &true);
    }
    body.end();
    let mut headers = features.headers();
    features::add_extra(&mut headers, request.extra.value(EXTRA_HEADERS));
    Ok(Encoded { path: PATH.to_owned(), headers, body: out.into(), ..Encoded::default() })
}

/// How the form of the answer is asked for.
#[derive(Debug)]
enum Format<'r> {
    Free,
    /// A schema in the body.
    Schema(Value),
    /// The schema of a caller of this dialect, as it came.
    Own(&'r Value),
    /// A tool whose input is the answer, for models that take no schema.
    Tool(&'r Value),
}

impl<'r> Format<'r> {
    fn of(options: &'r Options, traits: Traits, own: bool) -> Self {
        match &options.response_format {
            Some(ResponseFormat::JsonSchema { schema, .. }) if own => Self::Own(schema),
            Some(ResponseFormat::JsonSchema { schema, .. }) if traits.schema => {
                Self::Schema(schema::exact(schema))
            }
            Some(ResponseFormat::JsonSchema { schema, .. }) => Self::Tool(schema),
            // Any JSON cannot be asked for; the prompt has to say it, as OpenAI demands anyhow.
            Some(ResponseFormat::JsonObject | ResponseFormat::Text) | None => Self::Free,
        }
    }

    /// The schema that `output_config` says.
    fn in_config(&self, all: bool) -> Option<&Value> {
        match self {
            Self::Own(schema) => Some(schema),
            Self::Schema(schema) if all => Some(schema),
            _ => None,
        }
    }

    fn tool(&self) -> Option<&'r Value> {
        match self {
            Self::Tool(schema) => Some(schema),
            _ => None,
        }
    }
}

/// Body members without canonical form: the caller's own, then the target's.
struct Fields(Map<String, Value>);

impl Fields {
    fn of(request: &ChatRequest, defaults: &Map<String, Value>, target: &Target) -> Self {
        let native = request.native.as_ref().filter(|native| native.dialect == NATIVE);
        let mut fields = native.map(|native| native.fields.0.clone()).unwrap_or_default();
        for (name, value) in &request.extra.0 {
            match (name.as_str(), value) {
                // SDKs spread `extra_body` over the body; raw callers may leave it whole.
                ("extra_body", Value::Object(members)) => {
                    members.iter().for_each(|(name, value)| add(&mut fields, name, value));
                }
                (EXTRA_HEADERS, _) => {}
                _ => add(&mut fields, name, value),
            }
        }
        defaults.iter().for_each(|(name, value)| add(&mut fields, name, value));
        for name in &target.policy.always_drop {
            fields.shift_remove(name);
        }
        fields.retain(|name, value| !OWN.contains(&name.as_str()) && !value.is_null());
        Self(fields)
    }

    /// Whether the caller asked for an effort without thinking, which only this dialect can say.
    fn effort_only(&self, options: &Options) -> bool {
        let named = self.0.get("output_config").is_some_and(|config| config.get("effort").is_some());
        named
            && options
                .reasoning
                .as_ref()
                .is_some_and(|r| r.enabled.is_none() && !r.adaptive && r.budget_tokens.is_none())
    }

    fn write(&self, body: &mut Object<'_>, thinking: &thinking::Plan, schema: Option<&Value>) {
        let config = self.0.get("output_config").and_then(Value::as_object);
        if config.is_some() || thinking.effort.is_some() || schema.is_some() {
            body.object("output_config", |out| {
                out.some("effort", thinking.effort.as_ref());
                if let Some(schema) = schema {
                    out.object("format", |format| {
                        format.text("type", "json_schema");
                        format.value("schema", schema);
                    });
                }
                for (name, value) in config.into_iter().flatten() {
                    if name != "effort" || thinking.effort.is_none() {
                        out.value(name, value);
                    }
                }
            });
        }
        for (name, value) in &self.0 {
            let said = name == "output_config" || (name == "thinking" && thinking.says_thinking());
            if !said {
                body.value(name, value);
            }
        }
    }
}

fn add(fields: &mut Map<String, Value>, name: &str, value: &Value) {
    if !fields.contains_key(name) {
        fields.insert(name.to_owned(), value.clone());
    }
}
