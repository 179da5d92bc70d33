//! Bodies go in whole and replies come out whole, however their bytes are cut.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use llm_types::{Body, Error, ErrorKind};
use serde_json::{Value, json};

use super::Envelope;
use crate::cloud::Words;

fn envelope() -> Envelope {
    let reply: Words = vec!["/final".into(), "/other/inner".into()].into();
    Envelope {
        places: vec![
            ("messages".into(), "/config/prompt/template".into()),
            ("model".into(), "/config/model/name".into()),
            ("stream_options".into(), "".into()),
        ]
        .into(),
        params: "/config/model/params".into(),
        rest: "".into(),
        said: Vec::new().into(),
        reply,
    }
}

#[test]
fn members_stand_in_their_places() {
    let body = json!({
        "model": "m", "messages": [1], "temperature": 0.5, "tools": [], "stream_options": {}, "custom": {"a": 1}
    });
    let said = [("/config/model/version".to_owned(), "latest".to_owned())];
    let wrapped = envelope().wrap(&Bytes::from(body.to_string()), &said).unwrap();
    let wrapped: Value = serde_json::from_slice(&wrapped).unwrap();
    assert_eq!(
        wrapped,
        json!({
            "config": {
                "prompt": {"template": [1]},
                "model": {"name": "m", "version": "latest", "params": {"temperature": 0.5, "tools": []}},
            },
            "custom": {"a": 1},
        })
    );
}

#[test]
fn a_body_that_is_no_object_is_refused() {
    let error = envelope().wrap(&Bytes::from_static(b"[1]"), &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

fn collected(body: Body) -> String {
    let Body::Stream(mut stream) = body else { panic!("expected a stream") };
    let all = futures_util::FutureExt::now_or_never(async {
        let mut all = Vec::new();
        while let Some(piece) = stream.next().await {
            match piece {
                Ok(bytes) => all.extend_from_slice(&bytes),
                Err(error) => all.extend_from_slice(format!("!{}", error.message()).as_bytes()),
            }
        }
        all
    });
    String::from_utf8(all.expect("nothing waits")).unwrap()
}

#[test]
fn streams_are_opened_whatever_their_pieces() {
    let sent = "event: x\ndata: {\"id\":1,\"final\":{\"a\":\"\u{e9}\"}}\n\n: note\n\ndata: {\"other\":{\"inner\":{\"b\":2}}}\r\n\r\n\
                data: {\"error\":{\"message\":\"no\"}}\n\ndata: [DONE]\n\ndata: {\"final\":{\"late\":1}}";
    let expected = "event: x\ndata: {\"a\":\"\u{e9}\"}\n\n: note\n\ndata: {\"b\":2}\n\n\
                    data: {\"error\":{\"message\":\"no\"}}\n\ndata: [DONE]\n\ndata: {\"late\":1}\n\n";
    for size in 1..sent.len() {
        let pieces: Vec<_> =
            sent.as_bytes().chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let body = Body::Stream(Box::pin(stream::iter(pieces)));
        assert_eq!(collected(envelope().opened(body, true)), expected, "pieces of {size}");
    }
}

#[test]
fn what_came_before_a_failure_is_told() {
    let pieces = [
        Ok(Bytes::from_static(b"data: {\"final\":{\"a\":1}}\n\ndata: {\"fin")),
        Err(Error::new(ErrorKind::BadUpstream, "cut")),
    ];
    let body = Body::Stream(Box::pin(stream::iter(pieces)));
    assert_eq!(collected(envelope().opened(body, true)), "data: {\"a\":1}\n\n!cut");
}

#[test]
fn whole_replies_are_opened() {
    for (sent, expected) in
        [(r#"{"final":{"a":1},"id":2}"#, r#"{"a":1}"#), (r#"{"error":"x"}"#, r#"{"error":"x"}"#), ("<", "<")]
    {
        let Body::Full(opened) = envelope().opened(Body::Full(Bytes::from_static(sent.as_bytes())), false)
        else {
            panic!("a whole body stays one")
        };
        assert_eq!(&*opened, expected.as_bytes());
    }
}
