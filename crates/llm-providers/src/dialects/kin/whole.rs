//! A whole reply made of a stream: for those who answer with one whoever asks.

use bytes::Bytes;
use llm_types::Result;
use serde_json::{Map, Value, json};

use super::{Pieces, answer, strange};
use crate::dialect::Framing;
use crate::framing::Frames;

/// The reply that a streamed body tells; `None` when the body is no stream.
pub(super) fn of_stream(framing: Framing, mut pieces: Box<dyn Pieces>, body: &[u8]) -> Option<Result<Value>> {
    let mut frames = Frames::new(framing);
    frames.push(Bytes::copy_from_slice(body));
    let (mut chunks, mut over, mut seen) = (Vec::new(), false, false);
    loop {
        let frame = match frames.next_frame() {
            Ok(Some(frame)) => Some(frame),
            Ok(None) => frames.finish().ok().flatten(),
            Err(error) => return seen.then_some(Err(error)),
        };
        let Some(frame) = frame else { break };
        let data = bare(&frame.data);
        if data.is_empty() || data == b"[DONE]" {
            over |= !data.is_empty();
            continue;
        }
        let Ok(value) = serde_json::from_slice(data) else { return None };
        seen = true;
        match pieces.push(&String::from_utf8_lossy(&frame.event), value, &mut chunks) {
            Ok(ended) => over |= ended,
            Err(error) => return Some(Err(error)),
        }
    }
    if !seen {
        return None;
    }
    over |= pieces.end(&mut chunks);
    Some(if over { Ok(joined(&chunks)) } else { Err(strange("its stream ends before the answer does")) })
}

/// The data of a frame. Some write lines as those of server-sent events where lines of JSON are told.
pub(super) fn bare(data: &[u8]) -> &[u8] {
    let data = data.trim_ascii();
    data.strip_prefix(b"data:").map_or(data, <[u8]>::trim_ascii)
}

/// The answer that chunks tell.
fn joined(chunks: &[Value]) -> Value {
    let mut texts = Map::new();
    let (mut usage, mut finish) = (None, "stop".to_owned());
    for chunk in chunks {
        if let Some(counted) = chunk.get("usage") {
            usage = Some(counted.clone());
        }
        if let Some(word) = chunk.pointer("/choices/0/finish_reason").and_then(Value::as_str) {
            word.clone_into(&mut finish);
        }
        for name in ["content", "reasoning_content"] {
            let text = chunk.pointer(&format!("/choices/0/delta/{name}")).and_then(Value::as_str);
            if let Some(text) = text {
                let so_far = texts.get(name).and_then(Value::as_str).unwrap_or_default();
                texts.insert(name.to_owned(), format!("{so_far}{text}").into());
            }
        }
    }
    texts.entry("content").or_insert_with(|| "".into());
    let mut message = json!({"role": "assistant"});
    message.as_object_mut().expect("made an object in the line above").extend(texts);
    answer(message, &finish, usage)
}
