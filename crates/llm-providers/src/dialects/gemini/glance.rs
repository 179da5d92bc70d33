//! One look over a request: what the rooms must know. The model and the wish for a stream stand in the
//! path, not here.

use llm_types::{Error, Result};

use super::wire::camel_name;
use crate::dialect::{Control, Glance};
use crate::dialects::look::{self, Once, wrong};
use crate::dialects::openai::chat::control_of;
use crate::scan::{Item, Kind, Member};

/// Looks a request over.
pub(super) fn glance(body: &[u8]) -> Result<Glance> {
    let mut once = Once::of(ONCE);
    let glance = Glance { n: 1, include_usage: true, ..Glance::default() };
    let glance = look::over(body, glance, |member, glance| note(member, glance, &mut once))?;
    if !once.saw("contents") {
        let message = "missing required parameter `contents`: expected an array of contents";
        return Err(Error::bad_param("contents", message));
    }
    Ok(glance)
}

/// Members that decide who pays for what, in either spelling.
const ONCE: &[&str] =
    &["cachedContent", "contents", "generationConfig", "labels", "model", "systemInstruction", "tools"];

fn note(member: &Member<'_>, glance: &mut Glance, once: &mut Once) -> Result<()> {
    let value = member.value;
    let name = camel_name(&member.name);
    once.note(&name)?;
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

#[cfg(test)]
mod tests;
