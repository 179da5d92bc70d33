//! What a reply consumed: as the provider states it, and what of the request is paid for.

use llm_types::{ImagesMade, Operation, OperationReply, Units, Usage};

use super::Job;
use crate::ReplyFacts;
use crate::scan::{self, Item, Kind};

/// Bytes of text per token where nobody counted.
const BYTES_PER_TOKEN: u64 = 4;
/// The size of pictures where nobody says one: LiteLLM's.
const USUAL_SIZE: (u32, u32) = (1024, 1024);

/// What a reply in OpenAI's form (Cohere's for reranking) told.
#[must_use]
pub fn facts(job: &Job<'_>, body: &[u8]) -> ReplyFacts {
    let reply = scan::value(body).ok();
    let member = |name: &str| reply.and_then(|reply| reply.member(name));
    let text = |name: &str| member(name).and_then(|value| value.as_str()).map(|text| text.into_owned());
    let mut made = 0;
    if let Some(data) = member("data") {
        data.elements(|_| made += 1);
    }
    let size = text("size");
    let audio = member("duration").and_then(millis);
    let usage = member("usage").or_else(|| member("meta")).map(read_usage);
    ReplyFacts {
        id: text("id"),
        model: text("model"),
        usage: Some(settled(job, usage, &Made { pictures: made, size: size.as_deref(), audio_ms: audio })),
        complete: true,
        ..ReplyFacts::default()
    }
}

/// What a translated reply told.
#[must_use]
pub fn told(job: &Job<'_>, reply: &OperationReply) -> ReplyFacts {
    let mut made = Made::default();
    match reply {
        OperationReply::Pictures(reply) => made.pictures = reply.pictures.len() as u64,
        OperationReply::Transcript(reply) => made.audio_ms = reply.duration_ms,
        _ => {}
    }
    let usage = Some(settled(job, reply.usage().cloned(), &made));
    ReplyFacts { usage, complete: true, ..ReplyFacts::default() }
}

/// What a reply that was not read told: audio that flows by.
#[must_use]
pub fn unread(job: &Job<'_>) -> ReplyFacts {
    ReplyFacts { usage: Some(settled(job, None, &Made::default())), complete: true, ..ReplyFacts::default() }
}

/// What was made.
#[derive(Debug, Default)]
struct Made<'a> {
    pictures: u64,
    size: Option<&'a str>,
    audio_ms: Option<u64>,
}

/// The usage with its units; what nobody counted is estimated from the request, and flagged.
fn settled(job: &Job<'_>, usage: Option<Usage>, made: &Made<'_>) -> Usage {
    let operation = job.asked.operation;
    let counted = usage.is_some();
    let mut usage = usage.unwrap_or_default();
    let mut units = usage.units.take().map(|units| *units).unwrap_or_default();
    match operation {
        Operation::Embeddings | Operation::Moderation => {}
        Operation::Rerank => units.queries = units.queries.or(Some(1)),
        Operation::ImageGeneration | Operation::ImageEdit | Operation::ImageVariation => {
            let asked = job.request.text("size").filter(|size| *size != "auto");
            units.images = Some(images(asked.or(made.size), made.pictures));
            // Answers of picture models are pictures.
            usage.output_image_tokens = usage.output_image_tokens.or(Some(usage.output_tokens));
        }
        Operation::Speech => units.characters = Some(characters(job)),
        Operation::Transcription | Operation::Translation => {
            units.audio_ms = units.audio_ms.or(made.audio_ms).or_else(|| length(job));
        }
    }
    let of_text = matches!(operation, Operation::Embeddings | Operation::Moderation | Operation::Speech);
    if !counted && of_text {
        usage.input_tokens = said(job).div_ceil(BYTES_PER_TOKEN);
        usage.estimated = true;
    }
    if units != Units::default() {
        usage.units = Some(Box::new(units));
    }
    usage
}

fn images(size: Option<&str>, count: u64) -> ImagesMade {
    let pixels = size.and_then(pixels);
    let word = size.filter(|_| pixels.is_none()).map(Into::into);
    ImagesMade { count, pixels: pixels.or(Some(USUAL_SIZE)), size: word }
}

/// Width and height of `1024x1024`.
pub(crate) fn pixels(size: &str) -> Option<(u32, u32)> {
    let (width, height) = size.split_once(['x', '*'])?;
    Some((width.trim().parse().ok()?, height.trim().parse().ok()?))
}

fn characters(job: &Job<'_>) -> u64 {
    job.request.text("input").map_or(0, |text| text.chars().count() as u64)
}

/// Bytes of the texts that were sent.
fn said(job: &Job<'_>) -> u64 {
    match job.request.params.get("input") {
        Some(serde_json::Value::String(text)) => text.len() as u64,
        Some(serde_json::Value::Array(texts)) => {
            texts.iter().map(|text| text.as_str().map_or(BYTES_PER_TOKEN, |text| text.len() as u64)).sum()
        }
        _ => 0,
    }
}

/// How long the caller's audio is, read from the file itself.
fn length(job: &Job<'_>) -> Option<u64> {
    job.request.files_of("file").next().and_then(super::super::audio::audio_ms)
}

/// Usage as OpenAI's replies state it, or Cohere's `meta`.
pub(crate) fn read_usage(usage: Item<'_>) -> Usage {
    let at = |path: &[&str]| usage.at(path).and_then(|value| value.as_u64());
    let first = |paths: &[&[&str]]| paths.iter().find_map(|path| at(path));
    let total = at(&["total_tokens"]);
    let input = first(&[
        &["prompt_tokens"],
        &["input_tokens"],
        &["billed_units", "input_tokens"],
        &["tokens", "input_tokens"],
    ]);
    let output = first(&[&["completion_tokens"], &["output_tokens"]]);
    let mut units = Units { queries: at(&["billed_units", "search_units"]), ..Units::default() };
    if usage.member("type").and_then(|kind| kind.as_str()).as_deref() == Some("duration") {
        units.audio_ms = usage.member("seconds").and_then(millis);
    }
    units.audio_ms = units.audio_ms.or_else(|| usage.member("prompt_audio_seconds").and_then(millis));
    let input = input.or(total).unwrap_or(0);
    Usage {
        input_tokens: input,
        output_tokens: output.unwrap_or(0),
        total_tokens: total.filter(|total| *total != input + output.unwrap_or(0)),
        input_audio_tokens: first(&[
            &["input_token_details", "audio_tokens"],
            &["input_tokens_details", "audio_tokens"],
        ]),
        input_image_tokens: first(&[
            &["input_tokens_details", "image_tokens"],
            &["prompt_tokens_details", "image_tokens"],
        ]),
        cache_read_tokens: first(&[
            &["prompt_tokens_details", "cached_tokens"],
            &["input_tokens_details", "cached_tokens"],
        ]),
        stated_cost: usage
            .member("cost")
            .and_then(|cost| cost.text.parse().ok())
            .map(llm_types::Money::from_usd),
        units: (units != Units::default()).then(|| Box::new(units)),
        ..Usage::default()
    }
}

/// Seconds as thousandths.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a length of audio"
)]
fn millis(seconds: Item<'_>) -> Option<u64> {
    let text = match seconds.kind {
        Kind::String => seconds.as_str()?.into_owned(),
        _ => seconds.text.to_owned(),
    };
    let seconds: f64 = text.parse().ok()?;
    (0.0..1e9).contains(&seconds).then(|| (seconds * 1_000.0).round() as u64)
}
