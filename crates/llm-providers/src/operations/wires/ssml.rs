//! Azure AI Speech: a text is spoken as its markup says.
//! <https://learn.microsoft.com/azure/ai-services/speech-service/rest-text-to-speech>

use http::HeaderValue;
use llm_types::Result;

use super::parts::{Said, unsupported};
use crate::Auth;
use crate::operations::{Job, Place, Received, Sending, Step, Taking, Wire};

/// `POST /cognitiveservices/v1`.
#[derive(Debug)]
pub(crate) struct AzureSpeech;

/// Azure's voices that stand for OpenAI's.
const VOICES: &[(&str, &str)] = &[
    ("alloy", "en-US-JennyNeural"),
    ("echo", "en-US-GuyNeural"),
    ("fable", "en-GB-RyanNeural"),
    ("onyx", "en-US-DavisNeural"),
    ("nova", "en-US-AmberNeural"),
    ("shimmer", "en-US-AriaNeural"),
];

impl Wire for AzureSpeech {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let text = said.required("input")?;
        let voice = said.text("voice")?.unwrap_or_else(|| "alloy".to_owned());
        let voice = VOICES.iter().find(|(name, _)| *name == voice).map_or(&*voice, |(_, theirs)| theirs);
        let speed = job.request.number("speed");
        said.take("speed");
        let format = match said.text("response_format")?.as_deref() {
            None | Some("mp3") => "audio-24khz-48kbitrate-mono-mp3",
            Some("opus") => "ogg-48khz-16bit-mono-opus",
            Some("wav") => "riff-24khz-16bit-mono-pcm",
            Some("pcm") => "raw-24khz-16bit-mono-pcm",
            Some(_) => return Err(unsupported(job, "response_format")),
        };
        said.end(job)?;
        let markup = if text.trim_start().starts_with("<speak") { text } else { markup(&text, voice, speed) };
        let kind = HeaderValue::from_static("application/ssml+xml");
        let place = speech_host(job);
        let sending = Sending::bytes(place, kind, markup.into());
        let sending = sending.with("x-microsoft-outputformat", format);
        Ok(vec![sending.signed(Auth::Header("ocp-apim-subscription-key".into()))])
    }

    fn read(&self, _job: &Job<'_>, _rounds: &[Vec<Received>]) -> Result<Step> {
        Ok(Step::Forward)
    }

    fn taking(&self, _job: &Job<'_>) -> Taking {
        Taking::Flow
    }
}

/// Operators give the region's endpoint of all cognitive services; speech has a host of its own beside it.
fn speech_host(job: &Job<'_>) -> Place {
    let path = "/cognitiveservices/v1";
    let base = &job.target.base_url;
    let region =
        base.strip_prefix("https://").and_then(|rest| rest.strip_suffix(".api.cognitive.microsoft.com"));
    match region {
        Some(region) => Place::Link(format!("https://{region}.tts.speech.microsoft.com{path}")),
        None => Place::Path(path.to_owned()),
    }
}

/// A text in markup, at a speed: `1.2` is a fifth faster.
fn markup(text: &str, voice: &str, speed: Option<f64>) -> String {
    let language: Vec<&str> = voice.splitn(3, '-').take(2).collect();
    let language = if language.len() == 2 { language.join("-") } else { "en-US".to_owned() };
    let rate = speed.map_or(0, percent);
    let spoken = match rate {
        0 => escaped(text),
        rate => format!("<prosody rate='{rate:+}%'>{}</prosody>", escaped(text)),
    };
    format!(
        "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='{}'>\n    \
         <voice name='{}'>\n        {spoken}\n    </voice>\n</speak>",
        escaped(&language),
        escaped(voice)
    )
}

/// The change of speed in whole per cent, as LiteLLM cuts it.
#[expect(clippy::cast_possible_truncation, reason = "speeds are small")]
fn percent(speed: f64) -> i64 {
    ((speed - 1.0) * 100.0) as i64
}

/// Text between tags and quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            letter => out.push(letter),
        }
    }
    out
}
