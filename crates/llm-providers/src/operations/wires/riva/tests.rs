//! What Riva is asked, and what its answers say.

use bytes::Bytes;
use http::HeaderMap;
use llm_types::{ErrorKind, Operation, OperationReply, Transcript};
use serde_json::json;

use crate::operations::wires::protobuf::{Held, Message, fields};
use crate::operations::wires::tests::with_job;
use crate::operations::{Asked, Received, Step};
use crate::{PreparedTarget, Target};

fn asked(fields: &[(&str, &str)]) -> Asked {
    let wav = crate::operations::audio::wav(b"abcd", 8_000);
    let mut form = Vec::new();
    for (name, value) in fields {
        form.extend_from_slice(
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes(),
        );
    }
    form.extend_from_slice(
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n",
    );
    form.extend_from_slice(&wav);
    form.extend_from_slice(b"\r\n--b--\r\n");
    Asked::read(Operation::Transcription, form.into(), "multipart/form-data; boundary=b").unwrap().0
}

/// The fields of a message as text: numbers, and bytes as text.
fn shown(message: &[u8]) -> Vec<String> {
    let one = |(field, held)| match held {
        Held::Number(number) => format!("{field}: {number}"),
        Held::Bytes(bytes) => format!("{field}: {}", String::from_utf8_lossy(bytes)),
        other => panic!("{other:?}"),
    };
    fields(message).map(|field| one(field.unwrap())).collect()
}

/// `RecognitionConfig` of a request.
fn config(params: &[(&str, &str)]) -> Vec<String> {
    with_job("nvidia_riva", "nvidia/parakeet-ctc-1_1b-asr", &asked(params), |job, _| {
        let sending = job.entry.wire.begin(job).unwrap().swap_remove(0);
        let held: Vec<_> = fields(&sending.body[5..]).map(Result::unwrap).collect();
        let [(1, Held::Bytes(config)), (2, Held::Bytes(b"abcd"))] = held[..] else { panic!("{held:?}") };
        shown(config)
    })
}

#[test]
fn a_recording_is_sent_in_one_message() {
    let usual = ["1: 1", "2: 8000", "3: en-US", "4: 1", "7: 1", "11: 1"];
    assert_eq!(config(&[("model", "x")]), usual);
    assert_eq!(config(&[("model", "x"), ("response_format", "json"), ("language", "en")]), usual);
    let params = [
        ("language", "de"),
        ("timestamp_granularities[]", "word"),
        ("riva_model_name", "parakeet"),
        ("enable_automatic_punctuation", "false"),
        ("verbatim_transcripts", "true"),
        ("profanity_filter", "True"),
    ];
    assert_eq!(
        config(&params),
        ["1: 1", "2: 8000", "3: de-DE", "4: 1", "5: 1", "7: 1", "8: 1", "13: parakeet", "14: 1"]
    );
    assert!(config(&[("response_format", "srt")]).contains(&"8: 1".to_owned()));
    assert!(config(&[("language", "multi")]).contains(&"3: multi".to_owned()));
}

#[test]
fn it_goes_to_the_method_of_the_service() {
    with_job("nvidia_riva", "m", &asked(&[]), |job, target| {
        let sending = job.entry.wire.begin(job).unwrap().swap_remove(0);
        let request = PreparedTarget::new(std::sync::Arc::new(target.clone())).operation(sending).unwrap();
        assert_eq!(
            request.uri,
            "grpcs://grpc.nvcf.nvidia.com:443/nvidia.riva.asr.RivaSpeechRecognition/Recognize"
        );
        assert_eq!(request.headers["authorization"], "Bearer k");
        assert_eq!(request.headers["content-type"], "application/grpc");
    });
}

#[test]
fn what_it_has_no_field_for_is_refused() {
    for (name, value) in [("stream", "true"), ("chunking_strategy", "auto"), ("profanity_filter", "maybe")] {
        with_job("nvidia_riva", "m", &asked(&[(name, value)]), |job, _| {
            let error = job.entry.wire.begin(job).unwrap_err();
            assert_eq!(error.param(), Some(name));
        });
    }
    let asked = asked(&[("prompt", "p")]);
    let spec = crate::Registry::built_in().provider("nvidia_riva").unwrap().clone();
    let target = Target::bare(spec, "m");
    let entry = crate::operations::entry(&target.spec, Operation::Transcription, "m").unwrap();
    let error = crate::operations::settle(&asked, &target, entry, None).unwrap_err();
    assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some("prompt")));
}

fn word(text: &str, start: u64, end: u64) -> Message {
    let mut word = Message::default();
    word.number(1, start);
    word.number(2, end);
    word.bytes(3, text.as_bytes());
    word
}

/// `SpeechRecognitionResult` with a best alternative and another, `audio_processed` behind them.
fn result(text: &str, words: &[Message], until: f32) -> Vec<u8> {
    let mut best = Message::default();
    best.bytes(1, text.as_bytes());
    words.iter().for_each(|word| best.message(3, word));
    let mut other = Message::default();
    other.bytes(1, b"another guess");
    let mut result = Message::default();
    result.message(1, &best);
    result.message(1, &other);
    let mut bytes = result.into_bytes();
    bytes.push(3 << 3 | 5);
    bytes.extend_from_slice(&until.to_le_bytes());
    bytes
}

fn heard(params: &[(&str, &str)], results: &[Vec<u8>]) -> Transcript {
    let mut message = Message::default();
    results.iter().for_each(|result| message.bytes(1, result));
    let message = message.into_bytes();
    let mut body = vec![0];
    body.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    body.extend_from_slice(&message);
    body.extend_from_slice(b"\x80\0\0\0\x10grpc-status: 0\r\n");
    with_job("nvidia_riva", "m", &asked(params), |job, _| {
        let received = Received { headers: HeaderMap::new(), body: Bytes::from(body) };
        let Step::Done(done) = job.entry.wire.read(job, &[vec![received]]).unwrap() else { panic!() };
        let OperationReply::Transcript(heard) = *done else { panic!() };
        heard
    })
}

#[test]
fn results_are_read_one_after_the_other() {
    let results = [
        result("Good day. ", &[word("Good", 0, 250), word("day.", 250, 500)], 0.5),
        result("Bye. ", &[word("Bye.", 1_000, 1_250)], 1.5),
    ];
    let plain = heard(&[], &results);
    assert_eq!((&*plain.text, plain.duration_ms, plain.words.len()), ("Good day. Bye.", Some(1_500), 0));
    let timed = heard(&[("timestamp_granularities[]", "word")], &results);
    assert_eq!(timed.words[1], json!({"word": "day.", "start": 0.25, "end": 0.5}));
    assert_eq!(timed.words.len(), 3);
    assert_eq!(timed.segments[1], json!({"id": 1, "start": 1.0, "end": 1.25, "text": "Bye."}));
    assert_eq!(heard(&[], &[]).text, "");
}
