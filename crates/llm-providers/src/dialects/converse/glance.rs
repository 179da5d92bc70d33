//! One look over a request: what the rooms must know, and where it stands.

use llm_types::Result;

use crate::dialect::{Control, Glance};
use crate::dialects::look::{self, Once, wrong};
use crate::dialects::openai::chat::control_of;
use crate::scan::{Kind, Member};

/// Looks a request over. The model and whether a stream is wanted stand in the path.
pub(super) fn glance(body: &[u8]) -> Result<Glance> {
    let mut once = Once::of(ONCE);
    let glance = Glance { n: 1, include_usage: true, lacks: Some("messages"), ..Glance::default() };
    look::over(body, glance, |member, glance| note(member, glance, &mut once))
}

/// Members that decide who pays for what.
const ONCE: &[&str] =
    &["additionalModelRequestFields", "inferenceConfig", "messages", "system", "toolConfig"];

fn note(member: &Member<'_>, glance: &mut Glance, once: &mut Once) -> Result<()> {
    let value = member.value;
    once.note(&member.name)?;
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

#[cfg(test)]
mod tests;
