//! Messages, from canonical form onto the wire: each one text, with thoughts, pictures and calls beside it.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use llm_types::{Error, Media, MediaSource, Message, Part, PartKind, Result, Role, ToolCall, ToolResult};

use super::super::wire::NATIVE;
use super::messages::is_made;
use crate::ParamPolicy;
use crate::dialects::calls::input_json;
use crate::left_out::note;
use crate::write::{Array, Object};

/// Writes messages.
#[derive(Debug)]
pub(super) struct Turns<'r> {
    policy: &'r ParamPolicy,
    /// Whether a caller of this dialect wrote them.
    own: bool,
    /// The tools called last, by the ids of the calls.
    called: HashMap<&'r str, &'r str>,
    fault: Option<Error>,
}

/// What one message says.
#[derive(Debug, Default)]
pub(super) struct Said<'r> {
    pub(super) texts: Vec<Cow<'r, str>>,
    thoughts: String,
    pub(super) pictures: Vec<&'r str>,
    calls: Vec<&'r ToolCall>,
}

impl<'r> Turns<'r> {
    pub(super) fn new(policy: &'r ParamPolicy, own: bool) -> Self {
        Self { policy, own, called: HashMap::new(), fault: None }
    }

    /// Writes all messages.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Unsupported`] naming what a message cannot hold.
    pub(super) fn write(mut self, messages: &'r [Message], body: &mut Object<'_>) -> Result<()> {
        body.array("messages", |list| {
            for (index, message) in messages.iter().enumerate() {
                self.message(index, message, list);
            }
        });
        self.fault.map_or(Ok(()), Err)
    }

    fn message(&mut self, index: usize, message: &'r Message, list: &mut Array<'_>) {
        let (mut results, mut rest) = (false, Vec::new());
        for part in &message.parts {
            match &part.kind {
                PartKind::ToolResult(result) => {
                    results = true;
                    self.tool_result(index, result, message, list);
                }
                _ => rest.push(part),
            }
        }
        if message.role == Role::Tool || (results && rest.is_empty()) {
            return;
        }
        let said = self.said(index, &rest);
        if message.role == Role::Assistant && !said.calls.is_empty() {
            self.called = said.calls.iter().map(|call| (call.id.as_str(), call.name.as_str())).collect();
        }
        list.object(|out| {
            out.text("role", role(message.role));
            said.write(self.own, out);
            self.kept(message, out);
        });
    }

    /// One result. It names its tool where calls of several tools are answered: the wire needs no ids.
    fn tool_result(&mut self, index: usize, result: &'r ToolResult, message: &Message, list: &mut Array<'_>) {
        let parts: Vec<&Part> = result.parts.iter().collect();
        let said = self.said(index, &parts);
        let first = self.called.values().next();
        let several = self.called.values().any(|name| Some(name) != first);
        let name = result.name.as_deref().filter(|_| self.own);
        let name = name
            .or_else(|| self.called.get(result.call_id.as_str()).copied().filter(|_| several && !self.own));
        list.object(|out| {
            out.text("role", "tool");
            said.write(self.own, out);
            if let Some(name) = name {
                out.text("tool_name", name);
            }
            if !is_made(&result.call_id) && !result.call_id.is_empty() {
                out.text("tool_call_id", &result.call_id);
            }
            self.kept(message, out);
        });
    }

    /// Members that only this dialect's callers write.
    fn kept(&self, message: &Message, out: &mut Object<'_>) {
        for (name, value) in message.extra.0.iter().filter(|_| self.own) {
            out.value(name, value);
        }
    }

    /// Gathers what parts say; what cannot be said is a fault.
    pub(super) fn said(&mut self, index: usize, parts: &[&'r Part]) -> Said<'r> {
        let mut said = Said::default();
        for part in parts {
            if let Err(what) = said.take(part) {
                self.cannot(index, what);
            }
        }
        said
    }

    fn cannot(&mut self, index: usize, what: &str) {
        if self.policy.drop {
            note("messages.content");
        } else {
            let message = format!(
                "`messages[{index}]`: {what} is not supported by this model's provider; leave it out or set `drop_params`"
            );
            self.fault.get_or_insert_with(|| Error::unsupported("messages", message));
        }
    }

    /// What went wrong so far.
    pub(super) fn fault(self) -> Result<()> {
        self.fault.map_or(Ok(()), Err)
    }
}

impl<'r> Said<'r> {
    /// Takes a part over; the error names one that has no place here.
    fn take(&mut self, part: &'r Part) -> Result<(), &'static str> {
        match &part.kind {
            PartKind::Text { text, .. } | PartKind::Refusal { text } => self.texts.push(Cow::Borrowed(text)),
            PartKind::Reasoning { text, .. } => self.thoughts.push_str(text),
            PartKind::Image(Media { source: MediaSource::Base64(data), .. }) => self.pictures.push(data),
            PartKind::Document(media) => {
                self.texts.push(plain_text(media).ok_or("a document that is no text")?)
            }
            PartKind::ToolCall(call) if !call.custom => self.calls.push(call),
            // Only its own vendor can read it.
            PartKind::RedactedReasoning { .. } => {}
            PartKind::Image(_) => return Err("a picture by URL or file id"),
            PartKind::Audio(_) => return Err("sound"),
            PartKind::Video(_) => return Err("a film"),
            PartKind::ToolCall(_) => return Err("a call of a tool that takes free text"),
            PartKind::ToolResult(_) => return Err("a tool result inside a tool result"),
            PartKind::Native { dialect, .. } if dialect == NATIVE => {}
            PartKind::Native { .. } => return Err("another vendor's content block"),
        }
        Ok(())
    }

    fn write(&self, own: bool, out: &mut Object<'_>) {
        out.text("content", &self.texts.concat());
        if !self.thoughts.is_empty() {
            out.text("thinking", &self.thoughts);
        }
        if !self.pictures.is_empty() {
            out.value("images", &self.pictures);
        }
        if !self.calls.is_empty() {
            out.array("tool_calls", |list| self.calls.iter().for_each(|call| write_call(call, own, list)));
        }
    }
}

/// Writes a call; only callers of this dialect get their ids back, for the vendor documents none.
fn write_call(call: &ToolCall, own: bool, list: &mut Array<'_>) {
    list.object(|entry| {
        if own && !is_made(&call.id) {
            entry.text("id", &call.id);
        }
        entry.object("function", |function| {
            function.text("name", &call.name);
            function.raw("arguments", input_json(call).as_bytes());
        });
    });
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System | Role::Developer => "system",
        Role::Assistant => "assistant",
        Role::User | Role::Tool => "user",
    }
}

/// The text of a document that is one.
fn plain_text(media: &Media) -> Option<Cow<'_, str>> {
    match &media.source {
        MediaSource::Text(text) => Some(Cow::Borrowed(text)),
        MediaSource::Base64(data) if media.mime.as_deref().is_some_and(|mime| mime.starts_with("text/")) => {
            let bytes = BASE64_STANDARD.decode(data).ok()?;
            String::from_utf8(bytes).ok().map(Cow::Owned)
        }
        _ => None,
    }
}
