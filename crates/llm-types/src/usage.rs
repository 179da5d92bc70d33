//! What a call consumed, as its provider reported it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Money, Units};

/// Consumption of one call. Counts are tokens unless a field says otherwise.
///
/// `input_tokens` counts the whole prompt: cached reads and cache writes are *inside* it, as OpenAI
/// counts, and dialects that count otherwise convert. `output_tokens` likewise holds reasoning and
/// media tokens. A detail is `None` when the provider did not report it; a reported zero is `Some(0)`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// The whole prompt, cached parts included.
    pub input_tokens: u64,
    /// The whole answer, reasoning included.
    pub output_tokens: u64,
    /// The provider's own total where it differs from input + output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<u64>,
    /// Prompt tokens read from the provider's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<u64>,
    /// Prompt tokens written to the provider's cache, whatever their lifetime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// The part of `cache_write_tokens` kept for five minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_5m_tokens: Option<u64>,
    /// The part of `cache_write_tokens` kept for one hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_1h_tokens: Option<u64>,
    /// Prompt tokens that are audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_audio_tokens: Option<u64>,
    /// Prompt tokens that are images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_image_tokens: Option<u64>,
    /// Prompt tokens that are video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_video_tokens: Option<u64>,
    /// Cached prompt tokens that are audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_audio_tokens: Option<u64>,
    /// Answer tokens spent on reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
    /// Answer tokens that are audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_audio_tokens: Option<u64>,
    /// Answer tokens that are images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_image_tokens: Option<u64>,
    /// Predicted-output tokens that were used (OpenAI `prediction`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_prediction_tokens: Option<u64>,
    /// Predicted-output tokens that were not used but billed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_prediction_tokens: Option<u64>,
    /// Provider-run web searches (count).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_searches: Option<u64>,
    /// The service tier that was served, in the provider's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Where the model ran, in the provider's word, where that changes the price (Anthropic
    /// `inference_geo`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inference_geo: Option<Box<str>>,
    /// The speed that was served, where that changes the price (Anthropic `speed`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<Box<str>>,
    /// What is paid for, where the provider counts that apart (Cohere `billed_units`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billed: Option<Box<Billed>>,
    /// What is consumed beside tokens; only operations beside chat have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units: Option<Box<Units>>,
    /// The price the provider itself stated for this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated_cost: Option<Money>,
    /// True when we counted because the provider reported nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

/// Tokens that are paid for; those of a kind that is `None` are all paid for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Billed {
    /// Of the prompt.
    pub input_tokens: Option<u64>,
    /// Of the answer.
    pub output_tokens: Option<u64>,
}

impl Usage {
    /// The provider's total, or input + output.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total_tokens.unwrap_or_else(|| self.input_tokens.saturating_add(self.output_tokens))
    }

    /// The consumption that is paid for: where a provider counts that apart, its figures stand for all
    /// details of the prompt or the answer.
    #[must_use]
    pub fn paid_for(&self) -> Cow<'_, Self> {
        let Some(units) = self.billed.as_deref() else { return Cow::Borrowed(self) };
        let mut billed = self.clone();
        if let Some(tokens) = units.input_tokens {
            billed = Self {
                input_tokens: tokens,
                cache_read_tokens: None,
                cache_write_tokens: None,
                cache_write_5m_tokens: None,
                cache_write_1h_tokens: None,
                input_audio_tokens: None,
                input_image_tokens: None,
                input_video_tokens: None,
                cache_read_audio_tokens: None,
                ..billed
            };
        }
        if let Some(tokens) = units.output_tokens {
            billed = Self {
                output_tokens: tokens,
                reasoning_tokens: None,
                output_audio_tokens: None,
                output_image_tokens: None,
                ..billed
            };
        }
        Cow::Owned(billed)
    }

    /// The consumption of both, of two calls that one answer took. Words of a provider (tier, place, speed)
    /// are the later one's; what is counted apart for payment is not summed, because prices may differ.
    #[must_use]
    pub fn with(&self, later: &Self) -> Self {
        let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (None, None) => None,
            _ => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
        };
        macro_rules! sums {
            ($($field:ident),* $(,)?) => {
                Self {
                    input_tokens: self.input_tokens.saturating_add(later.input_tokens),
                    output_tokens: self.output_tokens.saturating_add(later.output_tokens),
                    total_tokens: match (self.total_tokens, later.total_tokens) {
                        (None, None) => None,
                        _ => Some(self.total().saturating_add(later.total())),
                    },
                    $( $field: sum(self.$field, later.$field), )*
                    billed: None,
                    units: None,
                    stated_cost: None,
                    estimated: self.estimated || later.estimated,
                    ..later.clone()
                }
            };
        }
        sums!(
            cache_read_tokens,
            cache_write_tokens,
            cache_write_5m_tokens,
            cache_write_1h_tokens,
            input_audio_tokens,
            input_image_tokens,
            input_video_tokens,
            cache_read_audio_tokens,
            reasoning_tokens,
            output_audio_tokens,
            output_image_tokens,
            accepted_prediction_tokens,
            rejected_prediction_tokens,
            web_searches,
        )
    }

    /// Takes over every figure that `later` reports: providers that report usage twice in one stream
    /// mean the later figure.
    pub fn update(&mut self, later: &Self) {
        let newer = |old: u64, new: u64| if new == 0 { old } else { new };
        self.input_tokens = newer(self.input_tokens, later.input_tokens);
        self.output_tokens = newer(self.output_tokens, later.output_tokens);
        macro_rules! take {
            ($($field:ident),* $(,)?) => { $( if later.$field.is_some() { self.$field.clone_from(&later.$field); } )* };
        }
        take!(
            total_tokens,
            cache_read_tokens,
            cache_write_tokens,
            cache_write_5m_tokens,
            cache_write_1h_tokens,
            input_audio_tokens,
            input_image_tokens,
            input_video_tokens,
            cache_read_audio_tokens,
            reasoning_tokens,
            output_audio_tokens,
            output_image_tokens,
            accepted_prediction_tokens,
            rejected_prediction_tokens,
            web_searches,
            service_tier,
            inference_geo,
            speed,
            billed,
            units,
            stated_cost,
        );
        self.estimated = later.estimated;
    }
}

#[cfg(test)]
mod tests;
