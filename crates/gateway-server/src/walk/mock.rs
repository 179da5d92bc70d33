//! `mock_response`: a deployment that answers with a fixed text and asks nobody.

use bytes::Bytes;
use http::HeaderMap;
use llm_providers::ReplyFacts;
use llm_types::{Body, ChatResponse, Choice, Event, Finish, Message, Result, Start, Usage};

use super::dispatch::reply_context;
use super::pump::Pump;
use super::relay::Reply;
use super::{Call, unstreamed};

/// Characters of one streamed piece, as LiteLLM cuts them (surface §6.4).
const PIECE: usize = 3;

/// The fixed answer, whole or streamed, in the caller's dialect. LiteLLM states 10 and 20 tokens.
pub(super) fn reply(call: &Call, text: &str) -> Result<Reply> {
    let usage = Usage { input_tokens: 10, output_tokens: 20, ..Usage::default() };
    let facts = Box::new(ReplyFacts { usage: Some(usage.clone()), complete: true, ..ReplyFacts::default() });
    let id = call.shown_id.to_str().unwrap_or_default();
    if call.glance.stream {
        let first = vec![unstreamed::frames(call, &events(call, id, text, usage))];
        let (rest, pump) = (Body::Full(Bytes::new()), Pump::Written(facts));
        return Ok(Reply::Flow { headers: HeaderMap::new(), first, rest, pump, ended: true, kind: None });
    }
    let response = ChatResponse {
        id: id.to_owned(),
        model: call.glance.model.clone(),
        choices: vec![Choice {
            index: 0,
            message: Message::assistant(text),
            finish: Some(Finish::Stop),
            logprobs: None,
            extra: llm_types::Extra::default(),
        }],
        usage: Some(usage),
        ..ChatResponse::default()
    };
    let body = call.dialect.encode_response(&response, &reply_context(call))?;
    Ok(Reply::Full { headers: HeaderMap::new(), body, facts, provider_us: 0, kind: None })
}

fn events(call: &Call, id: &str, text: &str, usage: Usage) -> Vec<Event> {
    let start = Start { id: id.to_owned(), model: call.glance.model.clone(), ..Start::default() };
    let letters: Vec<char> = text.chars().collect();
    let piece = |piece: &[char]| Event::Text { choice: 0, text: piece.iter().collect() };
    let mut events = vec![Event::Start(start)];
    events.extend(letters.chunks(PIECE).map(piece));
    events.extend([Event::Finish { choice: 0, reason: Finish::Stop }, Event::Usage(usage), Event::Done]);
    events
}
