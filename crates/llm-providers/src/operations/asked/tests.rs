//! What the rooms learn of a request by one look.

use bytes::Bytes;
use llm_types::{ErrorKind, Operation};
use serde_json::json;

use super::Asked;

fn read(operation: Operation, body: &str) -> llm_types::Result<(Asked, crate::dialect::Glance)> {
    Asked::read(operation, Bytes::from(body.to_owned()), "application/json")
}

#[test]
fn a_look_tells_what_the_rooms_need() {
    let body = r#"{"model":"m","prompt":"a cat","n":3,"user":"u","api_base":"x","size":"1x1"}"#;
    let (asked, glance) = read(Operation::ImageGeneration, body).unwrap();
    assert_eq!(
        (&*glance.model, glance.n, glance.user.as_deref(), glance.prompt_bytes),
        ("m", 3, Some("u"), 7)
    );
    assert_eq!(glance.controls.len(), 1);
    let params = &asked.request().unwrap().params;
    assert_eq!(*params, *json!({"prompt": "a cat", "n": 3, "user": "u", "size": "1x1"}).as_object().unwrap());
}

#[test]
fn what_is_missing_is_named() {
    for (operation, body, lacks) in [
        (Operation::Embeddings, "{}", Some("input")),
        (Operation::Embeddings, r#"{"input":null}"#, Some("input")),
        (Operation::Rerank, r#"{"query":"q"}"#, Some("documents")),
        (Operation::Rerank, r#"{"query":"q","documents":[]}"#, None),
        (Operation::Speech, r#"{"input":"hi"}"#, None),
    ] {
        assert_eq!(read(operation, body).unwrap().1.lacks, lacks, "{body}");
    }
}

#[test]
fn what_decides_who_pays_stands_once_and_is_of_its_type() {
    for body in [
        r#"{"input":"a","input":"b"}"#,
        r#"{"input":"a","model":1}"#,
        r#"{"input":"a","n":0}"#,
        r#"{"input":"a","n":"2"}"#,
        "[]",
        "",
        "{",
    ] {
        let error = read(Operation::Embeddings, body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest, "{body}");
    }
}

#[test]
fn fields_of_forms_are_parameters_and_lists() {
    let form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n\
        --b\r\nContent-Disposition: form-data; name=\"timestamp_granularities[]\"\r\n\r\nword\r\n\
        --b\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\nsk\r\n\
        --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nbytes\r\n--b--\r\n";
    let kind = "multipart/form-data; boundary=b";
    let (asked, glance) = Asked::read(Operation::Transcription, form.into(), kind).unwrap();
    assert_eq!((&*glance.model, glance.controls.len(), glance.lacks), ("m", 1, None));
    let request = asked.request().unwrap();
    assert_eq!(request.params["timestamp_granularities"], json!(["word"]));
    assert_eq!(request.params.len(), 1);
    assert_eq!(request.files[0].bytes, "bytes");
}
