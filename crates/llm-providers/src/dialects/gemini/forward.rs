//! A caller's body made ready for a provider of the same dialect: members for the gateway removed, the
//! operator's defaults added, all else as it came. The model stands in the path.

use bytes::Bytes;
use llm_types::Result;
use serde_json::{Map, Value};

use super::glance::control;
use super::request::config_name;
use super::wire::{camel_name, path};
use crate::Target;
use crate::dialect::{Encoded, Glance, Span};
use crate::scan::{self, Patch, quoted};

/// Makes a body ready.
pub(super) fn forward(body: &Bytes, glance: &Glance, target: &Target) -> Result<Encoded> {
    let mut patch = Patch::new(body);
    let policy = &target.policy;
    let mut seen = Vec::new();
    let mut config = None;
    scan::object(body, |member| {
        let name = camel_name(&member.name);
        let dropped = policy.always_drop.iter().any(|drop| camel_name(drop) == name);
        match name.as_str() {
            // Clients may name the model here, too; the vendor wants the path's.
            "model" => patch.replace(member.value.span(), quoted(&format!("models/{}", target.model))),
            "generationConfig" => config = Some(member.value.span()),
            _ if dropped || control(&member.name).is_some() => patch.remove(member.span()),
            _ => {}
        }
        seen.push(name);
    })?;
    let defaults = Defaults::of(target);
    defaults.config(body, config, &mut patch, &policy.always_drop);
    for (name, value) in &defaults.top {
        if !seen.contains(&camel_name(name)) {
            patch.add(name, value.to_string().as_bytes());
        }
    }
    let path = path(&target.model, glance.stream);
    Ok(Encoded { path, body: patch.finish(), ..Encoded::default() })
}

/// The operator's defaults by where they belong.
struct Defaults {
    /// Members of `generationConfig`.
    config: Map<String, Value>,
    /// Members of the body.
    top: Map<String, Value>,
}

impl Defaults {
    fn of(target: &Target) -> Self {
        let mut defaults = Self { config: Map::new(), top: Map::new() };
        for (name, value) in &target.defaults {
            if target.policy.always_drop.contains(name) || name == "model" {
                continue;
            }
            match (config_name(name), value) {
                // What OpenAI's form says in words of its own is not taken over into the vendor's.
                (Some("thinkingConfig" | "speechConfig"), _) => {}
                (Some(member), value) => {
                    defaults.config.insert(member.to_owned(), value.clone());
                }
                (None, Value::Object(members)) if camel_name(name) == "generationConfig" => {
                    defaults.config.extend(members.clone());
                }
                (None, value) => {
                    defaults.top.insert(name.clone(), value.clone());
                }
            }
        }
        defaults
    }

    /// Puts defaults into `generationConfig`, and takes out what is always dropped. It is printed anew
    /// only when something changes.
    fn config(&self, body: &Bytes, span: Option<Span>, patch: &mut Patch<'_>, drops: &[String]) {
        let text = span.clone().and_then(|span| body.get(span)).unwrap_or(b"{}");
        let Ok(Value::Object(mut said)) = serde_json::from_slice::<Value>(text) else { return };
        let before = said.len();
        let dropped: Vec<&str> = drops.iter().filter_map(|name| config_name(name)).collect();
        said.retain(|name, _| !dropped.contains(&camel_name(name).as_str()));
        let mut changed = said.len() != before;
        for (name, value) in &self.config {
            if !said.keys().any(|said| camel_name(said) == *name) {
                said.insert(name.clone(), value.clone());
                changed = true;
            }
        }
        let printed = || Value::Object(said).to_string().into_bytes();
        match span {
            _ if !changed => {}
            Some(span) => patch.replace(span, printed()),
            None => patch.add("generationConfig", &printed()),
        }
    }
}

#[cfg(test)]
mod tests;
