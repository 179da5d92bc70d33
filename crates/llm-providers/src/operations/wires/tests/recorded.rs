//! What vendors of speech answered once, recorded, and a file of audio one of them was sent.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use llm_types::{Operation, OperationReply, Transcript};
use serde_json::Value;

use super::{read, with_job};
use crate::dialects::recordings;
use crate::operations::{Asked, Received, Step, audio, facts};

fn transcription() -> Asked {
    let form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n\
        --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n\
        bytes\r\n--b--\r\n";
    Asked::read(Operation::Transcription, form.into(), "multipart/form-data; boundary=b").unwrap().0
}

/// Whether a length is one of seconds, but for a thousandth.
fn is_about(ms: Option<u64>, seconds: f64) -> bool {
    let told = Duration::from_secs_f64(seconds).as_millis();
    ms.is_some_and(|ms| u128::from(ms).abs_diff(told) <= 1)
}

fn heard(provider: &str, model: &str, reply: &Value) -> Transcript {
    match read(provider, model, &transcription(), reply) {
        OperationReply::Transcript(heard) => heard,
        other => panic!("{other:?}"),
    }
}

#[test]
fn transcripts_of_deepgram() {
    for (name, record) in recordings(&["traffic/deepgram"], &["listen"], 2) {
        let body = &record["response"]["body"];
        let heard = heard("deepgram", "nova-3", body);
        let said = &body["results"]["channels"][0]["alternatives"][0];
        assert_eq!(heard.text, said["transcript"].as_str().unwrap(), "{name}");
        assert_eq!(heard.words.len(), said["words"].as_array().unwrap().len(), "{name}");
        let seconds = body["metadata"]["duration"].as_f64().unwrap();
        assert!(is_about(heard.duration_ms, seconds), "{name}: {:?} and {seconds} s", heard.duration_ms);
    }
}

#[test]
fn transcripts_of_elevenlabs() {
    for (name, record) in recordings(&["traffic/elevenlabs"], &["audio/transcriptions"], 1) {
        let body = &record["response"]["body"];
        let heard = heard("elevenlabs", "scribe_v1", body);
        assert_eq!(heard.text, body["text"].as_str().unwrap(), "{name}");
        assert_eq!(heard.language.as_deref(), body["language_code"].as_str(), "{name}");
        let words = body["words"].as_array().unwrap();
        let end = words.last().unwrap()["end"].as_f64().unwrap();
        assert!(is_about(heard.duration_ms, end), "{name}: {:?} and {end} s", heard.duration_ms);
        let spoken = words.iter().filter(|word| word["type"] == "word").count();
        assert_eq!(heard.words.len(), spoken, "{name}: pauses and noises are no words");
    }
}

#[test]
fn transcripts_of_voxtral_are_passed_on_and_counted() {
    for (name, record) in recordings(&["traffic/mistral"], &["audio/transcriptions"], 0) {
        let body = Bytes::from(record["response"]["body"].to_string());
        let asked = transcription();
        with_job("mistral", "voxtral-mini-latest", &asked, |job, _| {
            let received = Received { headers: HeaderMap::new(), body: body.clone() };
            let step = job.entry.wire.read(job, &[vec![received]]).unwrap();
            assert!(matches!(step, Step::Forward), "{name}");
            let usage = facts(job, &body).usage.unwrap();
            assert_eq!((usage.input_tokens, usage.output_tokens), (13, 151), "{name}");
            assert_eq!(usage.units.and_then(|units| units.audio_ms), Some(36_000), "{name}");
        });
    }
}

#[test]
fn a_file_is_as_long_as_the_vendor_heard() {
    // They were written by a program that did not know their end: the header says no size.
    for (name, record) in recordings(&["traffic/deepgram"], &["listen"], 2) {
        let Some(file) = record["request"]["body"].as_str() else { continue };
        let file = STANDARD.decode(file).unwrap();
        let seconds = record["response"]["body"]["metadata"]["duration"].as_f64().unwrap();
        let length = audio::length_ms(&file);
        assert!(is_about(length, seconds), "{name}: {length:?} and {seconds} s");
    }
}
