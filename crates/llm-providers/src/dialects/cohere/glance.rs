//! One look over a request: what the rooms must know, and where it stands.

use llm_types::Result;

use crate::dialect::{Control, Glance};
use crate::dialects::look::{self, Once, expect};
use crate::dialects::openai::chat::control_of;
use crate::scan::Member;

/// Looks a request over.
pub(super) fn glance(body: &[u8]) -> Result<Glance> {
    let mut once = Once::of(ONCE);
    let glance = Glance { n: 1, include_usage: true, lacks: Some("messages"), ..Glance::default() };
    look::over(body, glance, |member, glance| note(member, glance, &mut once))
}

/// Members that decide who pays for what.
const ONCE: &[&str] = &["documents", "max_tokens", "messages", "model", "stream", "tools", "user"];

fn note(member: &Member<'_>, glance: &mut Glance, once: &mut Once) -> Result<()> {
    let value = member.value;
    once.note(&member.name)?;
    if look::common(member, glance)? {
        return Ok(());
    }
    match &*member.name {
        "documents" => glance.prompt_bytes += value.text.len() as u64,
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
