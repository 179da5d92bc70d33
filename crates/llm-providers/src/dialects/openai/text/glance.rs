//! One look over a request: what the rooms must know, and where it stands.

use llm_types::{Error, Result};

use crate::dialect::{Dialect as _, Glance};
use crate::dialects::openai::chat::OpenaiChat;
use crate::scan::{self, Item, Kind};

/// Looks a request over: as a chat's, and its prompts.
pub(super) fn glance(body: &[u8]) -> Result<Glance> {
    let mut glance = OpenaiChat.glance(body)?;
    glance.lacks = Some("prompt");
    let mut fault = None;
    let (mut prompts, mut best_of) = (1, 1);
    scan::object(body, |member| {
        let value = member.value;
        match &*member.name {
            "prompt" => {
                if glance.lacks.take().is_none() {
                    fault = Some(Error::bad_param("prompt", "`prompt` is given twice; give it once"));
                }
                glance.prompt_bytes += value.text.len() as u64;
                prompts = count(value);
            }
            "suffix" => glance.prompt_bytes += value.text.len() as u64,
            "best_of" => best_of = value.as_u64().unwrap_or(1),
            _ => {}
        }
    })?;
    // Every answer that is made is paid for, shown or not.
    glance.n = glance.n.max(best_of).saturating_mul(prompts);
    fault.map_or(Ok(glance), Err)
}

/// How many prompts there are: token ids in one list are one.
fn count(prompt: Item<'_>) -> u64 {
    let mut prompts = 0;
    prompt.elements(|element| prompts += u64::from(matches!(element.kind, Kind::String | Kind::Array)));
    prompts.max(1)
}
