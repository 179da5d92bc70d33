//! What the tests of all dialects share: recorded material, streams in pieces, the requests LiteLLM sends.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use llm_types::{ChatResponse, ErrorKind, Event, Result, Timeouts, Usage};
use serde_json::{Map, Value, json};

use crate::dialect::{Dialect, Relay, ReplyContext};
use crate::framing::Frames;
use crate::{ParamPolicy, ProviderSpec, Registry, Target};

/// A target of a provider.
pub(in crate::dialects) fn target(spec: ProviderSpec, model: &str) -> Target {
    Target {
        base_url: spec.base_url.to_string(),
        spec: Arc::new(spec),
        model: model.to_owned(),
        key: None,
        headers: HeaderMap::new(),
        defaults: Map::new(),
        policy: ParamPolicy::default(),
        timeouts: Timeouts::default(),
        cloud: None,
    }
}

/// A target of a built-in provider.
pub(in crate::dialects) fn built_in(slug: &str, model: &str) -> Target {
    let registry = Registry::built_in();
    target((**registry.provider(slug).unwrap()).clone(), model)
}

/// A folder of recorded material beside the project; `None` (said aloud) where it is absent.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GATEWAY_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no recorded material at {}", folder.display());
    None
}

/// The recordings of some endpoints, by file name; `least` is how many there must be.
pub(crate) fn recordings(folders: &[&str], endpoints: &[&str], least: usize) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for folder in folders {
        let Some(folder) = shared(folder) else { return Vec::new() };
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            if record["endpoint"].as_str().is_some_and(|endpoint| endpoints.contains(&endpoint)) {
                found.push((name, record));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(found.len() > least, "the folders hold the recordings: {}", found.len());
    found
}

/// The status a recording was answered with.
pub(in crate::dialects) fn status(record: &Value) -> u16 {
    u16::try_from(record["response"]["status"].as_u64().unwrap()).unwrap()
}

/// The events a dialect reads in a body, in pieces of a size.
pub(in crate::dialects) fn events(dialect: &dyn Dialect, body: &[u8], size: usize) -> Vec<Event> {
    let (mut frames, mut decoder) = (Frames::new(dialect.framing()), dialect.stream_decoder());
    let mut events = Vec::new();
    for piece in body.chunks(size.clamp(1, body.len().max(1))) {
        frames.push(Bytes::copy_from_slice(piece));
        while let Some(frame) = frames.next_frame().unwrap() {
            decoder.push(&frame, &mut events).unwrap();
        }
    }
    if let Some(frame) = frames.finish().unwrap() {
        decoder.push(&frame, &mut events).unwrap();
    }
    decoder.finish(&mut events);
    events
}

/// The bytes a dialect writes for events.
pub(in crate::dialects) fn written(dialect: &dyn Dialect, cx: ReplyContext, events: &[Event]) -> Vec<u8> {
    let (mut encoder, mut out) = (dialect.stream_encoder(cx), BytesMut::new());
    events.iter().for_each(|event| encoder.push(event, &mut out));
    encoder.finish(&mut out);
    out.to_vec()
}

/// The text a dialect writes for events.
pub(in crate::dialects) fn text(dialect: &dyn Dialect, events: &[Event]) -> String {
    String::from_utf8(written(dialect, ReplyContext::default(), events)).unwrap()
}

/// What a dialect forwards of a body in pieces of a size.
pub(in crate::dialects) fn relayed(
    dialect: &dyn Dialect,
    body: &[u8],
    size: usize,
) -> (Vec<u8>, Box<dyn Relay>) {
    let (mut relay, mut out) = (dialect.relay(true), Vec::new());
    for piece in body.chunks(size.clamp(1, body.len().max(1))) {
        relay.push(Bytes::copy_from_slice(piece), &mut out);
    }
    relay.finish(None, &mut out);
    (out.concat(), relay)
}

/// Recorded whole replies with a success status.
pub(in crate::dialects) fn whole_replies(recordings: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let whole = |record: &Value| record["response"]["body"].is_object() && status(record) < 400;
    let kept = recordings.into_iter().filter(|(_, record)| whole(record));
    let replies: Vec<(String, Value)> =
        kept.map(|(name, mut record)| (name, record["response"]["body"].take())).collect();
    eprintln!("replies: {}", replies.len());
    replies
}

/// A recorded whole reply is read and tells settlement what it holds; it comes back with what the dialect
/// writes of it.
pub(in crate::dialects) fn reply_again(
    dialect: &dyn Dialect,
    (name, body): (&str, &Value),
    cx: &ReplyContext,
) -> (ChatResponse, Value) {
    let bytes = serde_json::to_vec(body).unwrap();
    let response = dialect.decode_response(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let facts = dialect.reply_facts(&bytes);
    assert!(facts.complete && facts.error.is_none(), "{name}");
    assert_eq!(facts.usage, response.usage, "{name}");
    assert_eq!(facts.finish, response.choices[0].finish, "{name}");
    let written = dialect.encode_response(&response, cx).unwrap();
    (response, serde_json::from_slice(&written).unwrap())
}

/// A recorded stream begins and ends, is the same however its bytes come, and is forwarded untouched (with
/// `owed` behind it) while settlement learns what it needs. What it told.
pub(in crate::dialects) fn stream_forwarded(
    dialect: &dyn Dialect,
    (name, body): (&str, &[u8]),
    owed: &str,
) -> Vec<Event> {
    let told = events(dialect, body, usize::MAX);
    assert!(matches!(told.first(), Some(Event::Start(_))), "{name}");
    let failed = told.iter().any(|event| matches!(event, Event::Error(_)));
    assert!(failed || told.contains(&Event::Done), "{name}: {told:?}");
    let finish = told.iter().find_map(|event| match event {
        Event::Finish { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    let answered = told.iter().any(|event| matches!(event, Event::Text { .. }));
    for size in [1, 7, 64, 1000, usize::MAX] {
        assert_eq!(events(dialect, body, size), told, "{name} in pieces of {size}");
        let (out, relay) = relayed(dialect, body, size);
        assert_eq!(out, [body, owed.as_bytes()].concat(), "{name} in pieces of {size}");
        let facts = relay.facts();
        assert_eq!((facts.complete, facts.error.is_some()), (!failed, failed), "{name}");
        assert_eq!((&facts.usage, &facts.finish), (&used(&told), &finish), "{name}");
        assert!(facts.answer_bytes > 0 || !answered, "{name}");
    }
    told
}

/// What events say in all of what was consumed: a later record completes an earlier one.
pub(in crate::dialects) fn used(events: &[Event]) -> Option<Usage> {
    events.iter().fold(None, |sum: Option<Usage>, event| match event {
        Event::Usage(later) => {
            let mut sum = sum.unwrap_or_default();
            sum.update(later);
            Some(sum)
        }
        _ => sum,
    })
}

/// Events say the same when a dialect has written them and reads them again.
pub(in crate::dialects) fn told_again(dialect: &dyn Dialect, name: &str, told: &[Event]) {
    let again = written(dialect, ReplyContext::default(), told);
    assert_eq!(said(&events(dialect, &again, usize::MAX)), said(told), "{name}");
}

/// What a stream said, whatever the pieces it came in: one line per thing.
pub(in crate::dialects) fn said(events: &[Event]) -> Vec<String> {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut usage = Usage::default();
    let mut fresh = true;
    for event in events {
        let (kind, text) = match event {
            Event::Start(start) => ("start".to_owned(), format!("{} {}", start.id, start.model)),
            Event::Text { text, .. } => ("text".to_owned(), text.clone()),
            Event::Reasoning { text, .. } => ("reasoning".to_owned(), text.clone()),
            Event::ToolArguments { index, arguments, .. } => {
                (format!("arguments {index}"), arguments.clone())
            }
            Event::Usage(more) => {
                usage.update(more);
                continue;
            }
            Event::BlockEnd { .. } => {
                fresh = true;
                continue;
            }
            Event::Ping => continue,
            other => (String::new(), format!("{other:?}")),
        };
        match lines.last_mut() {
            Some((last, said)) if *last == kind && !kind.is_empty() && !fresh => said.push_str(&text),
            _ => lines.push((kind, text)),
        }
        fresh = false;
    }
    let mut lines: Vec<String> = lines.into_iter().map(|(kind, text)| format!("{kind}: {text}")).collect();
    // Some wires always state these counts.
    usage.cache_read_tokens = usage.cache_read_tokens.filter(|count| *count > 0);
    usage.cache_write_tokens = usage.cache_write_tokens.filter(|count| *count > 0);
    lines.push(format!("{usage:?}"));
    lines
}

/// JSON without the members that are null, its numbers of one kind.
pub(in crate::dialects) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(without_nulls).collect()),
        Value::Number(number) => number.as_f64().map_or_else(|| value.clone(), Value::from),
        other => other.clone(),
    }
}

/// Requests that LiteLLM sends for OpenAI requests, recorded in one file: ours say the same, or differ on
/// purpose.
pub(in crate::dialects) struct Vectors<'v> {
    /// The file's name.
    pub(in crate::dialects) file: &'v str,
    /// How many cases must be the same, at least.
    pub(in crate::dialects) least: usize,
    /// Whether the recorded request of a case (name and OpenAI request) is wrong or arbitrary.
    pub(in crate::dialects) better: &'v dyn Fn(&str, &Value) -> bool,
    /// What we send for an OpenAI request, to a model, with parameters dropped or not.
    pub(in crate::dialects) ours: &'v dyn Fn(&Value, &str, bool) -> Result<Value>,
    /// What was recorded, in the same form.
    pub(in crate::dialects) recorded: &'v dyn Fn(&Value) -> Value,
}

impl Vectors<'_> {
    /// Compares all cases.
    pub(in crate::dialects) fn check(&self) {
        let Some(folder) = shared("vectors") else { return };
        let text = std::fs::read_to_string(folder.join(self.file)).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let cases: Value =
            serde_json::from_slice(&std::fs::read(folder.join("_cases.json")).unwrap()).unwrap();
        let model = lines[0]["model"].as_str().unwrap().rsplit('/').next().unwrap();
        let (mut same, mut better, mut different) = (0, 0, Vec::new());
        for line in lines.iter().filter(|line| line.get("case").is_some()) {
            let name = line["case"].as_str().unwrap();
            let mut case = cases[name].clone();
            case["model"] = json!(model);
            if (self.better)(name, &case) {
                better += 1;
                continue;
            }
            match self.fault(line, &case, model) {
                None => same += 1,
                Some(fault) => different.push(format!("{name}: {fault}")),
            }
        }
        let file = self.file;
        eprintln!("{file}: {same} the same, {better} better on purpose");
        assert!(different.is_empty(), "{file}: {} differ\n{}", different.len(), different.join("\n"));
        assert!(same > self.least, "{file} holds its cases: {same}");
    }

    fn fault(&self, line: &Value, case: &Value, model: &str) -> Option<String> {
        let ours = |drop: bool| (self.ours)(case, model, drop);
        if let Some(sent) = line.get("sent") {
            let want = (self.recorded)(sent);
            return match ours(false) {
                Ok(said) if said == want => None,
                other => Some(format!("{other:?}\n  want {want}")),
            };
        }
        let dropped = line.get("dropped").map(|sent| (ours(true), (self.recorded)(sent)));
        match (ours(false), dropped) {
            (Ok(said), _) => Some(format!("not refused: {said}")),
            (Err(_), Some((Ok(said), want))) if said != want => Some(format!("{said}\n  want {want}")),
            (Err(_), Some((Err(error), _))) => Some(format!("refused although it may drop: {error}")),
            _ => None,
        }
    }
}

/// Every recorded refusal has the kind of its status and the vendor's words, which stand at `message`.
pub(in crate::dialects) fn errors_are_understood(
    dialect: &dyn Dialect,
    recordings: Vec<(String, Value)>,
    message: impl Fn(&Value) -> Option<&str>,
) {
    let mut seen = 0;
    for (name, record) in recordings {
        let status = status(&record);
        if status < 400 {
            continue;
        }
        let body = &record["response"]["body"];
        let code = StatusCode::from_u16(status).unwrap();
        let error = dialect.decode_error(code, &HeaderMap::new(), &serde_json::to_vec(body).unwrap());
        let kind = match status {
            400 => ErrorKind::BadRequest,
            401 => ErrorKind::Unauthenticated,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            429 => ErrorKind::RateLimited,
            other => panic!("{name}: status {other} has no expectation here"),
        };
        assert_eq!(error.kind(), kind, "{name}");
        assert_eq!(Some(error.message()), message(body), "{name}");
        seen += 1;
    }
    eprintln!("errors: {seen}");
}
