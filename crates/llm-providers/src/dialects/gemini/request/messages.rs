//! The conversation as contents: neighbours of one role joined, results of tools in a turn of their own,
//! system prompts at the top.

use std::collections::HashMap;

use llm_types::{Error, Media, Message, Part, PartKind, Result, Role, ToolResult};
use serde_json::value::RawValue;

use super::super::content::{self, Wanted};
use super::super::models::Traits;
use super::super::wire::{NO_SIGNATURE, signature_out, split_id};
use super::decode::is_made;
use super::generation::level;
use crate::ParamPolicy;
use crate::dialects::params;
use crate::dialects::unsaid::note_silence;
use crate::write::{Array, Object};

/// What the user says when nobody but the operator says anything: the vendor refuses a request without
/// contents. LiteLLM's word.
const NOTHING: &str = ".";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    User,
    /// Results of tools: written as the user's, but in a turn of their own, because the vendor wants as
    /// many results there as the turn before has calls.
    Tools,
    Model,
}

#[derive(Debug)]
struct Turn<'r> {
    speaker: Speaker,
    pieces: Vec<Piece<'r>>,
}

/// A part, and of a result the name of the tool it is of.
#[derive(Debug, Clone, Copy)]
struct Piece<'r> {
    part: &'r Part,
    tool: &'r str,
}

/// The conversation as it will be written.
#[derive(Debug)]
pub(super) struct Conversation<'r> {
    system: Vec<&'r Message>,
    turns: Vec<Turn<'r>>,
    traits: Traits,
    /// The caller speaks this dialect.
    own: bool,
}

impl<'r> Conversation<'r> {
    /// Arranges messages.
    pub(super) fn of(
        messages: &'r [Message],
        traits: Traits,
        own: bool,
        policy: &ParamPolicy,
    ) -> Result<Self> {
        let mut out = Self { system: Vec::new(), turns: Vec::new(), traits, own };
        // Names of called tools by the ids of their calls; an id may come again in a later turn.
        let mut names = HashMap::new();
        for message in messages {
            let spoken = said(message, policy)?;
            match message.role {
                Role::System | Role::Developer if traits.system || own => out.system.push(message),
                Role::System | Role::Developer => out.add(Speaker::User, spoken),
                Role::Assistant => {
                    for part in &spoken {
                        if let PartKind::ToolCall(call) = &part.kind {
                            names.insert(split_id(&call.id).0, call.name.as_str());
                        }
                    }
                    out.add(Speaker::Model, spoken);
                }
                Role::User | Role::Tool => out.user(spoken, &names)?,
            }
        }
        Ok(out)
    }

    /// A user's turn: results first, in a turn of their own.
    fn user(&mut self, spoken: Vec<&'r Part>, names: &HashMap<&'r str, &'r str>) -> Result<()> {
        let mut rest = Vec::new();
        for part in spoken {
            match &part.kind {
                PartKind::ToolResult(result) => {
                    let tool = name_of(result, names)?;
                    self.push(Speaker::Tools, Piece { part, tool });
                }
                _ => rest.push(part),
            }
        }
        self.add(Speaker::User, rest);
        Ok(())
    }

    fn add(&mut self, speaker: Speaker, parts: Vec<&'r Part>) {
        parts.into_iter().for_each(|part| self.push(speaker, Piece { part, tool: "" }));
    }

    fn push(&mut self, speaker: Speaker, piece: Piece<'r>) {
        match self.turns.last_mut().filter(|turn| turn.speaker == speaker) {
            Some(turn) => turn.pieces.push(piece),
            None => self.turns.push(Turn { speaker, pieces: vec![piece] }),
        }
    }

    /// How closely the pictures are to be looked at.
    pub(super) fn details(&self) -> impl Iterator<Item = String> {
        let pieces = self.turns.iter().flat_map(|turn| &turn.pieces);
        pieces.filter_map(|piece| match &piece.part.kind {
            PartKind::Image(media) | PartKind::Video(media) => media.detail.clone(),
            _ => None,
        })
    }

    /// Writes `contents` and `systemInstruction`.
    pub(super) fn write(&self, body: &mut Object<'_>) {
        body.array("contents", |list| {
            for turn in &self.turns {
                list.object(|content| {
                    content.text("role", if turn.speaker == Speaker::Model { "model" } else { "user" });
                    content.array("parts", |parts| self.turn(parts, turn));
                });
            }
            if self.turns.is_empty() {
                list.object(|content| {
                    content.text("role", "user");
                    content.array("parts", |parts| content::write_part(parts, &Part::text(NOTHING)));
                });
            }
        });
        if self.system.iter().any(|message| !message.text().is_empty()) {
            body.object("systemInstruction", |content| {
                content.array("parts", |parts| self.system.iter().for_each(|said| self.system(parts, said)));
            });
        }
    }

    /// A system prompt: its texts are one text, unless its caller speaks this dialect.
    fn system(&self, list: &mut Array<'_>, message: &Message) {
        let is_text = |part: &Part| matches!(part.kind, PartKind::Text { .. });
        if self.own || !message.parts.iter().all(is_text) {
            message.parts.iter().for_each(|part| content::write_part(list, part));
        } else {
            content::write_part(list, &Part::text(message.text()));
        }
    }

    fn turn(&self, list: &mut Array<'_>, turn: &Turn<'_>) {
        let empty = |part: &Part| {
            part.signature.is_none() && matches!(&part.kind, PartKind::Text { text, .. } if text.is_empty())
        };
        // An empty text says something only where nothing else does.
        let mut spoken: Vec<Piece<'_>> =
            turn.pieces.iter().copied().filter(|piece| !empty(piece.part)).collect();
        if spoken.is_empty() {
            spoken.extend(turn.pieces.first());
        }
        let mut first_call = true;
        for piece in spoken {
            self.piece(list, piece, first_call);
            first_call &= !matches!(piece.part.kind, PartKind::ToolCall(_));
        }
    }

    fn piece(&self, list: &mut Array<'_>, Piece { part, tool }: Piece<'_>, first_call: bool) {
        match &part.kind {
            // Signatures of thoughts are other vendors': this one signs calls and texts.
            PartKind::Reasoning { .. } if !self.own => {
                content::write_part(list, &Part { signature: None, ..part.clone() });
            }
            PartKind::ToolCall(call) => list.object(|out| {
                let (id, carried) = split_id(&call.id);
                out.object("functionCall", |inner| content::call(inner, call, self.id(id)));
                let signature = part.signature.as_deref().or(carried.as_deref()).map(signature_out);
                let missing = (self.traits.third && first_call && !self.own).then(|| NO_SIGNATURE.to_owned());
                out.some("thoughtSignature", signature.or(missing).as_ref());
            }),
            PartKind::ToolResult(result) => list.object(|out| {
                out.object("functionResponse", |inner| self.result(inner, result, tool));
            }),
            PartKind::Image(media) | PartKind::Video(media) if self.traits.third => {
                content::media(list, part, media, |out| {
                    let asked = media.detail.as_deref().and_then(level);
                    if part.extra.value("mediaResolution").is_none()
                        && let Some((_, level)) = asked
                    {
                        out.object("mediaResolution", |resolution| resolution.text("level", level));
                    }
                });
            }
            _ => content::write_part(list, part),
        }
    }

    /// The id that is written: models before the third generation know none.
    fn id<'i>(&self, id: &'i str) -> Option<&'i str> {
        Some(id).filter(|id| !id.is_empty() && !is_made(id) && (self.own || self.traits.third))
    }

    fn result(&self, out: &mut Object<'_>, result: &ToolResult, tool: &str) {
        out.some("id", self.id(split_id(&result.call_id).0).as_ref());
        out.text("name", tool);
        let text: String = result.parts.iter().filter_map(text_of).collect();
        response(out, &text, result.is_error == Some(true), self.own);
        let shown: Vec<&Media> = result.parts.iter().filter_map(media_of).collect();
        if !shown.is_empty() {
            out.array("parts", |list| shown.iter().for_each(|media| file(list, media)));
        }
    }
}

/// The name of the tool a result is of: the vendor demands it.
fn name_of<'r>(result: &'r ToolResult, names: &HashMap<&'r str, &'r str>) -> Result<&'r str> {
    let called = names.get(split_id(&result.call_id).0).copied();
    called.or(result.name.as_deref()).ok_or_else(|| {
        let id = &result.call_id;
        let message =
            format!("`messages`: expected a tool call with the id `{id}` before its result, found none");
        Error::bad_param("messages", message)
    })
}

/// Writes `response`: an object as it is, a text under the name the vendor gives errors (`error`),
/// callers of this dialect give answers (`output`), or LiteLLM gives them (`content`).
fn response(out: &mut Object<'_>, text: &str, is_error: bool, own: bool) {
    let raw = serde_json::from_str::<&RawValue>(text.trim()).ok();
    let object = raw.filter(|raw| raw.get().starts_with('{'));
    match (object, is_error) {
        (Some(object), false) => out.value("response", object),
        (Some(object), true) => out.object("response", |out| out.value("error", object)),
        (None, true) => out.object("response", |out| out.text("error", text)),
        (None, false) => {
            let name = if own { "output" } else { "content" };
            out.object("response", |out| out.text(name, text));
        }
    }
}

fn text_of(part: &Part) -> Option<&str> {
    match &part.kind {
        PartKind::Text { text, .. } | PartKind::Refusal { text } => Some(text),
        _ => None,
    }
}

fn media_of(part: &Part) -> Option<&Media> {
    match &part.kind {
        PartKind::Image(media)
        | PartKind::Audio(media)
        | PartKind::Video(media)
        | PartKind::Document(media) => Some(media),
        _ => None,
    }
}

fn file(list: &mut Array<'_>, media: &Media) {
    list.object(|out| match content::inline_data(media, "application/octet-stream") {
        Some((mime, data)) => out.object("inlineData", |inline| {
            inline.text("mimeType", &mime);
            inline.text("data", &data);
        }),
        None => out.object("fileData", |file| content::file_data(file, media)),
    });
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
