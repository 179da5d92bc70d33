//! Frames must come out the same however the bytes were split.

use proptest::prelude::*;

use super::*;

fn decode(body: &[u8], cuts: &[usize]) -> Vec<(String, String)> {
    let mut splitter = Splitter::new();
    let mut frames = Vec::new();
    let mut take = |frame: Frame| {
        frames.push((text(&frame.event), text(&frame.data)));
    };
    for piece in pieces(body, cuts) {
        splitter.push(piece);
        while let Some(frame) = splitter.next_frame().unwrap() {
            take(frame);
        }
    }
    if let Some(frame) = splitter.finish().as_ref().and_then(parse) {
        take(frame);
    }
    frames
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The body cut at the given places (taken modulo its length).
fn pieces(body: &[u8], cuts: &[usize]) -> Vec<Bytes> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
    cuts.extend([0, body.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| Bytes::copy_from_slice(&body[pair[0]..pair[1]])).collect()
}

fn check(body: &str, expect: &[(&str, &str)]) {
    let expect: Vec<(String, String)> = expect.iter().map(|(e, d)| (e.to_string(), d.to_string())).collect();
    assert_eq!(decode(body.as_bytes(), &[]), expect, "whole: {body:?}");
    let every: Vec<usize> = (0..body.len()).collect();
    assert_eq!(decode(body.as_bytes(), &every), expect, "byte by byte: {body:?}");
    for cut in 0..=body.len() {
        assert_eq!(decode(body.as_bytes(), &[cut]), expect, "cut at {cut}: {body:?}");
    }
}

#[test]
fn reads_every_line_end() {
    for end in ["\n", "\r\n", "\r"] {
        let body = format!("event: a{end}data: 1{end}{end}data: 2{end}{end}");
        check(&body, &[("a", "1"), ("", "2")]);
    }
    check("data: 1\r\n\ndata: 2\n\r\ndata: 3\r\r\n", &[("", "1"), ("", "2"), ("", "3")]);
}

#[test]
fn reads_the_odd_forms() {
    check("", &[]);
    check("\n\n\n", &[]);
    check("\u{feff}data: 1\n\n", &[("", "1")]);
    check(": comment\n\ndata: 1\n\n:\n\n", &[("", "1")]);
    check(": comment\ndata: 1\n: more\n\n", &[("", "1")]);
    check("data: a\ndata: b\ndata\ndata:c\n\n", &[("", "a\nb\n\nc")]);
    check("data:  two spaces\n\n", &[("", " two spaces")]);
    check("data:none\n\n", &[("", "none")]);
    check("id: 7\nretry: 10\ndataset: x\ndata: 1\n\n", &[("", "1")]);
    check("event: ping\n\n", &[("ping", "")]);
    check("data:\n\ndata: \n\n", &[]);
    check("event: a\nevent: b\ndata: 1\n\n", &[("b", "1")]);
    check("data: 1\n\ndata: [DONE]", &[("", "1"), ("", "[DONE]")]);
    check("data: 1\n\ndata: 2\n", &[("", "1"), ("", "2")]);
    check("data: 1\n\n\n\n\ndata: 2\r\n\r\n\r\n", &[("", "1"), ("", "2")]);
}

#[test]
fn a_closed_frame_never_waits() {
    let mut splitter = Splitter::new();
    splitter.push(Bytes::from_static(b"data: 1\r\r"));
    assert_eq!(splitter.next_frame().unwrap().unwrap().data, "1");
    splitter.push(Bytes::from_static(b"\n"));
    assert_eq!(splitter.next_raw().unwrap().unwrap(), "\n");
    assert_eq!(splitter.finish(), None);
}

#[test]
fn a_frame_in_one_chunk_is_a_slice_of_it() {
    let chunk = Bytes::from_static(b"event: a\ndata: {\"x\":1}\n\ndata: 2\n\n");
    let mut splitter = Splitter::new();
    splitter.push(chunk.clone());
    let first = splitter.next_frame().unwrap().unwrap();
    let second = splitter.next_frame().unwrap().unwrap();
    let inside = |part: &Bytes| chunk.as_ptr_range().contains(&part.as_ptr());
    assert!(inside(&first.data) && inside(&first.event) && inside(&second.data));
}

#[test]
fn forwards_neighbours_as_one_slice() {
    let chunk = Bytes::from_static(b"data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\nda");
    let mut out = Vec::new();
    let mut splitter = Splitter::new();
    splitter.forward(chunk.clone(), &mut out, |_| Pass::Keep).unwrap();
    assert_eq!(out, [&b"data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n"[..]]);
    assert_eq!(out[0].as_ptr(), chunk.as_ptr());
    out.clear();
    splitter.forward(Bytes::from_static(b"ta: 5\n\n"), &mut out, |_| Pass::Keep).unwrap();
    assert_eq!(out, [&b"data: 5\n\n"[..]]);
}

#[test]
fn forwards_drops_and_replaces() {
    let chunk = Bytes::from_static(b"data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n");
    let mut out = Vec::new();
    let look = |raw: &[u8]| match raw[6] {
        b'2' => Pass::Drop,
        b'3' => Pass::Replace(Bytes::from_static(b"data: x\n\n")),
        _ => Pass::Keep,
    };
    Splitter::new().forward(chunk, &mut out, look).unwrap();
    assert_eq!(out, [&b"data: 1\n\n"[..], b"data: x\n\n", b"data: 4\n\n"]);
}

#[test]
fn refuses_a_frame_beyond_the_limit_however_it_comes() {
    let body = b"data: 1\n\ndata: 0123456789\n\n";
    for cut in 0..=body.len() {
        let mut splitter = Splitter::with_limit(12);
        let mut out = Vec::new();
        let mut failed = None;
        for piece in pieces(body, &[cut]) {
            if let Err(error) = splitter.forward(piece, &mut out, |_| Pass::Keep) {
                failed = Some(error);
                break;
            }
        }
        let error = failed.expect("the second frame is too large");
        assert_eq!(error.kind(), ErrorKind::BadUpstream);
        assert_eq!(error.message(), "provider sent a stream frame larger than 12 bytes");
        assert_eq!(out.concat(), b"data: 1\n\n", "cut at {cut}");
    }
}

#[test]
fn writes_frames_it_can_read() {
    let mut out = BytesMut::new();
    write(&mut out, "", b"[DONE]");
    write_json(&mut out, "ping", &serde_json::json!({"a": "line\nend"})).unwrap();
    assert_eq!(&out[..], b"data: [DONE]\n\nevent: ping\ndata: {\"a\":\"line\\nend\"}\n\n");
    check(&text(&out), &[("", "[DONE]"), ("ping", "{\"a\":\"line\\nend\"}")]);
}

/// Bodies that are mostly made of what makes splitting hard.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let bits = prop::sample::select(vec![
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "data: ",
        "data:",
        "data",
        "event: x",
        "event:",
        ": c",
        "{\"a\":1}",
        "ü",
        "\u{feff}",
        " ",
    ]);
    prop::collection::vec(bits, 0..40).prop_map(|bits| bits.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(body in bodies(), cuts in prop::collection::vec(any::<usize>(), 0..12)) {
        prop_assert_eq!(decode(&body, &cuts), decode(&body, &[]));
    }

    #[test]
    fn any_split_forwards_the_same_bytes(body in bodies(), cuts in prop::collection::vec(any::<usize>(), 0..12)) {
        let mut splitter = Splitter::new();
        let mut out = Vec::new();
        let mut seen = Vec::new();
        for piece in pieces(&body, &cuts) {
            splitter.forward(piece, &mut out, |raw| { seen.extend_from_slice(raw); Pass::Keep }).unwrap();
        }
        let mut all = out.concat();
        // Late line feeds go on without being shown.
        prop_assert_eq!(text(&seen).replace('\n', ""), text(&all).replace('\n', ""));
        all.extend_from_slice(&splitter.finish().unwrap_or_default());
        let ends = |bytes: &[u8]| bytes.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
        prop_assert_eq!(&all[..ends(&all)], &body[..ends(&body)]);
    }
}
