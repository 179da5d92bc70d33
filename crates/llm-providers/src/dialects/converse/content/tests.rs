//! Blocks and parts.

use llm_types::{Citation, Media, MediaSource, Part, PartKind, ToolCall};
use serde_json::{Value, json};

use super::{Voice, Wanted, blocks, citation, citation_json, part, wanted};
use crate::fields::Path;
use crate::json::Json;
use crate::write;

fn read(list: Value) -> llm_types::Result<Vec<Part>> {
    let Json::Array(list) = list.into() else { panic!("a list") };
    blocks(list, &Path::Root.member("content"))
}

fn written(parts: &[Part], voice: Voice) -> Value {
    let mut out = Vec::new();
    write::array(&mut out, |list| parts.iter().for_each(|one| part(list, one, voice)));
    serde_json::from_slice(&out).unwrap()
}

const PLAIN: Voice =
    Voice { cache: false, ttl: false, thoughts: true, audio: false, titles: false, unsigned: false };

fn media(kind: fn(Media) -> PartKind, source: MediaSource, mime: Option<&str>) -> Part {
    Part::new(kind(Media::new(source, mime.map(str::to_owned))))
}

#[test]
fn faults_name_the_block() {
    let cases = [
        (json!(["x"]), "`content[0]`: expected a content block, found the string `x`"),
        (json!([{ "text": 1 }]), "`content[0].text`: expected a string, found the number `1`"),
        (
            json!([{ "text": "a", "image": {} }]),
            "`content[0]`: expected a content block with one member, such as `text`, found an object",
        ),
        (
            json!([{}]),
            "`content[0]`: expected a content block with one member, such as `text`, found an object",
        ),
        (
            json!([{ "text": "a" }, { "cachePoint": { "type": "default", "ttl": "2h" } }]),
            "`content[1].cachePoint.ttl`: expected `5m` or `1h`, found the string `2h`",
        ),
        (
            json!([{ "toolResult": { "toolUseId": "t", "status": "meh" } }]),
            "`content[0].toolResult.status`: expected `success` or `error`, found the string `meh`",
        ),
    ];
    for (list, expected) in cases {
        assert_eq!(read(list).unwrap_err().message(), expected);
    }
}

#[test]
fn a_cache_point_marks_the_part_before_it() {
    let list = json!([{ "cachePoint": { "type": "default" } }, { "text": "a" }, { "cachePoint": { "type": "default", "ttl": "1h" } }]);
    let parts = read(list.clone()).unwrap();
    assert_eq!(parts.len(), 2);
    assert!(matches!(parts[0].kind, PartKind::Native { .. }) && parts[1].cache.is_some());
    assert_eq!(written(&parts, Voice::ANSWER), list);
    assert_eq!(written(&parts[1..], PLAIN), json!([{ "text": "a" }]));
}

#[test]
fn formats_follow_types_and_bytes() {
    let base64 = |data: &str| MediaSource::Base64(data.to_owned());
    let cases: [(Part, &str, &str); 9] = [
        (media(PartKind::Image, base64("AA"), Some("image/jpg")), "image", "jpeg"),
        (media(PartKind::Image, base64("R0lGODlh"), None), "image", "gif"),
        (media(PartKind::Document, base64("JVBERi0x"), None), "document", "pdf"),
        (media(PartKind::Document, base64("AA"), Some("text/markdown; charset=utf-8")), "document", "md"),
        // What media are counts more than what the caller called them.
        (media(PartKind::Image, base64("AA"), Some("application/pdf")), "document", "pdf"),
        (media(PartKind::Document, base64("AA"), Some("video/quicktime")), "video", "mov"),
        (media(PartKind::Video, MediaSource::Url("s3://b/x.3gp".into()), None), "video", "three_gp"),
        (media(PartKind::Image, MediaSource::Url("data:image/webp;base64,AA".into()), None), "image", "webp"),
        (media(PartKind::Audio, base64("AA"), Some("audio/x-wav")), "audio", "wav"),
    ];
    for (one, block, format) in cases {
        let out = written(std::slice::from_ref(&one), Voice::ANSWER);
        assert_eq!(out[0][block]["format"], format, "{one:?}");
    }
}

#[test]
fn what_cannot_be_said_is_named() {
    let web = || MediaSource::Url("https://e.org/a".into());
    let cases = [
        (media(PartKind::Image, web(), None), "a picture by URL or file id"),
        (media(PartKind::Document, MediaSource::FileId("f".into()), None), "a document by URL or file id"),
        (media(PartKind::Video, web(), None), "a video by URL or file id"),
        (media(PartKind::Audio, MediaSource::Base64("AA".into()), None), "audio input"),
        (
            Part::new(PartKind::Native { dialect: "openai".into(), value: json!({ "type": "x" }) }),
            "another vendor's content block",
        ),
    ];
    for (one, words) in cases {
        assert_eq!(wanted(&one, PLAIN), Wanted::Cannot(words));
    }
    for silent in [Part::text(" \n"), Part::reasoning("hm", None)] {
        assert_eq!(wanted(&silent, PLAIN), Wanted::No);
    }
}

#[test]
fn documents_get_a_name_that_says_nothing_unless_titles_are_shown() {
    let data = "JVBERi0xLjEKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZz4+ZW5kb2JqCnRyYWlsZXI8PC9Sb290IDEgMCBSPj4KJSVFT0YK";
    let mut document = Media::new(MediaSource::Base64(data.into()), Some("application/pdf".into()));
    document.title = Some("My paper: v2.pdf".into());
    let parts = [Part::new(PartKind::Document(document))];
    // LiteLLM's name of the same content, so that prompts stay cached when moving over.
    assert_eq!(written(&parts, PLAIN)[0]["document"]["name"], "DocumentPDFmessages_2453844cff254b2a_pdf");
    assert_eq!(written(&parts, Voice { titles: true, ..PLAIN })[0]["document"]["name"], "My paper v2 pdf");
}

#[test]
fn ids_are_made_fit_and_stay_pairs() {
    let long = "x".repeat(80);
    let id = |id: &str| {
        let call = ToolCall { id: id.into(), name: "n".into(), ..ToolCall::default() };
        written(&[Part::new(PartKind::ToolCall(call))], PLAIN)[0]["toolUse"]["toolUseId"].clone()
    };
    assert_eq!(id("call_1.a:b-c"), "call_1.a:b-c");
    assert_eq!(id("a b|c"), "a_b_c");
    assert_eq!(id(""), "_");
    let short = id(&long);
    assert_eq!(short.as_str().unwrap().len(), 64);
    assert_eq!(short, id(&long));
    assert_ne!(short, id(&format!("{long}y")));
}

#[test]
fn litellms_guarded_text_is_guard_content() {
    let value = json!({ "type": "guarded_text", "text": "look" });
    let parts = [Part::new(PartKind::Native { dialect: "openai".into(), value })];
    assert_eq!(written(&parts, PLAIN), json!([{ "guardContent": { "text": { "text": "look" } } }]));
}

#[test]
fn citations_of_other_vendors_become_the_nearest_form() {
    let web = Citation { url: Some("https://e.org".into()), title: Some("t".into()), ..Citation::default() };
    assert_eq!(
        *citation_json(&web),
        json!({ "title": "t", "location": { "web": { "url": "https://e.org" } } })
    );
    let native =
        json!({ "type": "page_location", "document_index": 1, "start_page_number": 2, "end_page_number": 3 });
    let page = Citation {
        document: Some(1),
        cited_text: Some("c".into()),
        dialect: Some("anthropic".into()),
        native: Some(native),
        ..Citation::default()
    };
    let expected = json!({
        "sourceContent": [{ "text": "c" }],
        "location": { "documentPage": { "documentIndex": 1, "start": 2, "end": 3 } },
    });
    assert_eq!(*citation_json(&page), expected);
    let own = citation(expected.clone());
    assert_eq!((own.document, own.cited_text.as_deref()), (Some(1), Some("c")));
    assert_eq!(*citation_json(&own), expected);
}
