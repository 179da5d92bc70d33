//! What Amazon Transcribe is told of a recording, and what it tells of it.

use bytes::BytesMut;
use http::HeaderMap;
use llm_types::Operation;

use super::*;
use crate::framing::event_stream::{write, write_exception};
use crate::operations::Asked;
use crate::operations::wires::tests::with_job;

/// A second of silence at 8 kHz.
fn wav() -> Vec<u8> {
    let mut file =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data".to_vec();
    file.extend_from_slice(&16_000_u32.to_le_bytes());
    file.resize(file.len() + 16_000, 0);
    file
}

fn asked(file: &[u8], params: &[(&str, &str)]) -> Asked {
    let mut form = Vec::new();
    for (name, value) in [("model", "m")].iter().chain(params) {
        form.extend_from_slice(
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes(),
        );
    }
    form.extend_from_slice(
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: audio/wav\r\n\r\n",
    );
    form.extend_from_slice(file);
    form.extend_from_slice(b"\r\n--b--\r\n");
    Asked::read(Operation::Transcription, form.into(), "multipart/form-data; boundary=b").unwrap().0
}

fn begun(file: &[u8], params: &[(&str, &str)]) -> Result<Sending> {
    with_job("transcribe", "StartStreamTranscription", &asked(file, params), |job, _| {
        Stream.begin(job).map(|mut sendings| sendings.swap_remove(0))
    })
}

fn told(sending: &Sending, name: &str) -> Option<String> {
    sending.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn a_recording_is_told_by_headers_and_its_samples_are_the_body() {
    let sending = begun(&wav(), &[("language", "en"), ("vocabulary_name", "ours")]).unwrap();
    let own = |name: &str| told(&sending, &format!("x-amzn-transcribe-{name}"));
    assert_eq!(sending.place, Place::Path("/stream-transcription".to_owned()));
    assert_eq!(own("language-code").as_deref(), Some("en-US"));
    assert_eq!(own("identify-language"), None);
    assert_eq!(own("media-encoding").as_deref(), Some("pcm"));
    assert_eq!(own("sample-rate").as_deref(), Some("8000"));
    assert_eq!(own("vocabulary-name").as_deref(), Some("ours"));
    assert_eq!(told(&sending, "x-amz-content-sha256").as_deref(), Some("STREAMING-AWS4-HMAC-SHA256-EVENTS"));
    assert_eq!(sending.body.len(), 16_000, "samples without the file's head");
}

#[test]
fn where_no_language_is_named_it_is_one_of_some() {
    let own = |params: &[(&str, &str)], name: &str| {
        told(&begun(&wav(), params).unwrap(), &format!("x-amzn-transcribe-{name}"))
    };
    assert_eq!(own(&[], "identify-language").as_deref(), Some("true"));
    assert_eq!(own(&[], "language-code"), None);
    let options = own(&[], "language-options").unwrap();
    assert!(options.contains("de-DE,en-US") && options.len() <= 200, "{options}");
    let named = [("language_options", "de-DE,fr-FR")];
    assert_eq!(own(&named, "language-options").as_deref(), Some("de-DE,fr-FR"));
    assert_eq!(own(&[("language", "de-CH")], "language-code").as_deref(), Some("de-CH"));
}

#[test]
fn what_it_does_not_take_is_refused_by_name() {
    let mut quick = wav();
    quick[24..28].copy_from_slice(&96_000_u32.to_le_bytes());
    for (file, params, param, found) in [
        (b"ID3\x04mp3".to_vec(), &[][..], "file", "another kind of file"),
        (quick, &[], "file", "96000"),
        (wav(), &[("colour", "blue")], "colour", "takes no such parameter"),
        (wav(), &[("vocabulary_name", "a\nb")], "vocabulary_name", "a header can carry"),
    ] {
        let error = begun(&file, params).unwrap_err();
        assert_eq!(error.param(), Some(param), "{error}");
        assert!(error.message().contains(found), "{error}");
    }
}

fn heard(body: BytesMut, params: &[(&str, &str)]) -> Result<Transcript> {
    let received = Received { headers: HeaderMap::new(), body: body.freeze() };
    with_job("transcribe", "m", &asked(&wav(), params), |job, _| {
        match Stream.read(job, &[vec![received]])? {
            Step::Done(reply) => match *reply {
                OperationReply::Transcript(heard) => Ok(heard),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    })
}

fn event(partial: bool, text: &str, (start, end): (f64, f64)) -> String {
    let item = |content: &str, kind: &str| json!({"Content": content, "Type": kind, "StartTime": start, "EndTime": end});
    let items = [item(text.trim_end_matches('.'), "pronunciation"), item(".", "punctuation")];
    json!({"Transcript": {"Results": [{"IsPartial": partial, "StartTime": start, "EndTime": end, "LanguageCode": "en-US",
        "Alternatives": [{"Transcript": text, "Items": items}]}]}})
    .to_string()
}

#[test]
fn results_that_are_final_make_the_transcript() {
    let mut body = BytesMut::new();
    for (partial, text, times) in
        [(true, "Goo", (0.0, 0.2)), (false, "Good.", (0.0, 0.3)), (false, "Day.", (0.4, 0.8))]
    {
        write(&mut body, "TranscriptEvent", event(partial, text, times).as_bytes());
    }
    let whole = heard(body.clone(), &[("timestamp_granularities[]", "word")]).unwrap();
    assert_eq!((&*whole.text, whole.language.as_deref()), ("Good. Day.", Some("en-US")));
    assert_eq!(whole.duration_ms, Some(1_000), "the silence at the end is paid for");
    assert_eq!(whole.segments[1], json!({"id": 1, "start": 0.4, "end": 0.8, "text": "Day."}));
    let words = [word("Good", Some(0.0), Some(0.3)), word("Day", Some(0.4), Some(0.8))];
    assert_eq!(whole.words, words, "stops are no words");
    assert_eq!(heard(body, &[]).unwrap().words, Vec::<Value>::new(), "nobody asked for words");
    assert_eq!(heard(BytesMut::new(), &[]).unwrap().text, "", "silence is no error");
}

#[test]
fn exceptions_and_cut_streams_are_errors() {
    for (name, kind) in [
        ("BadRequestException", ErrorKind::BadRequest),
        ("LimitExceededException", ErrorKind::RateLimited),
        ("InternalFailureException", ErrorKind::BadUpstream),
        ("ServiceUnavailableException", ErrorKind::Overloaded),
        ("InvalidSignatureException", ErrorKind::Unauthenticated),
    ] {
        let mut body = BytesMut::new();
        write(&mut body, "TranscriptEvent", event(false, "Good.", (0.0, 0.3)).as_bytes());
        write_exception(&mut body, name, br#"{"Message":"it went wrong"}"#);
        let error = heard(body, &[]).unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, Some(name)));
        assert!(error.message().contains("it went wrong"), "{error}");
    }
    let mut body = BytesMut::new();
    write(&mut body, "TranscriptEvent", event(false, "Good.", (0.0, 0.3)).as_bytes());
    body.truncate(body.len() - 1);
    assert_eq!(heard(body, &[]).unwrap_err().kind(), ErrorKind::BadUpstream);
    let mut body = BytesMut::new();
    write(&mut body, "TranscriptEvent", br#"{"Transcript": "#);
    assert_eq!(heard(body, &[]).unwrap_err().kind(), ErrorKind::BadUpstream, "words may be lost in it");
}
