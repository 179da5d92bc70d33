//! Messages, from canonical form onto the wire.

use llm_types::{Error, Message, Part, PartKind, Result, Role, ToolResult};

use super::super::wire::{NATIVE, TOOL_PLAN};
use super::super::{citation, content};
use crate::ParamPolicy;
use crate::dialects::openai::chat::SHOWN_BY_TOOLS;
use crate::left_out::note;
use crate::write::{Array, Object};

/// Writes messages; what they show beside them is gathered.
#[derive(Debug)]
pub(super) struct Turns<'r> {
    policy: &'r ParamPolicy,
    /// Whether the model thinks: others take thoughts as a plan before calls only.
    reasons: bool,
    /// Documents of users' messages, which stand in a member of their own.
    pub(super) documents: Vec<&'r Part>,
    /// Pictures that tools gave back, for a message of the user behind the results.
    shown: Vec<&'r Part>,
    fault: Option<Error>,
}

impl<'r> Turns<'r> {
    pub(super) fn new(policy: &'r ParamPolicy, reasons: bool) -> Self {
        Self { policy, reasons, documents: Vec::new(), shown: Vec::new(), fault: None }
    }

    /// Writes all messages.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Unsupported`] naming what a message cannot hold.
    pub(super) fn write(&mut self, messages: &'r [Message], body: &mut Object<'_>) -> Result<()> {
        body.array("messages", |list| {
            for (index, message) in messages.iter().enumerate() {
                if message.role != Role::Tool {
                    self.show(list);
                }
                self.message(index, message, list);
            }
            self.show(list);
        });
        self.fault.take().map_or(Ok(()), Err)
    }

    fn message(&mut self, index: usize, message: &'r Message, list: &mut Array<'_>) {
        let results = message.parts.iter().filter_map(|part| match &part.kind {
            PartKind::ToolResult(result) => Some(result),
            _ => None,
        });
        results.for_each(|result| self.tool_result(index, result, list));
        let parts: Vec<&Part> =
            message.parts.iter().filter(|part| !matches!(part.kind, PartKind::ToolResult(_))).collect();
        match message.role {
            Role::System | Role::Developer => self.said("system", index, &parts, list),
            Role::User => self.said("user", index, &parts, list),
            Role::Assistant => self.assistant(index, &parts, list),
            Role::Tool => {}
        }
    }

    /// A message of the operator or the user.
    fn said(&mut self, role: &str, index: usize, parts: &[&'r Part], list: &mut Array<'_>) {
        let kept: Vec<&Part> = parts.iter().copied().filter(|part| self.is_block(index, part)).collect();
        list.object(|message| {
            message.text("role", role);
            blocks(&kept, message);
        });
    }

    /// Whether a part becomes a block of its message; documents are taken out, the rest is refused.
    fn is_block(&mut self, index: usize, part: &'r Part) -> bool {
        match &part.kind {
            PartKind::Text { .. } | PartKind::Refusal { .. } => true,
            PartKind::Image(media) if content::is_linked(media) => true,
            PartKind::Native { dialect, .. } if dialect == NATIVE => true,
            PartKind::Document(_) if content::wire_document(part, 0).is_some() => {
                self.documents.push(part);
                false
            }
            // Only its own vendor can read it.
            PartKind::RedactedReasoning { .. } => false,
            _ => {
                self.cannot(index, noun(part));
                false
            }
        }
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

    fn assistant(&mut self, index: usize, parts: &[&'r Part], list: &mut Array<'_>) {
        let calls: Vec<_> = parts
            .iter()
            .filter_map(|part| match &part.kind {
                PartKind::ToolCall(call) => Some(call),
                _ => None,
            })
            .collect();
        if calls.iter().any(|call| call.custom) {
            self.cannot(index, "a call of a tool that takes free text");
        }
        let (mut plan, mut said) = (String::new(), Vec::new());
        for part in parts {
            match &part.kind {
                PartKind::ToolCall(_) => {}
                PartKind::Reasoning { text, .. } if self.is_plan(part, !calls.is_empty()) => {
                    plan.push_str(text)
                }
                PartKind::Reasoning { .. } => said.push(*part),
                _ if self.is_block(index, part) => said.push(*part),
                _ => {}
            }
        }
        list.object(|message| {
            message.text("role", "assistant");
            if !said.is_empty() || (calls.is_empty() && plan.is_empty()) {
                blocks(&said, message);
            }
            if !plan.is_empty() {
                message.text("tool_plan", &plan);
            }
            if calls.iter().any(|call| !call.custom) {
                message.array("tool_calls", |list| {
                    calls.iter().filter(|call| !call.custom).for_each(|call| content::call(list, call));
                });
            }
            citations(&said, message);
        });
    }

    fn is_plan(&self, part: &Part, calls: bool) -> bool {
        part.extra.value(TOOL_PLAN).is_some() || (calls && !self.reasons)
    }

    /// One result. The wire takes texts and documents there; pictures are shown behind it.
    fn tool_result(&mut self, index: usize, result: &'r ToolResult, list: &mut Array<'_>) {
        let mut kept = Vec::new();
        for part in &result.parts {
            match &part.kind {
                PartKind::Image(media) if content::is_linked(media) => self.shown.push(part),
                PartKind::Text { .. } | PartKind::Refusal { .. } => kept.push(part),
                PartKind::Document(_) if content::wire_document(part, 0).is_some() => kept.push(part),
                PartKind::Native { dialect, .. } if dialect == NATIVE => kept.push(part),
                _ => self.cannot(index, noun(part)),
            }
        }
        list.object(|message| {
            message.text("role", "tool");
            message.text("tool_call_id", &result.call_id);
            blocks(&kept, message);
        });
    }

    /// Shows the pictures that tools gave back, if there are any.
    fn show(&mut self, list: &mut Array<'_>) {
        let shown = std::mem::take(&mut self.shown);
        if shown.is_empty() {
            return;
        }
        list.object(|message| {
            message.text("role", "user");
            message.array("content", |blocks| {
                content::text(blocks, SHOWN_BY_TOOLS);
                shown.iter().enumerate().for_each(|(at, part)| block(blocks, at, part));
            });
        });
    }
}

/// Writes `content`: one text alone as a string.
fn blocks(parts: &[&Part], message: &mut Object<'_>) {
    match parts {
        [] => message.text("content", ""),
        [part] if let PartKind::Text { text, .. } | PartKind::Refusal { text } = &part.kind => {
            message.text("content", text);
        }
        parts => message.array("content", |list| {
            parts.iter().enumerate().for_each(|(at, part)| block(list, at, part));
        }),
    }
}

fn block(list: &mut Array<'_>, at: usize, part: &Part) {
    match &part.kind {
        PartKind::Text { text, .. } | PartKind::Refusal { text } => content::text(list, text),
        PartKind::Reasoning { text, .. } => content::thinking(list, text),
        PartKind::Image(media) => content::picture_block(list, media),
        PartKind::Native { value, .. } => list.value(value),
        PartKind::Document(_) => {
            if let Some(document) = content::wire_document(part, at) {
                list.object(|block| {
                    block.text("type", "document");
                    block.value("document", &document);
                });
            }
        }
        _ => {}
    }
}

/// Writes what this vendor cited; other vendors' citations mean nothing to it.
fn citations(parts: &[&Part], message: &mut Object<'_>) {
    let cited = parts.iter().flat_map(|part| match &part.kind {
        PartKind::Text { citations, .. } => citations.as_slice(),
        _ => &[],
    });
    let own: Vec<_> = cited.filter(|cited| cited.dialect.as_deref() == Some(NATIVE)).collect();
    if !own.is_empty() {
        message.array("citations", |list| {
            own.iter().for_each(|cited| list.value(&*citation::wire(cited, "")));
        });
    }
}

fn noun(part: &Part) -> &'static str {
    match &part.kind {
        PartKind::Text { .. } | PartKind::Refusal { .. } => "text here",
        PartKind::Image(_) => "a picture that is neither a URL nor base64",
        PartKind::Audio(_) => "sound",
        PartKind::Video(_) => "a film",
        PartKind::Document(_) => "a document that is no text",
        PartKind::Reasoning { .. } | PartKind::RedactedReasoning { .. } => {
            "reasoning outside assistant messages"
        }
        PartKind::ToolCall(_) => "a tool call outside assistant messages",
        PartKind::ToolResult(_) => "a tool result inside a tool result",
        PartKind::Native { .. } => "another vendor's content block",
    }
}
