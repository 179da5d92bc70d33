//! A caller's body made ready for a provider of the same dialect: the model's name patched, members
//! for the gateway removed, all else as it came.
//!
//! The caller's `anthropic-version` and `anthropic-beta` headers are no part of the body: the server
//! forwards them, joining beta names and letting the caller's version win over the one given here.

use bytes::Bytes;
use http::HeaderMap;
use llm_types::Result;

use super::glance::control;
use super::request::{PATH, VERSION, VERSION_HEADER};
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
        let mut seen = Vec::new();
        scan::object(body, |member| {
            let dropped = drops.iter().any(|name| *name == member.name) && member.name != "model";
            if dropped || control(&member.name).is_some() {
                patch.remove(member.span());
            }
            seen.push(member.name);
        })?;
        for (name, value) in &target.defaults {
            let said = seen.iter().any(|seen| seen == name) || drops.contains(name) || name == "model";
            if !said {
                patch.add(name, value.to_string().as_bytes());
            }
        }
    }
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(VERSION_HEADER, VERSION);
    Ok(Encoded { path: PATH.to_owned(), headers, body: patch.finish(), ..Encoded::default() })
}

/// The first version of the API that refuses sampling parameters, at whatever value. Vendor's page:
/// `api/migration-2026-10-21`.
const WITHOUT_SAMPLING: &str = "2026-10-21";

/// What a caller's version of the API refuses, of the defaults an operator may have set.
pub(super) fn refused_defaults(caller: &HeaderMap) -> &'static [&'static str] {
    let version = caller.get(VERSION_HEADER).and_then(|version| version.to_str().ok()).unwrap_or_default();
    // Versions are dates, written so that they sort as text.
    if version >= WITHOUT_SAMPLING { &["temperature", "top_k", "top_p"] } else { &[] }
}

#[cfg(test)]
mod tests;
