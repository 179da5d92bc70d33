//! One look over a request: what the rooms must know, and where it stands.

use llm_types::{Error, Result};

use crate::dialect::{Control, Glance};
use crate::dialects::look::{self, Once, expect, wrong};
use crate::dialects::openai::chat::control_of;
use crate::scan::{Kind, Member};

/// Members that decide who pays for what.
const ONCE: &[&str] =
    &["background", "input", "max_output_tokens", "model", "previous_response_id", "store", "stream", "user"];

/// Looks a request over.
pub(super) fn glance(body: &[u8]) -> Result<Glance> {
    let mut once = Once::of(ONCE);
    let glance = Glance { n: 1, include_usage: true, ..Glance::default() };
    let glance = look::over(body, glance, |member, glance| note(member, glance, &mut once))?;
    if glance.prompt_bytes == 0 {
        let message = "Missing required parameter: 'input'.";
        return Err(Error::bad_param("input", message).with_code("missing_required_parameter"));
    }
    Ok(glance)
}

fn note(member: &Member<'_>, glance: &mut Glance, once: &mut Once) -> Result<()> {
    let value = member.value;
    once.note(&member.name)?;
    match &*member.name {
        "model" => {
            let model = expect(value, value.as_str(), "model", "a string")?;
            glance.model_span = model.is_some().then(|| value.span());
            glance.model = model.unwrap_or_default().into_owned();
        }
        "input" => {
            if !matches!(value.kind, Kind::String | Kind::Array | Kind::Null) {
                return Err(wrong("input", value, "a string or an array of items"));
            }
            glance.prompt_bytes += if value.is_null() { 0 } else { value.text.len() as u64 };
        }
        "instructions" | "prompt" | "conversation" if !value.is_null() => {
            glance.prompt_bytes += value.text.len() as u64;
        }
        "previous_response_id" => {
            let id = expect(value, value.as_str(), "previous_response_id", "a string")?;
            glance.prompt_bytes += id.map_or(0, |id| id.len() as u64);
        }
        "tools" => {
            glance.prompt_bytes += value.text.len() as u64;
            value.elements(|_| glance.has_tools = true);
        }
        name @ ("stream" | "background" | "store") => {
            let flag = expect(value, value.as_bool(), name, "a boolean")?;
            glance.stream |= name == "stream" && flag == Some(true);
        }
        "max_output_tokens" => {
            let count = expect(value, value.as_u64(), "max_output_tokens", "a whole number from 0")?;
            glance.max_tokens = count;
        }
        "user" => {
            glance.user = expect(value, value.as_str(), "user", "a string")?.map(Into::into);
        }
        name => glance.controls.extend(control(name).map(|control| (control, value.span()))),
    }
    Ok(())
}

/// Which members are for the gateway: `metadata` is the provider's in this dialect (surface §6.3).
pub(super) fn control(name: &str) -> Option<Control> {
    if name == "metadata" { None } else { control_of(name) }
}
