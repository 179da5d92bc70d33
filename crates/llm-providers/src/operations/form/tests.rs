//! Forms are read where they lie, and nothing in them breaks out.

use super::{Change, Form, FormWriter};
use crate::operations::Payload;

/// The form, all of which stands in memory.
fn finish(form: FormWriter<'_>) -> (http::HeaderValue, bytes::Bytes) {
    let (kind, payload) = form.finish();
    (kind, whole(payload))
}

fn whole(payload: Payload) -> bytes::Bytes {
    match payload {
        Payload::Whole(bytes) => bytes,
        Payload::Pieces(pieces) => panic!("{pieces:?}"),
    }
}

const KIND: &str = "multipart/form-data; boundary=b1";

fn body(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

fn sample() -> Vec<u8> {
    body(
        "--b1\nContent-Disposition: form-data; name=\"model\"\n\nwhisper\n--b1\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".wav\"\nContent-Type: audio/wav\n\n\
         RI\0FF--b\n--b1--\n",
    )
}

#[test]
fn fields_are_read_where_they_lie() {
    let body = sample();
    let form = Form::read(KIND, &body).unwrap();
    let [model, file] = &*form.fields else { panic!("{form:?}") };
    assert_eq!(
        (&*model.name, &model.file_name, &body[model.content.clone()]),
        ("model", &None, &b"whisper"[..])
    );
    assert_eq!(file.file_name.as_deref(), Some("a \"b\".wav"));
    assert_eq!(file.mime.as_deref(), Some("audio/wav"));
    assert_eq!(&body[file.content.clone()], b"RI\0FF--b");
}

#[test]
fn names_of_files_may_be_coded() {
    for (said, expected) in [
        ("filename*=UTF-8''na%C3%AFve%2.wav", "naïve%2.wav"),
        ("filename=\"naive.wav\"; filename*=utf-8'en'na%C3%AFve.wav", "naïve.wav"),
        ("filename*=UTF-8''a.wav; filename=b.wav", "a.wav"),
        ("filename*=plain.wav", "plain.wav"),
    ] {
        let text = format!("--b1\nContent-Disposition: form-data; name=\"file\"; {said}\n\nRIFF\n--b1--\n");
        let form = Form::read(KIND, &body(&text)).unwrap();
        assert_eq!(form.fields[0].file_name.as_deref(), Some(expected), "{said}");
    }
}

#[test]
fn a_forwarded_form_differs_in_the_changed_field_only() {
    let body = sample();
    let form = Form::read(KIND, &body).unwrap();
    let changed = form.changed(&body, &[], |field| match &*field.name {
        "model" => Change::Say("model".to_owned(), "other".to_owned()),
        _ => Change::Keep,
    });
    let expected = String::from_utf8_lossy(&body).replacen("whisper", "other", 1);
    assert_eq!(String::from_utf8_lossy(&whole(changed)), expected);
}

#[test]
fn broken_forms_are_refused_with_a_reason() {
    let head = "--b1\nContent-Disposition: form-data; name=\"a\"\n";
    for (kind, text, why) in [
        ("application/json", "{}".to_owned(), "expected a form"),
        ("multipart/form-data", String::new(), "names no boundary"),
        ("multipart/form-data; boundary=\"\"", String::new(), "boundary has 1 to 70"),
        ("multipart/form-data; boundary=a\u{1}", String::new(), "boundary has 1 to 70"),
        (KIND, "no boundary".to_owned(), "nowhere in the body"),
        (KIND, format!("{head}\nx"), "ends before its last boundary"),
        (KIND, "--b1x\n--b1--".to_owned(), "not followed by a line break"),
        (KIND, "--b1\nContent-Disposition: form-data\n\nx\n--b1--".to_owned(), "has no name"),
        (KIND, "--b1\nno colon\n\nx\n--b1--".to_owned(), "no colon"),
        (KIND, "--b1\nname=x\n--b1--".to_owned(), "no end of its head"),
        (KIND, format!("--b1\nX: {}\n\nx\n--b1--", "a".repeat(9_000)), "is longer than"),
        (KIND, format!("{head}\nx\n{}--b1--", format!("{head}\nx\n").repeat(300)), "more than 256"),
    ] {
        let error = Form::read(kind, &body(&text)).unwrap_err();
        assert!(error.message().contains(why), "{text:.60}: {error}");
    }
}

#[test]
fn a_name_cannot_break_out_of_its_head() {
    let mut form = FormWriter::default();
    let evil = "a\"\r\nX-Evil: 1\r\n\r\n.wav";
    form.file("file", evil, "audio/wav\r\nX-Evil: 1", b"bytes");
    form.text("na\r\nme", "text");
    let (kind, body) = finish(form);
    let read = Form::read(kind.to_str().unwrap(), &body).unwrap();
    assert_eq!(read.fields.len(), 2);
    let file = read.fields.iter().find(|field| field.file_name.is_some()).unwrap();
    assert_eq!(file.file_name.as_deref(), Some("a%22%0D%0AX-Evil: 1%0D%0A%0D%0A.wav"));
    assert_eq!(file.mime.as_deref(), Some("audio/wavX-Evil: 1"));
    assert_eq!(&body[file.content.clone()], b"bytes");
}

#[test]
fn a_forwarded_head_with_a_bare_line_break_is_refused() {
    let text = b"--b1\r\nContent-Disposition: form-data; name=\"a\"; filename=\"x\nX-Evil: 1\"\r\n\r\nx\r\n--b1--\r\n";
    assert!(Form::read(KIND, text).is_err());
}

#[test]
fn a_boundary_never_stands_in_the_form() {
    let mut form = FormWriter::default();
    form.file("file", "a", "x/y", b"\r\n--gateway-form-0000000000000000--\r\n");
    let (kind, body) = finish(form);
    let read = Form::read(kind.to_str().unwrap(), &body).unwrap();
    assert_eq!(&body[read.fields[0].content.clone()], b"\r\n--gateway-form-0000000000000000--\r\n");
}
