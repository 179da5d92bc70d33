//! A caller's body made ready for a provider of the same dialect: the model's name patched, members
//! for the gateway removed, the target's defaults added, all else as it came.

use bytes::Bytes;
use llm_types::Result;
use serde_json::{Map, Value};

use super::glance::control;
use super::request::is_option;
use super::wire::{CHAT, own_name};
use crate::Target;
use crate::dialect::{Encoded, Glance};
use crate::scan::{self, Patch, quoted};

/// Makes a body ready. The common case, where only the model's name differs, needs no second look.
pub(super) fn forward(body: &Bytes, glance: &Glance, target: &Target) -> Result<Encoded> {
    let mut patch = Patch::new(body);
    if glance.model != target.model {
        let name = quoted(&target.model);
        match &glance.model_span {
            Some(span) => patch.replace(span.clone(), name),
            None => patch.add("model", &name),
        }
    }
    let settings = !(target.policy.always_drop.is_empty() && target.defaults.is_empty());
    if settings || !glance.controls.is_empty() {
        settle(body, target, &mut patch)?;
    }
    Ok(Encoded { path: CHAT.to_owned(), body: patch.finish(), ..Encoded::default() })
}

fn settle(body: &Bytes, target: &Target, patch: &mut Patch<'_>) -> Result<()> {
    let is_dropped = |name: &str| target.policy.always_drop.iter().any(|drop| own_name(drop) == name);
    let (mut seen, mut options, mut fault) = (Vec::new(), None, None);
    scan::object(body, |member| {
        if &*member.name == "options" {
            match serde_json::from_str::<Option<Map<String, Value>>>(member.value.text) {
                Ok(said) => options = Some((member.value.span(), said.unwrap_or_default())),
                Err(error) => fault = Some(error),
            }
        }
        let kept = ["model", "messages", "options"].contains(&&*member.name);
        if control(&member.name).is_some() || (is_dropped(&member.name) && !kept) {
            patch.remove(member.span());
        }
        seen.push(member.name);
    })?;
    debug_assert!(fault.is_none(), "the look over the body has seen that `options` is an object");
    let (span, mut said) = options.map_or((None, Map::new()), |(span, said)| (Some(span), said));
    let before = said.clone();
    said.retain(|name, _| !is_dropped(name));
    for (name, value) in &target.defaults {
        let name = own_name(name);
        if is_dropped(name) || name == "model" {
            continue;
        }
        if is_option(name) {
            said.entry(name.to_owned()).or_insert_with(|| value.clone());
        } else if !seen.iter().any(|seen| seen == name) {
            patch.add(name, value.to_string().as_bytes());
        }
    }
    if said != before {
        let written = Value::Object(said).to_string();
        match span {
            Some(span) => patch.replace(span, written.into_bytes()),
            None => patch.add("options", written.as_bytes()),
        }
    }
    Ok(())
}
