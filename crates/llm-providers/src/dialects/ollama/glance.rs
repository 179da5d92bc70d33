//! One look over a request: what the rooms must know, and where it stands.

use llm_types::Result;

use crate::dialect::{Control, Glance};
use crate::dialects::look::{self, Once, expect, wrong};
use crate::dialects::openai::chat::control_of;
use crate::scan::{Item, Kind, Member};

/// Looks a request over. This dialect streams unless it is told not to.
pub(super) fn glance(body: &[u8]) -> Result<Glance> {
    let mut once = Once::of(ONCE);
    let glance =
        Glance { n: 1, stream: true, include_usage: true, lacks: Some("messages"), ..Glance::default() };
    look::over(body, glance, |member, glance| note(member, glance, &mut once))
}

/// Members that decide who pays for what.
const ONCE: &[&str] = &["messages", "model", "options", "stream", "tools", "user"];

fn note(member: &Member<'_>, glance: &mut Glance, once: &mut Once) -> Result<()> {
    let value = member.value;
    once.note(&member.name)?;
    if look::common(member, glance)? {
        return Ok(());
    }
    match &*member.name {
        "options" => options(value, glance)?,
        // The dialect has no end user; callers name it as on LiteLLM's other routes.
        "user" => {
            glance.user = expect(value, value.as_str(), "user", "a string")?.map(Into::into);
            glance.controls.push((Control::Other, value.span()));
        }
        name => glance.controls.extend(control(name).map(|control| (control, value.span()))),
    }
    Ok(())
}

fn options(value: Item<'_>, glance: &mut Glance) -> Result<()> {
    if !matches!(value.kind, Kind::Object | Kind::Null) {
        return Err(wrong("options", value, "an object"));
    }
    value.members(|member| match &*member.name {
        // A negative one asks for an answer of any length.
        "num_predict" => glance.max_tokens = member.value.as_u64(),
        "temperature" | "top_p" => glance.sampled = true,
        _ => {}
    });
    Ok(())
}

/// Which members are for the gateway in this dialect.
pub(super) fn control(name: &str) -> Option<Control> {
    match name {
        "user" => Some(Control::Other),
        name => control_of(name),
    }
}
