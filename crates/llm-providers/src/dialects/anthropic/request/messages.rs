//! The conversation as turns: neighbours of one role joined, tool results into user turns, system
//! prompts at the top.

use llm_types::{Message, Part, PartKind, Result, Role};

use super::super::content::{self, Wanted};
use super::super::models::Traits;
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
    pieces: Vec<Piece<'r>>,
}

#[derive(Debug, Clone, Copy)]
enum Piece<'r> {
    Part(&'r Part),
    Note(&'static str),
}

/// The conversation as it will be written.
#[derive(Debug)]
pub(super) struct Conversation<'r> {
    system: Vec<&'r Part>,
    turns: Vec<Turn<'r>>,
}

impl<'r> Conversation<'r> {
    /// Arranges messages.
    pub(super) fn of(messages: &'r [Message], traits: Traits, policy: &ParamPolicy) -> Result<Self> {
        let mut conversation = Self { system: Vec::new(), turns: Vec::new() };
        // System messages that wait for the end of the user's turn: the only place models take them.
        let mut waiting = Vec::new();
        for message in messages {
            let parts = said(message, policy)?;
            match message.role {
                Role::System | Role::Developer if conversation.turns.is_empty() && waiting.is_empty() => {
                    conversation.system.extend(parts);
                }
                Role::System | Role::Developer if traits.system_turns => waiting.extend(parts),
                Role::System | Role::Developer => conversation.add_note(&parts),
                Role::User | Role::Tool => conversation.add(Speaker::User, &parts),
                Role::Assistant => {
                    conversation.add(Speaker::System, &std::mem::take(&mut waiting));
                    conversation.add(Speaker::Assistant, &parts);
                }
            }
        }
        conversation.add(Speaker::System, &waiting);
        conversation.results_first();
        Ok(conversation)
    }

    fn add(&mut self, speaker: Speaker, parts: &[&'r Part]) {
        if parts.is_empty() {
            return;
        }
        let pieces = self.pieces(speaker);
        pieces.extend(parts.iter().map(|part| Piece::Part(part)));
    }

    fn add_note(&mut self, parts: &[&'r Part]) {
        if !parts.is_empty() {
            self.pieces(Speaker::User).push(Piece::Note(OPERATOR_NOTE));
            self.add(Speaker::User, parts);
        }
    }

    /// The pieces of the last turn if it is this speaker's, else of a new one.
    fn pieces(&mut self, speaker: Speaker) -> &mut Vec<Piece<'r>> {
        let new = self.turns.last().is_none_or(|turn| turn.speaker != speaker);
        if new {
            self.turns.push(Turn { speaker, pieces: Vec::new() });
        }
        let last = self.turns.len() - 1;
        &mut self.turns[last].pieces
    }

    /// Tool results must stand before all else in their turn.
    fn results_first(&mut self) {
        for turn in &mut self.turns {
            turn.pieces.sort_by_key(|piece| match piece {
                Piece::Part(part) => !content::tool_result_first(part),
                Piece::Note(_) => true,
            });
        }
    }

    /// Writes `messages` and `system`. `own` tells that the caller speaks this dialect.
    pub(super) fn write(&self, body: &mut Object<'_>, own: bool) {
        body.array("messages", |list| {
            if self.turns.is_empty() {
                // Nothing is said at all: the vendor refuses it in its own words.
                let empty = Part::text("");
                Turn { speaker: Speaker::User, pieces: vec![Piece::Part(&empty)] }.write(list, own, false);
            }
            for (index, turn) in self.turns.iter().enumerate() {
                turn.write(list, own, index + 1 == self.turns.len());
            }
        });
        if !self.system.is_empty() {
            body.array("system", |list| self.system.iter().for_each(|part| content::part(list, part)));
        }
    }
}

impl Turn<'_> {
    fn write(&self, list: &mut Array<'_>, own: bool, is_last: bool) {
        // The vendor refuses an answer to be continued that ends in white space.
        let trims = is_last && self.speaker == Speaker::Assistant;
        list.object(|message| {
            message.text("role", self.speaker.name());
            message.array("content", |blocks| {
                for (index, piece) in self.pieces.iter().enumerate() {
                    match piece {
                        Piece::Note(text) => content::part(blocks, &Part::text(*text)),
                        Piece::Part(part) if trims && index + 1 == self.pieces.len() => {
                            content::part(blocks, &trimmed(part));
                        }
                        Piece::Part(part) if !own && content::is_named_file(part) => {
                            content::part(blocks, &content::without_name(part));
                        }
                        Piece::Part(part) => content::part(blocks, part),
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
fn said<'r>(message: &'r Message, policy: &ParamPolicy) -> Result<Vec<&'r Part>> {
    let mut said = Vec::with_capacity(message.parts.len());
    for part in &message.parts {
        match content::wanted(part) {
            Wanted::Yes => said.push(part),
            Wanted::No => note_silence(part),
            Wanted::Cannot(what) => params::leave_part_out(policy, what)?,
        }
    }
    Ok(said)
}
