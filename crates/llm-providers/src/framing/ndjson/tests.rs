//! Lines come out the same however the bytes are cut.

use proptest::prelude::*;

use super::Splitter;

const BODY: &[u8] = b"{\"a\":1}\n\r\n  {\"b\":\"x\"}\r\n\n{\"c\":[]}";

fn lines(pieces: &[&[u8]]) -> Vec<String> {
    let mut splitter = Splitter::new();
    let mut lines = Vec::new();
    for piece in pieces {
        splitter.push(piece);
        while let Some(frame) = splitter.next_frame().unwrap() {
            lines.push(String::from_utf8(frame.data.to_vec()).unwrap());
        }
    }
    lines.extend(splitter.finish().map(|frame| String::from_utf8(frame.data.to_vec()).unwrap()));
    lines
}

#[test]
fn blank_lines_are_no_frames_and_the_last_line_needs_no_feed() {
    assert_eq!(lines(&[BODY]), ["{\"a\":1}", "{\"b\":\"x\"}", "{\"c\":[]}"]);
    assert_eq!(lines(&[b"\n \r\n"]), [""; 0]);
}

#[test]
fn a_line_beyond_the_limit_is_refused() {
    let mut splitter = Splitter::with_limit(4);
    splitter.push(b"123\n");
    assert_eq!(splitter.next_frame().unwrap().unwrap().data, "123");
    splitter.push(b"12345");
    assert!(splitter.next_frame().unwrap_err().message().contains("larger than 4 bytes"));
}

proptest! {
    #[test]
    fn cuts_do_not_matter(cuts in proptest::collection::vec(0..BODY.len(), 0..6)) {
        let mut cuts = cuts;
        cuts.extend([0, BODY.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &BODY[pair[0]..pair[1]]).collect();
        prop_assert_eq!(lines(&pieces), lines(&[BODY]));
    }
}
