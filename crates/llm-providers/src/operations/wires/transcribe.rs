//! Transcription in words of the vendors' own: Deepgram, ElevenLabs, Soniox.

use std::time::Duration;

use http::{HeaderValue, Method};
use llm_types::{Error, ErrorKind, OperationReply, Result, Transcript};
use serde_json::{Map, Value, json};

use super::openai::as_text;
use super::parts::{self, Said, broken, only, unsupported};
use crate::operations::{FormWriter, Job, Place, Received, Sending, Step, Wire};

/// A word with its times in seconds, as OpenAI writes it.
pub(crate) fn word(text: &str, start: Option<f64>, end: Option<f64>) -> Value {
    json!({"word": text, "start": start, "end": end})
}

/// Seconds as thousandths.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a length of audio"
)]
pub(crate) fn millis(seconds: f64) -> Option<u64> {
    (0.0..1e9).contains(&seconds).then(|| (seconds * 1_000.0).round() as u64)
}

/// `POST /v1/listen`, the audio itself as the body.
/// <https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded>
#[derive(Debug)]
pub(crate) struct Deepgram;

impl Wire for Deepgram {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let file = parts::file(job.request, "file")?;
        let mut query = format!("model={}", encoded(&job.target.model));
        said.take("response_format");
        said.take("timestamp_granularities");
        for (name, value) in said.rest() {
            let own = match &*name {
                "prompt" | "temperature" if !job.target.policy.drop => return Err(unsupported(job, &name)),
                "prompt" | "temperature" => continue,
                own => own,
            };
            query.push_str(&format!("&{}={}", encoded(own), encoded(&as_text(own, &value)?)));
        }
        let mime = file.mime.as_deref().and_then(|mime| HeaderValue::try_from(mime).ok());
        let mime = mime.unwrap_or(HeaderValue::from_static("audio/wav"));
        Ok(vec![Sending::payload(Place::Path(format!("/listen?{query}")), mime, file.into())])
    }

    fn streams(&self) -> bool {
        true
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let channel = &reply["results"]["channels"][0];
        let best = &channel["alternatives"][0];
        let said = |one: &Value| {
            let text = one["punctuated_word"].as_str().or_else(|| one["word"].as_str());
            word(text.unwrap_or_default(), one["start"].as_f64(), one["end"].as_f64())
        };
        Ok(Step::done(OperationReply::Transcript(Transcript {
            text: best["transcript"].as_str().ok_or_else(|| broken("`transcript`"))?.to_owned(),
            language: channel["detected_language"].as_str().map(str::to_owned),
            duration_ms: reply["metadata"]["duration"].as_f64().and_then(millis),
            words: best["words"].as_array().into_iter().flatten().map(said).collect(),
            ..Transcript::default()
        })))
    }
}

/// Text for a query.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `POST /v1/speech-to-text`. <https://elevenlabs.io/docs/api-reference/speech-to-text/convert>
#[derive(Debug)]
pub(crate) struct Eleven;

impl Wire for Eleven {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let file = parts::file(job.request, "file")?;
        let mut form = FormWriter::default();
        form.text("model_id", &*job.target.model);
        if let Some(language) = said.text("language")? {
            form.text("language_code", language);
        }
        said.take("response_format");
        said.take("timestamp_granularities");
        let rest = said.rest();
        for (name, value) in &rest {
            form.text(name, as_text(name, value)?);
        }
        let mime = file.mime.as_deref().unwrap_or("application/octet-stream");
        form.file("file", &file.file_name, mime, file);
        let (kind, body) = form.finish();
        Ok(vec![Sending::payload(Place::Path("/v1/speech-to-text".to_owned()), kind, body)])
    }

    fn streams(&self) -> bool {
        true
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let words = reply["words"].as_array().cloned().unwrap_or_default();
        let spoken = words.iter().filter(|one| one["type"] == "word");
        let said = |one: &Value| {
            word(one["text"].as_str().unwrap_or_default(), one["start"].as_f64(), one["end"].as_f64())
        };
        let end = words.last().and_then(|one| one["end"].as_f64());
        Ok(Step::done(OperationReply::Transcript(Transcript {
            text: reply["text"].as_str().ok_or_else(|| broken("`text`"))?.to_owned(),
            language: reply["language_code"].as_str().map(str::to_owned),
            duration_ms: reply["audio_duration_secs"].as_f64().or(end).and_then(millis),
            words: spoken.map(said).collect(),
            ..Transcript::default()
        })))
    }
}

/// Soniox: a file is left, written down, fetched and taken away again.
/// <https://soniox.com/docs/stt/async/async-transcription>
#[derive(Debug)]
pub(crate) struct Soniox;

/// How often to look whether it is written down.
const LOOKS: usize = 1_200;
const PAUSE: Duration = Duration::from_millis(500);

impl Soniox {
    fn ask(said: &mut Said, job: &Job<'_>, file: &str) -> Result<Sending> {
        let mut body = Map::from_iter([("model".to_owned(), Value::from(job.target.model.clone()))]);
        body.insert("file_id".to_owned(), file.into());
        if let Some(language) = said.text("language")? {
            body.insert("language_hints".to_owned(), json!([language]));
        }
        said.rename("prompt", "context", &mut body);
        said.take("response_format");
        said.take("timestamp_granularities");
        Ok(Sending::json(Place::Path("/v1/transcriptions".to_owned()), &body.into()))
    }

    fn away(path: String) -> Sending {
        Sending { method: Method::DELETE, ..Sending::get(Place::Path(path)) }
    }
}

impl Wire for Soniox {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let file = parts::file(job.request, "file")?;
        let mut form = FormWriter::default();
        let mime = file.mime.as_deref().unwrap_or("application/octet-stream");
        form.file("file", &file.file_name, mime, file);
        let (kind, body) = form.finish();
        Ok(vec![Sending::payload(Place::Path("/v1/files".to_owned()), kind, body)])
    }

    fn streams(&self) -> bool {
        true
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let id_of = |round: usize| -> Result<String> {
            let reply =
                rounds.get(round).and_then(|round| round.first()).ok_or_else(|| broken("body"))?.json()?;
            let id =
                reply["id"].as_str().filter(|id| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
            id.map(str::to_owned).ok_or_else(|| broken("`id`"))
        };
        if rounds.len() == 1 {
            let mut said = Said::of(job);
            return Ok(Step::Ask(Duration::ZERO, vec![Self::ask(&mut said, job, &id_of(0)?)?]));
        }
        let (file, task) = (id_of(0)?, id_of(1)?);
        let path = format!("/v1/transcriptions/{task}");
        let round = parts::last(rounds)?;
        // The last round takes file and task away: the transcript came the round before.
        let before = rounds.len().checked_sub(2).and_then(|at| rounds.get(at)?.first());
        if rounds.last().is_some_and(|round| round.len() == 2) {
            return Ok(Step::done(transcript(&before.ok_or_else(|| broken("transcript"))?.json()?)?));
        }
        let reply = round.json()?;
        if reply["tokens"].is_array() || reply["text"].is_string() {
            let all = vec![Self::away(path), Self::away(format!("/v1/files/{file}"))];
            return Ok(Step::Ask(Duration::ZERO, all));
        }
        match reply["status"].as_str() {
            Some("completed") => {
                Ok(Step::Ask(Duration::ZERO, vec![Sending::get(Place::Path(format!("{path}/transcript")))]))
            }
            Some("error") => {
                let why = reply["error_message"].as_str().unwrap_or("no reason given");
                Err(Error::new(
                    ErrorKind::BadUpstream,
                    format!("the provider could not write it down: {why}"),
                ))
            }
            _ if rounds.len() > LOOKS => {
                Err(Error::new(ErrorKind::Timeout, format!("the transcript is not done after {LOOKS} looks")))
            }
            _ => Ok(Step::Ask(PAUSE, vec![Sending::get(Place::Path(path))])),
        }
    }
}

fn transcript(reply: &Value) -> Result<OperationReply> {
    let tokens = reply["tokens"].as_array().cloned().unwrap_or_default();
    let text = match reply["text"].as_str() {
        Some(text) => text.to_owned(),
        None if tokens.is_empty() => return Err(broken("`text`")),
        None => tokens.iter().filter_map(|token| token["text"].as_str()).collect(),
    };
    let seconds = |value: &Value| value.as_f64().map(|ms| ms / 1_000.0);
    let words = tokens.iter().map(|token| {
        word(
            token["text"].as_str().unwrap_or_default().trim(),
            seconds(&token["start_ms"]),
            seconds(&token["end_ms"]),
        )
    });
    Ok(OperationReply::Transcript(Transcript {
        text,
        language: tokens.iter().find_map(|token| token["language"].as_str()).map(str::to_owned),
        duration_ms: tokens.last().and_then(|token| token["end_ms"].as_u64()),
        words: words.collect(),
        ..Transcript::default()
    }))
}
