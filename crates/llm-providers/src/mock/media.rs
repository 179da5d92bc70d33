//! What the mock model does beside chats: vectors of words, ranks by shared words, a small picture, silence.

use std::collections::HashSet;

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use llm_types::{Body, HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::{fails, full, now, refuse};
use crate::operations::{Form, audio};

/// Numbers of a vector where the caller names no number.
const DIMENSIONS: u64 = 16;
/// A picture of one grey point, PNG in base64.
const PICTURE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
/// Samples a second of the silence.
const RATE: u32 = 8_000;

/// Answers a request beside chats; `None` for a path that is none of them.
pub(super) fn respond(request: &HttpRequest) -> Option<HttpResponse> {
    let path = request.uri.path();
    let kind = request.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_form = kind.starts_with("multipart/");
    let known = ["/embeddings", "/moderations", "/rerank", "/audio/speech"];
    let with_files = [
        "/images/generations",
        "/images/edits",
        "/images/variations",
        "/audio/transcriptions",
        "/audio/translations",
    ];
    known.iter().chain(&with_files).any(|end| path.ends_with(end)).then(|| {
        let body =
            if is_form { of_form(kind, &request.body) } else { serde_json::from_slice(&request.body).ok() };
        let Some(body) = body else { return refuse(StatusCode::BAD_REQUEST, "the body cannot be read") };
        if let Some(refusal) = fails(body["model"].as_str().unwrap_or_default()) {
            return refusal;
        }
        match path.rsplit('/').next().unwrap_or_default() {
            "embeddings" => full(StatusCode::OK, &embeddings(&body)),
            "moderations" => full(StatusCode::OK, &moderation(&body)),
            "rerank" => full(StatusCode::OK, &ranking(&body)),
            "speech" => speech(&body),
            "transcriptions" | "translations" => full(StatusCode::OK, &transcript(&body)),
            _ => full(StatusCode::OK, &pictures(&body)),
        }
    })
}

/// A form as an object of its texts; of a file its name and size.
fn of_form(kind: &str, body: &[u8]) -> Option<Value> {
    let form = Form::read(kind, body).ok()?;
    let mut members = json!({});
    for field in &form.fields {
        let content = &body[field.content.clone()];
        members[field.name.trim_end_matches("[]")] = match &field.file_name {
            Some(name) => json!({"name": name, "bytes": content.len()}),
            None => String::from_utf8_lossy(content).into(),
        };
    }
    Some(members)
}

fn inputs(value: &Value) -> Vec<String> {
    let text = |one: &Value| one.as_str().map_or_else(|| one.to_string(), str::to_owned);
    match value {
        Value::Array(list) if !list.iter().all(Value::is_number) => list.iter().map(text).collect(),
        one => vec![text(one)],
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let plain = |word: &str| word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
    text.split_whitespace().map(plain).filter(|word| !word.is_empty())
}

/// A vector to which each word adds its own direction: texts that share words are near each other.
#[expect(clippy::cast_precision_loss, reason = "a direction, no count")]
fn vector(text: &str, dimensions: u64) -> Vec<f64> {
    let mut sum = vec![0.0; usize::try_from(dimensions).unwrap_or(0)];
    for word in words(text) {
        let mut state = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        for number in &mut sum {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *number += (state >> 33) as f64 / f64::from(1_u32 << 30) - 1.0;
        }
    }
    let length = sum.iter().map(|number| number * number).sum::<f64>().sqrt();
    if length > 0.0 {
        sum.iter_mut().for_each(|number| *number /= length);
    }
    sum
}

fn embeddings(body: &Value) -> Value {
    let texts = inputs(&body["input"]);
    let dimensions = body["dimensions"].as_u64().unwrap_or(DIMENSIONS).clamp(1, 4_096);
    let packed = body["encoding_format"] == "base64";
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let vector = vector(text, dimensions);
            let embedding =
                if packed { crate::operations::packed(&vector).into() } else { Value::from(vector) };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let tokens: usize = texts.iter().map(|text| words(text).count()).sum();
    json!({"object": "list", "data": data, "model": body["model"],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})
}

fn moderation(body: &Value) -> Value {
    let result = json!({"flagged": false, "categories": {"harassment": false, "hate": false, "violence": false},
        "category_scores": {"harassment": 0.0, "hate": 0.0, "violence": 0.0}});
    let results = vec![result; inputs(&body["input"]).len()];
    json!({"id": "modr-mock", "model": body["model"], "results": results})
}

/// The part of the query's words that a document has.
#[expect(clippy::cast_precision_loss, reason = "numbers of words")]
fn ranking(body: &Value) -> Value {
    let query: HashSet<String> = words(body["query"].as_str().unwrap_or_default()).collect();
    let text = |one: &Value| one["text"].as_str().or(one.as_str()).unwrap_or_default().to_owned();
    let documents: Vec<String> = body["documents"].as_array().into_iter().flatten().map(text).collect();
    let mut ranks: Vec<(usize, f64)> = documents
        .iter()
        .map(|document| {
            let shared = words(document).collect::<HashSet<_>>().intersection(&query).count();
            shared as f64 / query.len().max(1) as f64
        })
        .enumerate()
        .collect();
    ranks.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    ranks.truncate(body["top_n"].as_u64().and_then(|top| usize::try_from(top).ok()).unwrap_or(usize::MAX));
    let shown = body["return_documents"] == true;
    let results: Vec<Value> = ranks
        .into_iter()
        .map(|(index, score)| {
            let mut result = json!({"index": index, "relevance_score": score});
            if shown {
                result["document"] = json!({"text": documents[index]});
            }
            result
        })
        .collect();
    json!({"id": "rerank-mock", "results": results, "meta": {"billed_units": {"search_units": 1}}})
}

fn pictures(body: &Value) -> Value {
    let n = body["n"].as_u64().or_else(|| body["n"].as_str()?.parse().ok()).unwrap_or(1).clamp(1, 10);
    let picture = json!({"b64_json": PICTURE});
    json!({"created": now(), "data": vec![picture; usize::try_from(n).unwrap_or(1)]})
}

/// Silence, a tenth of a second for each letter, as a WAV file.
fn speech(body: &Value) -> HttpResponse {
    let letters = body["input"].as_str().unwrap_or_default().chars().count().clamp(1, 4_096);
    let samples = vec![0; letters * 2 * RATE as usize / 10];
    let body = Body::Full(Bytes::from(audio::wav(&samples, RATE)));
    let mut response = full(StatusCode::OK, &Value::Null);
    response.headers = super::headers("audio/wav");
    HttpResponse { body, ..response }
}

fn transcript(body: &Value) -> Value {
    let (name, bytes) = (body["file"]["name"].as_str().unwrap_or("nothing"), body["file"]["bytes"].as_u64());
    let text = format!("The mock model heard `{name}`, {} bytes.", bytes.unwrap_or(0));
    json!({"text": text, "usage": {"type": "duration", "seconds": 1}})
}

#[cfg(test)]
mod tests;
