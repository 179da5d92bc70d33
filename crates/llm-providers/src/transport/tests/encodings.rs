//! Packed answers.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use llm_types::{ErrorKind, Transport as _};

use super::server::Server;
use super::{fetch, get, text, transport};

/// `hello hello hello hello hello` as Node's `zlib.brotliCompressSync` packs it.
const BROTLI: [u8; 20] = [
    0x1b, 0x1c, 0x00, 0xf8, 0x8d, 0x94, 0x6e, 0xde, 0x44, 0x55, 0x86, 0x96, 0x6c, 0x20, 0x6f, 0x41, 0x4f,
    0x1c, 0x20, 0x71,
];

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn raw(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn head(encoding: &str, length: usize) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {length}\r\n\r\n")
        .into_bytes()
}

#[tokio::test]
async fn every_encoding_is_undone() {
    let plain: String = (0..50_000).map(|n| format!("{n} ")).collect();
    let packs: [(&str, Vec<u8>); 6] = [
        ("gzip", gzip(plain.as_bytes())),
        ("GZIP", gzip(plain.as_bytes())),
        ("x-gzip", [gzip(&plain.as_bytes()[..1000]), gzip(&plain.as_bytes()[1000..])].concat()),
        ("deflate", zlib(plain.as_bytes())),
        ("deflate", raw(plain.as_bytes())),
        ("identity", plain.clone().into_bytes()),
    ];
    for (encoding, packed) in packs {
        let server = Server::once([head(encoding, packed.len()), packed].concat()).await;
        let response = transport().send(get(&server.url("/"))).await.unwrap();
        assert!(!response.headers.contains_key("content-encoding"));
        assert!(encoding == "identity" || !response.headers.contains_key("content-length"));
        assert!(text(response.body).await.unwrap() == plain, "{encoding}");
    }
}

#[tokio::test]
async fn brotli_is_undone() {
    let server = Server::once([head("br", BROTLI.len()), BROTLI.to_vec()].concat()).await;
    let answer = fetch(&transport(), get(&server.url("/"))).await.unwrap();
    assert_eq!(answer, "hello hello hello hello hello");
}

#[tokio::test]
async fn packed_pieces_come_as_they_arrive() {
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        peer.say("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        for word in ["one ", "two "] {
            encoder.write_all(word.as_bytes()).unwrap();
            encoder.flush().unwrap();
            let packed = std::mem::take(encoder.get_mut());
            peer.say(format!("{:x}\r\n", packed.len())).await;
            peer.say(packed).await;
            peer.say("\r\n").await;
        }
        std::future::pending::<()>().await;
    })
    .await;
    let mut body = transport().send(get(&server.url("/"))).await.unwrap().body;
    let mut seen = Vec::new();
    while seen.len() < 8 {
        seen.extend_from_slice(&futures_util::StreamExt::next(&mut body).await.unwrap().unwrap());
    }
    assert_eq!(seen, b"one two ");
}

#[tokio::test]
async fn broken_packs_are_errors() {
    let good = gzip(b"hello hello hello");
    let mut flipped = good.clone();
    let at = flipped.len() - 6;
    flipped[at] ^= 1;
    let packs = [
        ("gzip", good[..good.len() - 9].to_vec()),
        ("gzip", good[..good.len() - 1].to_vec()),
        ("gzip", flipped),
        ("gzip", b"plain text".to_vec()),
        ("deflate", zlib(b"hello")[..6].to_vec()),
        ("br", BROTLI[..6].to_vec()),
        ("zstd", b"whatever".to_vec()),
        ("gzip, br", good),
    ];
    for (encoding, packed) in packs {
        let server = Server::once([head(encoding, packed.len()), packed].concat()).await;
        let error = fetch(&transport(), get(&server.url("/"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadUpstream, "{encoding}: {error}");
    }
}

#[tokio::test]
async fn a_bomb_is_bounded() {
    let packed = gzip(&vec![0_u8; 300 << 20]);
    let server = Server::once([head("gzip", packed.len()), packed].concat()).await;
    let body = transport().send(get(&server.url("/"))).await.unwrap().body;
    let error = body.collect(1 << 20).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadUpstream);
}
