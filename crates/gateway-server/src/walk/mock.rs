//! `mock_response`: a deployment that answers with a fixed text and asks nobody.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use llm_providers::ReplyFacts;
use llm_types::{Body, ChatResponse, Choice, Event, Finish, Message, Result, Start, Usage};

use super::dispatch::reply_context;
use super::pump::Pump;
use super::relay::Reply;
use super::{Call, listed};

/// Characters of one streamed piece, as LiteLLM cuts them (surface §6.4).
const PIECE: usize = 3;

/// The fixed answer, whole or streamed, in the caller's dialect. LiteLLM states 10 and 20 tokens.
pub(super) fn reply(call: &Call, text: &str) -> Result<Reply> {
    let usage = Usage { input_tokens: 10, output_tokens: 20, ..Usage::default() };
    let facts = Box::new(ReplyFacts { usage: Some(usage.clone()), complete: true, ..ReplyFacts::default() });
    let id = call.shown_id.to_str().unwrap_or_default();
    if call.glance.stream {
        let written = stream(call, id, text, usage);
        let first = vec![if call.listed { listed::whole(written) } else { written }];
        let rest = Body::Full(Bytes::new());
        return Ok(Reply::Flow {
            headers: HeaderMap::new(),
            first,
            rest,
            pump: Pump::Written(facts),
            ended: true,
        });
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
    Ok(Reply::Full { headers: HeaderMap::new(), body, facts, provider_us: 0 })
}

fn stream(call: &Call, id: &str, text: &str, usage: Usage) -> Bytes {
    let mut encoder = call.dialect.stream_encoder(reply_context(call));
    let mut out = BytesMut::new();
    let start = Start { id: id.to_owned(), model: call.glance.model.clone(), ..Start::default() };
    encoder.push(&Event::Start(start), &mut out);
    let letters: Vec<char> = text.chars().collect();
    for piece in letters.chunks(PIECE) {
        encoder.push(&Event::Text { choice: 0, text: piece.iter().collect() }, &mut out);
    }
    encoder.push(&Event::Finish { choice: 0, reason: Finish::Stop }, &mut out);
    encoder.push(&Event::Usage(usage), &mut out);
    encoder.push(&Event::Done, &mut out);
    encoder.finish(&mut out);
    out.freeze()
}
