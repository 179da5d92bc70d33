//! Frames become events whatever the chunks; what is broken or excepted never ends cleanly.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use llm_types::{Body, ErrorKind, Result};

use super::unframed;
use crate::framing::event_stream;

const EVENTS: [&str; 2] =
    [r#"{"type":"message_start","message":{}}"#, "{\"type\":\"message_stop\",\n\"m\":1}"];
const WRITTEN: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n\
                       event: message_stop\ndata: {\"type\":\"message_stop\", \"m\":1}\n\n";

fn frames() -> BytesMut {
    let mut out = BytesMut::new();
    for event in EVENTS {
        let payload = format!(r#"{{"bytes":"{}","p":"abc"}}"#, STANDARD.encode(event));
        event_stream::write(&mut out, "chunk", payload.as_bytes());
    }
    out
}

fn read(pieces: Vec<Bytes>) -> Result<String> {
    let body = Body::Stream(Box::pin(stream::iter(pieces.into_iter().map(Ok))));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let whole = runtime.block_on(unframed(body).collect(1 << 20))?;
    Ok(String::from_utf8(whole.to_vec()).unwrap())
}

#[test]
fn events_come_out_whatever_the_chunks() {
    let whole = frames().freeze();
    for size in [1, 7, 64, whole.len()] {
        let pieces = whole.chunks(size).map(Bytes::copy_from_slice).collect();
        assert_eq!(read(pieces).unwrap(), WRITTEN, "{size}");
    }
}

#[test]
fn an_exception_is_an_error_event() {
    let mut bytes = frames();
    event_stream::write_exception(&mut bytes, "throttlingException", br#"{"message":"slow down"}"#);
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\
                 \"message\":\"throttlingException: slow down\"}}\n\n";
    assert_eq!(read(vec![bytes.freeze()]).unwrap(), format!("{WRITTEN}{error}"));
}

#[test]
fn what_is_cut_or_broken_is_an_error() {
    let whole = frames().freeze();
    let cut = whole.slice(..whole.len() - 3);
    let mut broken = whole.to_vec();
    broken[20] ^= 1;
    let mut no_json = BytesMut::new();
    event_stream::write(&mut no_json, "chunk", br#"{"bytes":"bm8="}"#);
    for pieces in [cut, broken.into(), no_json.freeze()] {
        assert_eq!(read(vec![pieces]).unwrap_err().kind(), ErrorKind::BadUpstream);
    }
}

#[test]
fn recorded_streams_are_read_whole() {
    let root = std::env::var_os("GATEWAY_SHARED").map(std::path::PathBuf::from);
    let root = root.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").into());
    let folder = root.join("traffic/bedrock");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: no recorded material at {}", folder.display());
        return;
    };
    let mut read_whole = 0;
    for path in entries.map(|entry| entry.unwrap().path()) {
        let record: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let is_ours = record["endpoint"] == "invoke-with-response-stream"
            && record["model"].as_str().is_some_and(|model| model.contains("anthropic.claude-sonnet"));
        let Some(body) = record["response"]["body_base64"].as_str().filter(|_| is_ours) else { continue };
        let body = STANDARD.decode(body).unwrap();
        let text = read(body.chunks(11).map(Bytes::copy_from_slice).collect()).unwrap();
        let mut splitter = crate::framing::sse::Splitter::new();
        splitter.push(text.into());
        let mut decoder = crate::dialects::ANTHROPIC.stream_decoder();
        let mut events = Vec::new();
        while let Some(frame) = splitter.next_frame().unwrap() {
            decoder.push(&frame, &mut events).unwrap();
        }
        decoder.finish(&mut events);
        assert_eq!(events.last(), Some(&llm_types::Event::Done), "{}", path.display());
        assert!(events.iter().any(|event| matches!(event, llm_types::Event::Usage(_))), "{}", path.display());
        read_whole += 1;
    }
    assert!(read_whole > 0, "the folder holds the recordings");
}

#[test]
fn parts_of_what_a_container_sends_are_joined_whatever_their_cut() {
    let events = "data:{\"token\":{\"text\":\"a\"}}\n\ndata:{\"token\":{\"text\":\"b\"}}\n\n";
    let lines = "{\"token\":{\"text\":\"a\"}}\n{\"token\":{\"text\":\"b\"}}";
    for (sent, expected) in [
        (events, events),
        (lines, "data: {\"token\":{\"text\":\"a\"}}\n\ndata: {\"token\":{\"text\":\"b\"}}\n\n"),
    ] {
        for size in 1..=sent.len() {
            let mut out = BytesMut::new();
            for part in sent.as_bytes().chunks(size) {
                event_stream::write(&mut out, "PayloadPart", part);
            }
            assert_eq!(read(vec![out.freeze()]).unwrap(), expected, "{size}");
        }
    }
    let mut out = BytesMut::new();
    event_stream::write(&mut out, "PayloadPart", b"{\"a\":1}");
    event_stream::write_exception(&mut out, "ModelStreamError", br#"{"Message":"out of memory"}"#);
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\
                 \"message\":\"ModelStreamError: out of memory\"}}\n\n";
    assert_eq!(read(vec![out.freeze()]).unwrap(), format!("data: {{\"a\":1}}\n\n{error}"));
}
