//! Speech in words of the vendors' own: xAI, ElevenLabs, MiniMax, Mistral, Amazon Polly, Deepgram.

use llm_types::{Error, ErrorKind, Result};
use serde_json::{Map, Value, json};

use super::parts::{Said, broken, only, spoken, unbase64, unsupported};
use crate::operations::{Job, Place, Received, Sending, Step, Taking, Wire};

/// `POST /v1/tts`. The language is told by the text unless the caller names it, for xAI wants one said.
/// <https://docs.x.ai/developers/model-capabilities/audio/text-to-speech>
#[derive(Debug)]
pub(crate) struct Xai;

impl Wire for Xai {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut body = Map::new();
        said.rename("input", "text", &mut body);
        said.rename("voice", "voice_id", &mut body);
        let mut format =
            said.take("output_format").and_then(|own| own.as_object().cloned()).unwrap_or_default();
        match said.text("response_format")?.as_deref() {
            None => {}
            Some(codec @ ("mp3" | "wav" | "pcm" | "mulaw" | "alaw")) => {
                format.insert("codec".to_owned(), codec.into());
            }
            Some(_) => return Err(unsupported(job, "response_format")),
        }
        if !format.is_empty() {
            body.insert("output_format".to_owned(), format.into());
        }
        let language = said.take("language").unwrap_or_else(|| "auto".into());
        body.insert("language".to_owned(), language);
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Path("/v1/tts".to_owned()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, _rounds: &[Vec<Received>]) -> Result<Step> {
        Ok(Step::Forward)
    }

    fn taking(&self, _job: &Job<'_>) -> Taking {
        Taking::Flow
    }
}

/// `POST /v1/text-to-speech/{voice}`. <https://elevenlabs.io/docs/api-reference/text-to-speech/convert>
#[derive(Debug)]
pub(crate) struct Eleven;

/// ElevenLabs' voices that stand for OpenAI's: LiteLLM's choice.
const ELEVEN_VOICES: &[(&str, &str)] = &[
    ("alloy", "21m00Tcm4TlvDq8ikWAM"),
    ("amber", "5Q0t7uMcjvnagumLfvZi"),
    ("ash", "AZnzlk1XvdvUeBnXmlld"),
    ("august", "D38z5RcWu1voky8WS1ja"),
    ("blue", "2EiwWnXFnvU5JabPnv8n"),
    ("coral", "9BWtsMINqrJLrRacOk9x"),
    ("lily", "EXAVITQu4vr4xnSDxMaL"),
    ("onyx", "29vD33N1CtxCmqQRPOHJ"),
    ("sage", "CwhRBWXzGAHq8TQ4Fs17"),
    ("verse", "CYw3kZ02Hs0563khs1Fj"),
];

/// A voice of the caller's, or the vendor's that stands for it.
fn voice_of<'v>(table: &[(&str, &'v str)], voice: &'v str) -> &'v str {
    table.iter().find(|(name, _)| *name == voice).map_or(voice, |(_, theirs)| theirs)
}

impl Wire for Eleven {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let voice = said.required("voice")?;
        let format = match said.text("response_format")?.as_deref() {
            None => None,
            Some("mp3") => Some("mp3_44100_128"),
            Some("pcm") => Some("pcm_44100"),
            Some("opus") => Some("opus_48000_128"),
            Some(own) if own.contains('_') => return_format(own),
            Some(_) => return Err(unsupported(job, "response_format")),
        };
        let mut body = Map::new();
        said.rename("input", "text", &mut body);
        body.insert("model_id".to_owned(), job.target.model.clone().into());
        let mut settings =
            said.take("voice_settings").and_then(|own| own.as_object().cloned()).unwrap_or_default();
        said.rename("speed", "speed", &mut settings);
        if !settings.is_empty() {
            body.insert("voice_settings".to_owned(), settings.into());
        }
        body.extend(said.rest());
        let voice = segment(voice_of(ELEVEN_VOICES, &voice));
        let query = format.map_or(String::new(), |format| format!("?output_format={format}"));
        Ok(vec![Sending::json(Place::Path(format!("/v1/text-to-speech/{voice}{query}")), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, _rounds: &[Vec<Received>]) -> Result<Step> {
        Ok(Step::Forward)
    }

    fn taking(&self, _job: &Job<'_>) -> Taking {
        Taking::Flow
    }
}

/// A format of the vendor's own, where it is one word.
fn return_format(own: &str) -> Option<&'static str> {
    const FORMATS: [&str; 9] = [
        "mp3_22050_32",
        "mp3_44100_64",
        "mp3_44100_96",
        "mp3_44100_128",
        "mp3_44100_192",
        "pcm_16000",
        "pcm_22050",
        "pcm_24000",
        "ulaw_8000",
    ];
    FORMATS.into_iter().find(|format| *format == own)
}

/// Text for one segment of a path.
fn segment(text: &str) -> String {
    text.chars().filter(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(*letter)).collect()
}

/// `POST /v1/t2a_v2`. <https://platform.minimax.io/docs/api-reference/speech-t2a-http>
#[derive(Debug)]
pub(crate) struct Minimax;

/// `POST /v1/audio/speech` with a voice of the vendor's; the sound comes in base64.
/// <https://docs.mistral.ai/capabilities/audio/text_to_speech/>
#[derive(Debug)]
pub(crate) struct Mistral;

/// Mistral's voices that stand for OpenAI's: LiteLLM's choice.
const MISTRAL_VOICES: &[(&str, &str)] = &[
    ("alloy", "en_paul_neutral"),
    ("echo", "gb_oliver_neutral"),
    ("fable", "en_paul_cheerful"),
    ("onyx", "en_paul_confident"),
    ("nova", "gb_jane_sarcasm"),
    ("shimmer", "gb_jane_sarcasm"),
];

impl Wire for Mistral {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut body = Map::from_iter([("model".to_owned(), job.target.model.clone().into())]);
        said.rename("input", "input", &mut body);
        if let Some(voice) = said.text("voice")? {
            body.insert("voice_id".to_owned(), voice_of(MISTRAL_VOICES, &voice).into());
        }
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Path(job.entry.path.to_owned()), &body.into())])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let audio = reply["audio_data"].as_str().ok_or_else(|| broken("`audio_data`"))?;
        Ok(Step::done(spoken(mime(job.request.text("response_format")), unbase64(audio)?)))
    }
}

/// MiniMax' voices that stand for OpenAI's.
const MINIMAX_VOICES: &[(&str, &str)] = &[
    ("alloy", "male-qn-qingse"),
    ("echo", "male-qn-jingying"),
    ("fable", "female-shaonv"),
    ("onyx", "male-qn-badao"),
    ("nova", "female-yujie"),
    ("shimmer", "female-chengshu"),
];

impl Wire for Minimax {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let voice = said.text("voice")?.unwrap_or_else(|| "alloy".to_owned());
        let format = said.text("response_format")?.unwrap_or_else(|| "mp3".to_owned());
        let format = match &*format {
            known @ ("mp3" | "pcm" | "flac" | "wav") => known.to_owned(),
            _ => return Err(unsupported(job, "response_format")),
        };
        let mut body = Map::from_iter([("model".to_owned(), job.target.model.clone().into())]);
        said.rename("input", "text", &mut body);
        body.insert("stream".to_owned(), false.into());
        body.insert("output_format".to_owned(), "hex".into());
        let mut voicing = json!({
            "voice_id": voice_of(MINIMAX_VOICES, &voice),
            "speed": said.take("speed").unwrap_or(1.0.into()),
            "vol": said.take("vol").unwrap_or(1.0.into()),
            "pitch": said.take("pitch").unwrap_or(0.into()),
        });
        if let Some(emotion) = said.take("emotion") {
            voicing["emotion"] = emotion;
        }
        body.insert("voice_setting".to_owned(), voicing);
        body.insert(
            "audio_setting".to_owned(),
            json!({
                "sample_rate": said.take("sample_rate").unwrap_or(32_000.into()),
                "bitrate": said.take("bitrate").unwrap_or(128_000.into()),
                "format": format,
                "channel": said.take("channel").unwrap_or(1.into()),
            }),
        );
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Path("/v1/t2a_v2".to_owned()), &body.into())])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let status = reply["base_resp"]["status_code"].as_i64().unwrap_or(0);
        if status != 0 {
            return Err(refused(status, reply["base_resp"]["status_msg"].as_str().unwrap_or("no reason")));
        }
        let audio = reply["data"]["audio"].as_str().ok_or_else(|| broken("`data.audio`"))?;
        let mime = mime(job.request.text("response_format"));
        Ok(Step::done(spoken(mime, unhex(audio)?)))
    }
}

/// MiniMax' refusals come with a success status. <https://platform.minimax.io/docs/api-reference/errorcode>
fn refused(status: i64, why: &str) -> Error {
    let kind = match status {
        1002 | 1039 => ErrorKind::RateLimited,
        1004 => ErrorKind::Unauthenticated,
        1008 => ErrorKind::QuotaExceeded,
        1026 | 1027 => ErrorKind::ContentFiltered,
        1042 | 2013 => ErrorKind::BadRequest,
        _ => ErrorKind::BadUpstream,
    };
    Error::new(kind, format!("{why} (status_code {status})"))
}

fn unhex(text: &str) -> Result<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?)).collect();
    bytes.filter(|_| rest.is_empty()).ok_or_else(|| broken("audio in hexadecimal digits"))
}

/// The type of audio in one of OpenAI's formats.
pub(crate) fn mime(format: Option<&str>) -> &'static str {
    match format.unwrap_or("mp3") {
        "opus" => "audio/ogg",
        "aac" => "audio/aac",
        "flac" => "audio/flac",
        "wav" => "audio/wav",
        "pcm" => "audio/pcm",
        _ => "audio/mpeg",
    }
}

/// `POST /v1/speech`. <https://docs.aws.amazon.com/polly/latest/dg/API_SynthesizeSpeech.html>
#[derive(Debug)]
pub(crate) struct Polly;

/// Polly's voices that stand for OpenAI's.
const POLLY_VOICES: &[(&str, &str)] = &[
    ("alloy", "Joanna"),
    ("echo", "Matthew"),
    ("fable", "Amy"),
    ("onyx", "Brian"),
    ("nova", "Ruth"),
    ("shimmer", "Kendra"),
];

impl Wire for Polly {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let text = said.required("input")?;
        let voice = said.text("voice")?.unwrap_or_else(|| "alloy".to_owned());
        let format = match said.text("response_format")?.as_deref() {
            None | Some("mp3") => "mp3",
            Some("opus") => "ogg_opus",
            Some("pcm") => "pcm",
            Some(_) => return Err(unsupported(job, "response_format")),
        };
        let kind = if text.trim_start().starts_with("<speak") { "ssml" } else { "text" };
        let mut body = Map::new();
        body.insert("Engine".to_owned(), job.target.model.clone().into());
        body.insert("OutputFormat".to_owned(), format.into());
        body.insert("Text".to_owned(), text.into());
        body.insert("VoiceId".to_owned(), voice_of(POLLY_VOICES, &voice).into());
        body.insert("TextType".to_owned(), kind.into());
        for (name, value) in said.rest() {
            match (&*name, &value) {
                ("language_code", _) => drop(body.insert("LanguageCode".to_owned(), value)),
                (own, _) if own.starts_with(|first: char| first.is_ascii_uppercase()) => {
                    body.insert(name, value);
                }
                (_, Value::Null) => {}
                _ if job.target.policy.drop => {}
                _ => return Err(unsupported(job, &name)),
            }
        }
        Ok(vec![Sending::json(Place::Path("/v1/speech".to_owned()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, _rounds: &[Vec<Received>]) -> Result<Step> {
        Ok(Step::Forward)
    }

    fn taking(&self, _job: &Job<'_>) -> Taking {
        Taking::Flow
    }
}
