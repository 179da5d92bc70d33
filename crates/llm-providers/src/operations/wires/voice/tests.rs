//! What is asked and read by each.

use http::HeaderMap;
use llm_types::{Operation, OperationReply};
use serde_json::{Value, json};

use super::super::tests::with_job;
use crate::operations::{Asked, Received, Step};

fn audio(more: &str) -> Asked {
    let form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.MP3\"\r\n\r\nbytes\r\n{more}--b--\r\n"
    );
    Asked::read(Operation::Transcription, form.into(), "multipart/form-data; boundary=b").unwrap().0
}

const LANGUAGE: &str = "--b\r\nContent-Disposition: form-data; name=\"language\"\r\n\r\nen\r\n";

fn received(value: &Value) -> Vec<Received> {
    vec![Received { headers: HeaderMap::new(), body: value.to_string().into() }]
}

fn heard(step: Step) -> llm_types::Transcript {
    match step {
        Step::Done(reply) => match *reply {
            OperationReply::Transcript(heard) => heard,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn assemblyai_is_asked_until_it_is_written_down() {
    with_job("assemblyai", "best", &audio(LANGUAGE), |job, _| {
        let wire = job.entry.wire;
        let first = wire.begin(job).unwrap().swap_remove(0);
        assert_eq!(&*first.body, b"bytes");
        let mut rounds = vec![received(&json!({"upload_url": "https://cdn.example/1"}))];
        let Step::Ask(_, next) = wire.read(job, &rounds).unwrap() else { panic!() };
        let asked: Value = serde_json::from_slice(&next[0].body).unwrap();
        assert_eq!(
            asked,
            json!({"audio_url": "https://cdn.example/1", "speech_model": "best", "language_code": "en"})
        );
        rounds.push(received(&json!({"id": "t-1", "status": "queued"})));
        let Step::Ask(pause, next) = wire.read(job, &rounds).unwrap() else { panic!() };
        assert!(!pause.is_zero());
        assert!(format!("{:?}", next[0].place).contains("/v2/transcript/t-1"));
        let failed = received(&json!({"id": "t-1", "status": "error", "error": "no sound"}));
        let error = wire.read(job, &[rounds.clone(), vec![failed]].concat()).unwrap_err();
        assert!(error.message().contains("no sound"), "{error}");
        rounds.push(received(&json!({
            "id": "t-1", "status": "completed", "text": "hi you", "language_code": "en", "audio_duration": 3,
            "words": [{"text": "hi", "start": 100, "end": 500}],
        })));
        let heard = heard(wire.read(job, &rounds).unwrap());
        assert_eq!((&*heard.text, heard.duration_ms), ("hi you", Some(3_000)));
        assert_eq!(heard.words, [json!({"word": "hi", "start": 0.1, "end": 0.5})]);
    });
}

#[test]
fn azure_speech_takes_a_form_with_a_definition() {
    with_job("azure_speech", "fast", &audio(LANGUAGE), |job, _| {
        let first = job.entry.wire.begin(job).unwrap().swap_remove(0);
        let body = String::from_utf8_lossy(&first.body).into_owned();
        assert!(body.contains(r#"{"locales":["en"]}"#) && body.contains("name=\"audio\""), "{body}");
        // The answer that Microsoft's page shows, its words between left out:
        // <https://learn.microsoft.com/azure/ai-services/speech-service/fast-transcription-create>
        let reply = json!({
            "durationMilliseconds": 182_439,
            "combinedPhrases": [{"text": "Good afternoon. This is Sam. Thank you for calling Contoso. How can I help?"}],
            "phrases": [{
                "offsetMilliseconds": 960, "durationMilliseconds": 640, "text": "Good afternoon.",
                "words": [
                    {"text": "Good", "offsetMilliseconds": 960, "durationMilliseconds": 240},
                    {"text": "afternoon.", "offsetMilliseconds": 1200, "durationMilliseconds": 400},
                ],
                "locale": "en-US", "confidence": 0.936_169_15,
            }],
        });
        let heard = heard(job.entry.wire.read(job, &[received(&reply)]).unwrap());
        assert_eq!(heard.text, "Good afternoon. This is Sam. Thank you for calling Contoso. How can I help?");
        assert_eq!((heard.duration_ms, &*heard.language.unwrap()), (Some(182_439), "en-US"));
        assert_eq!(
            heard.words,
            [
                json!({"word": "Good", "start": 0.96, "end": 1.2}),
                json!({"word": "afternoon.", "start": 1.2, "end": 1.6}),
            ]
        );
    });
}

#[test]
fn voxtral_is_given_the_audio_in_a_chat() {
    with_job("bedrock", "mistral.voxtral-mini-3b-2507", &audio(""), |job, _| {
        let first = job.entry.wire.begin(job).unwrap().swap_remove(0);
        let asked: Value = serde_json::from_slice(&first.body).unwrap();
        let sound = &asked["messages"][0]["content"][0]["input_audio"];
        assert_eq!(*sound, json!({"data": "Ynl0ZXM=", "format": "mp3"}));
        let reply = json!({
            "choices": [{"message": {"content": " hi "}}], "usage": {"prompt_tokens": 5, "completion_tokens": 2},
        });
        let heard = heard(job.entry.wire.read(job, &[received(&reply)]).unwrap());
        assert_eq!((&*heard.text, heard.usage.unwrap().output_tokens), ("hi", 2));
    });
}
