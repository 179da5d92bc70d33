//! Each framing is cut by its own splitter.

use bytes::{Bytes, BytesMut};

use super::{Frames, event_stream};
use crate::dialect::Framing;

fn texts(framing: Framing, body: &[u8]) -> Vec<String> {
    let mut frames = Frames::new(framing);
    let mut texts = Vec::new();
    for byte in body {
        frames.push(Bytes::copy_from_slice(&[*byte]));
        while let Some(frame) = frames.next_frame().unwrap() {
            texts.push(String::from_utf8(frame.data.to_vec()).unwrap());
        }
    }
    texts.extend(frames.finish().unwrap().map(|frame| String::from_utf8(frame.data.to_vec()).unwrap()));
    texts
}

#[test]
fn every_framing_gives_its_frames() {
    assert_eq!(texts(Framing::Sse, b"data: a\n\ndata: b"), ["a", "b"]);
    assert_eq!(texts(Framing::Ndjson, b"a\n\nb"), ["a", "b"]);
    let mut out = BytesMut::new();
    event_stream::write(&mut out, "x", b"a");
    event_stream::write(&mut out, "x", b"b");
    assert_eq!(texts(Framing::EventStream, &out), ["a", "b"]);
}

#[test]
fn only_an_event_stream_is_broken_by_half_a_frame() {
    let half = |framing| {
        let mut frames = Frames::new(framing);
        frames.push(Bytes::from_static(b"\x00\x00\x00"));
        assert_eq!(frames.next_frame().unwrap(), None);
        frames.finish().is_err()
    };
    assert_eq!([Framing::Sse, Framing::Ndjson, Framing::EventStream].map(half), [false, false, true]);
}
