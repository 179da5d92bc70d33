//! Templates that operators bring along: marks around turns, as LiteLLM's settings have them, or a Jinja
//! template, as Hugging Face keeps one beside a model.
//!
//! <https://huggingface.co/docs/transformers/chat_templating_writing>.

use std::borrow::Cow;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use llm_types::{Error, ErrorKind, Origin, Result};
use minijinja::{Environment, ErrorKind as Fault, context};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::template::{Speaker, Turn};

mod clock;
mod hub;

pub use hub::{ENDPOINT as HUB, Hub, is_name as is_hub_name};

/// The longest template, in bytes.
pub const LONGEST: usize = 256 * 1024;
/// The longest prompt a template may write, in bytes beyond what the conversation says.
const LONGEST_PROMPT: usize = 4 * 1024 * 1024;
/// How many steps a template may take, beside some for each turn.
const STEPS: u64 = 200_000;
const STEPS_A_TURN: u64 = 20_000;
/// How many compiled templates are kept.
const KEPT: usize = 64;

type Text = Cow<'static, str>;

/// A template of the operator's own. What is empty says nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OwnTemplate {
    /// A Jinja template with `messages`, `bos_token`, `eos_token` and `add_generation_prompt`. Marks count
    /// where there is none.
    pub chat_template: Text,
    /// What stands before and after a turn, by its role: `system`, `user`, `assistant`, `tool`.
    pub roles: Cow<'static, [(Text, Text, Text)]>,
    /// What the prompt begins with.
    pub initial_prompt_value: Text,
    /// What it ends with.
    pub final_prompt_value: Text,
    /// What stands at the start, and before a system's turn behind an answer.
    pub bos_token: Text,
    /// What stands behind an answer.
    pub eos_token: Text,
    /// The template stands beside a model at Hugging Face, and counts in place of all others.
    #[serde(skip)]
    pub hub: Option<Arc<Hub>>,
}

impl OwnTemplate {
    /// There is none.
    pub const NONE: Self = Self {
        chat_template: Cow::Borrowed(""),
        roles: Cow::Borrowed(&[]),
        initial_prompt_value: Cow::Borrowed(""),
        final_prompt_value: Cow::Borrowed(""),
        bos_token: Cow::Borrowed(""),
        eos_token: Cow::Borrowed(""),
        hub: None,
    };

    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// What is wrong with the template, in words; `None` when it can be used.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        if self.chat_template.len() > LONGEST {
            return Some(format!("it has {} bytes, expected at most {LONGEST}", self.chat_template.len()));
        }
        if self.chat_template.is_empty() {
            return None;
        }
        compiled(&self.chat_template).err().map(|fault| format!("it cannot be read: {fault}"))
    }

    /// The prompt of a conversation.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] with the template's own words when it refuses the conversation;
    /// [`ErrorKind::Internal`] when the template cannot be used.
    pub(crate) fn prompt(&self, turns: &[Turn<'_>]) -> Result<String> {
        if let Some(hub) = &self.hub {
            return hub.template()?.prompt(turns);
        }
        if self.chat_template.is_empty() { Ok(self.marked(turns)) } else { self.rendered(turns) }
    }

    /// Turns between marks, as LiteLLM writes them.
    fn marked(&self, turns: &[Turn<'_>]) -> String {
        let mut prompt = format!("{}{}", self.bos_token, self.initial_prompt_value);
        let mut open = true;
        for turn in turns {
            let role = role(turn.speaker);
            if turn.speaker == Speaker::System && !open {
                prompt.push_str(&self.bos_token);
                open = true;
            }
            let marks = self.roles.iter().find(|(name, ..)| name == role);
            let (before, after) = marks.map_or(("", ""), |(_, before, after)| (&**before, &**after));
            prompt.extend([before, &turn.text, after]);
            if turn.speaker == Speaker::Assistant {
                prompt.push_str(&self.eos_token);
                open = false;
            }
        }
        prompt.push_str(&self.final_prompt_value);
        prompt
    }

    fn rendered(&self, turns: &[Turn<'_>]) -> Result<String> {
        let environment = compiled(&self.chat_template).map_err(|fault| unusable(&fault))?;
        let mut environment = (*environment).clone();
        let many = u64::try_from(turns.len()).unwrap_or(u64::MAX);
        environment.set_fuel(Some(STEPS.saturating_add(STEPS_A_TURN.saturating_mul(many))));
        let messages: Vec<Value> =
            turns.iter().map(|turn| json!({"role": role(turn.speaker), "content": turn.text})).collect();
        let said: usize = turns.iter().map(|turn| turn.text.len()).sum();
        let mut out =
            Limited { bytes: Vec::new(), room: LONGEST_PROMPT.saturating_add(said.saturating_mul(2)) };
        let given = context! {
            messages, bos_token => &*self.bos_token, eos_token => &*self.eos_token, add_generation_prompt => true,
        };
        let template = environment.get_template(NAME).map_err(|fault| unusable(&fault))?;
        template.render_captured_to(given, &mut out).map_err(|fault| refused(&fault))?;
        String::from_utf8(out.bytes).map_err(|_| {
            Error::new(ErrorKind::Internal, "`chat_template` wrote no text").with_origin(Origin::Gateway)
        })
    }
}

/// The name of the one template of an environment.
const NAME: &str = "chat";

/// A template, compiled once.
fn compiled(text: &str) -> Result<Arc<Environment<'static>>, minijinja::Error> {
    static SHELF: Mutex<Vec<(String, Arc<Environment<'static>>)>> = Mutex::new(Vec::new());
    let known = |shelf: &Vec<(String, Arc<Environment<'static>>)>| {
        shelf.iter().find(|(known, _)| known == text).map(|(_, environment)| Arc::clone(environment))
    };
    if let Some(environment) = known(&SHELF.lock().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(environment);
    }
    let environment = Arc::new(environment(text)?);
    let mut shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
    if shelf.len() >= KEPT {
        shelf.remove(0);
    }
    shelf.push((text.to_owned(), Arc::clone(&environment)));
    Ok(environment)
}

fn environment(text: &str) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    // As Hugging Face's own library sets it up.
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    environment.set_recursion_limit(64);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_function("raise_exception", |message: String| -> Result<String, minijinja::Error> {
        Err(minijinja::Error::new(Fault::InvalidOperation, format!("{RAISED}{message}")))
    });
    environment.add_function("strftime_now", |format: String| clock::strftime(&format, now()));
    environment.add_template_owned(NAME, text.to_owned())?;
    Ok(environment)
}

/// What marks the words a template itself refuses with.
const RAISED: &str = "raised: ";

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

const fn role(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::System => "system",
        Speaker::User => "user",
        Speaker::Assistant => "assistant",
        Speaker::Tool => "tool",
    }
}

fn unusable(fault: &minijinja::Error) -> Error {
    let message = format!("`chat_template` cannot be read: {fault}");
    Error::new(ErrorKind::Internal, message).with_origin(Origin::Gateway)
}

/// The error of a template that wrote no prompt.
fn refused(fault: &minijinja::Error) -> Error {
    let detail = fault.detail().unwrap_or_default();
    if let Some((_, words)) = detail.split_once(RAISED) {
        return Error::bad_param(
            "messages",
            format!("`messages`: the model's template refuses them: {words}"),
        );
    }
    let message = match fault.kind() {
        Fault::OutOfFuel => "`chat_template` takes too many steps".to_owned(),
        Fault::WriteFailure => "`chat_template` writes too long a prompt".to_owned(),
        _ => format!("`chat_template` cannot be filled in: {fault}"),
    };
    Error::new(ErrorKind::Internal, message).with_origin(Origin::Gateway)
}

/// Takes so many bytes and no more.
struct Limited {
    bytes: Vec<u8>,
    room: usize,
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.room = self.room.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
