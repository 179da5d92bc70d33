//! A whole reply made of a stream, for vendors who answer with one whoever asks.

use bytes::Bytes;
use llm_types::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::framing::Frames;

/// The response that a streamed body tells, as a whole reply has it; a body that is none stays as it is.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when the stream ends before the response does.
pub fn whole(body: Bytes) -> Result<Bytes> {
    if body.trim_ascii_start().starts_with(b"{") {
        return Ok(body);
    }
    let mut frames = Frames::new(crate::Framing::Sse);
    frames.push(body);
    let (mut items, mut last) = (Vec::new(), None);
    loop {
        let frame = match frames.next_frame()? {
            Some(frame) => frame,
            None => match frames.finish()? {
                Some(frame) => frame,
                None => break,
            },
        };
        let Ok(mut event) = serde_json::from_slice::<Value>(&frame.data) else { continue };
        match event["type"].as_str().unwrap_or_default() {
            "response.output_item.done" => items.push(event["item"].take()),
            "response.completed" | "response.incomplete" | "response.failed" => {
                last = Some(event["response"].take());
            }
            "error" => return Ok(json!({ "error": event }).to_string().into()),
            _ => {}
        }
    }
    let mut response = last.filter(Value::is_object).ok_or_else(|| {
        Error::new(ErrorKind::BadUpstream, "the provider's stream ended before its response")
    })?;
    // Some end without saying again what they have said item by item.
    if response["output"].as_array().is_none_or(Vec::is_empty) {
        response["output"] = items.into();
    }
    Ok(response.to_string().into())
}
