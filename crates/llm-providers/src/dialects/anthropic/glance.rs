//! One look over a request: what the rooms must know, and where it stands.

use llm_types::Result;

use crate::dialect::{Control, Glance};
use crate::dialects::look::{self, Once, expect, wrong};
use crate::dialects::openai::chat::control_of;
use crate::scan::{Kind, Member};

/// Looks a request over. `metadata` is the provider's in this dialect and no control (surface §6.3).
pub(super) fn glance(body: &[u8]) -> Result<Glance> {
    let mut once = Once::of(ONCE);
    let glance = Glance { n: 1, include_usage: true, lacks: Some("messages"), ..Glance::default() };
    look::over(body, glance, |member, glance| note(member, glance, &mut once))
}

/// Members that decide who pays for what.
const ONCE: &[&str] = &["max_tokens", "messages", "metadata", "model", "stream", "system", "user"];

fn note(member: &Member<'_>, glance: &mut Glance, once: &mut Once) -> Result<()> {
    let value = member.value;
    once.note(&member.name)?;
    if look::common(member, glance)? {
        return Ok(());
    }
    match &*member.name {
        "system" => glance.prompt_bytes += value.text.len() as u64,
        "max_tokens" => {
            glance.max_tokens = expect(value, value.as_u64(), "max_tokens", "a whole number from 0")?;
        }
        "metadata" => {
            if !matches!(value.kind, Kind::Object | Kind::Null) {
                return Err(wrong("metadata", value, "an object"));
            }
            if let Some(user) = value.member("user_id") {
                let user = expect(user, user.as_str(), "metadata.user_id", "a string")?;
                glance.user = user.map(Into::into).or(glance.user.take());
            }
        }
        // LiteLLM's callers name the end user as on its other routes.
        "user" => {
            let user = expect(value, value.as_str(), "user", "a string")?;
            glance.user = glance.user.take().or_else(|| user.map(Into::into));
            glance.controls.push((Control::Other, value.span()));
        }
        name => glance.controls.extend(control(name).map(|control| (control, value.span()))),
    }
    Ok(())
}

/// Which members are for the gateway in this dialect.
pub(super) fn control(name: &str) -> Option<Control> {
    match name {
        "metadata" => None,
        "user" => Some(Control::Other),
        name => control_of(name),
    }
}

#[cfg(test)]
mod tests;
