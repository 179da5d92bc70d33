//! Every vendor that the table of operations names, each kind of model it calls: what a caller wants arrives at the
//! vendor's place, what it lacks is refused by name, and what it answers is not taken for what it is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{ErrorKind, Operation};
use serde_json::{Value, json};

use super::super::{PNG, WAV, example};
use crate::operations::{Asked, Entry, Job, OURS, Received, Sending, Step, Taking, entries, settle};
use crate::{ParamPolicy, PreparedTarget, Registry, Target};

/// Sound, as far as anybody can tell.
const SAMPLES: &[u8] = b"sixteen bits each, so many times";

/// A target for an entry: its vendor, and a model of the look it holds for.
fn target(entry: &Entry) -> Target {
    let slug = if entry.provider.is_empty() { "openai" } else { entry.provider };
    let all = Registry::built_in();
    let spec = all.provider(slug).unwrap_or_else(|| panic!("no record of {slug}"));
    let look = entry.models.iter().find(|look| !look.starts_with('!'));
    let model = look.map_or_else(
        || "model-1".to_owned(),
        |look| match look.split_once('*') {
            Some((start, part)) => format!("{start}x{}1", part.trim_end_matches('*')),
            None => (*look).to_owned(),
        },
    );
    example(spec, &model)
}

/// The request for an operation; `more` is set beside what it needs.
fn asked(operation: Operation, more: &Value) -> Asked {
    let mut wanted = match operation {
        Operation::Embeddings => json!({"input": ["Kestrel", "Merlin"]}),
        Operation::Moderation => json!({"input": "Kestrel"}),
        Operation::Rerank => json!({"query": "Kestrel", "documents": ["Falcon", "Merlin"]}),
        Operation::ImageGeneration | Operation::ImageEdit => json!({"prompt": "Kestrel"}),
        Operation::Speech => json!({"input": "Kestrel", "voice": "alloy"}),
        _ => json!({}),
    };
    wanted["model"] = "asked".into();
    more.as_object().into_iter().flatten().for_each(|(name, value)| wanted[name] = value.clone());
    if !operation.is_form() {
        return Asked::read(operation, wanted.to_string().into(), "application/json").unwrap().0;
    }
    let mut form = Vec::new();
    for (name, value) in wanted.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        form.extend(
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n").bytes(),
        );
    }
    let (name, file, kind) = match operation {
        Operation::ImageEdit | Operation::ImageVariation => ("image", "a.png", "image/png"),
        _ => ("file", "a.wav", "audio/wav"),
    };
    let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n");
    form.extend(format!("{head}Content-Type: {kind}\r\n\r\n").bytes());
    form.extend(upload(operation));
    form.extend(b"\r\n--b--\r\n");
    Asked::read(operation, form.into(), "multipart/form-data; boundary=b").unwrap().0
}

fn upload(operation: Operation) -> Vec<u8> {
    if matches!(operation, Operation::ImageEdit | Operation::ImageVariation) {
        return STANDARD.decode(PNG).unwrap();
    }
    // The header says how many bytes of sound there are: so many as stand behind it.
    let mut sound = STANDARD.decode(WAV).unwrap();
    let length = u32::try_from(SAMPLES.len()).unwrap();
    sound[4..8].copy_from_slice(&(36 + length).to_le_bytes());
    sound[40..44].copy_from_slice(&length.to_le_bytes());
    sound.extend(SAMPLES);
    sound
}

/// What a vendor is sent first.
fn begun(entry: &Entry, target: &Target, asked: &Asked) -> llm_types::Result<Vec<Sending>> {
    let request = settle(asked, target, entry, None)?;
    entry.wire.begin(&Job { asked, request: &request, target, entry, set: None })
}

/// The words of a request that must arrive: its text, or its file as bytes or base64.
fn arrives(sending: &Sending, operation: Operation) -> bool {
    let holds = |what: &[u8]| memchr::memmem::find(&sending.body, what).is_some();
    let file = upload(operation);
    let text = || holds(b"Kestrel");
    let whole = || holds(&file) || holds(STANDARD.encode(&file).as_bytes());
    match operation {
        // Some want the sound without the header that describes it.
        Operation::Transcription | Operation::Translation => whole() || holds(SAMPLES),
        Operation::ImageVariation => whole(),
        Operation::ImageEdit => text() && whole(),
        _ => text(),
    }
}

fn named(entry: &Entry) -> String {
    format!("{} {} {:?} {:?}", entry.provider, entry.operation.name(), entry.models, entry.wire)
}

#[test]
fn what_is_asked_arrives_at_every_vendor_of_the_table() {
    let (mut faults, mut told) = (Vec::new(), BTreeMap::new());
    for entry in entries() {
        let (name, target) = (named(entry), target(entry));
        let asked = asked(entry.operation, &json!({}));
        let sendings = match begun(entry, &target, &asked) {
            Ok(sendings) => sendings,
            Err(error) => {
                faults.push(format!("{name}: refused: {error}"));
                continue;
            }
        };
        if !sendings.iter().any(|sending| arrives(sending, entry.operation)) {
            let bodies: Vec<_> =
                sendings.iter().map(|sending| String::from_utf8_lossy(&sending.body).into_owned()).collect();
            faults.push(format!("{name}: lost: {bodies:.300?}"));
        }
        for sending in sendings {
            let prepared = PreparedTarget::new(Arc::new(target.clone()));
            if let Err(error) = prepared.operation(sending) {
                faults.push(format!("{name}: no request: {error}"));
            }
        }
        *told.entry(entry.operation.name()).or_insert(0) += 1;
    }
    println!("{told:?}");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(told.len(), 9, "{told:?}");
}

#[test]
fn what_a_vendor_lacks_is_refused_by_name_and_may_be_dropped() {
    let mut refused = 0;
    for entry in entries() {
        for param in entry.lacks.iter().filter(|param| !OURS.contains(param)) {
            let (name, target) = (named(entry), target(entry));
            let asked = asked(entry.operation, &json!({ *param: "x" }));
            let error = begun(entry, &target, &asked).expect_err(&format!("{name}: {param}"));
            assert_eq!(
                (error.kind(), error.param()),
                (ErrorKind::Unsupported, Some(*param)),
                "{name}: {error}"
            );
            let policy = ParamPolicy { drop: true, ..ParamPolicy::default() };
            let sendings = begun(entry, &Target { policy, ..target }, &asked);
            let sendings = sendings.unwrap_or_else(|error| panic!("{name}: {param} may be dropped: {error}"));
            assert!(sendings.iter().any(|sending| arrives(sending, entry.operation)), "{name}: {param}");
            refused += 1;
        }
    }
    assert!(refused > 50, "{refused}");
}

#[test]
fn what_is_no_answer_is_not_taken_for_one() {
    let mut faults = Vec::new();
    for entry in entries() {
        let (name, target) = (named(entry), target(entry));
        let asked = asked(entry.operation, &json!({}));
        let request = settle(&asked, &target, entry, None).unwrap();
        let job = Job { asked: &asked, request: &request, target: &target, entry, set: None };
        for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::UNAUTHORIZED] {
            let body = json!({"error": {"message": "too much"}, "message": "too much", "detail": "too much"});
            let error = entry.wire.decode_error(status, &HeaderMap::new(), body.to_string().as_bytes());
            let kind = if status == StatusCode::UNAUTHORIZED {
                ErrorKind::Unauthenticated
            } else {
                ErrorKind::RateLimited
            };
            assert_eq!(error.kind(), kind, "{name}: {error}");
            assert!(error.message().contains("too much"), "{name}: {error}");
        }
        if entry.wire.taking(&job) == Taking::Flow {
            continue; // Sound: any bytes may be.
        }
        let received = || Received { headers: HeaderMap::new(), body: Bytes::from_static(b"<html>") };
        let rounds: Vec<Vec<Received>> =
            vec![entry.wire.begin(&job).unwrap().iter().map(|_| received()).collect()];
        match entry.wire.read(&job, &rounds) {
            // What is forwarded as it came is looked at by whoever forwards.
            Err(_) | Ok(Step::Forward) => {}
            Ok(step) => faults.push(format!("{name}: {step:?}")),
        }
    }
    assert!(faults.is_empty(), "{} taken for an answer:\n{}", faults.len(), faults.join("\n"));
}
