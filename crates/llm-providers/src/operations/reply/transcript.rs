//! What was said, in the form the caller asked for (OpenAI's `response_format`).

use std::fmt::Write as _;

use bytes::Bytes;
use http::HeaderValue;
use llm_types::{Transcript, Usage};
use serde_json::{Map, Value, json};

use super::{JSON, Job};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Writes a transcript: its type and body.
pub(super) fn encode(job: &Job<'_>, reply: Transcript) -> (HeaderValue, Bytes) {
    let asked = job.asked.request().ok().and_then(|request| request.text("response_format"));
    match asked {
        Some("text") => (TEXT, format!("{}\n", reply.text).into()),
        Some("srt") => (TEXT, subtitles(&reply, false).into()),
        Some("vtt") => (TEXT, subtitles(&reply, true).into()),
        Some("verbose_json") => (JSON, verbose(job, reply).to_string().into()),
        _ => (JSON, plain(reply).to_string().into()),
    }
}

fn plain(reply: Transcript) -> Value {
    let mut whole = Map::from_iter([("text".to_owned(), Value::from(reply.text))]);
    whole.extend(usage(reply.usage, reply.duration_ms).map(|usage| ("usage".to_owned(), usage)));
    whole.into()
}

fn verbose(job: &Job<'_>, reply: Transcript) -> Value {
    let mut whole = Map::new();
    let task =
        if job.asked.operation == llm_types::Operation::Translation { "translate" } else { "transcribe" };
    whole.insert("task".to_owned(), task.into());
    whole.extend(reply.language.map(|language| ("language".to_owned(), language.into())));
    whole.extend(reply.duration_ms.map(|ms| ("duration".to_owned(), seconds(ms).into())));
    whole.insert("text".to_owned(), reply.text.into());
    for (name, list) in [("segments", reply.segments), ("words", reply.words)] {
        if !list.is_empty() {
            whole.insert(name.to_owned(), list.into());
        }
    }
    whole.extend(usage(reply.usage, reply.duration_ms).map(|usage| ("usage".to_owned(), usage)));
    whole.into()
}

/// OpenAI's two kinds of usage: tokens, or the length of the audio.
fn usage(usage: Option<Usage>, duration_ms: Option<u64>) -> Option<Value> {
    match usage.filter(|usage| usage.input_tokens > 0) {
        Some(usage) => Some(json!({
            "type": "tokens",
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "total_tokens": usage.total(),
        })),
        None => duration_ms.map(|ms| json!({"type": "duration", "seconds": seconds(ms)})),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown, never summed")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

/// SubRip or WebVTT: of the segments, else of the whole text.
fn subtitles(reply: &Transcript, vtt: bool) -> String {
    let mut out = String::new();
    if vtt {
        out.push_str("WEBVTT\n\n");
    }
    let whole = json!({"start": 0.0, "end": seconds(reply.duration_ms.unwrap_or(0)), "text": reply.text});
    let segments = if reply.segments.is_empty() { std::slice::from_ref(&whole) } else { &reply.segments };
    for (index, segment) in segments.iter().enumerate() {
        let at = |name: &str| clock(segment[name].as_f64().unwrap_or(0.0), if vtt { '.' } else { ',' });
        if !vtt {
            writeln!(out, "{}", index + 1).expect("a string takes all text");
        }
        let text = segment["text"].as_str().unwrap_or_default().trim();
        writeln!(out, "{} --> {}\n{text}\n", at("start"), at("end")).expect("a string takes all text");
    }
    out
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times of audio are small")]
fn clock(seconds: f64, mark: char) -> String {
    let ms = (seconds.max(0.0) * 1_000.0).round() as u64;
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    format!("{hours:02}:{minutes:02}:{:02}{mark}{:03}", ms / 1_000 % 60, ms % 1_000)
}
