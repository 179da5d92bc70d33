//! What a row of the spend log tells beside figures: the session of a call, what its key, its team and itself want noted
//! (`spend_logs_metadata`), and what was asked and answered where the operator keeps that (`store_prompts_in_spend_logs`).

use bytes::Bytes;
use gateway_db::JsonMap;
use llm_providers::Dialect;
use llm_types::{Error, Result};
use serde_json::Value;

use super::{Call, Caller};
use crate::config::MissingSession;
use crate::identity::Rules;

mod written;

/// The longest stream that is listened to, bytes.
const LONGEST: usize = 1024 * 1024;

/// Whether prompts are kept of a call, and how.
#[derive(Debug)]
struct Words {
    dialect: &'static dyn Dialect,
    /// The longest text that is kept whole, characters.
    longest: usize,
    asked: Bytes,
    answer: Answer,
}

/// What was answered.
#[derive(Debug)]
enum Answer {
    Nothing,
    Whole(Bytes),
    /// The frames of a stream; the caller of a list gets one JSON text instead.
    Streamed {
        pieces: Vec<Bytes>,
        bytes: usize,
        listed: bool,
    },
}

/// What is noted of a call.
#[derive(Debug)]
pub(crate) struct Notes {
    session: Option<String>,
    metadata: JsonMap,
    words: Option<Words>,
}

/// Refuses a call that names no session, where the operator wants one named (`missing_session_id`).
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] saying how a session is named.
pub(super) fn want_session(call: &Call) -> Result<()> {
    if call.snapshot.config.general.missing_session != MissingSession::Reject || call.session().is_some() {
        return Ok(());
    }
    let message = "this gateway answers calls of sessions only: name one with the header `x-litellm-session-id`, or \
                   with `litellm_session_id` or `metadata.session_id` in the body";
    Err(Error::bad_param("litellm_session_id", message))
}

/// What is to be noted of a call; nothing of most.
pub(super) fn of(call: &Call, caller: &Caller) -> Option<Box<Notes>> {
    let general = &call.snapshot.config.general;
    let session = call.session().map(str::to_owned).or_else(|| {
        let own = general.missing_session == MissingSession::Generate;
        own.then(|| call.shown_id.to_str().unwrap_or_default().to_owned())
    });
    let ruled = call.core.shared.directory.scopes.has_rules();
    let mut metadata = JsonMap::new();
    let mut silent = call.no_log && !call.snapshot.config.calls.logs_always;
    if ruled && let Caller::Key(entry) = caller {
        let mut hear = |rules: &Rules| {
            silent |= rules.is_silent;
            metadata.extend(rules.notes.clone());
        };
        if let Some(team) = entry.team() {
            hear(&team.view().rules);
        }
        hear(&entry.rules);
    }
    if let Some(Value::Object(own)) = call.notes.as_deref() {
        metadata.extend(own.clone());
    }
    if general.row_metadata.as_ref().is_some_and(|fields| !fields.has("spend_logs_metadata")) {
        metadata.clear();
    }
    let words = general.kept_words.filter(|_| !silent).map(|longest| Words {
        dialect: call.dialect,
        longest,
        asked: call.said().clone(),
        answer: Answer::Nothing,
    });
    let any = session.is_some() || !metadata.is_empty() || words.is_some();
    any.then(|| Box::new(Notes { session, metadata, words }))
}

impl Notes {
    /// A whole answer.
    pub(super) fn answered(&mut self, body: &Bytes) {
        if let Some(words) = &mut self.words {
            words.answer = Answer::Whole(body.clone());
        }
    }

    /// A piece of a stream.
    pub(super) fn hear(&mut self, piece: &Bytes, is_list: bool) {
        let Some(words) = &mut self.words else { return };
        if !matches!(words.answer, Answer::Streamed { .. }) {
            words.answer = Answer::Streamed { pieces: Vec::new(), bytes: 0, listed: is_list };
        }
        if let Answer::Streamed { pieces, bytes, .. } = &mut words.answer
            && *bytes < LONGEST
        {
            *bytes += piece.len();
            pieces.push(piece.clone());
        }
    }

    /// The call's session.
    pub(super) fn session(&self) -> &str {
        self.session.as_deref().unwrap_or_default()
    }

    /// What stands in the row, as JSON; empty where nothing does.
    pub(super) fn told(&self) -> String {
        let mut row = JsonMap::new();
        if !self.metadata.is_empty() {
            row.insert("spend_logs_metadata".to_owned(), Value::Object(self.metadata.clone()));
        }
        if let Some(words) = &self.words {
            written::asked(&words.asked, words.longest, &mut row);
            let answer = match &words.answer {
                Answer::Nothing => None,
                Answer::Whole(body) => written::whole(body, words.longest),
                Answer::Streamed { pieces, listed: false, .. } => {
                    written::streamed(words.dialect, pieces, words.longest)
                }
                Answer::Streamed { pieces, listed: true, .. } => written::listed(pieces, words.longest),
            };
            row.extend(answer.map(|answer| ("response".to_owned(), answer)));
        }
        super::details::json_unless(row.is_empty(), &row)
    }
}
