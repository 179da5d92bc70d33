//! Google's speech, both ways: Cloud Text-to-Speech, Gemini models that speak, Chirp, and Gemini models that
//! write down.
//! <https://cloud.google.com/text-to-speech/docs/reference/rest/v1/text/synthesize>
//! <https://ai.google.dev/gemini-api/docs/speech-generation>
//! <https://cloud.google.com/speech-to-text/v2/docs/reference/rest/v2/projects.locations.recognizers/recognize>

use llm_types::{OperationReply, Result, Transcript, Usage};
use serde_json::{Map, Value, json};

use super::parts::{self, Said, broken, only, spoken, unbase64, unsupported};
use super::transcribe::{millis, word};
use crate::operations::{Job, Place, Received, Sending, Step, Wire};

/// `text:synthesize`.
#[derive(Debug)]
pub(crate) struct Synthesize;

/// Gemini's models that speak.
#[derive(Debug)]
pub(crate) struct GeminiSpeech;

/// `recognizers/_:recognize`.
#[derive(Debug)]
pub(crate) struct Recognize;

/// Gemini's models that write down, by the Interactions API. <https://ai.google.dev/api/interactions-api>
#[derive(Debug)]
pub(crate) struct Interactions;

/// Google's voices that stand for OpenAI's.
const VOICES: &[(&str, &str)] = &[
    ("alloy", "en-US-Studio-O"),
    ("echo", "en-US-Studio-M"),
    ("fable", "en-GB-Studio-B"),
    ("onyx", "en-US-Wavenet-D"),
    ("nova", "en-US-Studio-O"),
    ("shimmer", "en-US-Wavenet-F"),
];

impl Wire for Synthesize {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let text = said.required("input")?;
        let markup = text.trim_start().starts_with("<speak");
        let input = if markup { json!({ "ssml": text }) } else { json!({ "text": text }) };
        let voice = match said.take("voice") {
            None => json!({"languageCode": "en-US", "name": "en-US-Studio-O"}),
            Some(Value::String(name)) => {
                let name = VOICES.iter().find(|(ours, _)| *ours == name).map_or(&*name, |(_, theirs)| theirs);
                let language: Vec<&str> = name.splitn(3, '-').take(2).collect();
                json!({"languageCode": language.join("-"), "name": name})
            }
            Some(own) => own,
        };
        let encoding = match said.text("response_format")?.as_deref() {
            None | Some("wav" | "pcm") => "LINEAR16",
            Some("mp3") => "MP3",
            Some("opus") => "OGG_OPUS",
            Some(_) => return Err(unsupported(job, "response_format")),
        };
        let speed = said.take("speed").map_or(Value::from("1"), |speed| speed);
        let audio =
            said.take("audioConfig").unwrap_or(json!({"audioEncoding": encoding, "speakingRate": speed}));
        let mut body = Map::new();
        body.insert("input".to_owned(), input);
        body.insert("voice".to_owned(), voice);
        body.insert("audioConfig".to_owned(), audio);
        body.extend(said.rest());
        let place = Place::Host("https://texttospeech.googleapis.com", "/v1/text:synthesize".to_owned());
        Ok(vec![Sending::json(place, &body.into()).with("charset", "UTF-8").with_project(job)])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let audio = reply["audioContent"].as_str().ok_or_else(|| broken("`audioContent`"))?;
        let mime = match job.request.text("response_format") {
            Some("mp3") => "audio/mpeg",
            Some("opus") => "audio/ogg",
            _ => "audio/wav",
        };
        Ok(Step::done(spoken(mime, unbase64(audio)?)))
    }
}

impl Wire for GeminiSpeech {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let text = said.required("input")?;
        let voice = said.text("voice")?.unwrap_or_else(|| "Kore".to_owned());
        if said.text("response_format")?.is_some_and(|format| !matches!(&*format, "pcm" | "wav"))
            && !job.target.policy.drop
        {
            return Err(unsupported(job, "response_format"));
        }
        let text = match said.text("instructions")? {
            Some(how) => format!("{how}: {text}"),
            None => text,
        };
        let mut config = Map::new();
        config.insert("responseModalities".to_owned(), json!(["AUDIO"]));
        config.insert(
            "speechConfig".to_owned(),
            json!({"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}}),
        );
        config.extend(said.rest());
        let body =
            json!({"contents": [{"role": "user", "parts": [{"text": text}]}], "generationConfig": config});
        let place = match job.entry.wrapped {
            true => Place::Wrapped("/models/{model}:generateContent".to_owned()),
            false => Place::Path(format!("/models/{}:generateContent", job.target.model)),
        };
        Ok(vec![Sending::json(place, &body)])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let parts = reply["candidates"][0]["content"]["parts"].as_array().ok_or_else(|| broken("audio"))?;
        let mut samples = Vec::new();
        let mut mime = "audio/L16;rate=24000".to_owned();
        for part in parts {
            if let Some(data) = part["inlineData"]["data"].as_str() {
                samples.extend(unbase64(data)?);
                mime = part["inlineData"]["mimeType"].as_str().unwrap_or(&mime).to_owned();
            }
        }
        if samples.is_empty() {
            return Err(broken("audio"));
        }
        let told = &reply["usageMetadata"];
        let usage = told["promptTokenCount"].as_u64().map(|input_tokens| {
            let output = told["candidatesTokenCount"].as_u64().unwrap_or(0);
            Usage {
                input_tokens,
                output_tokens: output,
                output_audio_tokens: Some(output),
                ..Usage::default()
            }
        });
        let wav = job.request.text("response_format") == Some("wav");
        let rate = mime.split("rate=").nth(1).and_then(|rate| rate.parse().ok()).unwrap_or(24_000);
        let (mime, bytes) = match wav {
            true => ("audio/wav".to_owned(), crate::operations::audio::wav(&samples, rate)),
            false => (mime, samples),
        };
        Ok(Step::done(OperationReply::Audio { mime, bytes: bytes.into(), usage }))
    }
}

impl Wire for Recognize {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let file = parts::file(job.request, "file")?;
        let languages = match said.text("language")? {
            Some(language) => json!([language]),
            None => said.take("languageCodes").unwrap_or(json!(["auto"])),
        };
        let mut features = json!({"enableAutomaticPunctuation": true});
        if let Some(Value::Array(kinds)) = said.take("timestamp_granularities")
            && kinds.iter().any(|kind| kind == "word")
        {
            features["enableWordTimeOffsets"] = true.into();
        }
        said.take("response_format");
        let mut config = Map::new();
        config.insert("model".to_owned(), job.target.model.clone().into());
        config.insert("languageCodes".to_owned(), languages);
        config.insert("features".to_owned(), features);
        config.insert("autoDecodingConfig".to_owned(), json!({}));
        config.extend(said.rest());
        let body = json!({"config": config, "content": parts::base64(&file.bytes)});
        let path = "/v2/projects/{project}/locations/{region}/recognizers/_:recognize".to_owned();
        let place = Place::Host("https://{region}-speech.googleapis.com", path);
        Ok(vec![Sending::json(place, &body).with_project(job)])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let mut heard = Transcript::default();
        let mut texts = Vec::new();
        for result in reply["results"].as_array().into_iter().flatten() {
            let best = &result["alternatives"][0];
            texts.extend(best["transcript"].as_str().map(str::trim));
            if let Some(language) = result["languageCode"].as_str() {
                heard.language.get_or_insert_with(|| language.to_owned());
            }
            for said in best["words"].as_array().into_iter().flatten() {
                let at = |name: &str| {
                    said[name].as_str().and_then(|at| at.trim_end_matches('s').parse::<f64>().ok())
                };
                heard.words.push(word(
                    said["word"].as_str().unwrap_or_default(),
                    at("startOffset"),
                    at("endOffset"),
                ));
            }
        }
        heard.text = texts.join(" ");
        let billed = reply["metadata"]["totalBilledDuration"].as_str();
        heard.duration_ms = billed.and_then(|billed| millis(billed.trim_end_matches('s').parse().ok()?));
        Ok(Step::done(OperationReply::Transcript(heard)))
    }
}

impl Wire for Interactions {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let file = parts::file(job.request, "file")?;
        let mime = file.mime.as_deref().filter(|mime| mime.starts_with("audio/")).unwrap_or("audio/wav");
        let mut input = vec![json!({"type": "audio", "data": parts::base64(&file.bytes), "mime_type": mime})];
        if let Some(prompt) = said.text("prompt")? {
            input.push(json!({"type": "text", "text": prompt}));
        }
        said.take("response_format");
        let mut body = Map::from_iter([("model".to_owned(), job.target.model.clone().into())]);
        body.insert("input".to_owned(), input.into());
        body.extend(said.rest());
        let place = Place::Path("/v1beta/interactions".to_owned());
        Ok(vec![Sending::json(place, &body.into()).with("api-revision", "2026-05-20")])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let mut text = String::new();
        for output in reply["outputs"].as_array().ok_or_else(|| broken("`outputs`"))? {
            text.push_str(output["text"].as_str().unwrap_or_default());
        }
        let told = &reply["usage"];
        let usage = told["total_input_tokens"].as_u64().map(|input_tokens| Usage {
            input_tokens,
            output_tokens: told["total_output_tokens"].as_u64().unwrap_or(0),
            input_audio_tokens: Some(input_tokens),
            ..Usage::default()
        });
        Ok(Step::done(OperationReply::Transcript(Transcript { text, usage, ..Transcript::default() })))
    }
}
