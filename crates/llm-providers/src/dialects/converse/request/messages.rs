//! The conversation as turns: neighbours of one role joined, tool results into user turns, system
//! prompts at the top.

use std::borrow::Cow;

use llm_types::{Message, Part, PartKind, Result, Role};

use super::super::content::{self, Voice, Wanted};
use super::super::models::Model;
use super::told;
use crate::ParamPolicy;
use crate::dialects::params;
use crate::dialects::unsaid::note_silence;
use crate::write::{Array, Object};

/// Stands before a system message in the middle of a conversation where the model takes none there.
const OPERATOR_NOTE: &str = "The operator (not the user) adds these instructions at this point:";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    User,
    Assistant,
    System,
}

impl Speaker {
    const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
        }
    }
}

#[derive(Debug)]
struct Turn<'r> {
    speaker: Speaker,
    parts: Vec<Cow<'r, Part>>,
}

/// How tools of the past are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// As blocks.
    Blocks,
    /// In words, because no tool is declared; media of results are kept.
    Words,
    /// In words, because the model takes no tools and the policy lets them go.
    WordsOnly,
}

/// The conversation as it will be written.
#[derive(Debug)]
pub(super) struct Conversation<'r> {
    system: Vec<Cow<'r, Part>>,
    turns: Vec<Turn<'r>>,
    voice: Voice,
    /// The vendor refuses an answer to be continued that ends in white space.
    trims: bool,
}

impl<'r> Conversation<'r> {
    /// Arranges messages.
    pub(super) fn of(
        messages: &'r [Message],
        model: &Model,
        (voice, past): (Voice, Past),
        policy: &ParamPolicy,
    ) -> Result<Self> {
        let mut conversation =
            Self { system: Vec::new(), turns: Vec::new(), voice, trims: model.claude.is_some() };
        // System messages that wait for the end of the user's turn: the only place models take them.
        let mut waiting = Vec::new();
        for message in messages {
            let parts = said(message, voice, past, policy)?;
            match message.role {
                Role::System | Role::Developer if conversation.turns.is_empty() && waiting.is_empty() => {
                    conversation.system.extend(parts);
                }
                Role::System | Role::Developer if model.system_turns() => waiting.extend(parts),
                Role::System | Role::Developer => conversation.add_note(parts),
                Role::User | Role::Tool => conversation.add(Speaker::User, parts),
                Role::Assistant => {
                    conversation.add(Speaker::System, std::mem::take(&mut waiting));
                    conversation.add(Speaker::Assistant, parts);
                }
            }
        }
        conversation.add(Speaker::System, waiting);
        conversation.results_first();
        Ok(conversation)
    }

    fn add(&mut self, speaker: Speaker, parts: Vec<Cow<'r, Part>>) {
        if parts.is_empty() {
            return;
        }
        match self.turns.last_mut().filter(|turn| turn.speaker == speaker) {
            Some(turn) => turn.parts.extend(parts),
            None => self.turns.push(Turn { speaker, parts }),
        }
    }

    fn add_note(&mut self, parts: Vec<Cow<'r, Part>>) {
        if !parts.is_empty() {
            self.add(Speaker::User, vec![Cow::Owned(Part::text(OPERATOR_NOTE))]);
            self.add(Speaker::User, parts);
        }
    }

    /// Tool results must stand before all else in their turn.
    fn results_first(&mut self) {
        for turn in &mut self.turns {
            turn.parts.sort_by_key(|part| !content::tool_result_first(part));
        }
    }

    /// Writes `messages` and `system`.
    pub(super) fn write(&self, body: &mut Object<'_>) {
        body.array("messages", |list| {
            if self.turns.is_empty() {
                // Nothing is said at all: the vendor refuses it in its own words.
                list.object(|message| {
                    message.text("role", Speaker::User.name());
                    message.array("content", |blocks| blocks.object(|block| block.text("text", "")));
                });
            }
            for (index, turn) in self.turns.iter().enumerate() {
                let is_last = index + 1 == self.turns.len();
                let trims = self.trims && is_last && turn.speaker == Speaker::Assistant;
                turn.write(list, self.voice, trims);
            }
        });
        if !self.system.is_empty() {
            body.array("system", |list| {
                self.system.iter().for_each(|part| content::part(list, part, self.voice));
            });
        }
    }
}

impl Turn<'_> {
    fn write(&self, list: &mut Array<'_>, voice: Voice, trims: bool) {
        list.object(|message| {
            message.text("role", self.speaker.name());
            message.array("content", |blocks| {
                for (index, part) in self.parts.iter().enumerate() {
                    if trims && index + 1 == self.parts.len() {
                        content::part(blocks, &trimmed(part), voice);
                    } else {
                        content::part(blocks, part, voice);
                    }
                }
            });
        });
    }
}

fn trimmed(part: &Part) -> Part {
    let mut part = part.clone();
    if let PartKind::Text { text, .. } = &mut part.kind {
        text.truncate(text.trim_end().len());
    }
    part
}

/// The parts of a message that say something here.
fn said<'r>(
    message: &'r Message,
    voice: Voice,
    past: Past,
    policy: &ParamPolicy,
) -> Result<Vec<Cow<'r, Part>>> {
    let is_tool = |part: &Part| matches!(part.kind, PartKind::ToolCall(_) | PartKind::ToolResult(_));
    let parts: Vec<Cow<'r, Part>> = if past != Past::Blocks && message.parts.iter().any(is_tool) {
        told::in_words(&message.parts, past == Past::Words).into_iter().map(Cow::Owned).collect()
    } else {
        message.parts.iter().map(Cow::Borrowed).collect()
    };
    let mut said = Vec::with_capacity(parts.len());
    for part in parts {
        check_result(&part, voice, policy)?;
        match content::wanted(&part, voice) {
            Wanted::Yes => said.push(part),
            Wanted::No => note_silence(&part),
            Wanted::Cannot(what) => params::leave_part_out(policy, what)?,
        }
    }
    Ok(said)
}

/// Checks what a tool's result holds.
fn check_result(part: &Part, voice: Voice, policy: &ParamPolicy) -> Result<()> {
    let PartKind::ToolResult(result) = &part.kind else { return Ok(()) };
    result.parts.iter().try_for_each(|part| match content::wanted(part, voice) {
        Wanted::Cannot(what) => params::leave_part_out(policy, what),
        Wanted::Yes | Wanted::No => Ok(()),
    })
}
