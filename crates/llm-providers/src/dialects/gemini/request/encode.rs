//! A canonical request for a provider.

use std::borrow::Cow;

use llm_types::{ChatRequest, Options, Result};
use serde_json::{Map, Value};

use super::super::content;
use super::super::models::Traits;
use super::super::wire::{NATIVE, camel_name, path};
use super::judge::{self, Judge};
use super::messages::Conversation;
use super::options::CONFIG;
use super::{generation, tools};
use crate::dialects::params;
use crate::dialects::unsaid::{Unsaid, note_unsaid};
use crate::write::Object;
use crate::{Encoded, Target};

/// Members written from canonical fields: never written again from kept ones.
const OWN: &[&str] = &[
    "contents",
    "generationConfig",
    "labels",
    "model",
    "safetySettings",
    "serviceTier",
    "systemInstruction",
    "toolConfig",
    "tools",
];

/// What callers of other dialects say and this one has no place for.
const UNSAID: &[Unsaid] = &[
    Unsaid::Speaker,
    Unsaid::CacheMark,
    Unsaid::Signature,
    Unsaid::FileName,
    Unsaid::Strict,
    Unsaid::SchemaName,
    Unsaid::User,
    Unsaid::Citations(NATIVE),
    Unsaid::Members,
    Unsaid::PartMembers(content::KEPT),
    Unsaid::ToolMembers(&[]),
];

/// Writes a request.
pub(in super::super) fn encode(request: &ChatRequest, target: &Target) -> Result<Encoded> {
    let request = &*params::without_openais(Cow::Borrowed(request), &target.policy)?;
    let traits = Traits::of(&target.model);
    let judge = Judge::new(target);
    let native = request.native.as_ref().filter(|native| native.dialect == NATIVE);
    let (mut options, defaults) = judge::settle(request, target)?;
    judge.legacy(request, &mut options)?;
    let passed = judge.unsupported(&options, traits, native.is_some())?;
    if native.is_none() {
        note_unsaid(request, UNSAID);
    }
    let fields = Fields::of(request, defaults, target);
    let conversation = Conversation::of(&request.messages, traits, native.is_some(), &target.policy)?;
    let kept = native.map(|native| match native.fields.value("toolConfig") {
        Some(Value::Object(config)) => config.clone(),
        _ => Map::new(),
    });
    let tools = tools::Plan::of(request, &options, traits, judge, kept.as_ref())?;
    let mut config = generation::config(&options, traits, judge, native.is_some(), fields.config)?;
    if let Some(resolution) = generation::resolution(conversation.details(), traits) {
        config.entry("mediaResolution").or_insert_with(|| Value::from(resolution));
    }

    let mut out = Vec::with_capacity(1024);
    let mut body = Object::begin(&mut out);
    conversation.write(&mut body);
    tools.write(&mut body);
    if !config.is_empty() {
        body.value(CONFIG, &config);
    }
    beside(&mut body, &options, native.map(|native| &native.fields.0));
    for (name, value) in &fields.top {
        body.value(name, value);
    }
    for (name, value) in &passed {
        body.value(name, value);
    }
    body.end();
    Ok(Encoded { path: path(&target.model, request.stream), body: out.into(), ..Encoded::default() })
}

/// Writes `safetySettings`, `serviceTier` and `labels`.
fn beside(body: &mut Object<'_>, options: &Options, native: Option<&Map<String, Value>>) {
    body.some("safetySettings", options.safety_settings.as_ref());
    let tier = match (native.and_then(|fields| fields.get("serviceTier")), options.service_tier.as_deref()) {
        (Some(own), Some(_)) => own.as_str(),
        // `auto` is what the vendor does unasked.
        (None, Some("auto")) | (_, None) => None,
        (None, Some("default")) => Some("standard"),
        (None, tier) => tier,
    };
    body.some("serviceTier", tier.as_ref());
    if native.is_some() {
        body.some("labels", options.metadata.as_ref());
        body.some("store", options.store.as_ref());
    }
}

/// Members without canonical form: the caller's own, then the target's.
struct Fields {
    /// Those of the body.
    top: Map<String, Value>,
    /// Those of `generationConfig`.
    config: Map<String, Value>,
}

impl Fields {
    fn of(request: &ChatRequest, defaults: Map<String, Value>, target: &Target) -> Self {
        let mut fields = Self { top: Map::new(), config: Map::new() };
        let native = request.native.as_ref().filter(|native| native.dialect == NATIVE);
        for (name, value) in native.iter().flat_map(|native| &native.fields.0) {
            fields.add(name, value.clone());
        }
        for (name, value) in &request.extra.0 {
            match (name.as_str(), value) {
                // SDKs spread `extra_body` over the body; raw callers may leave it whole.
                ("extra_body", Value::Object(members)) => {
                    members.iter().for_each(|(name, value)| fields.add(name, value.clone()));
                }
                ("extra_body" | "extra_headers", _) => {}
                _ => fields.add(name, value.clone()),
            }
        }
        for (name, value) in defaults {
            fields.add(&name, value);
        }
        for name in &target.policy.always_drop {
            fields.top.shift_remove(name);
            fields.config.shift_remove(name);
        }
        fields
    }

    /// Adds a member where it belongs, unless it is there or null. A name that only another dialect's
    /// caller gives keeps its spelling.
    fn add(&mut self, name: &str, value: Value) {
        let camel = camel_name(name);
        if value.is_null() {
            return;
        }
        if let (CONFIG, Value::Object(members)) = (camel.as_str(), &value) {
            for (name, value) in members {
                self.config.entry(camel_name(name)).or_insert_with(|| value.clone());
            }
        } else if generation::is_config(&camel) {
            self.config.entry(camel).or_insert(value);
        } else if !OWN.contains(&camel.as_str()) {
            let known = camel == "cachedContent";
            self.top.entry(if known { camel } else { name.to_owned() }).or_insert(value);
        }
    }
}
