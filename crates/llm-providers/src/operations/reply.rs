//! Replies in the caller's form, and what settlement needs of them.

mod transcript;
mod units;

use bytes::Bytes;
use http::HeaderValue;
use llm_types::{Embeddings, Operation, OperationReply, Pictures, Ranking, Result, Usage, Vector};
use serde_json::{Map, Value, json};

pub use units::{facts, told, unread};
pub(crate) use units::{pixels, read_usage};

use super::Job;
use super::wires::parts;
use crate::ReplyContext;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Writes a reply: its type and body.
///
/// # Errors
/// [`llm_types::ErrorKind::BadUpstream`] when a vector is not what its provider says it is.
pub fn encode(job: &Job<'_>, reply: OperationReply, cx: &ReplyContext) -> Result<(HeaderValue, Bytes)> {
    let value = match reply {
        OperationReply::Embeddings(reply) => embeddings(job, reply, cx)?,
        OperationReply::Pictures(reply) => pictures(reply, cx),
        OperationReply::Ranking(reply) => ranking(reply, cx),
        OperationReply::Transcript(reply) => return Ok(transcript::encode(job, reply)),
        OperationReply::Audio { mime, bytes, .. } => {
            let kind =
                HeaderValue::try_from(mime).unwrap_or(HeaderValue::from_static("application/octet-stream"));
            return Ok((kind, bytes));
        }
    };
    Ok((JSON, value.to_string().into()))
}

fn embeddings(job: &Job<'_>, reply: Embeddings, cx: &ReplyContext) -> Result<Value> {
    let base64 = wants_base64(job);
    let mut data = Vec::with_capacity(reply.vectors.len());
    for (index, vector) in reply.vectors.into_iter().enumerate() {
        let embedding = match vector {
            Vector::Base64(text) if base64 => Value::from(text),
            Vector::Base64(text) => parts::unpacked(&text)?.into(),
            Vector::Numbers(numbers) if base64 => parts::packed(&numbers).into(),
            Vector::Numbers(numbers) => numbers.into(),
            Vector::Own(value) => value,
        };
        data.push(json!({"object": "embedding", "index": index, "embedding": embedding}));
    }
    let tokens = reply.usage.as_ref().map_or(0, |usage| usage.input_tokens);
    let total = reply.usage.as_ref().map_or(0, Usage::total);
    let model = if reply.model.is_empty() { cx.model.clone() } else { reply.model };
    Ok(json!({
        "object": "list",
        "data": data,
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": total},
    }))
}

/// Whether the caller wants vectors in base64, as OpenAI's SDKs do unasked.
pub(super) fn wants_base64(job: &Job<'_>) -> bool {
    let asked = job.asked.request().ok().and_then(|request| request.text("encoding_format"));
    job.asked.operation == Operation::Embeddings && asked == Some("base64")
}

fn pictures(reply: Pictures, cx: &ReplyContext) -> Value {
    let data: Vec<Value> = reply
        .pictures
        .into_iter()
        .map(|picture| {
            let mut shown = Map::new();
            for (name, text) in [
                ("url", picture.url),
                ("b64_json", picture.base64),
                ("revised_prompt", picture.revised_prompt),
            ] {
                shown.extend(text.map(|text| (name.to_owned(), text.into())));
            }
            shown.into()
        })
        .collect();
    let mut whole = Map::new();
    whole.insert("created".to_owned(), reply.created.unwrap_or(cx.now).into());
    whole.insert("data".to_owned(), data.into());
    whole.extend(reply.extra.0);
    if let Some(usage) = reply.usage.filter(|_| !whole.contains_key("usage")) {
        let image = usage.input_image_tokens.unwrap_or(0);
        whole.insert(
            "usage".to_owned(),
            json!({
                "input_tokens": usage.input_tokens,
                "input_tokens_details": {
                    "image_tokens": image,
                    "text_tokens": usage.input_tokens.saturating_sub(image),
                },
                "output_tokens": usage.output_tokens,
                "total_tokens": usage.total(),
            }),
        );
    }
    whole.into()
}

fn ranking(reply: Ranking, cx: &ReplyContext) -> Value {
    let results: Vec<Value> = reply
        .results
        .into_iter()
        .map(|ranked| {
            let mut shown = Map::new();
            shown.insert("index".to_owned(), ranked.index.into());
            shown.insert("relevance_score".to_owned(), ranked.score.into());
            shown.extend(ranked.document.map(|document| ("document".to_owned(), document)));
            shown.into()
        })
        .collect();
    let mut meta = Map::new();
    if let Some(usage) = reply.usage {
        let queries = usage.units.as_ref().and_then(|units| units.queries);
        if let Some(queries) = queries {
            meta.insert("billed_units".to_owned(), json!({"search_units": queries}));
        }
        if usage.input_tokens > 0 {
            meta.insert(
                "tokens".to_owned(),
                json!({"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}),
            );
        }
    }
    json!({"id": reply.id.unwrap_or_else(|| cx.id.clone()), "results": results, "meta": meta})
}

#[cfg(test)]
mod tests;
