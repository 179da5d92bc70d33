//! The most a call beside chat can cost, for reservations.

use llm_providers::catalog::ModelInfo;
use llm_providers::dialect::Glance;
use llm_providers::operations::{Asked, audio_ms};
use llm_types::{ImagesMade, Money, Operation, OperationRequest, Reach, Result, Units, Usage};

use super::priced;
use crate::state::Served;
use crate::walk::Call;

/// The most tokens of one picture, made or read: OpenAI's largest at its highest quality has 6 240.
const PICTURE_TOKENS: u64 = 6_300;
/// The most tokens of one second of audio.
const TOKENS_PER_SECOND: u64 = 32;
/// Bytes of audio a second where a file does not say how long it is: speech packed tightly.
const BYTES_PER_SECOND: u64 = 2_000;
/// The most tokens of a transcript's second.
const WORDS_PER_SECOND: u64 = 8;

/// What a call uses at most.
#[derive(Debug)]
pub(in crate::walk) struct Worst<'a> {
    /// What is asked.
    request: &'a OperationRequest,
    /// Tokens of pictures and audio that are read, beside those of the texts.
    input_tokens: u64,
    /// Tokens of what is made.
    output_tokens: u64,
    units: Units,
}

/// What a call uses at most.
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] when the request cannot be read.
pub(in crate::walk) fn worst<'a>(asked: &'a Asked, glance: &Glance) -> Result<Worst<'a>> {
    let request = asked.request()?;
    let mut worst = Worst { request, input_tokens: 0, output_tokens: 0, units: Units::default() };
    match asked.operation {
        Operation::Embeddings | Operation::Moderation => {}
        Operation::Rerank => {
            let documents =
                request.params.get("documents").and_then(|list| list.as_array()).map_or(0, Vec::len);
            worst.units.queries = Some((documents as u64).div_ceil(100).max(1));
        }
        Operation::ImageGeneration | Operation::ImageEdit | Operation::ImageVariation => {
            let pictures = request.files.len() as u64;
            worst.input_tokens = pictures * PICTURE_TOKENS;
            worst.output_tokens = glance.n.saturating_mul(PICTURE_TOKENS);
            let size = request.text("size").and_then(|size| size.split_once('x'));
            let pixels = size.and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
            let pixels = pixels.or(Some((1024, 1024)));
            worst.units.images = Some(ImagesMade { count: glance.n, pixels, size: None });
        }
        Operation::Speech => {
            let characters = request.text("input").map_or(0, |text| text.chars().count() as u64);
            worst.units.characters = Some(characters);
            // A second has a dozen letters at least.
            worst.output_tokens = (characters / 12 + 1).saturating_mul(TOKENS_PER_SECOND);
        }
        Operation::Transcription | Operation::Translation => {
            let file = request.files_of("file").next();
            let ms = file.map_or(0, |file| audio_ms(file).unwrap_or(file.len() * 1_000 / BYTES_PER_SECOND));
            worst.units.audio_ms = Some(ms);
            worst.input_tokens = (ms / 1_000 + 1) * TOKENS_PER_SECOND;
            worst.output_tokens = (ms / 1_000 + 1) * WORDS_PER_SECOND;
        }
    }
    Ok(worst)
}

impl Worst<'_> {
    /// What one deployment uses at most: tokens of the prompt and the answer, money, and whether its price is
    /// known.
    pub(in crate::walk) fn of(
        &self,
        call: &Call,
        served: &Served,
        text_tokens: u64,
    ) -> ((u64, u64), Money, bool) {
        let info = priced(call, self.request, served);
        let cost = info.as_deref().map_or(Money::ZERO, |info| self.cost(served, info, text_tokens));
        let known = info.is_some_and(|info| info.price.is_known());
        ((text_tokens + self.input_tokens, self.output_tokens), cost, known)
    }

    /// What that costs, whether the call is charged by its tokens or by its units.
    fn cost(&self, served: &Served, info: &ModelInfo, text_tokens: u64) -> Money {
        let (context, reach) = (served.terms.context(), served.terms.reach(Reach::default()));
        let input_tokens = text_tokens + self.input_tokens;
        let tokens = info.price.worst_case(input_tokens, self.output_tokens, &context, reach);
        let units = Usage { units: Some(Box::new(self.units.clone())), ..Usage::default() };
        tokens.max(info.price.cost(&units, &context).total)
    }
}
