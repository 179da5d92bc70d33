//! What a call consumed, between the wire's counting and ours.
//!
//! The wire counts prompt tokens read from and written to the cache beside `inputTokens`, we count them
//! inside. Vendor's page: API reference, `TokenUsage`.

use llm_types::Usage;
use serde::Deserialize;
use serde_json::Value;

use crate::write::Object;

/// `usage` of a reply or of the stream's `metadata`; absent members are `None`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WireUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    total_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_write_input_tokens: Option<u64>,
    cache_details: Option<Vec<CacheDetail>>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CacheDetail {
    ttl: String,
    input_tokens: u64,
}

impl WireUsage {
    /// Our counting; `None` when the record counts nothing.
    pub(super) fn canonical(&self) -> Option<Usage> {
        if self.input_tokens.is_none() && self.output_tokens.is_none() {
            return None;
        }
        let (read, written) = (self.cache_read_input_tokens, self.cache_write_input_tokens);
        let input = [self.input_tokens, read, written].into_iter().flatten().fold(0, u64::saturating_add);
        let output = self.output_tokens.unwrap_or(0);
        Some(Usage {
            input_tokens: input,
            output_tokens: output,
            total_tokens: self.total_tokens.filter(|total| *total != input.saturating_add(output)),
            cache_read_tokens: read,
            cache_write_tokens: written,
            cache_write_5m_tokens: self.kept("5m"),
            cache_write_1h_tokens: self.kept("1h"),
            ..Usage::default()
        })
    }

    fn kept(&self, ttl: &str) -> Option<u64> {
        let details = self.cache_details.as_ref()?;
        let mut counts = details.iter().filter(|detail| detail.ttl == ttl).map(|detail| detail.input_tokens);
        counts.next().map(|first| counts.fold(first, u64::saturating_add))
    }
}

/// Adds what only Claude states, in `additionalModelResponseFields`, because it was asked to.
pub(super) fn add_details(usage: &mut Usage, fields: &Value) {
    let thinking = fields.pointer("/usage/output_tokens_details/thinking_tokens").and_then(Value::as_u64);
    usage.reasoning_tokens = thinking.or(usage.reasoning_tokens);
}

/// Writes the members of a `usage` object.
pub(super) fn write(out: &mut Object<'_>, usage: &Usage) {
    let (read, written) = (usage.cache_read_tokens, usage.cache_write_tokens);
    let cached = read.unwrap_or(0).saturating_add(written.unwrap_or(0));
    out.value("inputTokens", &usage.input_tokens.saturating_sub(cached));
    out.value("outputTokens", &usage.output_tokens);
    out.value("totalTokens", &usage.total());
    out.some("cacheReadInputTokens", read.as_ref());
    out.some("cacheWriteInputTokens", written.as_ref());
    let kept = [("1h", usage.cache_write_1h_tokens), ("5m", usage.cache_write_5m_tokens)];
    if kept.iter().any(|(_, tokens)| tokens.is_some()) {
        out.array("cacheDetails", |list| {
            for (ttl, tokens) in kept {
                let Some(tokens) = tokens else { continue };
                list.object(|detail| {
                    detail.text("ttl", ttl);
                    detail.value("inputTokens", &tokens);
                });
            }
        });
    }
}

#[cfg(test)]
mod tests;
