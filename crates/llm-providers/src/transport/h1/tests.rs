//! Heads and chunks of HTTP/1.1.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::framing::{Chunk, Framing, Step};
use super::head::head_length;

/// Reads a chunked body that arrives in the given pieces.
fn read(pieces: &[&[u8]]) -> Result<(Vec<u8>, bool), &'static str> {
    let mut framing = Framing::Chunked(Chunk::Size);
    let (mut buf, mut body) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buf.extend_from_slice(piece);
        loop {
            match framing.step(&mut buf)? {
                Step::Data(data) => body.extend_from_slice(&data),
                Step::NeedMore => break,
                Step::End => return Ok((body, true)),
            }
        }
    }
    Ok((body, false))
}

#[test]
fn chunk_sizes() {
    for (line, size) in
        [("0", Some(0)), ("a", Some(10)), ("1F", Some(31)), ("5;a=b", Some(5)), ("5 ", Some(5))]
    {
        let body = format!("{line}\r\n{}\r\n0\r\n\r\n", "x".repeat(size.unwrap_or(0)));
        assert_eq!(read(&[body.as_bytes()]).unwrap().0.len(), size.unwrap(), "{line}");
    }
    for line in ["", "-1", "0x5", "5x", "1234567890abcdef", " 5"] {
        assert!(read(&[format!("{line}\r\nhello\r\n").as_bytes()]).is_err(), "{line}");
    }
}

#[test]
fn endless_lines_are_refused() {
    assert!(read(&[&[b'1'; 10_000]]).is_err());
    let trailers = format!("0\r\n{}", "x: y\r\n".repeat(5_000));
    assert!(read(&[trailers.as_bytes()]).is_err());
}

#[test]
fn the_end_of_a_head() {
    for (text, end) in [
        ("HTTP/1.1 200 OK\r\na: b\r\n\r\nbody", Some(25)),
        ("HTTP/1.1 200 OK\n\nbody", Some(17)),
        ("HTTP/1.1 200 OK\r\n\r", None),
        ("HTTP/1.1 200 OK\r\na: b\r\n", None),
        ("", None),
    ] {
        assert_eq!(head_length(text.as_bytes(), 0), end, "{text:?}");
        for from in 0..text.len().min(end.unwrap_or(usize::MAX)) {
            assert_eq!(head_length(text.as_bytes(), from), end, "{text:?} from {from}");
        }
    }
}

proptest! {
    #[test]
    fn any_split_of_a_chunked_body_gives_the_same(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut wire = Vec::new();
        for chunk in &chunks {
            wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            wire.extend_from_slice(chunk);
            wire.extend_from_slice(b"\r\n");
        }
        let unfinished = wire.len();
        wire.extend_from_slice(b"0\r\n\r\n");
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&wire[from..cut]);
            from = cut;
        }
        pieces.push(&wire[from..]);
        prop_assert_eq!(read(&pieces), Ok((chunks.concat(), true)));
        prop_assert_eq!(read(&[&wire[..unfinished]]), Ok((chunks.concat(), false)));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _any = read(&[&bytes]).is_ok();
        let _any = super::head::parse_head(&Bytes::from(bytes), &http::Method::GET).is_ok();
    }
}
