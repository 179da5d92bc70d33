//! A caller's body made ready for a provider of the same dialect: the model's name patched, members
//! for the gateway removed, all else as it came.

use bytes::Bytes;
use llm_types::Result;

use super::glance::control;
use super::wire::{PATH, own_name};
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
    let drops = &target.policy.always_drop;
    if !(glance.controls.is_empty() && drops.is_empty() && target.defaults.is_empty()) {
        let is_dropped = |name: &str| name != "model" && drops.iter().any(|drop| own_name(drop) == name);
        let mut seen = Vec::new();
        scan::object(body, |member| {
            if is_dropped(&member.name) || control(&member.name).is_some() {
                patch.remove(member.span());
            }
            seen.push(member.name);
        })?;
        for (name, value) in &target.defaults {
            let name = own_name(name);
            let said = seen.iter().any(|seen| seen == name) || is_dropped(name) || name == "model";
            if !said {
                patch.add(name, value.to_string().as_bytes());
            }
        }
    }
    Ok(Encoded { path: PATH.to_owned(), body: patch.finish(), ..Encoded::default() })
}
