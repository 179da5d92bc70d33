//! Frames come out the same however the bytes are cut, and broken ones are refused.

use bytes::{BufMut as _, Bytes, BytesMut};
use proptest::prelude::*;

use super::{Splitter, rewrite, write, write_exception};
use crate::dialect::Frame;

/// `{"message":"é"}` as an event of type `x`, put together by hand from the specification.
const GOLDEN: &str = "0000006700000047a688a0070b3a6576656e742d74797065070001780d3a636f6e74656e742d74797065070010617070\
     6c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b226d657373616765223a22c3\
     a9227d5cfd0539";

fn body() -> Bytes {
    let mut out = BytesMut::new();
    write(&mut out, "messageStart", br#"{"role":"assistant"}"#);
    write(&mut out, "contentBlockDelta", r#"{"delta":{"text":"Grüße"}}"#.as_bytes());
    write(&mut out, "empty", b"");
    write_exception(&mut out, "throttlingException", br#"{"message":"slow"}"#);
    out.freeze()
}

fn frames(pieces: &[Bytes]) -> Vec<Frame> {
    let mut splitter = Splitter::new();
    let mut frames = Vec::new();
    for piece in pieces {
        splitter.push(piece.clone());
        while let Some(frame) = splitter.next_frame().unwrap() {
            frames.push(frame);
        }
    }
    splitter.finish().unwrap();
    frames
}

/// The first error of a body.
fn fault(body: &[u8], limit: usize) -> Option<String> {
    let mut splitter = Splitter::with_limit(limit);
    splitter.push(Bytes::copy_from_slice(body));
    loop {
        match splitter.next_frame() {
            Ok(Some(_)) => {}
            Ok(None) => return splitter.finish().err().map(|error| error.message().to_owned()),
            Err(error) => return Some(error.message().to_owned()),
        }
    }
}

#[test]
fn events_and_exceptions_are_named() {
    let found = frames(&[body()]);
    let names: Vec<&[u8]> = found.iter().map(|frame| &*frame.event).collect();
    let expected: [&[u8]; 4] =
        [b"messageStart", b"contentBlockDelta", b"empty", b"exception:throttlingException"];
    assert_eq!(names, expected);
    assert_eq!(found[3].data, r#"{"message":"slow"}"#);
}

#[test]
fn the_bytes_are_those_of_the_specification() {
    let mut out = BytesMut::new();
    write(&mut out, "x", "{\"message\":\"é\"}".as_bytes());
    let hex: String = out.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, GOLDEN);
}

#[test]
fn an_error_frame_keeps_its_code_and_message() {
    let mut headers = Vec::new();
    for (name, value) in [(":message-type", "error"), (":error-code", "Gone"), (":error-message", "a \"b\"")]
    {
        headers.put_u8(name.len() as u8);
        headers.put_slice(name.as_bytes());
        headers.put_u8(7);
        headers.put_u16(value.len() as u16);
        headers.put_slice(value.as_bytes());
    }
    // Headers of every other kind are passed over.
    for (kind, size) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)] {
        headers.put_slice(&[1, b'n', kind]);
        headers.put_bytes(0xff, size);
    }
    headers.put_slice(&[1, b'n', 6, 0, 2, 9, 9]);
    let found = frames(&[raw(&headers, b"")]);
    assert_eq!((&*found[0].event, &*found[0].data), (&b"error:Gone"[..], &br#"{"message":"a \"b\""}"#[..]));
}

/// A frame with these headers and payload.
fn raw(headers: &[u8], payload: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u32((headers.len() + payload.len() + 16) as u32);
    out.put_u32(headers.len() as u32);
    out.put_u32(crc32fast::hash(&out));
    out.put_slice(headers);
    out.put_slice(payload);
    out.put_u32(crc32fast::hash(&out));
    out.freeze()
}

#[test]
fn any_flipped_bit_is_noticed() {
    let body = body();
    for at in 0..body.len() {
        let mut damaged = body.to_vec();
        damaged[at] ^= 0x10;
        assert!(fault(&damaged, 1 << 20).is_some(), "byte {at}");
    }
}

#[test]
fn a_body_that_ends_inside_a_frame_is_an_error() {
    let body = body();
    for end in 1..body.len() {
        let fault = fault(&body[..end], 1 << 20);
        assert_eq!(fault.is_none(), ends().contains(&end), "byte {end}: {fault:?}");
    }
}

/// Where the frames of the body end.
fn ends() -> Vec<usize> {
    let mut splitter = Splitter::new();
    splitter.push(body());
    let mut ends = vec![0];
    while let Some(raw) = splitter.next_raw().unwrap() {
        ends.push(ends[ends.len() - 1] + raw.len());
    }
    ends
}

#[test]
fn frames_beyond_the_limits_are_refused_before_they_are_gathered() {
    assert!(fault(&raw(b"", &[0; 65]), 64).unwrap().contains("larger than 64 bytes"));
    assert!(fault(&raw(b"", &[0; 64]), 64).is_none());
    // The lengths alone are enough.
    let mut prelude = BytesMut::new();
    prelude.put_u32(u32::MAX);
    prelude.put_u32(8);
    prelude.put_u32(crc32fast::hash(&prelude));
    assert!(fault(&prelude, 64).unwrap().contains("larger than"));
    let mut contradiction = BytesMut::new();
    contradiction.put_u32(20);
    contradiction.put_u32(8);
    contradiction.put_u32(crc32fast::hash(&contradiction));
    assert!(fault(&contradiction, 64).unwrap().contains("contradict"));
    for headers in [&[9, b'x'][..], &[1, b'x', 77], &[1, b'x', 7, 0, 9, b'a']] {
        assert!(fault(&raw(headers, b""), 64).unwrap().contains("headers cannot be read"));
    }
}

#[test]
fn payloads_are_replaced_with_checksums_that_hold() {
    let changed = rewrite(&body(), |payload| {
        let text = std::str::from_utf8(payload).ok()?;
        text.contains("slow").then(|| text.replace("slow", "very slow").into_bytes())
    });
    let found = frames(&[changed.unwrap()]);
    assert_eq!(found.len(), 4);
    assert_eq!(found[3].data, r#"{"message":"very slow"}"#);
    assert_eq!(found[..3], frames(&[body()])[..3]);
    assert_eq!(rewrite(&body(), |_| None), None);
    assert_eq!(rewrite(&body().slice(1..), |_| Some(Vec::new())), None);
}

proptest! {
    #[test]
    fn cuts_do_not_matter(cuts in proptest::collection::vec(0..400_usize, 0..8)) {
        let body = body();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let pieces: Vec<Bytes> = cuts.windows(2).map(|pair| body.slice(pair[0]..pair[1])).collect();
        prop_assert_eq!(frames(&pieces), frames(&[body]));
    }

    #[test]
    fn what_is_written_is_read(event in "[a-zA-Z]{1,40}", payload in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut out = BytesMut::new();
        write(&mut out, &event, &payload);
        let found = frames(&[out.freeze()]);
        prop_assert_eq!(&found[0].event, event.as_bytes());
        prop_assert_eq!(&found[0].data, &payload);
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = fault(&bytes, 1 << 20);
    }
}
