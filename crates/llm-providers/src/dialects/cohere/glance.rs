//! One look over a request: what the rooms must know, and where it stands.

use llm_types::{Error, Result};

use crate::dialect::{Control, Glance};
use crate::dialects::openai::chat::control_of;
use crate::scan::{self, Item, Kind, Member};

/// Looks a request over.
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
const ONCE: &[&str] = &["documents", "max_tokens", "messages", "model", "stream", "tools", "user"];

fn note(member: &Member<'_>, glance: &mut Glance, seen: &mut Vec<&'static str>) -> Result<()> {
    let value = member.value;
    if let Some(name) = ONCE.iter().find(|name| **name == member.name) {
        if seen.contains(name) {
            return Err(Error::bad_param(*name, format!("`{name}` is given twice; give it once")));
        }
        seen.push(name);
    }
    match &*member.name {
        "model" => {
            let model = expect(value, value.as_str(), "model", "a string")?;
            glance.model_span = model.is_some().then(|| value.span());
            glance.model = model.unwrap_or_default().into_owned();
        }
        "messages" => {
            if value.kind != Kind::Array {
                return Err(wrong("messages", value, "an array of messages"));
            }
            glance.prompt_bytes += value.text.len() as u64;
            glance.lacks = None;
        }
        "documents" => glance.prompt_bytes += value.text.len() as u64,
        "tools" => {
            glance.prompt_bytes += value.text.len() as u64;
            value.elements(|_| glance.has_tools = true);
        }
        "stream" => {
            glance.stream = expect(value, value.as_bool(), "stream", "a boolean")?.unwrap_or(false);
        }
        "max_tokens" => {
            glance.max_tokens = expect(value, value.as_u64(), "max_tokens", "a whole number from 0")?;
        }
        // The dialect has no end user; callers name it as on LiteLLM's other routes.
        "user" => {
            glance.user = expect(value, value.as_str(), "user", "a string")?.map(Into::into);
            glance.controls.push((Control::Other, value.span()));
        }
        name => glance.controls.extend(control(name).map(|control| (control, value.span()))),
    }
    Ok(())
}

/// Which members are for the gateway in this dialect.
pub(super) fn control(name: &str) -> Option<Control> {
    match name {
        // The vendor's own: how early a request is handled.
        "priority" => None,
        "user" => Some(Control::Other),
        name => control_of(name),
    }
}

/// A value that may be null, but nothing else than what was read.
fn expect<T>(value: Item<'_>, read: Option<T>, name: &str, expected: &str) -> Result<Option<T>> {
    match read {
        None if !value.is_null() => Err(wrong(name, value, expected)),
        read => Ok(read),
    }
}

fn wrong(name: &str, value: Item<'_>, expected: &str) -> Error {
    let found = match value.kind {
        Kind::Number | Kind::Bool => format!("`{}`", value.text),
        kind => kind.described().to_owned(),
    };
    Error::bad_param(name, format!("`{name}`: expected {expected}, found {found}"))
}
