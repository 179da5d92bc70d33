//! The canonical request into a provider's JSON.

use std::borrow::Cow;

use llm_types::{ChatRequest, Error, NativeFields, Options, Result};
use serde_json::{Map, Value, json};

use super::super::namespace;
use super::super::wire::{DIALECT, PATH};
use super::{encode_items, options, write_tools};
use crate::Target;
use crate::dialect::Encoded;
use crate::dialects::openai::chat::{Fate, Judge, Said, effort_of};
use crate::dialects::params::drops;
use crate::dialects::unsaid::{Unsaid, note_unsaid};
use crate::left_out::note;

/// The smallest `max_output_tokens` the API takes (API reference); smaller caps are raised to it.
const LEAST_OUTPUT: u64 = 16;

/// What asks for reasoning in the form that can be sent back without being stored.
const ENCRYPTED: &str = "reasoning.encrypted_content";
const LOGPROBS: &str = "message.output_text.logprobs";

/// What callers of other dialects say and this one has no place for.
const UNSAID: &[Unsaid] = &[
    Unsaid::Speaker,
    Unsaid::CacheMark,
    Unsaid::ErrorMark,
    Unsaid::Citations(DIALECT),
    Unsaid::Members,
    Unsaid::PartMembers(&[]),
    Unsaid::ToolMembers(write_tools::KEPT),
];

/// Writes a request for a provider.
pub(crate) fn encode(request: &ChatRequest, target: &Target) -> Result<Encoded> {
    let effort = request.options.reasoning.as_ref().and_then(effort_of);
    let judge = Judge::new(target, effort.map(|effort| effort.as_str().into()), false);
    let mut writer = Writer { body: Map::new(), target, judge, refused: None };
    writer.put("model", json!(target.spec.quirks.model_name(&target.model)));
    let own = request.native.as_ref().filter(|native| native.dialect == DIALECT);
    if own.is_none() {
        note_unsaid(request, UNSAID);
    }
    let said = encode_items::encode(&request.messages, &target.policy)?;
    if let Some(instructions) = said.instructions {
        writer.put("instructions", json!(instructions));
    }
    writer.put("input", Value::Array(said.items));
    writer.options(&request.options)?;
    writer.reasoning(&request.options);
    writer.tools(request)?;
    if request.stream {
        writer.put("stream", json!(true));
    }
    writer.own_fields(own);
    writer.include(&request.options, own);
    for (name, value) in &request.extra.0 {
        writer.param(name, name, Some(value.clone()), Said::Other);
    }
    // The search is written as a tool.
    for (name, value) in target.defaults.iter().filter(|(name, _)| *name != write_tools::SEARCH) {
        let (name, value) = default_of(name, value);
        if !writer.body.contains_key(&*name) {
            writer.put(&name, value.into_owned());
        }
    }
    if let Some(error) = writer.refused {
        return Err(error);
    }
    let body = Value::Object(writer.body).to_string();
    Ok(Encoded { path: PATH.to_owned(), body: body.into(), ..Encoded::default() })
}

/// An operator's default under this API's name; defaults are written in Chat Completions' words.
pub(in super::super) fn default_of<'d>(name: &'d str, value: &'d Value) -> (Cow<'d, str>, Cow<'d, Value>) {
    match name {
        "max_tokens" | "max_completion_tokens" => ("max_output_tokens".into(), Cow::Borrowed(value)),
        "reasoning_effort" if value.is_string() => ("reasoning".into(), Cow::Owned(json!({"effort": value}))),
        "verbosity" => ("text".into(), Cow::Owned(json!({"verbosity": value}))),
        _ => (name.into(), Cow::Borrowed(value)),
    }
}

struct Writer<'w> {
    body: Map<String, Value>,
    target: &'w Target,
    judge: Judge<'w>,
    refused: Option<Error>,
}

impl Writer<'_> {
    fn put(&mut self, name: &str, value: Value) {
        self.body.insert(name.to_owned(), value);
    }

    /// Whether the target takes a parameter, which policies and records name as Chat Completions does.
    fn takes(&mut self, called: &str, said: Said<'_>) -> bool {
        match self.judge.fate(called, said) {
            Fate::Send => true,
            Fate::Idle => false,
            Fate::Drop => {
                note(called.to_owned());
                false
            }
            Fate::Refuse => {
                self.refused.get_or_insert_with(|| self.judge.refusal(called, said));
                false
            }
        }
    }

    fn param(&mut self, called: &str, name: &str, value: Option<Value>, said: Said<'_>) {
        let Some(value) = value else { return };
        if self.takes(called, said) {
            self.put(name, value);
        }
    }

    fn options(&mut self, options: &Options) -> Result<()> {
        let cap = options.max_tokens.map(|cap| json!(cap.max(LEAST_OUTPUT)));
        self.param("max_tokens", "max_output_tokens", cap, Said::Other);
        let heat = options.temperature.map_or(Said::Other, Said::Number);
        self.param("temperature", "temperature", options.temperature.map(|heat| json!(heat)), heat);
        let same = [
            ("top_p", options.top_p.map(|top_p| json!(top_p))),
            ("top_logprobs", options.top_logprobs.map(|count| json!(count))),
            ("service_tier", options.service_tier.as_ref().map(|tier| json!(tier))),
            ("user", options.user.as_ref().map(|user| json!(user))),
            ("prompt_cache_key", options.prompt_cache_key.as_ref().map(|key| json!(key))),
            ("safety_identifier", options.safety_identifier.as_ref().map(|id| json!(id))),
        ];
        for (name, value) in same {
            self.param(name, name, value, Said::Other);
        }
        self.store(options);
        self.text(options);
        self.inexpressible(options)
    }

    /// Other dialects store nothing unless asked to, this one everything: it is told so.
    fn store(&mut self, options: &Options) {
        match options.store {
            Some(store) => self.param("store", "store", Some(json!(store)), Said::Other),
            None if self.judge.fate("store", Said::Other) == Fate::Send => self.put("store", json!(false)),
            None => {}
        }
        if options.store == Some(true) {
            // As towards Chat Completions: labels are for what is stored, and are text.
            let labels = options.metadata.as_ref().filter(|map| map.values().all(Value::is_string));
            self.param("metadata", "metadata", labels.map(|map| json!(map)), Said::Other);
        }
    }

    fn text(&mut self, options: &Options) {
        let mut text = Map::new();
        if let Some(format) = &options.response_format
            && self.takes("response_format", Said::Other)
        {
            text.insert("format".to_owned(), options::written_format(format));
        }
        if let Some(verbosity) = &options.verbosity
            && self.takes("verbosity", Said::Other)
        {
            text.insert("verbosity".to_owned(), json!(verbosity));
        }
        if !text.is_empty() {
            self.put("text", Value::Object(text));
        }
    }

    fn inexpressible(&self, options: &Options) -> Result<()> {
        let penalty = |penalty: Option<f64>| penalty.is_some_and(|penalty| penalty != 0.0);
        let beyond_text = |kinds: &Option<Vec<String>>| {
            kinds.iter().flatten().any(|kind| !kind.eq_ignore_ascii_case("text"))
        };
        let given = [
            ("stop", !options.stop.is_empty()),
            ("seed", options.seed.is_some()),
            ("top_k", options.top_k.is_some()),
            ("n", options.n.is_some_and(|n| n > 1)),
            ("frequency_penalty", penalty(options.frequency_penalty)),
            ("presence_penalty", penalty(options.presence_penalty)),
            ("logit_bias", options.logit_bias.as_ref().is_some_and(|bias| !bias.is_empty())),
            ("modalities", beyond_text(&options.modalities)),
            ("audio", options.audio.is_some()),
            ("prediction", options.prediction.is_some()),
            ("safety_settings", options.safety_settings.is_some()),
        ];
        for (name, _) in given.into_iter().filter(|(_, given)| *given) {
            if !drops(&self.target.policy, name) {
                let message = format!(
                    "OpenAI Responses has no parameter for `{name}`; leave it out, or set `drop_params: true`"
                );
                return Err(Error::unsupported(name, message));
            }
            note(name);
        }
        Ok(())
    }

    fn reasoning(&mut self, options: &Options) {
        let Some(wanted) = &options.reasoning else { return };
        let mut reasoning = Map::new();
        if let Some(effort) = effort_of(wanted) {
            // A budget that is nearest to a word the model does not know is said with the next one.
            let unknown = wanted.effort.is_none() && !self.judge.takes_effort(effort.as_str());
            let word = if unknown && effort.as_str() == "minimal" { "low" } else { effort.as_str() };
            if self.takes("reasoning_effort", Said::Word(word)) {
                reasoning.insert("effort".to_owned(), json!(word));
            }
        }
        let thinks = wanted.enabled == Some(true) || wanted.adaptive || wanted.budget_tokens.is_some();
        let shown = wanted.include.unwrap_or(thinks);
        let summary = wanted.summary.as_deref().or((shown && !reasoning.is_empty()).then_some("auto"));
        if let Some(summary) = summary {
            reasoning.insert("summary".to_owned(), json!(summary));
        }
        if !reasoning.is_empty() {
            self.put("reasoning", Value::Object(reasoning));
        }
    }

    fn tools(&mut self, request: &ChatRequest) -> Result<()> {
        let tools = write_tools::tools(request, self.target)?;
        if tools.is_empty() || !self.takes("tools", Said::Other) {
            return Ok(());
        }
        if let Some(Value::Array(items)) = self.body.get_mut("input") {
            items.iter_mut().for_each(|item| namespace::name_call_among(item, &tools));
        }
        self.put("tools", Value::Array(tools));
        self.param("tool_choice", "tool_choice", write_tools::choice(request), Said::Other);
        let parallel = request.options.parallel_tool_calls.map(|parallel| json!(parallel));
        self.param("parallel_tool_calls", "parallel_tool_calls", parallel, Said::Other);
        Ok(())
    }

    /// Members that only this API has, of a caller of this API.
    fn own_fields(&mut self, own: Option<&NativeFields>) {
        for (name, value) in own.iter().flat_map(|own| &own.fields.0) {
            match (name.as_str(), self.body.get_mut(name)) {
                ("reasoning", Some(Value::Object(said))) => {
                    said.extend(value.as_object().cloned().unwrap_or_default());
                }
                _ => self.put(name, value.clone()),
            }
        }
    }

    fn include(&mut self, options: &Options, own: Option<&NativeFields>) {
        let mut include: Vec<Value> = match self.body.get("include") {
            Some(Value::Array(include)) => include.clone(),
            _ => Vec::new(),
        };
        let asked = options.reasoning.is_some() && self.body.contains_key("reasoning");
        let unstored = options.store != Some(true) && own.is_none();
        if unstored && self.judge.reasons().unwrap_or(asked) {
            include.push(json!(ENCRYPTED));
        }
        if options.logprobs == Some(true) && self.takes("logprobs", Said::Other) {
            include.push(json!(LOGPROBS));
        }
        include.dedup();
        if !include.is_empty() {
            self.put("include", Value::Array(include));
        }
    }
}
