//! A form that arrives in pieces is the form that lies there whole.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use llm_types::{BodyStream, ErrorKind, Result, Stored};

use super::super::{Change, Form};
use super::FormScan;
use crate::operations::Payload;

const KIND: &str = "multipart/form-data; boundary=b1";

#[derive(Debug)]
struct Shelf(Bytes);

impl Stored for Shelf {
    fn read(self: Arc<Self>, range: Range<u64>) -> BodyStream {
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        let bytes = self.0.slice(range);
        Box::pin(futures_util::stream::iter([Ok(bytes)]))
    }
}

fn scan(body: &[u8], piece: usize) -> Result<(Bytes, Form)> {
    let mut scan = FormScan::new(KIND)?;
    for piece in body.chunks(piece) {
        scan.push(piece)?;
    }
    let store: Arc<dyn Stored> = Arc::new(Shelf(Bytes::copy_from_slice(body)));
    scan.finish(&store)
}

fn load(payload: Payload) -> Bytes {
    match payload {
        Payload::Whole(bytes) => bytes,
        Payload::Pieces(pieces) => joined(pieces),
    }
}

fn joined(pieces: llm_types::Pieces) -> Bytes {
    let mut loading = Box::pin(async move { pieces.load(u64::MAX).await });
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match loading.as_mut().poll(&mut cx) {
        std::task::Poll::Ready(bytes) => bytes.unwrap(),
        std::task::Poll::Pending => panic!("nothing here waits"),
    }
}

fn sample() -> Vec<u8> {
    let text = "--b1\nContent-Disposition: form-data; name=\"model\"\n\nwhisper\n--b1 \t\n\
                Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\nContent-Type: audio/wav\n\n\
                RI\0FF--b\n--b\n\n--b1\nContent-Disposition: form-data; name=\"empty\"\n\n\n--b1\n\
                Content-Disposition: form-data; name=\"none\"; filename=\"\"\n\n\n--b1--\nepilogue --b1";
    text.replace('\n', "\r\n").into_bytes()
}

/// The form as it would be sent on, the model replaced.
fn sent((body, form): &(Bytes, Form)) -> Bytes {
    load(form.changed(body, &[("more".to_owned(), "yes".to_owned())], |field| match &*field.name {
        "model" => Change::Say("model".to_owned(), "other".to_owned()),
        _ => Change::Keep,
    }))
}

#[test]
fn whatever_the_pieces_the_form_is_sent_on_as_if_it_had_lain_there() {
    for body in [sample(), [&b"preamble\r\n"[..], &sample()].concat()] {
        let whole = (Bytes::from(body.clone()), Form::read(KIND, &body).unwrap());
        for piece in 1..body.len() + 1 {
            let apart = scan(&body, piece).unwrap();
            let [_, file, empty, none] = &*apart.1.fields else { panic!("{:?}", apart.1) };
            let kept = file.kept.as_ref().unwrap();
            assert_eq!((kept.len(), kept.start()), (15, &b"RI\0FF--b\r\n--b\r\n"[..]), "{piece}");
            assert!(empty.kept.is_none() && none.kept.as_ref().unwrap().is_empty());
            assert_eq!(sent(&apart), sent(&whole), "{piece}");
            assert_eq!(&apart.0[apart.1.fields[0].content.clone()], b"whisper");
        }
    }
}

#[test]
fn what_is_wrong_with_a_form_is_told_alike() {
    let head = "--b1\nContent-Disposition: form-data; name=\"a\"\n";
    for text in [
        "no boundary".to_owned(),
        format!("{head}\nx"),
        "--b1x\n--b1--".to_owned(),
        "--b1\nContent-Disposition: form-data\n\nx\n--b1--".to_owned(),
        "--b1\nno colon\n\nx\n--b1--".to_owned(),
        "--b1\nname=x\n--b1--".to_owned(),
        format!("{head}\n--b1--"),
        format!("--b1\nX: {}\n\nx\n--b1--", "a".repeat(9_000)),
        format!("{head}\nx\n{}--b1--", format!("{head}\nx\n").repeat(300)),
    ] {
        let body = text.replace('\n', "\r\n").into_bytes();
        let whole = Form::read(KIND, &body).unwrap_err().to_string();
        for piece in [1, 7, 4_096, body.len()] {
            assert_eq!(scan(&body, piece).unwrap_err().to_string(), whole, "{text:.80} by {piece}");
        }
    }
}

#[test]
fn texts_are_kept_in_memory_within_a_limit() {
    let long = "x".repeat(5 * 1024 * 1024);
    let body = format!("--b1\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\n{long}\r\n--b1--\r\n");
    let error = scan(body.as_bytes(), 65_536).unwrap_err();
    assert_eq!((error.kind(), error.param()), (ErrorKind::TooLarge, Some("prompt")), "{error}");
}
