//! NVIDIA Riva's recognition of speech: `nvidia.riva.asr.RivaSpeechRecognition/Recognize`, the whole recording in
//! one call of gRPC. Numbers of fields as `riva_asr.proto` and `riva_audio.proto` have them:
//! <https://docs.nvidia.com/deeplearning/riva/user-guide/docs/reference/protos/protos.html>
//!
//! Riva takes one channel of audio in five encodings, at any sample rate from 8 kHz up. Files are taken as they
//! are: WAV (16-bit samples, A-law, µ-law; several channels of samples are mixed into one), FLAC and Ogg Opus.
//! Riva takes no MP3, MP4 or WebM, and nothing is converted here.

use bytes::Bytes;
use llm_types::{OperationReply, Result, Transcript};
use serde_json::{Value, json};

use super::grpc;
use super::parts::{self, Said, broken, unsupported, wrong};
use super::protobuf::{Held, Message, fields};
use super::sound::{Coding, Listener, Sound};
use super::transcribe::{millis, word};
use crate::operations::{Job, Received, Sending, Step, Wire};

/// Recognition of a whole recording.
#[derive(Debug)]
pub(crate) struct Recognize;

const LISTENER: Listener = Listener { name: "NVIDIA Riva", laws: true };

/// `AudioEncoding` of `riva_audio.proto`.
const fn encoding(coding: Coding) -> u64 {
    match coding {
        Coding::Pcm => 1,
        Coding::Flac => 2,
        Coding::Mulaw => 3,
        Coding::OggOpus => 4,
        Coding::Alaw => 20,
    }
}

const METHOD: &str = "/nvidia.riva.asr.RivaSpeechRecognition/Recognize";

/// The language where the caller names none.
const USUAL_LANGUAGE: &str = "en-US";

/// OpenAI names languages by ISO 639-1, Riva by BCP 47, with a country: these are the ones LiteLLM adds.
const LANGUAGES: &[(&str, &str)] = &[
    ("ar", "ar-SA"),
    ("de", "de-DE"),
    ("en", "en-US"),
    ("es", "es-ES"),
    ("fr", "fr-FR"),
    ("hi", "hi-IN"),
    ("it", "it-IT"),
    ("ja", "ja-JP"),
    ("ko", "ko-KR"),
    ("pt", "pt-BR"),
    ("ru", "ru-RU"),
    ("zh", "zh-CN"),
];

impl Wire for Recognize {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let sound = Sound::of(&parts::file(job.request, "file")?.bytes, LISTENER)?;
        let config = config(job, &sound)?;
        let mut message = Message::default();
        message.message(1, &config);
        message.bytes(2, &sound.bytes);
        Ok(vec![grpc::call(METHOD, &message.into_bytes())?])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let message = grpc::message(parts::last(rounds)?)?;
        Ok(Step::done(OperationReply::Transcript(transcript(job, &message)?)))
    }
}

/// `RecognitionConfig`. Without `riva_model_name` Riva chooses the model by language and sample rate: the names in
/// NVIDIA's catalogue are not the names its servers know their models by.
fn config(job: &Job<'_>, sound: &Sound) -> Result<Message> {
    let mut said = Said::of(job);
    let language = said.text("language")?.or(said.text("language_code")?);
    let language = language.as_deref().unwrap_or(USUAL_LANGUAGE);
    let language = LANGUAGES.iter().find(|(short, _)| *short == language).map_or(language, |(_, long)| long);
    let words = wants_words(&mut said);
    let mut config = Message::default();
    config.number(1, encoding(sound.coding));
    config.number(2, sound.rate.into());
    config.bytes(3, language.as_bytes());
    config.number(4, 1);
    config.number(5, flag(&mut said, "profanity_filter")?.unwrap_or(false).into());
    config.number(7, 1);
    config.number(8, words.into());
    config.number(11, flag(&mut said, "enable_automatic_punctuation")?.unwrap_or(true).into());
    config.bytes(13, said.text("riva_model_name")?.unwrap_or_default().as_bytes());
    config.number(14, flag(&mut said, "verbatim_transcripts")?.unwrap_or(false).into());
    if flag(&mut said, "stream")? == Some(true) && !job.target.policy.drop {
        return Err(unsupported(job, "stream"));
    }
    said.end(job)?;
    Ok(config)
}

/// Whether times of words are needed: for themselves, or for the segments made of them.
fn wants_words(said: &mut Said) -> bool {
    let timed =
        matches!(said.take("timestamp_granularities"), Some(Value::Array(kinds)) if !kinds.is_empty());
    let format = said.take("response_format");
    timed || matches!(format.as_ref().and_then(Value::as_str), Some("srt" | "vtt"))
}

/// A flag; forms say flags in words.
fn flag(said: &mut Said, name: &str) -> Result<Option<bool>> {
    match said.take(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(flag)),
        Some(Value::String(word)) if word.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(word)) if word.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(other) => Err(wrong(name, &other, "`true` or `false`")),
    }
}

/// `RecognizeResponse`: results one after the other, each with its best alternative first.
fn transcript(job: &Job<'_>, message: &Bytes) -> Result<Transcript> {
    let mut heard = Transcript::default();
    let asked = job.request.params.get("timestamp_granularities").and_then(Value::as_array);
    let asks = |kind: &str| asked.is_some_and(|kinds| kinds.iter().any(|one| one == kind));
    let mut spoken = Vec::new();
    for field in fields(message) {
        if let (1, Held::Bytes(result)) = field? {
            spoken.push(Spoken::of(result)?);
        }
    }
    for one in &spoken {
        heard.text.push_str(&one.text);
        heard.duration_ms = one.until.or(heard.duration_ms);
        heard.segments.extend(one.segment(heard.segments.len()));
    }
    if asks("word") {
        heard.words = spoken.into_iter().flat_map(|one| one.words).collect();
    }
    heard.text = heard.text.trim().to_owned();
    Ok(heard)
}

/// One `SpeechRecognitionResult`.
#[derive(Debug, Default)]
struct Spoken {
    text: String,
    words: Vec<Value>,
    /// How much audio it ends behind, in thousandths of a second.
    until: Option<u64>,
}

impl Spoken {
    fn of(result: &[u8]) -> Result<Self> {
        let mut spoken = Self::default();
        let mut first = true;
        for field in fields(result) {
            match field? {
                (1, Held::Bytes(alternative)) if first => {
                    first = false;
                    spoken.hear(alternative)?;
                }
                (3, Held::Fixed32(seconds)) => spoken.until = millis(f32::from_bits(seconds).into()),
                _ => {}
            }
        }
        Ok(spoken)
    }

    fn hear(&mut self, alternative: &[u8]) -> Result<()> {
        for field in fields(alternative) {
            match field? {
                (1, Held::Bytes(text)) => self.text = utf8(text)?,
                (3, Held::Bytes(said)) => self.words.push(timed(said)?),
                _ => {}
            }
        }
        Ok(())
    }

    /// The result as one of OpenAI's segments, where its times are known.
    fn segment(&self, id: usize) -> Option<Value> {
        let (first, last) = (self.words.first()?, self.words.last()?);
        let text = self.text.trim();
        Some(json!({"id": id, "start": first["start"], "end": last["end"], "text": text}))
    }
}

/// `WordInfo`: times in thousandths of a second, left out where they are 0.
fn timed(said: &[u8]) -> Result<Value> {
    let (mut start, mut end, mut text) = (0, 0, String::new());
    for field in fields(said) {
        match field? {
            (1, Held::Number(at)) => start = at,
            (2, Held::Number(at)) => end = at,
            (3, Held::Bytes(word)) => text = utf8(word)?,
            _ => {}
        }
    }
    Ok(word(&text, Some(seconds(start)), Some(seconds(end))))
}

#[expect(clippy::cast_precision_loss, reason = "times of audio are small")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

fn utf8(bytes: &[u8]) -> Result<String> {
    str::from_utf8(bytes).map(str::to_owned).map_err(|_| broken("text in UTF-8"))
}

#[cfg(test)]
mod tests;
