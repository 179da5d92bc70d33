//! One look over a request: what the rooms must know. The model and the wish for a stream stand in the
//! path, not here.

use llm_types::{Error, Result};

use super::wire::camel_name;
use crate::dialect::{Control, Glance};
use crate::dialects::openai::chat::control_of;
use crate::scan::{self, Item, Kind, Member};

/// Looks a request over.
pub(super) fn glance(body: &[u8]) -> Result<Glance> {
    let mut glance = Glance { n: 1, include_usage: true, ..Glance::default() };
    let mut seen = Vec::new();
    let mut fault = None;
    scan::object(body, |member| {
        if fault.is_none() {
            fault = note(&member, &mut glance, &mut seen).err();
        }
    })?;
    if let Some(fault) = fault {
        return Err(fault);
    }
    if !seen.contains(&"contents") {
        let message = "missing required parameter `contents`: expected an array of contents";
        return Err(Error::bad_param("contents", message));
    }
    Ok(glance)
}

/// Members that decide who pays for what: given twice, in whichever spelling, readers could disagree on
/// which one counts.
const ONCE: &[&str] =
    &["cachedContent", "contents", "generationConfig", "labels", "model", "systemInstruction", "tools"];

fn note(member: &Member<'_>, glance: &mut Glance, seen: &mut Vec<&'static str>) -> Result<()> {
    let value = member.value;
    let name = camel_name(&member.name);
    if let Some(name) = ONCE.iter().find(|once| **once == name) {
        if seen.contains(name) {
            return Err(Error::bad_param(*name, format!("`{name}` is given twice; give it once")));
        }
        seen.push(name);
    }
    match name.as_str() {
        "contents" => {
            if !matches!(value.kind, Kind::Array | Kind::Object) {
                return Err(wrong("contents", value, "an array of contents"));
            }
            glance.prompt_bytes += value.text.len() as u64;
        }
        "systemInstruction" => glance.prompt_bytes += value.text.len() as u64,
        "tools" => {
            glance.prompt_bytes += value.text.len() as u64;
            value.elements(|_| glance.has_tools = true);
        }
        "generationConfig" => config(value, glance)?,
        _ => glance.controls.extend(control(&member.name).map(|control| (control, value.span()))),
    }
    Ok(())
}

fn config(value: Item<'_>, glance: &mut Glance) -> Result<()> {
    if !matches!(value.kind, Kind::Object | Kind::Null) {
        return Err(wrong("generationConfig", value, "an object"));
    }
    let mut fault = None;
    value.members(|member| {
        let value = member.value;
        let result = match camel_name(&member.name).as_str() {
            "maxOutputTokens" => count(value, "generationConfig.maxOutputTokens").map(|cap| {
                glance.max_tokens = glance.max_tokens.max(cap);
                glance.sampled |= cap.is_some();
            }),
            "candidateCount" => count(value, "generationConfig.candidateCount")
                .map(|n| glance.n = glance.n.max(n.unwrap_or(1))),
            "temperature" | "topP" => {
                glance.sampled = true;
                Ok(())
            }
            _ => Ok(()),
        };
        fault = fault.take().or(result.err());
    });
    fault.map_or(Ok(()), Err)
}

/// A whole number; `100.0` is one, as the vendor reads it, and so is `"100"`.
fn count(value: Item<'_>, name: &str) -> Result<Option<u64>> {
    let text = value.text.trim_matches('"');
    let whole = text.strip_suffix(".0").unwrap_or(text);
    match value.kind {
        Kind::Null => Ok(None),
        Kind::Number | Kind::String => match whole.parse() {
            Ok(count) => Ok(Some(count)),
            Err(_) => Err(wrong(name, value, "a whole number from 0")),
        },
        _ => Err(wrong(name, value, "a whole number from 0")),
    }
}

/// Which members are for the gateway in this dialect.
pub(super) fn control(name: &str) -> Option<Control> {
    match name {
        "priority" | "ttl" => None,
        name => control_of(name),
    }
}

fn wrong(name: &str, value: Item<'_>, expected: &str) -> Error {
    let found = match value.kind {
        Kind::Number | Kind::Bool => format!("`{}`", value.text),
        kind => kind.described().to_owned(),
    };
    Error::bad_param(name, format!("`{name}`: expected {expected}, found {found}"))
}

#[cfg(test)]
mod tests;
