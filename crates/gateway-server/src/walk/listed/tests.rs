//! Frames become elements, whatever the pieces.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{List, whole};

#[test]
fn frames_are_elements_of_one_list() {
    let body = b"data: {\"a\": 1}\n\ndata: {\"b\": [2]}\r\n\r\ndata: {\"c\": \"]\"}\n\n";
    for size in 1..body.len() {
        let (mut list, mut out) = (List::default(), Vec::new());
        for piece in body.chunks(size) {
            list.add(vec![Bytes::copy_from_slice(piece)], &mut out);
        }
        out.push(list.end());
        let read: Value = serde_json::from_slice(&out.concat()).expect("a JSON list");
        assert_eq!(read, json!([{ "a": 1 }, { "b": [2] }, { "c": "]" }]), "in pieces of {size}");
    }
}

#[test]
fn a_stream_without_frames_is_an_empty_list() {
    assert_eq!(whole(Bytes::new()), "[]");
}

#[test]
fn a_frame_without_its_blank_line_is_an_element() {
    let read: Value = serde_json::from_slice(&whole(Bytes::from_static(b"data: 1\n\ndata: 2"))).unwrap();
    assert_eq!(read, json!([1, 2]));
}
