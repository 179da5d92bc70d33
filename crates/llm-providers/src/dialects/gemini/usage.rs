//! What a call consumed, between the wire's counting and ours.
//!
//! The wire counts thoughts beside the answer and the prompts of the vendor's own tools beside the
//! prompt; we count both inside. Vendor's page: <https://ai.google.dev/api/generate-content#UsageMetadata>.

use llm_types::Usage;
use serde::Deserialize;
use serde_json::Value;

use crate::write::Object;

/// `usageMetadata`; absent members are `None`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WireUsage {
    prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    tool_use_prompt_token_count: Option<u64>,
    total_token_count: Option<u64>,
    prompt_tokens_details: Vec<Modality>,
    cache_tokens_details: Vec<Modality>,
    candidates_tokens_details: Vec<Modality>,
    tool_use_prompt_tokens_details: Vec<Modality>,
    service_tier: Option<String>,
}

/// Tokens of one kind of content.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Modality {
    /// The kind's name or, from clients of the vendor's binary protocol, its number.
    modality: Value,
    token_count: u64,
}

/// Kinds of content by their numbers.
const KINDS: [&str; 6] = ["MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "VIDEO", "AUDIO", "DOCUMENT"];

impl Modality {
    fn is(&self, kind: &str) -> bool {
        let number = self.modality.as_u64().and_then(|number| usize::try_from(number).ok());
        let name = number.and_then(|number| KINDS.get(number).copied()).or(self.modality.as_str());
        name == Some(kind)
    }
}

fn of(details: &[Modality], kind: &str) -> Option<u64> {
    let counts = details.iter().filter(|detail| detail.is(kind)).map(|detail| detail.token_count);
    counts.reduce(u64::saturating_add)
}

impl WireUsage {
    /// Our counting; `None` when the record counts nothing (early frames of a stream).
    pub(super) fn canonical(&self) -> Option<Usage> {
        if self.prompt_token_count.is_none() && self.total_token_count.is_none() {
            return None;
        }
        let count = |tokens: Option<u64>| tokens.unwrap_or(0);
        let (prompt, tools) = (count(self.prompt_token_count), count(self.tool_use_prompt_token_count));
        let (answer, thoughts) = (count(self.candidates_token_count), count(self.thoughts_token_count));
        let input_tokens = prompt.saturating_add(tools);
        // Some models count thoughts inside the answer: the total tells.
        let inside = thoughts > 0
            && answer >= thoughts
            && self.total_token_count == Some(input_tokens.saturating_add(answer));
        let both = |kind: &str| {
            let (prompt, tools) =
                (of(&self.prompt_tokens_details, kind), of(&self.tool_use_prompt_tokens_details, kind));
            prompt.or(tools).map(|_| count(prompt).saturating_add(count(tools)))
        };
        Some(Usage {
            input_tokens,
            output_tokens: if inside { answer } else { answer.saturating_add(thoughts) },
            total_tokens: self.total_token_count,
            cache_read_tokens: self.cached_content_token_count,
            input_audio_tokens: both("AUDIO"),
            input_image_tokens: both("IMAGE"),
            input_video_tokens: both("VIDEO"),
            cache_read_audio_tokens: of(&self.cache_tokens_details, "AUDIO"),
            reasoning_tokens: self.thoughts_token_count,
            output_audio_tokens: of(&self.candidates_tokens_details, "AUDIO"),
            output_image_tokens: of(&self.candidates_tokens_details, "IMAGE"),
            service_tier: self.service_tier.clone(),
            ..Usage::default()
        })
    }
}

/// Writes the members of a `usageMetadata` object.
pub(super) fn write(out: &mut Object<'_>, usage: &Usage) {
    let thoughts = usage.reasoning_tokens.unwrap_or(0).min(usage.output_tokens);
    let answer = usage.output_tokens - thoughts;
    out.value("promptTokenCount", &usage.input_tokens);
    out.value("candidatesTokenCount", &answer);
    out.value("totalTokenCount", &usage.total());
    out.some("cachedContentTokenCount", usage.cache_read_tokens.as_ref());
    out.some("thoughtsTokenCount", usage.reasoning_tokens.map(|_| thoughts).as_ref());
    let prompt = [
        ("AUDIO", usage.input_audio_tokens),
        ("IMAGE", usage.input_image_tokens),
        ("VIDEO", usage.input_video_tokens),
    ];
    details(out, "promptTokensDetails", usage.input_tokens, &prompt);
    details(out, "cacheTokensDetails", 0, &[("AUDIO", usage.cache_read_audio_tokens)]);
    let media = [("AUDIO", usage.output_audio_tokens), ("IMAGE", usage.output_image_tokens)];
    details(out, "candidatesTokensDetails", answer, &media);
    out.some("serviceTier", usage.service_tier.as_ref());
}

/// Writes counts by kind of content; what is left of `whole` is text.
fn details(out: &mut Object<'_>, name: &str, whole: u64, counts: &[(&str, Option<u64>)]) {
    let known: u64 = counts.iter().filter_map(|(_, tokens)| *tokens).fold(0, u64::saturating_add);
    if counts.iter().all(|(_, tokens)| tokens.is_none()) {
        return;
    }
    out.array(name, |list| {
        let text = ("TEXT", Some(whole.saturating_sub(known)).filter(|text| *text > 0));
        for (kind, tokens) in std::iter::once(&text).chain(counts) {
            let Some(tokens) = tokens else { continue };
            list.object(|entry| {
                entry.text("modality", kind);
                entry.value("tokenCount", tokens);
            });
        }
    });
}

#[cfg(test)]
mod tests;
