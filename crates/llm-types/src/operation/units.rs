//! What operations consume beside tokens, and which rates it is paid by.

use serde::{Deserialize, Serialize};

use crate::{Meter, Price};

/// Consumption that is not tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Units {
    /// Pictures that were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<ImagesMade>,
    /// Pictures that were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images_in: Option<u64>,
    /// Thousandths of a second of audio that was heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_ms: Option<u64>,
    /// Characters that were spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub characters: Option<u64>,
    /// Queries, or what the provider calls search units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries: Option<u64>,
}

/// Pictures of one size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImagesMade {
    /// How many.
    pub count: u64,
    /// Width and height of each in pixels, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixels: Option<(u32, u32)>,
    /// The provider's word for their size, where it is no width and height: `2K`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Box<str>>,
}

impl Units {
    /// What is charged by which meter, in thousandths of its unit: of several rates that price the same fact
    /// the one by which LiteLLM counts (surface §9.1). `by_tokens` tells that the call is charged by its
    /// tokens already.
    pub(crate) fn metered(&self, price: &Price, by_tokens: bool) -> Vec<(Meter, u64, Option<&str>)> {
        let mut charged = Vec::new();
        let mut first = |meters: &[Meter], units: u64, size| {
            if let Some(meter) =
                meters.iter().find(|meter| price.rates.iter().any(|rate| rate.meter == **meter))
            {
                charged.push((*meter, units.saturating_mul(1_000), size));
            }
        };
        if let Some(images) = self.images.as_ref().filter(|_| !by_tokens) {
            let size = images.size.as_deref();
            let has = |meter| price.rates.iter().any(|rate| rate.meter == meter);
            if has(Meter::ImageOut) || has(Meter::ImageIn) {
                first(&[Meter::ImageOut, Meter::ImageIn], images.count, size);
            } else if let Some((width, height)) = images.pixels {
                let pixels = u64::from(width) * u64::from(height);
                first(&[Meter::PixelIn, Meter::PixelOut], images.count.saturating_mul(pixels), None);
            }
        }
        if let Some(images) = self.images_in {
            first(&[Meter::ImageIn], images, None);
        }
        if let Some(characters) = self.characters {
            first(&[Meter::CharacterIn], characters, None);
        }
        if let Some(queries) = self.queries {
            first(&[Meter::Query], queries, None);
        }
        if let Some(ms) = self.audio_ms.filter(|_| !by_tokens) {
            let dearest = [Meter::SecondIn, Meter::SecondOut, Meter::AudioSecondIn, Meter::Second];
            let rates = price.rates.iter().filter(|rate| dearest.contains(&rate.meter));
            if let Some(rate) = rates.max_by_key(|rate| rate.femto) {
                charged.push((rate.meter, ms, None));
            }
        }
        charged
    }
}

#[cfg(test)]
mod tests;
