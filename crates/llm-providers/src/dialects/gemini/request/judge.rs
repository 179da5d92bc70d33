//! What becomes of parameters: by the operator's policy, the vendor's record and the dialect.

use llm_types::{ChatRequest, Error, Extra, Options, Result};
use serde_json::{Map, Value};

use super::super::models::Traits;
use crate::Target;
use crate::dialects::openai::chat::options_of;
use crate::dialects::params::drops;
use crate::left_out::note;

/// Judges the parameters of one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judge<'t> {
    target: &'t Target,
}

impl<'t> Judge<'t> {
    /// A judge of requests for a target.
    pub(super) fn new(target: &'t Target) -> Self {
        Self { target }
    }

    /// Whether a parameter the dialect has may be sent; an error when the vendor's record says no and
    /// the policy does not drop it.
    pub(super) fn takes(&self, name: &'static str) -> Result<bool> {
        if self.knows(name) || self.allows(name) {
            return Ok(true);
        }
        self.leave_out(name, "its API does not take it")?;
        Ok(false)
    }

    /// Whether the vendor's record does not say that a parameter is refused.
    pub(super) fn knows(&self, name: &str) -> bool {
        !self.target.spec.quirks.unsupported.iter().any(|listed| listed == name)
    }

    fn allows(&self, name: &str) -> bool {
        self.target.policy.allow.iter().any(|allowed| allowed == name)
    }

    /// Leaves out a parameter that cannot be said; an error when the policy does not allow that.
    pub(super) fn leave_out(&self, name: &'static str, why: &str) -> Result<()> {
        if drops(&self.target.policy, name) {
            note(name);
            return Ok(());
        }
        let (provider, model) = (&self.target.spec.id, &self.target.model);
        let message = format!(
            "`{provider}` does not support the parameter `{name}` for model `{model}`: {why}; leave it out, or set `drop_params: true` to have it dropped"
        );
        Err(Error::unsupported(name, message))
    }

    /// Checks what the dialect cannot say. Returns what the policy wants passed all the same.
    pub(super) fn unsupported(
        &self,
        options: &Options,
        traits: Traits,
        own: bool,
    ) -> Result<Vec<(&'static str, Value)>> {
        let audio = options.audio.clone().filter(|_| !own && !traits.speech);
        let given: [(&'static str, Option<Value>); 7] = [
            ("logit_bias", options.logit_bias.clone().filter(|bias| !bias.is_empty()).map(Value::Object)),
            ("audio", audio),
            ("prediction", options.prediction.clone()),
            ("verbosity", options.verbosity.clone().map(Value::from)),
            ("store", options.store.filter(|on| *on && !own).map(Value::from)),
            ("prompt_cache_key", options.prompt_cache_key.clone().map(Value::from)),
            ("safety_identifier", options.safety_identifier.clone().map(Value::from)),
        ];
        let mut passed = Vec::new();
        for (name, value) in given {
            let Some(value) = value else { continue };
            if self.allows(name) {
                passed.push((name, value));
            } else {
                self.leave_out(name, "`generateContent` has no such parameter")?;
            }
        }
        Ok(passed)
    }

    /// OpenAI's `function_call`: a caller that sends it cannot read tool calls, so LiteLLM refuses it.
    /// The functions themselves are tools.
    pub(super) fn legacy(&self, request: &ChatRequest, options: &mut Options) -> Result<()> {
        let native = request.native.as_ref().map(|native| &native.fields);
        if native.is_some_and(|fields| fields.value("function_call").is_some()) {
            self.leave_out("function_call", "its callers take `tools` and `tool_choice`")?;
            options.tool_choice = None;
        }
        Ok(())
    }
}

/// The caller's options with the target's defaults filled in and what the policy always drops taken
/// out, and the defaults that are no options.
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] naming a default of a wrong type.
pub(super) fn settle(request: &ChatRequest, target: &Target) -> Result<(Options, Map<String, Value>)> {
    let mut options = request.options.clone();
    let mut members = Map::new();
    if !target.defaults.is_empty() {
        let (defaults, Extra(rest)) = options_of(target.defaults.clone())?;
        options.fill(defaults);
        members = rest;
    }
    for name in &target.policy.always_drop {
        if options.forget(name) {
            note(name.clone());
        }
        members.shift_remove(name);
    }
    Ok((options, members))
}
