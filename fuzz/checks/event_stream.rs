//! AWS event stream: no bytes do harm, and cuts do not matter.

use bytes::Bytes;
use llm_providers::framing::event_stream::{Splitter, rewrite};

/// The frames of a body, and whether it was broken; in pieces of `size`.
fn frames(data: &[u8], size: usize) -> (Vec<(Bytes, Bytes)>, bool) {
    let mut splitter = Splitter::with_limit(1 << 16);
    let mut found = Vec::new();
    for piece in data.chunks(size.max(1)) {
        splitter.push(Bytes::copy_from_slice(piece));
        loop {
            match splitter.next_frame() {
                Ok(Some(frame)) => found.push((frame.event, frame.data)),
                Ok(None) => break,
                Err(_) => return (found, true),
            }
        }
    }
    (found, splitter.finish().is_err())
}

/// Whatever the pieces, the same frames come out, and forwarding gives back what was whole.
pub(crate) fn cut(data: &[u8]) {
    let whole = frames(data, data.len());
    for size in [1, 3, 16] {
        assert_eq!(frames(data, size), whole, "pieces of {size}");
    }
    let (mut splitter, mut out) = (Splitter::with_limit(1 << 16), Vec::new());
    let forwarded = splitter.forward(Bytes::copy_from_slice(data), &mut out, |_| {});
    assert!(data.starts_with(&out.concat()), "what goes on came in");
    if forwarded.is_ok() && !whole.1 {
        assert_eq!(out.concat(), data, "a whole body goes on whole");
    }
    let _changed = rewrite(&Bytes::copy_from_slice(data), |payload| Some(payload.to_vec()));
}
