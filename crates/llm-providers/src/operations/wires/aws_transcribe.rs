//! Amazon Transcribe: a recording sent as a stream of events that are signed one by one, its transcript coming back as
//! such a stream. <https://docs.aws.amazon.com/transcribe/latest/APIReference/API_streaming_StartStreamTranscription.html>
//!
//! It takes 16-bit samples, FLAC and Ogg Opus, at 8 to 48 kHz; nothing is converted here, but that several channels of
//! samples are mixed into one. Where the caller names no language, Transcribe tells which of some it is. What stands
//! behind the provider in a model's name means nothing to it.

use bytes::Bytes;
use http::HeaderValue;
use llm_types::{Error, ErrorKind, OperationReply, Origin, Result, Retry, Transcript};
use serde_json::{Value, json};

use super::parts::{self, Said, broken, wrong};
use super::sound::{Coding, Listener, Sound};
use super::transcribe::{millis, word};
use crate::dialect::Frame;
use crate::framing::event_stream::Splitter;
use crate::operations::{Job, Place, Received, Sending, Step, Wire, audio_ms};
use crate::signin::aws::CHAINED;

/// Transcription of a whole recording.
#[derive(Debug)]
pub(crate) struct Stream;

const LISTENER: Listener = Listener { name: "Amazon Transcribe", laws: false };

/// The sample rates it takes.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=48_000;

/// OpenAI names languages by ISO 639-1, Transcribe by BCP 47, with a country. Where none is named it is told these:
/// one country a language is what it takes.
/// <https://docs.aws.amazon.com/transcribe/latest/dg/supported-languages.html>
const LANGUAGES: &[(&str, &str)] = &[
    ("ar", "ar-SA"),
    ("de", "de-DE"),
    ("en", "en-US"),
    ("es", "es-US"),
    ("fr", "fr-FR"),
    ("hi", "hi-IN"),
    ("it", "it-IT"),
    ("ja", "ja-JP"),
    ("ko", "ko-KR"),
    ("nl", "nl-NL"),
    ("pl", "pl-PL"),
    ("pt", "pt-BR"),
    ("ru", "ru-RU"),
    ("sv", "sv-SE"),
    ("uk", "uk-UA"),
    ("zh", "zh-CN"),
];

/// Parameters of its own, which say what its headers of these names say.
const OWN: &[(&str, &str)] = &[
    ("content_redaction_type", "x-amzn-transcribe-content-redaction-type"),
    ("language_model_name", "x-amzn-transcribe-language-model-name"),
    ("pii_entity_types", "x-amzn-transcribe-pii-entity-types"),
    ("preferred_language", "x-amzn-transcribe-preferred-language"),
    ("vocabulary_filter_method", "x-amzn-transcribe-vocabulary-filter-method"),
    ("vocabulary_filter_name", "x-amzn-transcribe-vocabulary-filter-name"),
    ("vocabulary_name", "x-amzn-transcribe-vocabulary-name"),
];

impl Wire for Stream {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let Sound { coding, rate, bytes } = Sound::of(&parts::file(job.request, "file")?.bytes, LISTENER)?;
        if !RATES.contains(&rate) {
            let message = format!(
                "`file`: expected audio of 8000 to 48000 samples a second, which is what Amazon Transcribe takes; \
                 found {rate}"
            );
            return Err(Error::bad_param("file", message));
        }
        let kind = HeaderValue::from_static("application/vnd.amazon.eventstream");
        let mut sending = Sending::bytes(Place::Path("/stream-transcription".to_owned()), kind, bytes)
            .with("x-amz-target", "com.amazonaws.transcribe.Transcribe.StartStreamTranscription")
            .with("x-amz-content-sha256", CHAINED)
            .with("x-amzn-transcribe-media-encoding", encoding(coding))
            .with("x-amzn-transcribe-sample-rate", &rate.to_string());
        let mut said = Said::of(job);
        let options = said.text("language_options")?;
        sending = match (said.text("language")?, options) {
            (Some(language), _) => sending.with("x-amzn-transcribe-language-code", code(&language)),
            (None, options) => {
                let options = options.unwrap_or_else(|| all_languages().join(","));
                sending
                    .with("x-amzn-transcribe-identify-language", "true")
                    .with("x-amzn-transcribe-language-options", &options)
            }
        };
        for (name, header) in OWN {
            let Some(value) = said.text(name)? else { continue };
            if HeaderValue::try_from(&value).is_err() {
                return Err(wrong(name, &value.into(), "text that a header can carry"));
            }
            sending = sending.with(header, &value);
        }
        said.take("response_format");
        said.take("timestamp_granularities");
        said.end(job)?;
        Ok(vec![sending])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let body = &parts::last(rounds)?.body;
        Ok(Step::done(OperationReply::Transcript(transcript(job, body)?)))
    }
}

const fn encoding(coding: Coding) -> &'static str {
    match coding {
        Coding::Flac => "flac",
        Coding::OggOpus => "ogg-opus",
        // The listener takes no others.
        Coding::Pcm | Coding::Mulaw | Coding::Alaw => "pcm",
    }
}

/// A language with a country; one that has a country already, or that we do not know, as it is.
fn code(language: &str) -> &str {
    let known = LANGUAGES.iter().find(|(short, _)| short.eq_ignore_ascii_case(language));
    known.map_or(language, |(_, long)| long)
}

fn all_languages() -> Vec<&'static str> {
    LANGUAGES.iter().map(|(_, long)| *long).collect()
}

/// The results that are final, one after the other.
fn transcript(job: &Job<'_>, body: &Bytes) -> Result<Transcript> {
    let asked = job.request.params.get("timestamp_granularities").and_then(Value::as_array);
    let wants_words = asked.is_some_and(|kinds| kinds.iter().any(|one| one == "word"));
    let mut splitter = Splitter::new();
    splitter.push(body.clone());
    let mut heard = Transcript::default();
    let mut texts: Vec<String> = Vec::new();
    while let Some(frame) = splitter.next_frame()? {
        let event = event(&frame)?;
        for result in event["Transcript"]["Results"].as_array().into_iter().flatten() {
            if result["IsPartial"] == true {
                continue;
            }
            let best = &result["Alternatives"][0];
            let text = best["Transcript"].as_str().ok_or_else(|| broken("`Transcript`"))?.trim().to_owned();
            let (start, end) = (&result["StartTime"], &result["EndTime"]);
            heard.segments.push(json!({"id": texts.len(), "start": start, "end": end, "text": text}));
            heard.duration_ms = end.as_f64().and_then(millis).or(heard.duration_ms);
            if heard.language.is_none() {
                heard.language = result["LanguageCode"].as_str().map(str::to_owned);
            }
            if wants_words {
                heard.words.extend(words(best));
            }
            texts.push(text);
        }
    }
    splitter.finish()?;
    heard.text = texts.join(" ");
    // All of the audio is paid for, the silence behind the last word too.
    let whole = job.request.files_of("file").next().and_then(audio_ms);
    heard.duration_ms = whole.or(heard.duration_ms);
    Ok(heard)
}

fn words(best: &Value) -> impl Iterator<Item = Value> {
    let items = best["Items"].as_array().into_iter().flatten();
    items.filter(|item| item["Type"] == "pronunciation").map(|item| {
        let text = item["Content"].as_str().unwrap_or_default();
        word(text, item["StartTime"].as_f64(), item["EndTime"].as_f64())
    })
}

/// What a frame says.
///
/// # Errors
/// The exception that it is, in our kinds.
fn event(frame: &Frame) -> Result<Value> {
    let name = std::str::from_utf8(&frame.event).unwrap_or_default();
    let said = serde_json::from_slice::<Value>(&frame.data);
    let Some(exception) = name.strip_prefix("exception:").or_else(|| name.strip_prefix("error:")) else {
        // What cannot be read may be words that were said: nothing of a transcript is left out in silence.
        return said.map_err(|_| broken("event in JSON"));
    };
    let said = said.unwrap_or_default();
    let words = said["Message"].as_str().or_else(|| said["message"].as_str()).unwrap_or("no reason given");
    let message = format!("the provider gave up in the middle of the audio: {exception}: {words}");
    let kind = match exception {
        "BadRequestException" => ErrorKind::BadRequest,
        "LimitExceededException" => ErrorKind::RateLimited,
        "ServiceUnavailableException" => ErrorKind::Overloaded,
        // A signature that no longer held is nothing the caller has a part in.
        "InvalidSignatureException" | "ExpiredTokenException" | "AccessDeniedException" => {
            let error = Error::new(ErrorKind::Unauthenticated, message).with_code(exception);
            return Err(error.with_origin(Origin::Upstream).with_retry(Retry::Elsewhere));
        }
        _ => ErrorKind::BadUpstream,
    };
    Err(Error::new(kind, message).with_code(exception))
}

#[cfg(test)]
mod tests;
