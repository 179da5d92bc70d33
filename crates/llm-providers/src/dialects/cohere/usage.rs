//! What a call consumed. The wire counts twice: `tokens` is what the model read and wrote, with the
//! vendor's own preamble; `billed_units` is what is paid for. Vendor's page: `v2/reference/chat`, "usage".

use llm_types::{Billed, Usage};
use serde::Deserialize;

use crate::write::Object;

/// `usage` of a reply or of `message-end`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    billed_units: Option<Units>,
    tokens: Option<Units>,
    cached_tokens: Option<f64>,
}

/// Counts; the vendor writes them as numbers that need not be whole.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Units {
    input_tokens: Option<f64>,
    output_tokens: Option<f64>,
    image_tokens: Option<f64>,
    reasoning_tokens: Option<f64>,
}

impl WireUsage {
    /// Our counting; `None` when the record counts nothing.
    pub(super) fn canonical(&self) -> Option<Usage> {
        let counts = |units: &&Units| units.input_tokens.is_some() || units.output_tokens.is_some();
        let billed = self.billed_units.as_ref().filter(counts);
        let tokens = self.tokens.as_ref().filter(counts).or(billed)?;
        Some(Usage {
            input_tokens: tokens.input_tokens.map_or(0, whole),
            output_tokens: tokens.output_tokens.map_or(0, whole),
            cache_read_tokens: self.cached_tokens.map(whole),
            input_image_tokens: tokens.image_tokens.map(whole),
            reasoning_tokens: tokens.reasoning_tokens.map(whole),
            billed: billed.map(|units| {
                Box::new(Billed {
                    input_tokens: units.input_tokens.map(whole),
                    output_tokens: units.output_tokens.map(whole),
                })
            }),
            ..Usage::default()
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float to integer casts saturate"
)]
fn whole(count: f64) -> u64 {
    count.round() as u64
}

/// Writes the members of a `usage` object. A provider that does not tell the two apart bills what it counts.
pub(super) fn write(out: &mut Object<'_>, usage: &Usage) {
    let billed = usage.billed.as_deref().cloned().unwrap_or_default();
    out.object("billed_units", |units| {
        units.value("input_tokens", &billed.input_tokens.unwrap_or(usage.input_tokens));
        units.value("output_tokens", &billed.output_tokens.unwrap_or(usage.output_tokens));
    });
    out.object("tokens", |units| {
        units.value("input_tokens", &usage.input_tokens);
        units.value("output_tokens", &usage.output_tokens);
        units.some("image_tokens", usage.input_image_tokens.as_ref());
        units.some("reasoning_tokens", usage.reasoning_tokens.as_ref());
    });
    out.some("cached_tokens", usage.cache_read_tokens.as_ref());
}
