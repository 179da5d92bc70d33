//! The chain of signatures, followed from its other end as the service follows it.

use futures_util::StreamExt as _;
use http::{HeaderValue, Method};
use llm_types::Timeouts;

use super::*;
use crate::framing::event_stream::Splitter;
use crate::signin::aws::{CHAINED, sign};

const PLACE: (&str, &str) = ("transcribe", "eu-west-1");
/// 2026-01-31 23:59:58 UTC.
const SINCE: u64 = 1_769_903_998;

fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(SINCE)
}

fn signed(body: Vec<u8>) -> (HttpRequest, Pieces) {
    let keys =
        AwsKeys { id: "AKID".to_owned(), secret: Secret::new("wJalr/EXAMPLE".to_owned()), session: None };
    let mut request = HttpRequest {
        method: Method::POST,
        uri: "https://transcribestreaming.eu-west-1.amazonaws.com/stream-transcription".parse().unwrap(),
        headers: http::HeaderMap::new(),
        body: body.into(),
        timeouts: Timeouts::default(),
    };
    request.headers.insert("x-amz-content-sha256", HeaderValue::from_static(CHAINED));
    sign(&mut request, &keys, PLACE, clock()).unwrap();
    let pieces = chained(&mut request, &keys, PLACE, clock).unwrap();
    (request, pieces)
}

async fn frames(pieces: &Pieces) -> Vec<Bytes> {
    let mut splitter = Splitter::new();
    let mut stream = pieces.open();
    let mut frames = Vec::new();
    while let Some(piece) = stream.next().await {
        splitter.push(piece.unwrap());
        while let Some(raw) = splitter.next_raw().unwrap() {
            frames.push(raw);
        }
    }
    splitter.finish().unwrap();
    frames
}

/// `:date` as written, the signature, and the payload of a frame.
fn taken_apart(raw: &Bytes) -> (Bytes, String, Bytes) {
    let date = raw.slice(12..12 + 1 + 5 + 1 + 8);
    let at = 12 + date.len() + 1 + SIGNED.len() + 1 + 2;
    (date, hex(&raw[at..at + SIGNATURE]), raw.slice(at + SIGNATURE..raw.len() - 4))
}

/// HMAC-SHA256, by another hand than the one that signs.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
    ring::hmac::sign(&key, text).as_ref().to_vec()
}

fn wanted(before: &str, date: &[u8], payload: &[u8]) -> String {
    let text = format!(
        "AWS4-HMAC-SHA256-PAYLOAD\n20260131T235958Z\n20260131/eu-west-1/transcribe/aws4_request\n{before}\n{}\n{}",
        hex(&Sha256::digest(date)),
        hex(&Sha256::digest(payload))
    );
    let steps = ["20260131", "eu-west-1", "transcribe", "aws4_request"];
    let key = steps.iter().fold(b"AWS4wJalr/EXAMPLE".to_vec(), |key, step| hmac(&key, step.as_bytes()));
    hex(&hmac(&key, text.as_bytes()))
}

#[tokio::test]
async fn each_signature_covers_the_one_before_and_the_last_event_is_empty() {
    let body: Vec<u8> = (0..40_000_u32).map(|at| (at % 251) as u8).collect();
    let (request, pieces) = signed(body.clone());
    assert!(request.body.is_empty(), "the body travels in pieces");
    let seed =
        request.headers["authorization"].to_str().unwrap().rsplit_once("Signature=").unwrap().1.to_owned();
    let frames = frames(&pieces).await;
    assert_eq!(frames.len(), 4, "16 KiB, 16 KiB, the rest, the end");
    assert_eq!(
        frames.iter().map(Bytes::len).sum::<usize>() as u64,
        pieces.len(),
        "the length is told beforehand"
    );
    let (mut before, mut audio) = (seed, Vec::new());
    for (number, raw) in frames.iter().enumerate() {
        let (date, signature, payload) = taken_apart(raw);
        assert_eq!(&date[..7], b"\x05:date\x08");
        assert_eq!(date[7..], (SINCE * 1_000).to_be_bytes());
        assert_eq!(signature, wanted(&before, &date, &payload), "event {number}");
        before = signature;
        if number == 3 {
            assert!(payload.is_empty());
            continue;
        }
        let mut inner = Splitter::new();
        inner.push(payload);
        let frame = inner.next_frame().unwrap().unwrap();
        assert_eq!(frame.event, "AudioEvent");
        audio.extend_from_slice(&frame.data);
    }
    assert_eq!(audio, body);
}

#[tokio::test]
async fn a_body_can_be_sent_again_and_an_empty_one_is_its_end() {
    let (_, pieces) = signed(vec![7; CHUNK]);
    assert_eq!(frames(&pieces).await, frames(&pieces).await);
    assert_eq!(frames(&pieces).await.len(), 2, "a body of one whole chunk has no second");
    let (_, pieces) = signed(Vec::new());
    let only = frames(&pieces).await;
    assert_eq!((only.len(), only[0].len() as u64), (1, pieces.len()));
}

#[test]
fn the_head_is_signed_over_the_word_that_stands_for_the_hash() {
    let (one, _) = signed(vec![1]);
    let (other, _) = signed(vec![2]);
    assert_eq!(one.headers["authorization"], other.headers["authorization"], "the body is not in it");
}
