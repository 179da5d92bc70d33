//! What a request may say, thing by thing, in each dialect: it is written and read again as it was, or refused
//! by name and left out on request, or changed in a way that is listed here with its reason.

mod replies;
mod things;

use llm_types::{ChatRequest, Error, ErrorKind, MediaSource, Message, PartKind};
use serde_json::{Value, json};

use self::things::things;

use super::bench::{target, without_nulls};
use crate::DialectId::{self, Anthropic, Cohere, Converse, Gemini, OpenaiChat, OpenaiResponses};
use crate::dialect::Dialect;
use crate::dialects::{ANTHROPIC, COHERE, CONVERSE, GEMINI, OPENAI_CHAT, OPENAI_RESPONSES};
use crate::left_out::collect;
use crate::{ParamPolicy, Target};

const SIX: [(&dyn Dialect, &str); 6] = [
    (OPENAI_CHAT, "gpt-4o"),
    (OPENAI_RESPONSES, "gpt-5"),
    (ANTHROPIC, "claude-sonnet-4-5"),
    (GEMINI, "gemini-2.5-pro"),
    (COHERE, "command-a-reasoning-08-2025"),
    (CONVERSE, "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
];

/// What a dialect makes of a thing that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It comes back as it was.
    Kept,
    /// It is refused, by name, and left out on request, which is told.
    Refused,
    /// It is left out without being refused, and told.
    Told,
    /// What the caller is told is not what the table says.
    Mistold,
    /// It comes back otherwise.
    Changed,
}

/// A thing a request may say, and what each of the six does with it.
pub(super) struct Thing {
    pub(super) name: &'static str,
    pub(super) say: fn(&mut ChatRequest),
    /// A letter for each of [`SIX`]: kept, refused, told, changed.
    pub(super) fates: &'static str,
}

/// Things that come back otherwise, where, and why it is so.
type Changed = &'static [(&'static str, &'static [DialectId], &'static str)];

/// Why something comes back otherwise though nothing is lost by that.
const CHANGED: Changed = &[
    (
        "tool_choice by name",
        &[Cohere],
        "a tool must be called, and the one that is meant is the only one offered",
    ),
    (
        "parallel_tool_calls false",
        &[Anthropic],
        "the switch stands in a choice of tools: `auto` is said with it",
    ),
    ("parallel_tool_calls false", &[Gemini], "with one tool; among several it is refused"),
    ("reasoning effort", &[Anthropic, Gemini, Cohere, Converse], "as a budget of tokens"),
    ("reasoning budget", &[OpenaiChat, OpenaiResponses], "as an effort"),
    ("reasoning budget", &[Gemini], "and the thoughts are asked for, as Anthropic shows them"),
    ("web_search", &[Anthropic], "as the vendor's own tool"),
    ("service_tier", &[Gemini, Converse], "`auto` is the tier without being asked"),
    (
        "metadata",
        &[OpenaiChat, OpenaiResponses, Anthropic, Gemini, Cohere],
        "callers of a gateway tell it tags and trace ids there: they are for the gateway",
    ),
    ("developer prompt", &[Anthropic, Gemini, Cohere, Converse], "as a system prompt"),
    ("PDF", &[Converse], "its name is one the API allows"),
    ("call and result", &[Gemini], "calls are matched by their order; results are objects"),
    ("parallel calls", &[OpenaiChat, OpenaiResponses, Cohere], "each result is a message"),
    ("parallel calls", &[Gemini], "as of one call"),
    ("result with a picture", &[OpenaiChat, Cohere], "in a user turn behind it: a result is text"),
    ("result with a picture", &[OpenaiResponses, Gemini], "as of one call; `detail` is the vendor's default"),
    ("result that is an error", &[Gemini], "in the member `error`"),
    ("refusal", &[Anthropic, Gemini, Cohere, Converse], "as text"),
];

/// What is left out without being refused, as LiteLLM leaves it out: by which name the caller is told so, in
/// which dialects, and why it is not refused.
const TOLD: &[(&str, &str, &[DialectId], &str)] = &[
    (
        "tool of strict form",
        "tools.strict",
        &[Anthropic, Gemini],
        "strict forms allow other schemas there, and refuse some that are allowed here",
    ),
    (
        "response_format",
        "response_format.json_schema.name",
        &[Anthropic, Gemini, Cohere],
        "the schema has no name there",
    ),
    (
        "response_format json_object",
        "response_format",
        &[Anthropic, Converse],
        "there is no such switch: the prompt must ask for JSON, which OpenAI demands of it too",
    ),
    (
        "user",
        "user",
        &[Gemini, Cohere, Converse],
        "the gateway itself counts and limits by it; the vendor has no place",
    ),
    ("PDF", "file.filename", &[Anthropic, Gemini], "its file name is not shown to the model"),
    (
        "name of a speaker",
        "messages.name",
        &[OpenaiResponses, Anthropic, Gemini, Cohere, Converse],
        "there is no place for it, and the prompt is the caller's",
    ),
    (
        "result that is an error",
        "tool_result.is_error",
        &[OpenaiChat, OpenaiResponses, Cohere],
        "its text tells: there is no mark for it",
    ),
    (
        "thinking with a signature",
        "thinking.signature",
        &[OpenaiChat, Gemini, Cohere],
        "the text without the signature, which its maker alone can check",
    ),
    (
        "thinking with a signature",
        "thinking",
        &[OpenaiResponses],
        "only reasoning that OpenAI made is taken back",
    ),
    ("redacted thinking", "redacted_thinking", &[OpenaiChat, Cohere], "its maker alone can read it"),
    ("redacted thinking", "thinking", &[OpenaiResponses, Gemini], "its maker alone can read it"),
    (
        "cache mark",
        "cache_control",
        &[OpenaiChat, OpenaiResponses, Gemini, Cohere],
        "a hint about cost: the vendor has no marks",
    ),
    ("cache mark of an hour", "cache_control", &[OpenaiChat, OpenaiResponses, Gemini, Cohere], "as above"),
    (
        "unknown member of a message",
        "messages.mood",
        &[OpenaiResponses, Anthropic, Gemini, Cohere, Converse],
        "vendors refuse members they do not know",
    ),
    (
        "unknown member of a part",
        "messages.content.mood",
        &[OpenaiChat, OpenaiResponses, Anthropic, Gemini, Cohere, Converse],
        "as above",
    ),
    (
        "unknown member of a tool",
        "tools.mood",
        &[OpenaiChat, OpenaiResponses, Anthropic, Gemini, Cohere, Converse],
        "as above",
    ),
    ("cache mark on a tool", "cache_control", &[OpenaiChat, OpenaiResponses, Gemini, Cohere], "as above"),
];

fn asked(thing: &Thing) -> ChatRequest {
    let mut request = ChatRequest::new("m", vec![Message::user("Hi")]);
    (thing.say)(&mut request);
    request
}

fn target_of(dialect: &dyn Dialect, model: &str) -> Target {
    let spec = json!({ "id": "vendor", "name": "A vendor", "docs": "", "auth": "bearer", "dialect": dialect.id(),
        "base_url": "https://api.example.com" });
    target(serde_json::from_value(spec).unwrap(), model)
}

/// What is said, without what a dialect says always: that a stream tells usage, a cap, that nothing is kept.
fn said(request: &ChatRequest, like: &ChatRequest) -> Value {
    let mut request = request.clone();
    request.options.include_usage = None;
    if like.options.max_tokens.is_none() {
        request.options.max_tokens = None;
    }
    if like.options.store.is_none() {
        request.options.store = None;
    }
    for tool in &mut request.tools {
        tool.strict = tool.strict.filter(|strict| *strict);
    }
    for part in request.messages.iter_mut().flat_map(|message| &mut message.parts) {
        match &mut part.kind {
            PartKind::Image(media) => {
                media.detail = media.detail.take().filter(|detail| detail != "auto");
                // A URL tells by itself.
                media.mime = media.mime.take().filter(|_| !matches!(media.source, MediaSource::Url(_)));
            }
            // The call has it.
            PartKind::ToolResult(result) => result.name = None,
            _ => {}
        }
    }
    without_nulls(&json!([request.messages, request.tools, request.options]))
}

fn fate(dialect: &dyn Dialect, model: &str, thing: &Thing) -> (Fate, String) {
    let (request, target) = (asked(thing), target_of(dialect, model));
    let (encoded, left_out) = collect(|| dialect.encode_request(&request, &target));
    let encoded = match encoded {
        Ok(encoded) => encoded,
        Err(error) => return (Fate::Refused, refused(dialect, &request, target, &error)),
    };
    let again = dialect.decode_request(&encoded.body).unwrap();
    let (was, is) = (said(&request, &request), said(&again, &request));
    let body = String::from_utf8_lossy(&encoded.body).into_owned();
    let told =
        TOLD.iter().find(|(name, _, dialects, _)| *name == thing.name && dialects.contains(&dialect.id()));
    let names: Vec<&str> = told.iter().map(|(_, name, ..)| *name).collect();
    let fate = match (was == is, left_out.is_empty()) {
        _ if left_out != names => Fate::Mistold,
        (true, _) => Fate::Kept,
        (false, true) => Fate::Changed,
        (false, false) => Fate::Told,
    };
    (fate, format!("{body}\n   said {is}\n   told {left_out:?}"))
}

/// What is refused is refused by its name, and left out by it when the policy says so.
fn refused(dialect: &dyn Dialect, request: &ChatRequest, mut target: Target, error: &Error) -> String {
    let id = dialect.id();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{id:?}: {error}");
    let name = error.param().unwrap_or_else(|| panic!("{id:?}: {error}"));
    target.policy = ParamPolicy { drop: true, ..ParamPolicy::default() };
    let (dropped, left_out) = collect(|| dialect.encode_request(request, &target));
    // Parameters may be left out on request; what was said in the conversation need not be.
    let spoken = name == "messages";
    assert!(spoken || dropped.is_ok(), "{id:?}: {dropped:?}");
    assert!(
        dropped.is_err() || left_out.iter().any(|left| left.starts_with(name)),
        "{id:?}: {left_out:?}: {error}"
    );
    error.to_string()
}

/// What a dialect made of a thing, and what the table says.
struct Seen {
    name: &'static str,
    dialect: DialectId,
    wanted: u8,
    fate: Fate,
    how: String,
}

/// Every thing has the fate of the table, and a reason where it is changed.
fn judge(rows: impl Iterator<Item = Seen>, changed: Changed) {
    let mut faults = Vec::new();
    for Seen { name, dialect, wanted, fate, how } in rows {
        if format!("{fate:?}").as_bytes()[0] != wanted {
            faults.push(format!("{name} in {dialect:?}: {fate:?}: {how}"));
        }
        let listed =
            changed.iter().any(|(listed, dialects, _)| *listed == name && dialects.contains(&dialect));
        if listed != (fate == Fate::Changed) {
            faults.push(format!("{name} in {dialect:?} is {fate:?}, listed: {listed}"));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn nothing_a_request_says_is_lost_in_silence() {
    let rows = things().flat_map(|thing| {
        SIX.into_iter().enumerate().map(move |(number, (dialect, model))| {
            let (fate, how) = fate(dialect, model, &thing);
            Seen {
                name: thing.name,
                dialect: dialect.id(),
                wanted: thing.fates.as_bytes()[number],
                fate,
                how,
            }
        })
    });
    judge(rows, CHANGED);
}
