//! Paths, spellings, signatures, ids.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use llm_types::Finish;
use serde_json::json;

use super::{
    Signature, camel_value, finish_of, finish_word, id_with_signature, mime_of_address, path, redacted_out,
    signature_in, signature_out, split_id,
};

#[test]
fn paths_name_the_model_and_the_verb() {
    for (model, stream, expected) in [
        ("gemini-2.5-flash", false, "/models/gemini-2.5-flash:generateContent"),
        ("models/gemini-2.5-flash", true, "/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
        ("tunedModels/mine", false, "/tunedModels/mine:generateContent"),
        ("a?b#c d", false, "/models/a%3Fb%23c%20d:generateContent"),
    ] {
        assert_eq!(path(model, stream), expected);
    }
}

#[test]
fn members_are_spelled_in_camel_case_but_not_those_of_the_user() {
    let value = camel_value(json!({
        "system_instruction": { "parts": [{ "inline_data": { "mime_type": "a/b" } }] },
        "contents": [{ "parts": [{ "function_call": { "args": { "my_arg": { "x_y": 1 } } } }] }],
        "labels": { "my_team": "a" },
        "\u{211}_x": 1,
    }));
    assert_eq!(
        value,
        json!({
            "systemInstruction": { "parts": [{ "inlineData": { "mimeType": "a/b" } }] },
            "contents": [{ "parts": [{ "functionCall": { "args": { "my_arg": { "x_y": 1 } } } }] }],
            "labels": { "my_team": "a" },
            "\u{211}X": 1,
        }),
        "a name may begin with any letter"
    );
}

#[test]
fn signatures_survive_clients_that_print_bytes_anew() {
    let base64 = STANDARD.encode([0xfb, 0xff, 0xfe, 1, 2]);
    // Fernet tokens (OpenAI) use the other alphabet, some vendors no base64 at all.
    for signature in [base64.as_str(), "gAAAAAB-_x", "sig:1", "c2ln"] {
        let sent = signature_out(signature);
        let bytes = STANDARD.decode(&sent).unwrap();
        for printed in [sent.clone(), URL_SAFE.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            assert_eq!(signature_in(&printed), Signature::Plain(signature.to_owned()), "{printed}");
        }
    }
    assert_eq!(signature_out(&base64), base64, "the vendor's own are untouched");
    let redacted = redacted_out("opaque + data");
    assert_eq!(signature_in(&redacted), Signature::Redacted("opaque + data".to_owned()));
}

#[test]
fn ids_carry_signatures_in_letters_every_dialect_takes() {
    let signature = STANDARD.encode([0xfb, 0xff, 0xfe, 1, 2]);
    let id = id_with_signature("call_1", Some(&signature));
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{id}");
    assert_eq!(split_id(&id), ("call_1", Some(signature)));
    assert_eq!(split_id("call_1"), ("call_1", None));
    assert_eq!(id_with_signature("call_1", None), "call_1");
}

#[test]
fn reasons_to_finish() {
    for (word, calls, expected) in [
        ("STOP", false, Finish::Stop),
        ("STOP", true, Finish::ToolCalls),
        ("MAX_TOKENS", true, Finish::Length),
        ("SAFETY", false, Finish::ContentFilter),
        ("PROHIBITED_CONTENT", false, Finish::ContentFilter),
        ("MALFORMED_FUNCTION_CALL", false, Finish::Stop),
    ] {
        assert_eq!(finish_of(word, calls), expected, "{word}");
    }
    assert_eq!(finish_word(&Finish::ContextWindow), "MAX_TOKENS");
    assert_eq!(finish_word(&Finish::Refusal), "PROHIBITED_CONTENT");
}

#[test]
fn types_are_told_by_addresses() {
    assert_eq!(mime_of_address("https://e.org/a.PNG?x=1.pdf"), Some("image/png"));
    assert_eq!(mime_of_address("gs://b/v.mp4#t"), Some("video/mp4"));
    assert_eq!(mime_of_address("https://e.org/a"), None);
}
