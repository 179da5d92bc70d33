//! Recorded replies of vendors: every vector, score, picture and word that a vendor stated reaches the caller.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{Operation, OperationReply, Vector};
use serde_json::{Value, json};

use super::{Asked, Job, Received, Step, encode_reply, entry, facts, settle};
use crate::dialects::recordings;
use crate::{Registry, ReplyContext, Target};

const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nx\r\n\
    --b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\nx\r\n--b--\r\n";

/// What is asked where only the reply counts.
fn asked(operation: Operation) -> Asked {
    let body = match operation {
        Operation::Rerank => json!({"query": "q", "documents": ["a", "b", "c", "d", "e", "f", "g", "h"]}),
        Operation::ImageGeneration => json!({"prompt": "p"}),
        _ => json!({"input": "a"}),
    };
    let (body, kind) = match operation.is_form() {
        true => (Bytes::from_static(FORM.as_bytes()), "multipart/form-data; boundary=b"),
        false => (Bytes::from(body.to_string()), "application/json"),
    };
    Asked::read(operation, body, kind).unwrap().0
}

/// A recorded body read by a vendor's wire: as the caller gets it, and how many tokens were told.
fn through(provider: &str, model: &str, operation: Operation, body: &Value) -> (Value, u64) {
    let asked = asked(operation);
    let target = Target::bare(Registry::built_in().provider(provider).unwrap().clone(), model);
    let entry = entry(&target.spec, operation, model).unwrap_or_else(|| panic!("{provider}: {operation:?}"));
    let request = settle(&asked, &target, entry, None).unwrap();
    let job = Job { asked: &asked, request: &request, target: &target, entry, set: None };
    let bytes = Bytes::from(body.to_string());
    let received = Received { headers: HeaderMap::new(), body: bytes.clone() };
    match entry.wire.read(&job, &[vec![received]]).unwrap() {
        Step::Forward => (body.clone(), facts(&job, &bytes).usage.unwrap().input_tokens),
        Step::Done(reply) => {
            let tokens = reply.usage().map_or(0, |usage| usage.input_tokens);
            let (_, bytes) = encode_reply(&job, *reply, &ReplyContext::default()).unwrap();
            (serde_json::from_slice(&bytes).unwrap(), tokens)
        }
        Step::Ask(..) => panic!("{provider}: one reply is all that was recorded"),
    }
}

fn numbers(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.len(),
        Value::String(text) => super::wires::parts::unpacked(text).map_or(0, |numbers| numbers.len()),
        _ => 0,
    }
}

#[test]
fn recorded_vectors_all_arrive() {
    let vendors =
        ["openai", "voyage", "ollama", "perplexity", "azure", "openrouter", "cohere", "mistral", "gemini"];
    let folders = vendors.map(|vendor| format!("traffic/{vendor}"));
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    for (name, record) in recordings(&folders, &["embeddings", "v2/embed", "batchEmbedContents"], 8) {
        let (status, body) =
            (record["response"]["status"].as_u64().unwrap_or(0), &record["response"]["body"]);
        let native = record["endpoint"] != "embeddings" || record["provider"] != "cohere";
        if status != 200 || !native || record["provider"] == "ollama" {
            continue;
        }
        let provider = record["provider"].as_str().unwrap();
        let model = record["model"].as_str().unwrap_or("m");
        let (shown, tokens) = through(provider, model, Operation::Embeddings, body);
        let wanted = body["data"].as_array().or(body["embeddings"].as_array()).map_or_else(
            || {
                body["embeddings"]
                    .as_object()
                    .and_then(|kinds| kinds.values().find_map(Value::as_array))
                    .unwrap()
                    .len()
            },
            Vec::len,
        );
        let data = shown["data"].as_array().unwrap_or_else(|| panic!("{name}: {shown}"));
        assert_eq!(data.len(), wanted, "{name}");
        assert!(data.iter().all(|one| numbers(&one["embedding"]) > 1), "{name}");
        assert!(shown["usage"].is_object(), "{name}");
        let told = body["usage"]["prompt_tokens"].as_u64().or(body["usage"]["total_tokens"].as_u64());
        assert_eq!(told.unwrap_or(tokens), tokens, "{name}");
    }
}

#[test]
fn recorded_ranks_keep_their_order() {
    let folders = ["traffic/cohere", "traffic/together_ai", "traffic/bedrock"];
    for (name, record) in recordings(&folders, &["rerank", "v2/rerank"], 2) {
        let provider = record["provider"].as_str().unwrap();
        let body = &record["response"]["body"];
        let (shown, _) = through(provider, record["model"].as_str().unwrap_or("m"), Operation::Rerank, body);
        let index = |list: &Value| -> Vec<u64> {
            list.as_array().unwrap().iter().map(|one| one["index"].as_u64().unwrap()).collect()
        };
        assert_eq!(index(&shown["results"]), index(&body["results"]), "{name}");
        assert!(shown["results"][0]["relevance_score"].is_number(), "{name}");
    }
}

#[test]
fn recorded_pictures_transcripts_and_judgements_arrive() {
    let folders = ["traffic/openai", "traffic/xai", "traffic/elevenlabs", "traffic/mistral"];
    let kinds = ["images/generations", "images/edits", "audio/transcriptions", "moderations"];
    for (name, record) in recordings(&folders, &kinds, 6) {
        let provider = record["provider"].as_str().unwrap();
        let operation = match record["endpoint"].as_str().unwrap() {
            "images/generations" => Operation::ImageGeneration,
            "images/edits" => Operation::ImageEdit,
            "audio/transcriptions" => Operation::Transcription,
            _ => Operation::Moderation,
        };
        let body = &record["response"]["body"];
        if record["response"]["status"] != 200 || (provider == "xai" && operation == Operation::ImageEdit) {
            continue;
        }
        let (shown, _) = through(provider, record["model"].as_str().unwrap_or("m"), operation, body);
        for member in ["text", "results"] {
            assert_eq!(shown.get(member), body.get(member), "{name}");
        }
        for (made, told) in
            body["data"].as_array().into_iter().flatten().zip(shown["data"].as_array().into_iter().flatten())
        {
            for member in ["url", "b64_json"] {
                assert_eq!(told.get(member), made.get(member), "{name}");
            }
        }
        if operation.makes_pictures() {
            assert!(shown["created"].is_i64() || shown["created"].is_u64(), "{name}: {shown:.200}");
        }
    }
}

#[test]
fn recorded_refusals_keep_their_words() {
    for (name, record) in
        recordings(&["traffic/voyage", "traffic/mistral", "traffic/cohere"], &["embeddings", "v2/embed"], 3)
    {
        let status =
            record["response"]["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap();
        if status < 400 {
            continue;
        }
        let asked = asked(Operation::Embeddings);
        let spec = Registry::built_in().provider(record["provider"].as_str().unwrap()).unwrap().clone();
        let wire = entry(&spec, asked.operation, "m").unwrap().wire;
        let body = record["response"]["body"].to_string();
        let error =
            wire.decode_error(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes());
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status), "{name}");
        assert!(body.contains(&error.message()[..error.message().len().min(20)]), "{name}: {error}");
    }
}

#[test]
fn vectors_of_a_vendors_own_kind_go_along() {
    let asked = Asked::read(
        Operation::Embeddings,
        Bytes::from_static(br#"{"input":"a","encoding_format":"int8"}"#),
        "application/json",
    );
    let (asked, _) = asked.unwrap();
    let target = Target::bare(Registry::built_in().provider("cohere").unwrap().clone(), "embed-v4.0");
    let entry = entry(&target.spec, Operation::Embeddings, "embed-v4.0").unwrap();
    let request = asked.request().unwrap();
    let job = Job { asked: &asked, request, target: &target, entry, set: None };
    let sent: Value = serde_json::from_slice(&entry.wire.begin(&job).unwrap()[0].body).unwrap();
    assert_eq!(sent["embedding_types"], json!(["int8"]));
    let body = Bytes::from_static(br#"{"embeddings":{"int8":[[1,-2]]}}"#);
    let received = Received { headers: HeaderMap::new(), body };
    let Step::Done(reply) = entry.wire.read(&job, &[vec![received]]).unwrap() else { panic!() };
    let OperationReply::Embeddings(found) = *reply else { panic!() };
    assert_eq!(found.vectors, [Vector::Own(json!([1, -2]))]);
}
