//! Which media are fetched for whom, and what fetched bytes are.

use std::collections::HashMap;
use std::sync::Arc;

use llm_types::{ChatRequest, Media, MediaSource, Message, Part, PartKind, Role, ToolResult};

use super::{Fetched, MediaKind, put, type_of, wanted};
use crate::dialects::dialect;
use crate::providers::built_in;
use crate::{Dialect, DialectId, Target};

fn target(slug: &str, model: &str) -> Target {
    let spec = built_in().find(|spec| spec.id.as_str() == slug).expect("a provider").clone();
    let spec = Arc::new(spec);
    Target {
        base_url: spec.base_url.clone().into_owned(),
        spec,
        model: model.to_owned(),
        key: None,
        headers: http::HeaderMap::new(),
        defaults: serde_json::Map::new(),
        policy: crate::ParamPolicy::default(),
        timeouts: llm_types::Timeouts::default(),
        cloud: None,
    }
    .routed()
}

fn spoken(target: &Target) -> &'static dyn Dialect {
    dialect(target.spec.dialect)
}

fn media(url: &str) -> Media {
    Media::new(MediaSource::Url(url.to_owned()), None)
}

/// A picture, the same again in a tool's result, a document in S3 and one in a document of parts.
fn request() -> ChatRequest {
    let picture = || Part::new(PartKind::Image(media("https://a.example/1.png")));
    let parts = MediaSource::Parts(vec![Part::new(PartKind::Image(media("https://a.example/2.png")))]);
    let result = ToolResult { call_id: "1".into(), parts: vec![picture()], ..ToolResult::default() };
    let turn = vec![
        picture(),
        Part::new(PartKind::Document(media("s3://bucket/1.pdf"))),
        Part::new(PartKind::Document(Media::new(parts, None))),
    ];
    let results = vec![Part::new(PartKind::ToolResult(result))];
    ChatRequest::new("m", vec![Message::new(Role::User, turn), Message::new(Role::Tool, results)])
}

#[test]
fn each_url_is_wanted_once_wherever_it_stands() {
    let bedrock = target("bedrock", "amazon.nova-pro-v1:0");
    let found = wanted(&request(), spoken(&bedrock), &bedrock);
    let urls: Vec<&str> = found.iter().map(|wanted| wanted.url.as_str()).collect();
    assert_eq!(urls, ["https://a.example/1.png", "https://a.example/2.png"]);
}

#[test]
fn bytes_take_the_place_of_their_url_everywhere() {
    let bedrock = target("bedrock", "amazon.nova-pro-v1:0");
    let mut request = request();
    let one = Fetched { mime: "image/png".into(), data: "AAAA".into() };
    put(&mut request, spoken(&bedrock), &bedrock, &HashMap::from([("https://a.example/1.png".into(), one)]));
    let text = serde_json::to_string(&request).unwrap();
    assert_eq!(text.matches("AAAA").count(), 2, "{text}");
    assert!(text.contains("a.example/2.png") && text.contains("s3://bucket") && !text.contains("1.png"));
}

#[test]
fn only_providers_that_cannot_fetch_get_bytes() {
    use MediaKind::{Audio, Document, Image, Video};
    let cases = [
        ("openai", "gpt-4o", Image, "https://a/1.png", true),
        ("openai", "gpt-4o", Document, "https://a/1.pdf", false),
        ("openai", "gpt-4o", Audio, "https://a/1.mp3", false),
        ("anthropic", "claude-sonnet-4-5", Image, "https://a/1.png", true),
        ("anthropic", "claude-sonnet-4-5", Document, "https://a/1.pdf", true),
        ("anthropic", "claude-sonnet-4-5", Image, "http://a/1.png", false),
        ("anthropic", "claude-sonnet-4-5", Video, "http://a/1.mp4", true),
        ("vertex_ai", "claude-sonnet-4-5", Image, "https://a/1.png", false),
        ("bedrock", "invoke/anthropic.claude-sonnet-4-5", Image, "https://a/1.png", false),
        ("bedrock", "anthropic.claude-sonnet-4-5", Image, "https://a/1.png", false),
        ("bedrock", "amazon.nova-pro-v1:0", Video, "https://a/1.mp4", false),
        ("bedrock", "amazon.nova-pro-v1:0", Audio, "https://a/1.mp3", true),
        ("gemini", "gemini-2.5-pro", Image, "https://a/1.png", false),
        ("gemini", "gemini-2.5-pro", Image, "https://generativelanguage.googleapis.com/v1beta/files/1", true),
        ("gemini", "gemini-2.5-pro", Video, "https://www.youtube.com/watch?v=1", true),
        ("vertex_ai", "gemini-2.5-pro", Image, "https://a/1.png", true),
        ("vertex_ai", "gemini-2.5-pro", Image, "https://a/1", false),
        ("cohere", "command-a-vision", Image, "https://a/1.png", true),
    ];
    for (slug, model, kind, url, expected) in cases {
        let target = target(slug, model);
        assert_eq!(spoken(&target).takes_url(kind, url, &target), expected, "{slug}/{model} {url}");
    }
}

#[test]
fn a_body_is_looked_at_only_where_a_url_in_it_may_have_to_go() {
    let names_media = |id, body: &str, target: &Target| {
        let (dialect, body) = (dialect(id), body.as_bytes());
        dialect.may_name_media(body, &dialect.glance(body).unwrap(), target)
    };
    let body = r#"{"messages":[{"content":[{"type":"image","source":{"type":"url","url":"https://a/1"}}]}]}"#;
    assert!(!names_media(DialectId::Anthropic, body, &target("anthropic", "claude-sonnet-4-5")));
    let invoked = target("bedrock", "invoke/anthropic.claude-sonnet-4-5");
    assert!(names_media(DialectId::Anthropic, body, &invoked));
    assert!(!names_media(DialectId::Anthropic, r#"{"messages":[]}"#, &invoked));
    let openai = target("openai", "gpt-4o");
    let file = |id: &str| format!(r#"{{"messages":[{{"content":[{{"file":{{"file_id":"{id}"}}}}]}}]}}"#);
    assert!(names_media(DialectId::OpenaiChat, &file("https://a/1.pdf"), &openai));
    assert!(!names_media(DialectId::OpenaiChat, &file("file-123"), &openai));
}

#[test]
fn a_type_is_what_the_server_says_unless_the_bytes_know_better() {
    use MediaKind::{Audio, Document, Image, Video};
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....";
    const PDF: &[u8] = b"%PDF-1.7 ...";
    let found = [
        (Image, Some("image/png"), PNG, "image/png"),
        (Image, Some("image/jpeg; charset=binary"), PNG, "image/png"),
        (Image, Some("IMAGE/JPG"), b"?", "image/jpeg"),
        (Image, Some("application/octet-stream"), PNG, "image/png"),
        (Image, None, b"RIFF....WEBPVP8 ", "image/webp"),
        (Image, Some("text/html"), PNG, "image/png"),
        (Image, Some("image/svg+xml"), b"<svg/>", "image/svg+xml"),
        (Document, Some("application/pdf"), PDF, "application/pdf"),
        (Document, Some("binary/octet-stream"), PDF, "application/pdf"),
        (Document, Some("text/csv"), b"a,b", "text/csv"),
        (Document, None, b"words", "text/plain"),
        (Document, Some("image/png"), PNG, "image/png"),
        (Video, Some("application/octet-stream"), b"\0\0\0\x18ftypmp42....", "video/mp4"),
        (Audio, None, b"RIFF....WAVEfmt ", "audio/wav"),
        (Audio, Some("audio/mpeg"), b"??", "audio/mpeg"),
    ];
    for (kind, stated, bytes, expected) in found {
        assert_eq!(type_of(kind, stated, "https://a/b", bytes).as_deref(), Ok(expected), "{stated:?}");
    }
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    assert_eq!(type_of(Document, None, "https://a/x.docx?s=1", b"PK\x03\x04\0").as_deref(), Ok(docx));
    for (kind, stated, bytes) in [
        (Image, Some("text/html"), &b"<html>not found</html>"[..]),
        (Image, None, b"words"),
        (Image, Some("application/pdf"), PDF),
        (Document, None, b"\0\x01\x02"),
    ] {
        let why = type_of(kind, stated, "https://a/b", bytes).unwrap_err();
        assert!(stated.is_none_or(|stated| why.contains(stated)), "{why}");
    }
}
