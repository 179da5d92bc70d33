//! A canonical request for a provider.

use std::fmt::Write as _;

use llm_types::{ChatRequest, Error, Options, ResponseFormat, Result, Role};
use serde_json::{Map, Value, json};

use super::super::content::{NATIVE, Voice};
use super::super::models::{Model, TopK};
use super::fields::Fields;
use super::messages::Conversation;
use super::options::{self, Thinking};
use super::tools;
use crate::dialects::anthropic::{self, Features, exact};
use crate::dialects::params;
use crate::dialects::unsaid::{Unsaid, note_unsaid};
use crate::write::Object;
use crate::{Encoded, Target};

/// Where Claude states how much of its answer was thinking.
const THINKING_TOKENS: &str = "/usage/output_tokens_details";

/// Where requests go, behind the target's base URL. The model's name may hold `:` and `/`.
pub(in super::super) fn path(model: &str, stream: bool) -> String {
    let mut path = String::with_capacity(model.len() + 32);
    path.push_str("/model/");
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            path.push(char::from(byte));
        } else {
            write!(path, "%{byte:02X}").expect("a string takes all text");
        }
    }
    path.push_str(if stream { "/converse-stream" } else { "/converse" });
    path
}

/// What callers of other dialects say and no model has a place for.
const UNSAID: &[Unsaid] = &[
    Unsaid::Speaker,
    Unsaid::Detail,
    Unsaid::JsonObject,
    Unsaid::User,
    Unsaid::Citations(NATIVE),
    Unsaid::Members,
    Unsaid::PartMembers(&["bucketOwner"]),
    Unsaid::ToolMembers(&[]),
];

/// Writes a request.
pub(in super::super) fn encode(request: &ChatRequest, target: &Target) -> Result<Encoded> {
    let model = Model::of(target.family());
    let policy = &target.policy;
    let request = &*params::without_openais(params::without_functions(request, policy)?, policy)?;
    let (mut options, defaults) = params::settle(request, target);
    let mut fields = Fields::of(request, &defaults, target, &model);
    let passed = options::unsupported(&options, policy)?;
    options::sampling(&mut options, &model, policy)?;
    note_for(request, &model);
    let thinking = Thinking::of(&options, &model, policy)?;
    let tier = options::tier(&options, policy)?;
    let answer = answer_schema(&options, &model);
    let tools = tools::Plan::of(request, &options, (answer, thinking.has_budget()), &model, policy)?;
    if request.messages.iter().all(|message| matches!(message.role, Role::System | Role::Developer)) {
        let message = "`messages`: expected at least one message that is not a system message, found none";
        return Err(Error::bad_param("messages", message));
    }
    let voice = voice(request, &model);
    let conversation = Conversation::of(&request.messages, &model, (voice, tools.past), policy)?;

    fields.added.extend(passed.into_iter().map(|(name, value)| (name.to_owned(), value)));
    thinking.add_to(&mut fields.added);
    tools.add_to(&mut fields.added);
    top_k(&options, &model, &mut fields.added);
    let mut features = Features::default();
    tools.features(&mut features);
    fields.add_betas(features.names());

    let mut out = Vec::with_capacity(1024);
    let mut body = Object::begin(&mut out);
    conversation.write(&mut body);
    options::write(&mut body, &options, &thinking);
    tools.write(&mut body);
    if let Some(tier) = tier {
        body.object("serviceTier", |out| out.text("type", tier));
    }
    write_output(&mut body, &options, &model, &mut fields.top);
    let labels = options::labels(&options);
    if !labels.is_empty() && !fields.top.contains_key("requestMetadata") {
        body.value("requestMetadata", &labels);
    }
    if thinking.is_claude() {
        ask_for(&mut fields.top, THINKING_TOKENS);
    }
    if !fields.added.is_empty() {
        body.value("additionalModelRequestFields", &fields.added);
    }
    for (name, value) in fields.top.iter().filter(|(name, _)| !(tier.is_some() && *name == "serviceTier")) {
        body.value(name, value);
    }
    body.end();
    // Where the model cannot stream, whoever waits for a stream gets one made of the whole reply.
    let stream = request.stream && tools.can_stream();
    Ok(Encoded {
        path: path(&target.model, stream),
        headers: fields.headers,
        body: out.into(),
        ..Encoded::default()
    })
}

/// Notes what is left out of a request of another dialect.
fn note_for(request: &ChatRequest, model: &Model) {
    if request.native.as_ref().is_some_and(|native| native.dialect == NATIVE) {
        return;
    }
    note_unsaid(request, UNSAID);
    let lacks = [
        (!model.cache, Unsaid::CacheMark),
        (!model.strict, Unsaid::Strict),
        (!model.schema, Unsaid::SchemaName),
    ];
    for (_, lack) in lacks.into_iter().filter(|(lacks, _)| *lacks) {
        note_unsaid(request, &[lack]);
    }
}

/// What the model is told, and how.
fn voice(request: &ChatRequest, model: &Model) -> Voice {
    // In OpenAI's dialect a title is a file's name, which LiteLLM does not show to the model.
    let native = request.native.as_ref().map(|native| native.dialect.as_str());
    let own = native == Some(NATIVE);
    Voice {
        cache: model.cache,
        ttl: model.ttl,
        thoughts: model.thoughts,
        audio: model.audio,
        titles: own || native == Some(anthropic::NATIVE),
        unsigned: own && model.claude.is_none(),
    }
}

/// The schema of an answer that has to come as a tool call.
fn answer_schema<'o>(options: &'o Options, model: &Model) -> Option<&'o Value> {
    match &options.response_format {
        Some(ResponseFormat::JsonSchema { schema, .. }) if !model.schema => Some(schema),
        _ => None,
    }
}

fn top_k(options: &Options, model: &Model, added: &mut Map<String, Value>) {
    let Some(top_k) = options.top_k else { return };
    match model.top_k {
        TopK::Member(name) => drop(added.insert(name.to_owned(), top_k.into())),
        TopK::Nova => {
            let config = added.entry("inferenceConfig").or_insert_with(|| json!({}));
            if let Value::Object(config) = config {
                config.insert("topK".to_owned(), top_k.into());
            }
        }
        TopK::No => {}
    }
}

/// Writes `outputConfig`: the schema of the answer beside what the caller said itself.
fn write_output(body: &mut Object<'_>, options: &Options, model: &Model, top: &mut Map<String, Value>) {
    let own = match top.shift_remove("outputConfig") {
        Some(Value::Object(own)) => own,
        _ => Map::new(),
    };
    let format = match &options.response_format {
        Some(ResponseFormat::JsonSchema { name, description, schema, .. }) if model.schema => {
            Some((name, description, exact(schema).to_string()))
        }
        // Any JSON cannot be asked for; the prompt has to say it, as OpenAI demands anyhow.
        _ => None,
    };
    if own.is_empty() && format.is_none() {
        return;
    }
    body.object("outputConfig", |config| {
        if let Some((name, description, schema)) = &format {
            config.object("textFormat", |text| {
                text.text("type", "json_schema");
                text.object("structure", |structure| {
                    structure.object("jsonSchema", |json| {
                        json.text("schema", schema);
                        json.some("name", name.as_ref());
                        json.some("description", description.as_ref());
                    });
                });
            });
        }
        for (name, value) in own.iter().filter(|(name, _)| format.is_none() || *name != "textFormat") {
            config.value(name, value);
        }
    });
}

/// Asks for a field of the model's own reply.
fn ask_for(top: &mut Map<String, Value>, path: &str) {
    let paths = top.entry("additionalModelResponseFieldPaths").or_insert_with(|| json!([]));
    if let Value::Array(paths) = paths
        && !paths.iter().any(|have| have == path)
    {
        paths.push(path.into());
    }
}
