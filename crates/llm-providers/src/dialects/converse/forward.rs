//! A caller's body made ready for a provider of the same dialect: members for the gateway removed, the
//! target's defaults added, all else as it came. The model's name stands in the path.

use bytes::Bytes;
use llm_types::Result;
use serde_json::{Map, Value};

use super::glance::control;
use super::request::{self, place};
use crate::Target;
use crate::dialect::{Encoded, Glance};
use crate::scan::{self, Patch};

/// Makes a body ready. The common case needs no second look.
pub(super) fn forward(body: &Bytes, glance: &Glance, target: &Target) -> Result<Encoded> {
    let path = request::path(&target.model, glance.stream);
    let mut body = body.clone();
    if !glance.controls.is_empty() {
        body = without_controls(&body)?;
    }
    if !(target.defaults.is_empty() && target.policy.always_drop.is_empty()) {
        body = with_settings(&body, target)?;
    }
    Ok(Encoded { path, body, ..Encoded::default() })
}

fn without_controls(body: &Bytes) -> Result<Bytes> {
    let mut patch = Patch::new(body);
    scan::object(body, |member| {
        if control(&member.name).is_some() {
            patch.remove(member.span());
        }
    })?;
    Ok(patch.finish())
}

/// The body with the operator's defaults and without what the policy always drops: of the members these
/// concern the whole value is written anew.
fn with_settings(body: &Bytes, target: &Target) -> Result<Bytes> {
    let mut members: Map<String, Value> = Map::new();
    let mut fault = None;
    scan::object(body, |member| {
        let name = &*member.name;
        if place::HOLDERS.contains(&name) || place::is_own(name) {
            match serde_json::from_str(member.value.text) {
                Ok(value) => {
                    members.insert(name.to_owned(), value);
                }
                Err(error) => fault = Some(error),
            }
        }
    })?;
    debug_assert!(fault.is_none(), "the scanner takes what serde_json reads");
    let before = members.clone();
    for name in &target.policy.always_drop {
        place::remove(&mut members, name);
    }
    for (name, value) in &target.defaults {
        if !target.policy.always_drop.contains(name) {
            place::add(&mut members, name, value);
        }
    }
    let removed: Vec<&String> = before.keys().filter(|name| !members.contains_key(*name)).collect();
    members.retain(|name, value| before.get(name) != Some(value));
    let body = scan::merge(body, &members)?;
    if removed.is_empty() {
        return Ok(body);
    }
    let mut patch = Patch::new(&body);
    scan::object(&body, |member| {
        if removed.iter().any(|name| **name == member.name) {
            patch.remove(member.span());
        }
    })?;
    Ok(patch.finish())
}

#[cfg(test)]
mod tests;
