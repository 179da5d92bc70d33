//! Whole replies whose headers say what the call consumed: the same is put into the body, as the last frame
//! of a stream has it, for readers see the body only.

use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;
use llm_types::Body;
use serde_json::{Map, Value, json};

use crate::dialects::prompt::METRICS;
use crate::scan;

/// Headers that count, and their names in the body.
const COUNTS: [(&str, &str); 4] = [
    ("x-amzn-bedrock-input-token-count", "inputTokenCount"),
    ("x-amzn-bedrock-output-token-count", "outputTokenCount"),
    ("x-amzn-bedrock-cache-read-input-token-count", "cacheReadInputTokenCount"),
    ("x-amzn-bedrock-cache-write-input-token-count", "cacheWriteInputTokenCount"),
];
/// The largest reply that is looked at, bytes.
const LIMIT: usize = 64 << 20;

/// The reply with what its headers count; the same where they count nothing.
pub(crate) fn measured(body: Body, headers: &HeaderMap) -> Body {
    let count = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let counts: Map<String, Value> = COUNTS
        .iter()
        .filter_map(|(header, name)| Some(((*name).to_owned(), count(header)?.into())))
        .collect();
    if counts.is_empty() {
        return body;
    }
    let added = Map::from_iter([(METRICS.to_owned(), json!(counts))]);
    match body {
        Body::Full(bytes) => Body::Full(with(bytes, &added)),
        body => Body::Stream(Box::pin(stream::once(async move {
            body.collect(LIMIT).await.map(|bytes| with(bytes, &added))
        }))),
    }
}

/// What is no JSON object stays what it is, for its reader to refuse.
fn with(bytes: Bytes, added: &Map<String, Value>) -> Bytes {
    scan::merge(&bytes, added).unwrap_or(bytes)
}

#[cfg(test)]
mod tests;
