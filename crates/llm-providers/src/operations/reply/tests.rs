//! Replies in the form the caller wants, and what they consumed.

use bytes::Bytes;
use llm_types::{Embeddings, Operation, OperationReply, Ranked, Ranking, Transcript, Vector};
use serde_json::{Value, json};

use super::{encode, facts, told};
use crate::operations::{Asked, Job, entry};
use crate::{Registry, ReplyContext, Target};

/// What a job of a vendor answers.
fn job<T>(operation: Operation, body: &Value, check: impl FnOnce(&Job<'_>) -> T) -> T {
    let (asked, _) = Asked::read(operation, Bytes::from(body.to_string()), "application/json").unwrap();
    let target = Target::bare(Registry::built_in().provider("litellm_proxy").unwrap().clone(), "m");
    let entry = entry(&target.spec, operation, "m").unwrap();
    let request = asked.request().unwrap();
    check(&Job { asked: &asked, request, target: &target, entry, set: None })
}

fn written(operation: Operation, body: &Value, reply: OperationReply) -> String {
    let cx = ReplyContext { id: "call-1".to_owned(), model: "shown".to_owned(), ..ReplyContext::default() };
    let (_, bytes) = job(operation, body, |job| encode(job, reply, &cx)).unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn vectors(vectors: Vec<Vector>) -> OperationReply {
    OperationReply::Embeddings(Embeddings { vectors, ..Embeddings::default() })
}

#[test]
fn vectors_come_in_the_form_the_caller_wants() {
    let packed = "AACAPwAAAMA=";
    let both = || vectors(vec![Vector::Numbers(vec![1.0, -2.0]), Vector::Base64(packed.to_owned())]);
    let read = |body: &Value| -> Value {
        serde_json::from_str(&written(Operation::Embeddings, body, both())).unwrap()
    };
    let plain = read(&json!({"input": ["a", "b"]}));
    assert_eq!(plain["data"][0]["embedding"], json!([1.0, -2.0]));
    assert_eq!(plain["data"][1]["embedding"], json!([1.0, -2.0]));
    assert_eq!(plain["model"], "shown");
    let coded = read(&json!({"input": ["a", "b"], "encoding_format": "base64"}));
    assert_eq!(coded["data"][0]["embedding"], packed);
    assert_eq!(coded["data"][1]["embedding"], packed);
}

#[test]
fn a_vector_that_is_none_is_an_error() {
    let cx = ReplyContext::default();
    for text in ["%%%", "AAA="] {
        let reply = vectors(vec![Vector::Base64(text.to_owned())]);
        assert!(
            job(Operation::Embeddings, &json!({"input": "a"}), |job| encode(job, reply, &cx)).is_err(),
            "{text}"
        );
    }
}

#[test]
fn ranks_have_coheres_form() {
    let results = vec![Ranked { index: 1, score: 0.5, document: Some(json!({"text": "b"})) }];
    let reply = OperationReply::Ranking(Ranking { results, ..Ranking::default() });
    let body = json!({"query": "q", "documents": ["a", "b"]});
    let expected =
        r#"{"id":"call-1","results":[{"index":1,"relevance_score":0.5,"document":{"text":"b"}}],"meta":{}}"#;
    assert_eq!(written(Operation::Rerank, &body, reply), expected);
}

#[test]
fn transcripts_come_in_the_format_asked_for() {
    let reply = || {
        OperationReply::Transcript(Transcript {
            text: "Hi there".to_owned(),
            duration_ms: Some(3_661_500),
            segments: vec![json!({"start": 0.0, "end": 3661.5, "text": " Hi there"})],
            ..Transcript::default()
        })
    };
    for (format, expected) in [
        ("json", r#"{"text":"Hi there","usage":{"type":"duration","seconds":3661.5}}"#),
        ("text", "Hi there\n"),
        ("srt", "1\n00:00:00,000 --> 01:01:01,500\nHi there\n\n"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 01:01:01.500\nHi there\n\n"),
    ] {
        let body = json!({"file": "x", "response_format": format});
        assert_eq!(written(Operation::Transcription, &body, reply()), expected);
    }
}

#[test]
fn replies_tell_what_is_paid_for() {
    let usage = |operation, body: &Value, reply: &Value| {
        job(operation, body, |job| facts(job, reply.to_string().as_bytes())).usage.unwrap()
    };
    let embedded = usage(
        Operation::Embeddings,
        &json!({"input": "a"}),
        &json!({"data": [], "usage": {"prompt_tokens": 5, "total_tokens": 5}}),
    );
    assert_eq!((embedded.input_tokens, embedded.estimated, embedded.units), (5, false, None));
    let unsaid = usage(Operation::Embeddings, &json!({"input": ["four", "letters!"]}), &json!({"data": []}));
    assert_eq!((unsaid.input_tokens, unsaid.estimated), (3, true));
    let drawn = usage(
        Operation::ImageGeneration,
        &json!({"prompt": "p", "size": "256x512"}),
        &json!({"data": [{}, {}], "usage": {"input_tokens": 3, "output_tokens": 40, "total_tokens": 43,
            "input_tokens_details": {"image_tokens": 1, "text_tokens": 2}}}),
    );
    let made = drawn.units.unwrap().images.unwrap();
    assert_eq!((made.count, made.pixels, drawn.output_image_tokens), (2, Some((256, 512)), Some(40)));
    assert_eq!(drawn.input_image_tokens, Some(1));
    let heard = usage(
        Operation::Transcription,
        &json!({"file": "x"}),
        &json!({"text": "t", "usage": {"type": "duration", "seconds": 7}}),
    );
    assert_eq!(heard.units.unwrap().audio_ms, Some(7_000));
    let verbose =
        usage(Operation::Transcription, &json!({"file": "x"}), &json!({"text": "t", "duration": 1.25}));
    assert_eq!(verbose.units.unwrap().audio_ms, Some(1_250));
    let ranked = usage(
        Operation::Rerank,
        &json!({"query": "q", "documents": []}),
        &json!({"results": [], "meta": {"billed_units": {"search_units": 3}}}),
    );
    assert_eq!(ranked.units.unwrap().queries, Some(3));
}

#[test]
fn speech_is_paid_for_by_its_letters() {
    let reply = OperationReply::Audio { mime: "audio/mpeg".to_owned(), bytes: Bytes::new(), usage: None };
    let facts = job(Operation::Speech, &json!({"input": "häuser"}), |job| told(job, &reply));
    assert_eq!(facts.usage.unwrap().units.unwrap().characters, Some(6));
}
