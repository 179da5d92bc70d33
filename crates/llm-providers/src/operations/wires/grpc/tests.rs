//! Calls framed, answers judged by their status.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use llm_types::ErrorKind;

use super::{call, message};
use crate::operations::Received;

fn frame(flag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![flag];
    frame.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(bytes);
    frame
}

fn reply(frames: &[Vec<u8>], headers: &[(&'static str, &'static str)]) -> Received {
    let headers =
        headers.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value)));
    Received { headers: HeaderMap::from_iter(headers), body: Bytes::from(frames.concat()) }
}

#[test]
fn a_call_is_one_framed_message() {
    let sending = call("/a.B/C", b"abc").unwrap();
    assert_eq!(&sending.body[..], b"\0\0\0\0\x03abc");
    assert_eq!(sending.headers["content-type"], "application/grpc");
}

#[test]
fn a_message_counts_when_its_status_is_good() {
    let good = reply(&[frame(0, b"abc"), frame(0x80, b"x: y\r\ngrpc-status: 0\r\n")], &[]);
    assert_eq!(message(&good).unwrap(), "abc");
    let empty = reply(&[frame(0, b""), frame(0x80, b"grpc-status: 0\r\n")], &[]);
    assert_eq!(message(&empty).unwrap(), "");
}

#[test]
fn a_failure_says_its_status_and_its_words() {
    let trailers = frame(0x80, b"grpc-status: 3\r\ngrpc-message: no%20such model: 100%\r\n");
    let error = message(&reply(&[trailers], &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert_eq!(error.message(), "provider answered gRPC status 3 (INVALID_ARGUMENT): no such model: 100%");
    for (status, kind) in [
        ("16", ErrorKind::Unauthenticated),
        ("8", ErrorKind::RateLimited),
        ("14", ErrorKind::Overloaded),
        ("4", ErrorKind::Timeout),
        ("12", ErrorKind::BadUpstream),
        ("77", ErrorKind::BadUpstream),
    ] {
        let error = message(&reply(&[], &[("grpc-status", status)])).unwrap_err();
        assert_eq!(error.kind(), kind, "{status}");
        assert!(error.message().contains(&format!("status {status} (")), "{}", error.message());
    }
    // A message that came before the failure does not count.
    let late = reply(&[frame(0, b"abc"), frame(0x80, b"grpc-status: 13\r\n")], &[]);
    assert_eq!(message(&late).unwrap_err().kind(), ErrorKind::BadUpstream);
}

#[test]
fn what_is_not_whole_is_no_answer() {
    let status = frame(0x80, b"grpc-status: 0\r\n");
    for (frames, said) in [
        (vec![], "`grpc-status`"),
        (vec![frame(0, b"abc")], "`grpc-status`"),
        (vec![status.clone()], "message, although"),
        (vec![b"\0\0\0\0\x09ab".to_vec()], "whole frame"),
        (vec![b"\0\0".to_vec()], "whole frame"),
        (vec![frame(0, b"a"), frame(0, b"b"), status.clone()], "single message"),
        (vec![frame(1, b"a"), status], "compressed"),
    ] {
        let error = message(&reply(&frames, &[])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadUpstream);
        assert!(error.message().contains(said), "{said}: {}", error.message());
    }
}
