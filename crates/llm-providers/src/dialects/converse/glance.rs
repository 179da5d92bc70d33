//! One look over a request: what the rooms must know, and where it stands.

use llm_types::{Error, Result};

use crate::dialect::{Control, Glance};
use crate::dialects::openai::chat::control_of;
use crate::scan::{self, Item, Kind, Member};

/// Looks a request over. The model and whether a stream is wanted stand in the path.
pub(super) fn glance(body: &[u8]) -> Result<Glance> {
    let mut glance = Glance { n: 1, include_usage: true, lacks: Some("messages"), ..Glance::default() };
    let mut seen = Vec::new();
    let mut fault = None;
    scan::object(body, |member| {
        if fault.is_none() {
            fault = note(&member, &mut glance, &mut seen).err();
        }
    })?;
    fault.map_or(Ok(glance), Err)
}

/// Members that decide who pays for what: given twice, readers could disagree on which one counts.
const ONCE: &[&str] =
    &["additionalModelRequestFields", "inferenceConfig", "messages", "system", "toolConfig"];

fn note(member: &Member<'_>, glance: &mut Glance, seen: &mut Vec<&'static str>) -> Result<()> {
    let value = member.value;
    if let Some(name) = ONCE.iter().find(|name| **name == member.name) {
        if seen.contains(name) {
            return Err(Error::bad_param(*name, format!("`{name}` is given twice; give it once")));
        }
        seen.push(name);
    }
    match &*member.name {
        "messages" => {
            if value.kind != Kind::Array {
                return Err(wrong("messages", value, "an array of messages"));
            }
            glance.prompt_bytes += value.text.len() as u64;
            glance.lacks = None;
        }
        "system" => glance.prompt_bytes += value.text.len() as u64,
        "toolConfig" => {
            glance.prompt_bytes += value.text.len() as u64;
            if let Some(tools) = value.member("tools") {
                tools.elements(|_| glance.has_tools = true);
            }
        }
        "inferenceConfig" => {
            if !matches!(value.kind, Kind::Object | Kind::Null) {
                return Err(wrong("inferenceConfig", value, "an object"));
            }
            if let Some(limit) = value.member("maxTokens").filter(|limit| !limit.is_null()) {
                let read = limit.as_u64();
                let expected = "a whole number from 0";
                glance.max_tokens =
                    Some(read.ok_or_else(|| wrong("inferenceConfig.maxTokens", limit, expected))?);
            }
        }
        name => glance.controls.extend(control(name).map(|control| (control, value.span()))),
    }
    Ok(())
}

/// Which members are for the gateway in this dialect.
pub(super) fn control(name: &str) -> Option<Control> {
    control_of(name)
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
