//! What a stream says does not depend on how its bytes were split.

use bytes::Bytes;
use llm_types::{ErrorKind, Finish};

use super::DIALECT;
use crate::dialect::Dialect;
use crate::dialects::OPENAI_RESPONSES;

const STREAM: &str = concat!(
    "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_1\",\"status\":\"in_progress\",\"model\":\"m\",\"output\":[]}}\n\n",
    "event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"sequence_number\":1,\"output_index\":0,\"item\":{\"id\":\"msg_1\",\"type\":\"message\",\"content\":[]}}\n\n",
    "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":2,\"output_index\":0,\"content_index\":0,\"delta\":\"Gr\u{fc}\u{df}e \\\"du\\\"\"}\n\n",
    "event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":3,\"response\":{\"id\":\"resp_1\",\"status\":\"completed\",\"model\":\"m-1\",\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"x\"}]}],\"usage\":{\"input_tokens\":3,\"output_tokens\":5,\"total_tokens\":8}}}\n\n",
);

fn forwarded(pieces: impl Iterator<Item = Bytes>) -> (Vec<u8>, crate::ReplyFacts) {
    let (mut relay, mut out) = (DIALECT.relay(true), Vec::new());
    for piece in pieces {
        relay.push(piece, &mut out);
    }
    relay.finish(None, &mut out);
    (out.concat(), relay.facts().clone())
}

fn pieces(text: &str, size: usize) -> impl Iterator<Item = Bytes> {
    text.as_bytes().chunks(size).map(Bytes::copy_from_slice)
}

#[test]
fn a_stream_is_forwarded_as_it_is_and_understood_whatever_its_pieces() {
    for size in [1, 2, 3, 7, 64, STREAM.len()] {
        let (bytes, facts) = forwarded(pieces(STREAM, size));
        assert_eq!(bytes, STREAM.as_bytes(), "pieces of {size}");
        assert!(facts.complete && facts.error.is_none(), "pieces of {size}: {facts:?}");
        assert_eq!(facts.id.as_deref(), Some("resp_1"));
        assert_eq!(facts.model.as_deref(), Some("m-1"));
        assert_eq!(facts.finish, Some(Finish::Stop));
        assert_eq!(facts.answer_bytes, 14, "the text as it stands in the frame");
        assert_eq!(facts.usage.unwrap().total(), 8);
    }
}

#[test]
fn a_stream_cut_anywhere_ends_in_an_error() {
    let end = STREAM.find("event: response.completed").unwrap();
    for at in (0..end).step_by(11) {
        let Some(head) = STREAM.get(..at) else { continue };
        let (bytes, facts) = forwarded(pieces(head, 13));
        assert!(!facts.complete && facts.error.is_some(), "cut at {at}");
        let last = super::data(&bytes).pop().unwrap();
        assert_eq!(last["type"], "error", "cut at {at}");
        assert_eq!(last["code"], "server_error");
    }
}

#[test]
fn the_number_of_an_error_follows_the_last_frame() {
    let end = STREAM.find("event: response.completed").unwrap();
    let (bytes, _) = forwarded(pieces(&STREAM[..end], 5));
    assert_eq!(super::data(&bytes).pop().unwrap()["sequence_number"], 3);
}

#[test]
fn nothing_follows_the_end_but_the_older_word() {
    let (bytes, facts) = forwarded(pieces(&format!("{STREAM}data: [DONE]\n\n{STREAM}"), 17));
    assert_eq!(bytes, format!("{STREAM}data: [DONE]\n\n").as_bytes());
    assert_eq!(facts.usage.unwrap().total(), 8, "usage counts once");
}

#[test]
fn a_failed_response_is_an_error_with_its_usage() {
    let failed = "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"id\":\"resp_1\",\"status\":\"failed\",\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"slow down\"},\"usage\":{\"input_tokens\":3,\"output_tokens\":0}}}\n\n";
    let (bytes, facts) = forwarded(pieces(failed, 9));
    assert_eq!(bytes, failed.as_bytes());
    assert_eq!(facts.error.unwrap().kind(), ErrorKind::RateLimited);
    assert_eq!(facts.usage.unwrap().input_tokens, 3);
}

#[test]
fn the_shelf_holds_this_dialect() {
    assert_eq!(OPENAI_RESPONSES.id(), DIALECT.id());
}
