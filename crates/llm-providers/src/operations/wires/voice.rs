//! Transcription in further words of vendors' own: AssemblyAI, Azure AI Speech, Voxtral on Bedrock.

use std::time::Duration;

use llm_types::{Error, ErrorKind, OperationReply, Result, Transcript, Upload, Usage};
use serde_json::{Map, Value, json};

use super::parts::{self, Said, broken, only};
use super::transcribe::word;
use crate::Auth;
use crate::operations::{FormWriter, Job, Place, Received, Sending, Step, Wire};

/// How often to look whether it is written down, and after which pause.
const LOOKS: usize = 1_200;
const PAUSE: Duration = Duration::from_millis(500);

/// AssemblyAI: the audio is left, written down, and asked for until it is there.
/// <https://www.assemblyai.com/docs/api-reference/transcripts/submit>
#[derive(Debug)]
pub(crate) struct Assembly;

impl Assembly {
    /// Its transcripts have a host beside its models', and take a key alone.
    fn there(path: String) -> Place {
        Place::Host("https://api.assemblyai.com", path)
    }

    fn signed(sending: Sending) -> Sending {
        sending.signed(Auth::Header("authorization".into()))
    }

    fn ask(job: &Job<'_>, url: &Value) -> Result<Sending> {
        let mut said = Said::of(job);
        let mut body = Map::from_iter([("audio_url".to_owned(), url.clone())]);
        body.insert("speech_model".to_owned(), job.target.model.clone().into());
        match said.text("language")? {
            Some(language) => body.insert("language_code".to_owned(), language.into()),
            None => body.insert("language_detection".to_owned(), true.into()),
        };
        said.take("response_format");
        said.take("timestamp_granularities");
        body.extend(said.rest());
        Ok(Self::signed(Sending::json(Self::there("/v2/transcript".to_owned()), &body.into())))
    }
}

impl Wire for Assembly {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let file = parts::file(job.request, "file")?;
        let kind = http::HeaderValue::from_static("application/octet-stream");
        let place = Self::there("/v2/upload".to_owned());
        Ok(vec![Self::signed(Sending::payload(place, kind, file.into()))])
    }

    fn streams(&self) -> bool {
        true
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        if rounds.len() == 1 {
            let url = reply.get("upload_url").filter(|url| url.is_string());
            let next = Self::ask(job, url.ok_or_else(|| broken("`upload_url`"))?)?;
            return Ok(Step::Ask(Duration::ZERO, vec![next]));
        }
        match reply["status"].as_str() {
            Some("completed") => Ok(Step::done(OperationReply::Transcript(heard(&reply)?))),
            Some("error") => {
                let why = reply["error"].as_str().unwrap_or("no reason given");
                let message = format!("the provider could not write it down: {why}");
                Err(Error::new(ErrorKind::BadUpstream, message))
            }
            _ if rounds.len() > LOOKS => {
                Err(Error::new(ErrorKind::Timeout, format!("the transcript is not done after {LOOKS} looks")))
            }
            _ => {
                let id = reply["id"]
                    .as_str()
                    .filter(|id| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
                    .ok_or_else(|| broken("`id`"))?;
                let look = Sending::get(Self::there(format!("/v2/transcript/{id}")));
                Ok(Step::Ask(PAUSE, vec![Self::signed(look)]))
            }
        }
    }
}

fn heard(reply: &Value) -> Result<Transcript> {
    let seconds = |value: &Value| value.as_f64().map(|ms| ms / 1_000.0);
    let words = reply["words"].as_array().into_iter().flatten().map(|one| {
        word(one["text"].as_str().unwrap_or_default(), seconds(&one["start"]), seconds(&one["end"]))
    });
    Ok(Transcript {
        text: reply["text"].as_str().ok_or_else(|| broken("`text`"))?.to_owned(),
        language: reply["language_code"].as_str().map(str::to_owned),
        duration_ms: reply["audio_duration"].as_u64().map(|seconds| seconds.saturating_mul(1_000)),
        words: words.collect(),
        ..Transcript::default()
    })
}

/// Azure AI Speech's fast transcription.
/// <https://learn.microsoft.com/azure/ai-services/speech-service/fast-transcription-create>
#[derive(Debug)]
pub(crate) struct FastSpeech;

impl Wire for FastSpeech {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let file = parts::file(job.request, "file")?;
        let mut definition = Map::new();
        if let Some(language) = said.text("language")? {
            definition.insert("locales".to_owned(), json!([language]));
        }
        said.take("response_format");
        said.take("timestamp_granularities");
        definition.extend(said.rest());
        let mut form = FormWriter::default();
        form.text("definition", Value::from(definition).to_string());
        form.file("audio", &file.file_name, mime(file), file);
        let (kind, body) = form.finish();
        let path = "/speechtotext/transcriptions:transcribe?api-version={version}".to_owned();
        Ok(vec![Sending::payload(Place::Path(path), kind, body)])
    }

    fn streams(&self) -> bool {
        true
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let seconds = |value: &Value| value.as_f64().map(|ms| ms / 1_000.0);
        let timed = |one: &Value| {
            let end = seconds(&one["offsetMilliseconds"]).zip(seconds(&one["durationMilliseconds"]));
            let text = one["text"].as_str().unwrap_or_default();
            word(text, seconds(&one["offsetMilliseconds"]), end.map(|(start, long)| start + long))
        };
        let phrases = reply["phrases"].as_array().map_or(&[][..], Vec::as_slice);
        let words = phrases.iter().flat_map(|phrase| phrase["words"].as_array().into_iter().flatten());
        let combined = reply["combinedPhrases"].as_array().ok_or_else(|| broken("`combinedPhrases`"))?;
        let texts: Vec<&str> = combined.iter().filter_map(|phrase| phrase["text"].as_str()).collect();
        Ok(Step::done(OperationReply::Transcript(Transcript {
            text: texts.join("\n"),
            language: phrases.iter().find_map(|phrase| phrase["locale"].as_str()).map(str::to_owned),
            duration_ms: reply["durationMilliseconds"].as_u64(),
            words: words.map(timed).collect(),
            ..Transcript::default()
        })))
    }
}

/// Mistral's Voxtral behind Bedrock's `InvokeModel`: a chat that is given the audio.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-voxtral.html>
#[derive(Debug)]
pub(crate) struct Voxtral;

impl Wire for Voxtral {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let file = parts::file(job.request, "file")?;
        let mut words = "Write down what is said in this audio, word by word, and nothing else.".to_owned();
        if let Some(language) = said.text("language")? {
            words.push_str(&format!(" Its language is `{language}`."));
        }
        if let Some(prompt) = said.text("prompt")? {
            words.push_str(&format!(" What helps to understand it: {prompt}"));
        }
        let name = file.file_name.rsplit_once('.').map_or("wav", |(_, end)| end).to_ascii_lowercase();
        let audio = json!({"data": parts::base64(&file.bytes), "format": name});
        said.take("response_format");
        said.take("timestamp_granularities");
        let mut body = Map::from_iter([(
            "messages".to_owned(),
            json!([{"role": "user", "content": [
                {"type": "input_audio", "input_audio": audio}, {"type": "text", "text": words},
            ]}]),
        )]);
        body.insert("temperature".to_owned(), said.take("temperature").unwrap_or(0.into()));
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Path("/model/{model}/invoke".to_owned()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let text = reply["choices"][0]["message"]["content"].as_str().ok_or_else(|| broken("`content`"))?;
        let count = |name: &str| reply["usage"][name].as_u64();
        let usage = count("prompt_tokens").map(|input_tokens| Usage {
            input_tokens,
            output_tokens: count("completion_tokens").unwrap_or_default(),
            ..Usage::default()
        });
        let text = text.trim().to_owned();
        Ok(Step::done(OperationReply::Transcript(Transcript { text, usage, ..Transcript::default() })))
    }
}

fn mime(file: &Upload) -> &str {
    file.mime.as_deref().unwrap_or("application/octet-stream")
}

#[cfg(test)]
mod tests;
