//! A caller's body made ready for a provider of the same dialect: a few members patched, the rest as
//! it came.

use std::borrow::Cow;

use bytes::Bytes;
use llm_types::Result;
use serde_json::{Value, json};

use super::glance::control;
use super::request::default_of;
use super::wire::PATH;
use crate::Target;
use crate::dialect::{Encoded, Glance};
use crate::dialects::openai::chat::{Fate, Judge, Said};
use crate::left_out::note;
use crate::scan::{self, Kind, Member, Patch, quoted};

/// Makes a body ready. The common case, where only the model's name differs, needs no second look.
pub(super) fn forward(body: &Bytes, glance: &Glance, target: &Target) -> Result<Encoded> {
    let mut patch = Patch::new(body);
    let name = target.spec.quirks.model_name(&target.model);
    if glance.model != name {
        match &glance.model_span {
            Some(span) => patch.replace(span.clone(), quoted(&name)),
            None => patch.add("model", &quoted(&name)),
        }
    }
    let policy = &target.policy;
    let plain = glance.controls.is_empty()
        && policy.always_drop.is_empty()
        && target.defaults.is_empty()
        && !policy.drop
        && !holds_marks(body);
    if !plain {
        members(body, target, &mut patch)?;
    }
    Ok(Encoded { path: PATH.to_owned(), body: patch.finish(), ..Encoded::default() })
}

/// Looks at every member: the gateway's own are removed, those of the policy dropped, defaults added.
fn members(body: &Bytes, target: &Target, patch: &mut Patch<'_>) -> Result<()> {
    let marked = holds_marks(body);
    let mut effort: Option<Cow<'_, str>> = None;
    scan::object(body, |member| {
        if member.name == "reasoning" {
            effort = member.value.member("effort").and_then(|effort| effort.as_str());
        }
    })?;
    let judge = Judge::new(target, effort, false);
    let mut seen: Vec<String> = Vec::new();
    scan::object(body, |member| {
        if member.name == "model" {
        } else if control(&member.name).is_some() || is_dropped(&member, target, &judge) {
            patch.remove(member.span());
        } else if member.name == "input" && marked && member.value.kind == Kind::Array {
            patch.replace(member.value.span(), without_marks(member.value.text).into_bytes());
        }
        seen.push(member.name.into_owned());
    })?;
    for (name, value) in &target.defaults {
        let (name, value) = default_of(name, value);
        if !seen.iter().any(|seen| *seen == name) && name != "model" {
            patch.add(&name, value.to_string().as_bytes());
            seen.push(name.into_owned());
        }
    }
    Ok(())
}

fn is_dropped(member: &Member<'_>, target: &Target, judge: &Judge<'_>) -> bool {
    let policy = &target.policy;
    let called = match &*member.name {
        "max_output_tokens" => "max_tokens",
        other => other,
    };
    if policy.always_drop.iter().any(|name| name == called || *name == member.name) {
        note(member.name.clone().into_owned());
        return true;
    }
    let said = match member.value.kind {
        Kind::Number => member.value.text.parse().map_or(Said::Other, Said::Number),
        _ => Said::Other,
    };
    let sampling = matches!(called, "temperature" | "top_p" | "top_logprobs");
    let dropped = policy.drop && sampling && judge.fate(called, said) == Fate::Drop;
    if dropped {
        note(member.name.clone().into_owned());
    }
    dropped
}

/// What the gateway adds to items of other vendors' answers, which this provider would refuse.
const MARKS: [&[u8]; 3] = [b"\"sig1|", b"\"red1|", b"\"provider_specific_fields\""];

fn holds_marks(body: &[u8]) -> bool {
    MARKS.iter().any(|mark| memchr::memmem::find(body, mark).is_some())
}

/// The items without other vendors' reasoning and marks.
fn without_marks(items: &str) -> String {
    let mut items: Vec<Value> = serde_json::from_str(items).unwrap_or_default();
    items.retain(|item| {
        let encrypted = item.get("encrypted_content").and_then(Value::as_str).unwrap_or_default();
        !(encrypted.starts_with("sig1|") || encrypted.starts_with("red1|"))
    });
    for item in &mut items {
        if let Some(item) = item.as_object_mut() {
            item.shift_remove("provider_specific_fields");
        }
    }
    json!(items).to_string()
}
