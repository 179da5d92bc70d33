//! A conversation as one prompt for `/api/generate`, as LiteLLM writes it for models named `ollama/…`: turns
//! under headings, neighbours of one voice under one.

use std::borrow::Cow;

use llm_types::{ChatRequest, Message, Part, Result, Role};

use super::turns::Turns;
use crate::ParamPolicy;
use crate::write::Object;

/// Writes `prompt` and `images`. Thoughts of the past are left out: the model is shown what was said.
pub(super) fn write(request: &ChatRequest, policy: &ParamPolicy, body: &mut Object<'_>) -> Result<()> {
    let messages = &request.messages;
    if request.is_prompt {
        // The server puts it into the model's own template.
        body.text("prompt", &messages.iter().map(Message::text).collect::<String>());
        return Ok(());
    }
    let mut turns = Turns::new(policy, false);
    let (mut prompt, mut pictures) = (String::new(), Vec::new());
    let mut open: Option<&str> = None;
    for (index, message) in messages.iter().enumerate() {
        let (heading, between) = voice(message.role);
        let parts: Vec<&Part> = message.parts.iter().collect();
        let said = turns.said(index, &parts);
        pictures.extend(said.pictures);
        let texts: Vec<Cow<'_, str>> = said.texts.into_iter().filter(|text| !text.is_empty()).collect();
        if texts.is_empty() {
            // Who says nothing still ends the turn before.
            if open.is_some_and(|open| open != heading) {
                close(&mut prompt, open.take());
            }
            continue;
        }
        if open == Some(heading) {
            prompt.push_str(between);
        } else {
            close(&mut prompt, open);
            prompt.push_str(heading);
            open = Some(heading);
        }
        prompt.push_str(&texts.join(between));
    }
    close(&mut prompt, open);
    body.text("prompt", &prompt);
    if !pictures.is_empty() {
        body.value("images", &pictures);
    }
    turns.fault()
}

/// The heading of a voice, and what stands between two things it says in a row.
fn voice(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::System | Role::Developer => ("### System:\n", ""),
        Role::User | Role::Tool => ("### User:\n", "\n"),
        Role::Assistant => ("### Assistant:\n", ""),
    }
}

fn close(prompt: &mut String, open: Option<&str>) {
    if open.is_some() {
        prompt.push_str("\n\n");
    }
}
