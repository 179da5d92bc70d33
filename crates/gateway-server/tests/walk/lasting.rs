//! Streams that break off and go on at another deployment: one stream for the caller, two shares on the bill.

use bytes::{Bytes, BytesMut};
use llm_providers::dialect::{Frame, ReplyContext};
use llm_providers::framing::Frames;
use llm_providers::{Dialect, DialectId, dialects};
use llm_types::{ChatResponse, Choice, Error, ErrorKind, Event, Finish, Message, Start, Usage};
use serde_json::{Value, json};

use crate::support::{Answer, MASTER, Reply, Running, Setup, Upstream, anthropic, gateway, openai, wait_for};

/// A caller's dialect, where it asks and how.
struct Caller {
    id: DialectId,
    path: &'static str,
    body: fn() -> Value,
}

const CALLERS: [Caller; 6] = [
    Caller { id: DialectId::OpenaiChat, path: openai::PATH, body: || openai::streamed("any") },
    Caller { id: DialectId::Anthropic, path: anthropic::PATH, body: || anthropic::streamed("any") },
    Caller {
        id: DialectId::OpenaiResponses,
        path: "/v1/responses",
        body: || json!({ "model": "any", "input": "Say hello.", "stream": true }),
    },
    Caller {
        id: DialectId::Gemini,
        path: "/v1beta/models/any:streamGenerateContent?alt=sse",
        body: || json!({ "contents": [{ "role": "user", "parts": [{ "text": "Say hello." }] }] }),
    },
    Caller {
        id: DialectId::Cohere,
        path: "/v2/chat",
        body: || json!({ "model": "any", "stream": true, "messages": [{ "role": "user", "content": "Say hello." }] }),
    },
    Caller {
        id: DialectId::Converse,
        path: "/model/any/converse-stream",
        body: || json!({ "messages": [{ "role": "user", "content": [{ "text": "Say hello." }] }] }),
    },
];

/// Who breaks off: a provider of this dialect, and of no other where that matters.
const DYING: [(DialectId, &str); 5] = [
    (DialectId::OpenaiChat, "mistral/mistral-small-latest"),
    (DialectId::Anthropic, "anthropic/claude-opus-5"),
    (DialectId::OpenaiResponses, "openai/responses/gpt-4o-mini"),
    (DialectId::Gemini, "gemini/gemini-2.5-flash"),
    (DialectId::Cohere, "cohere_chat/command-r-plus"),
];

/// How it breaks off.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Cut,
    Error,
    Stall,
}

/// The frames of a stream that has begun to answer, as its provider writes them.
fn begun(id: DialectId) -> Vec<Bytes> {
    let start =
        Start { id: "theirs_1".into(), model: "their-model".into(), created: Some(1), ..Start::default() };
    let text = |text: &str| Event::Text { choice: 0, text: text.to_owned() };
    let usage = Usage { input_tokens: 10, output_tokens: 1, ..Usage::default() };
    let mut events = vec![Event::Start(start), text("The quick"), text(" brown ")];
    if id == DialectId::Anthropic {
        events.insert(1, Event::Usage(usage));
    }
    let mut encoder = dialects::dialect(id).stream_encoder(ReplyContext::default());
    let mut write = |event: &Event| {
        let mut out = BytesMut::new();
        encoder.push(event, &mut out);
        theirs(id, out.freeze())
    };
    // An empty chunk would end the body.
    events.iter().map(&mut write).filter(|bytes| !bytes.is_empty()).collect()
}

/// A provider of Responses counts its frames and names its items in its own way.
fn theirs(id: DialectId, bytes: Bytes) -> Bytes {
    if id != DialectId::OpenaiResponses {
        return bytes;
    }
    let mut out = String::new();
    for line in String::from_utf8(bytes.to_vec()).unwrap().lines() {
        let line = match line.strip_prefix("data: ") {
            None => line.to_owned(),
            Some(data) => {
                let mut frame: Value =
                    serde_json::from_str(&data.replace("\"msg_", "\"msg_theirs_")).unwrap();
                frame["sequence_number"] = json!(frame["sequence_number"].as_u64().unwrap() + 7);
                format!("data: {frame}")
            }
        };
        out.push_str(&line);
        out.push('\n');
    }
    out.into()
}

fn dying(id: DialectId, end: End) -> Reply {
    let dialect = dialects::dialect(id);
    let reply = Reply::stream().header("content-type", dialect.framing().content_type());
    let reply = begun(id).into_iter().fold(reply, |reply, frame| reply.then(frame.to_vec()));
    match end {
        End::Cut => reply.cut(),
        End::Stall => reply.hang(),
        End::Error => {
            let mut out = BytesMut::new();
            let error = Error::new(ErrorKind::Overloaded, "they broke");
            let mut encoder = dialect.stream_encoder(ReplyContext::default());
            let mut unseen = BytesMut::new();
            encoder.push(&Event::Start(Start { id: "theirs_1".into(), ..Start::default() }), &mut unseen);
            encoder.push(&Event::Error(error), &mut out);
            reply.then(out.to_vec())
        }
    }
}

fn stage(dying: (DialectId, &str), reply: Reply, on: bool) -> (Upstream, Upstream, Running) {
    let (first, second) = (Upstream::always(reply), Upstream::always(goes_on()));
    let gateway = setup(dying, &first, &second).set("router_settings", "mid_stream_failover", on).start();
    (first, second, gateway)
}

fn setup((_, model): (DialectId, &str), first: &Upstream, second: &Upstream) -> Setup {
    gateway()
        .model_at("any", model, &first.url(), &json!({ "order": 1, "stream_timeout": 5, "timeout": 0.4 }))
        .model_at("any", "anthropic/claude-sonnet-4-5", &second.url(), &json!({ "order": 2 }))
}

/// What the other deployment says: it was told `The quick brown`.
fn goes_on() -> Reply {
    Reply::stream()
        .then(anthropic::start())
        .then(anthropic::piece(" fox"))
        .then(anthropic::piece(" jumps."))
        .then(anthropic::finish())
}

fn ask(gateway: &Running, caller: &Caller) -> Answer {
    let body = (caller.body)();
    let call = gateway.post(caller.path).json(&body);
    let call = match caller.id {
        DialectId::Anthropic => call.header("x-api-key", MASTER),
        DialectId::Gemini => call.header("x-goog-api-key", MASTER),
        _ => call.key(MASTER),
    };
    call.send().expect(200)
}

/// What a client of the dialect understands.
fn read(dialect: &dyn Dialect, body: &[u8]) -> (Vec<Frame>, Vec<Event>) {
    let (mut frames, mut decoder) = (Frames::new(dialect.framing()), dialect.stream_decoder());
    let (mut seen, mut events) = (Vec::new(), Vec::new());
    frames.push(Bytes::copy_from_slice(body));
    while let Some(frame) = frames.next_frame().unwrap() {
        decoder.push(&frame, &mut events).unwrap();
        seen.push(frame);
    }
    decoder.finish(&mut events);
    (seen, events)
}

fn text_of(events: &[Event]) -> String {
    let text = |event: &Event| match event {
        Event::Text { text, .. } => text.clone(),
        _ => String::new(),
    };
    events.iter().map(text).collect()
}

fn count(events: &[Event], is: impl Fn(&Event) -> bool) -> usize {
    events.iter().filter(|event| is(event)).count()
}

/// The values a member has wherever it stands in a stream's frames.
fn all(frames: &[Frame], name: &str) -> Vec<Value> {
    fn walk(value: &Value, name: &str, out: &mut Vec<Value>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(key, value)| {
                if key == name {
                    out.push(value.clone());
                }
                walk(value, name, out);
            }),
            Value::Array(list) => list.iter().for_each(|value| walk(value, name, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    for frame in frames {
        if let Ok(value) = serde_json::from_slice(&frame.data) {
            walk(&value, name, &mut out);
        }
    }
    out
}

fn one_stream(caller: &Caller, from: DialectId, end: End, answer: &Answer) {
    let told = format!("{:?} from {from:?} {end:?}: {}", caller.id, answer.text());
    assert!(answer.whole, "{told}");
    let (frames, events) = read(dialects::dialect(caller.id), &answer.body);
    assert_eq!(text_of(&events), "The quick brown fox jumps.", "{told}");
    assert_eq!(count(&events, |event| matches!(event, Event::Start(_))), 1, "{told}");
    assert_eq!(count(&events, |event| matches!(event, Event::Error(_))), 0, "{told}");
    assert_eq!(count(&events, |event| matches!(event, Event::Finish { .. })), 1, "{told}");
    assert_eq!(count(&events, |event| matches!(event, Event::Done)), 1, "{told}");
    let finish = Event::Finish { choice: 0, reason: Finish::Stop };
    assert!(events.contains(&finish), "{told}");
    for name in ["id", "responseId", "item_id", "model", "modelVersion"] {
        let mut values = all(&frames, name);
        if caller.id == DialectId::OpenaiResponses && name == "id" {
            values.retain(|id| id.as_str().is_some_and(|id| id.starts_with("resp")));
        }
        values.dedup();
        assert!(values.len() <= 1, "{name} {values:?} {told}");
    }
    let numbers: Vec<i64> = all(&frames, "sequence_number").iter().filter_map(Value::as_i64).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?} {told}");
}

/// Unmet need D11: one well-formed stream. LiteLLM #18229: who goes on was told by a hidden English prompt to do so;
/// here it gets what the caller sent and the answer as far as it came, and nothing else.
#[test]
fn every_caller_gets_one_stream() {
    for (from, model) in DYING {
        for end in [End::Cut, End::Error, End::Stall] {
            let (_first, second, gateway) = stage((from, model), dying(from, end), true);
            std::thread::scope(|scope| {
                for caller in &CALLERS {
                    scope.spawn(|| one_stream(caller, from, end, &ask(&gateway, caller)));
                }
            });
            for seen in second.seen() {
                let messages = &seen.json()["messages"];
                assert_eq!(messages.as_array().map(Vec::len), Some(2), "{messages}");
                assert_eq!(messages[1]["role"], "assistant");
                assert!(messages[1].to_string().contains("\"The quick brown\""), "{messages}");
            }
            assert!(
                gateway
                    .get("/metrics")
                    .key(MASTER)
                    .send()
                    .text()
                    .contains("gateway_stream_failovers_total 6")
            );
            gateway.wait_for_rest();
            let rows = gateway.booked();
            assert_eq!(rows.len(), CALLERS.len(), "one row a call");
            for row in rows {
                assert_eq!((row.outcome.as_str(), row.estimated), ("completed", true), "{row:#?}");
            }
        }
    }
}

/// Amazon's own callers at Amazon's own models: binary frames, forwarded.
#[test]
fn binary_frames_go_on() {
    let keys = json!({
        "aws_access_key_id": "AKIA0", "aws_secret_access_key": "secret-of-aws", "aws_region_name": "us-east-1",
        "order": 1, "stream_timeout": 5, "timeout": 0.4,
    });
    for end in [End::Cut, End::Error, End::Stall] {
        let (first, second) =
            (Upstream::always(dying(DialectId::Converse, end)), Upstream::always(goes_on()));
        let gateway = gateway()
            .model_at(
                "any",
                "bedrock/converse/anthropic.claude-sonnet-4-5-20250929-v1:0",
                &first.url(),
                &keys,
            )
            .model_at("any", "anthropic/claude-sonnet-4-5", &second.url(), &json!({ "order": 2 }))
            .set("router_settings", "mid_stream_failover", true)
            .start();
        for caller in [&CALLERS[5], &CALLERS[0]] {
            one_stream(caller, DialectId::Converse, end, &ask(&gateway, caller));
        }
    }
}

/// A reply that its provider was to keep, and that another one ended, is kept here.
#[test]
fn a_reply_that_went_on_is_kept() {
    let (first, _second, gateway) = stage(DYING[2], dying(DYING[2].0, End::Cut), true);
    let answer = ask(&gateway, &CALLERS[2]);
    one_stream(&CALLERS[2], DYING[2].0, End::Cut, &answer);
    let found = wait_for("the reply", || {
        let found = gateway.get("/v1/responses/resp_theirs_1").key(MASTER).send();
        found.text().contains("The quick brown fox jumps.").then_some(found)
    });
    assert_eq!((found.status, found.json()["status"].clone()), (200, json!("completed")));
    assert_eq!(first.seen().iter().filter(|seen| seen.path.ends_with("/responses")).count(), 1);
}

/// Gemini's callers without `alt=sse` get one JSON list.
#[test]
fn a_list_goes_on() {
    for (from, model) in [DYING[0], DYING[3]] {
        for end in [End::Cut, End::Error] {
            let (_first, _second, gateway) = stage((from, model), dying(from, end), true);
            let path = "/v1beta/models/any:streamGenerateContent";
            let call = gateway.post(path).header("x-goog-api-key", MASTER).json(&(CALLERS[3].body)());
            let list = call.send().expect(200).json();
            let parts = list.as_array().unwrap().iter();
            let texts = parts.filter_map(|one| one["candidates"][0]["content"]["parts"][0]["text"].as_str());
            assert_eq!(texts.collect::<String>(), "The quick brown fox jumps.", "{list}");
        }
    }
}

/// A stream that does not fail passes byte for byte, whether or not it might go on elsewhere.
#[test]
fn a_stream_that_lives_is_not_touched() {
    let odd = ": hello\n\ndata:   {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}], \"odd\":1}\r\n\r\n";
    let end = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    for on in [false, true] {
        let reply = Reply::stream().then(odd).then(end);
        let (_first, second, gateway) = stage(DYING[0], reply, on);
        assert_eq!(ask(&gateway, &CALLERS[0]).text(), format!("{odd}{end}"), "{on}");
        let reply = anthropic::stream();
        let (_first, _second, gateway) = stage(DYING[1], reply, on);
        let told =
            [anthropic::start(), anthropic::piece("Hello"), anthropic::piece(" there."), anthropic::finish()];
        assert_eq!(ask(&gateway, &CALLERS[1]).text(), told.concat(), "{on}");
        assert!(second.seen().is_empty());
    }
}

/// Off by default: the caller sees the error it always saw.
#[test]
fn nothing_goes_on_unless_asked_for() {
    let (_first, second, gateway) = stage(DYING[0], dying(DialectId::OpenaiChat, End::Cut), false);
    let answer = ask(&gateway, &CALLERS[0]);
    assert!(answer.text().contains("error") && !answer.text().contains("[DONE]"), "{}", answer.text());
    assert!(second.seen().is_empty());
}

/// D11: what others cannot go on with ends in an error of the caller's dialect; nobody else is asked.
#[test]
fn what_cannot_be_continued_is_an_error() {
    let start = || Event::Start(Start { id: "theirs_1".into(), model: "m".into(), ..Start::default() });
    let text = Event::Text { choice: 0, text: "Let me".into() };
    let tool =
        |index| Event::ToolStart { choice: 0, index, id: "c1".into(), name: "look".into(), custom: false };
    let arguments = Event::ToolArguments { choice: 0, index: 0, arguments: "{\"ci".into() };
    let thought = Event::Reasoning { choice: 0, text: "2 + 2".into() };
    let signature = Event::Signature { choice: 0, signature: "c2ln".into() };
    let stories = [vec![start(), text.clone(), tool(0), arguments], vec![start(), thought, signature, text]];
    for (from, model) in [DYING[0], DYING[1]] {
        for story in &stories {
            let dialect = dialects::dialect(from);
            let mut encoder = dialect.stream_encoder(ReplyContext::default());
            let mut out = BytesMut::new();
            story.iter().for_each(|event| encoder.push(event, &mut out));
            let reply = Reply::stream().then(out.to_vec()).cut();
            let (_first, second, gateway) = stage((from, model), reply, true);
            for caller in &CALLERS {
                let answer = ask(&gateway, caller);
                let (_, events) = read(dialects::dialect(caller.id), &answer.body);
                let told = format!("{:?} {from:?}: {}", caller.id, answer.text());
                assert_eq!(count(&events, |event| matches!(event, Event::Error(_))), 1, "{told}");
                assert_eq!(count(&events, |event| matches!(event, Event::Done)), 0, "{told}");
            }
            assert!(second.seen().is_empty(), "nobody is asked to go on");
            gateway.wait_for_rest();
            assert!(gateway.booked().iter().all(|row| row.outcome == "cut"
                && row.usage.as_deref().is_none_or(|usage| !usage.contains("shares"))));
        }
    }
}

/// An answer with a form is not spliced, nor does a model that cannot continue get asked. LiteLLM #27967: such models
/// were asked all the same, and their 400 hid the error.
#[test]
fn forms_and_models_that_cannot_are_errors() {
    let (_first, second, running) = stage(DYING[0], dying(DialectId::OpenaiChat, End::Cut), true);
    let mut body = openai::streamed("any");
    body["response_format"] = json!({ "type": "json_object" });
    let answer = running.chat(&body).send().expect(200);
    assert!(answer.text().contains("error") && !answer.text().contains("[DONE]"), "{}", answer.text());
    assert!(second.seen().is_empty());

    for (model, goes) in [
        ("anthropic/claude-opus-4-6", false),
        ("mistral/mistral-small-latest", true),
        ("hosted_vllm/llama", true),
    ] {
        let (first, second) =
            (Upstream::always(dying(DialectId::OpenaiChat, End::Cut)), Upstream::always(openai::stream()));
        let gateway = gateway()
            .model_at("any", "openai/gpt-4o-mini", &first.url(), &json!({ "order": 1 }))
            .model_at("any", model, &second.url(), &json!({ "order": 2 }))
            .set("router_settings", "mid_stream_failover", true)
            .start();
        let answer = ask(&gateway, &CALLERS[0]);
        assert_eq!(answer.text().contains("[DONE]"), goes, "{model}: {}", answer.text());
        assert_eq!(second.seen().len(), usize::from(goes), "{model}");
        if goes {
            let (_, events) = read(dialects::dialect(DialectId::OpenaiChat), &answer.body);
            assert_eq!(text_of(&events), "The quick brown Hello there.");
            let sent = second.only().json();
            let marked = sent["messages"][1]["prefix"] == true || sent["continue_final_message"] == true;
            assert!(marked, "{sent}");
        }
    }
}

/// LiteLLM #27967: the caller is told why the stream broke off, not that somebody else cannot go on with it.
#[test]
fn the_error_that_broke_the_stream_is_told() {
    let (first, second) =
        (Upstream::always(dying(DialectId::OpenaiChat, End::Error)), Upstream::always(openai::stream()));
    let gateway = gateway()
        .model_at("any", "openai/gpt-4o-mini", &first.url(), &json!({ "order": 1 }))
        .model_at("any", "anthropic/claude-opus-4-7", &second.url(), &json!({ "order": 2 }))
        .set("router_settings", "mid_stream_failover", true)
        .start();
    let answer = ask(&gateway, &CALLERS[0]);
    assert!(answer.text().contains("they broke") && !answer.text().contains("[DONE]"), "{}", answer.text());
    assert!(second.seen().is_empty());
}

/// LiteLLM #19077: `disable_fallbacks` held for calls, and not for streams that had begun.
#[test]
fn who_wants_no_fallbacks_gets_none_in_the_middle_either() {
    let (_first, second, gateway) = stage(DYING[0], dying(DialectId::OpenaiChat, End::Cut), true);
    let mut body = openai::streamed("any");
    body["disable_fallbacks"] = json!(true);
    let answer = gateway.chat(&body).send().expect(200);
    assert!(answer.text().contains("error") && !answer.text().contains("[DONE]"), "{}", answer.text());
    assert!(second.seen().is_empty());
}

/// Both shares are on the bill: what the first had told of itself, an estimate where it told nothing.
#[test]
fn both_are_paid() {
    for ((from, model), input, output) in [(DYING[1], 10, 4), (DYING[0], 10, 4)] {
        let (_first, _second, gateway) = stage((from, model), dying(from, End::Cut), true);
        let key = gateway.key(&json!({ "max_budget": 100 }));
        let mut body = openai::streamed("any");
        body["stream_options"] = json!({ "include_usage": true });
        let answer = gateway.post(openai::PATH).key(&key).json(&body).send().expect(200);
        let usage = answer.frames().iter().rev().find_map(|frame| {
            serde_json::from_str::<Value>(frame)
                .ok()
                .map(|frame| frame["usage"].clone())
                .filter(Value::is_object)
        });
        let usage = usage.unwrap_or_else(|| panic!("usage in {}", answer.text()));
        let prompt = usage["prompt_tokens"].as_i64().unwrap() - 10;
        assert_eq!(prompt, input, "{from:?}: {usage}");
        assert_eq!(usage["completion_tokens"], output + 20, "{from:?}");
        let cost = 0.001 * (prompt + 10) as f64 + 0.002 * (output + 20) as f64;
        assert!((gateway.spend(&key) - cost).abs() < 1e-9, "{} {cost}", gateway.spend(&key));
        gateway.wait_for_rest();
        let rows = gateway.booked();
        assert_eq!(rows.len(), 1, "one call, one row");
        let row = &rows[0];
        assert_eq!((row.input_tokens, row.output_tokens), (prompt + 10, output + 20));
        assert_eq!(
            (row.provider.as_deref(), row.estimated, row.fallbacks > 0),
            (Some("anthropic"), true, true)
        );
        let details: Value = serde_json::from_str(row.usage.as_deref().unwrap()).unwrap();
        let share = &details["shares"][0];
        assert_eq!((&share["why"], &share["usage"]["output_tokens"]), (&json!("cut"), &json!(output)));
        assert_eq!(share["model"], model.split_once('/').unwrap().1);
    }
}

/// Two deployments break off one after the other, and a third one goes on.
#[test]
fn it_may_happen_twice() {
    let first = Upstream::always(dying(DialectId::OpenaiChat, End::Cut));
    let second =
        Upstream::always(Reply::stream().then(anthropic::start()).then(anthropic::piece(" fox")).cut());
    let third = Upstream::always(
        Reply::stream().then(anthropic::start()).then(anthropic::piece(" jumps.")).then(anthropic::finish()),
    );
    let gateway = gateway()
        .model_at("any", DYING[0].1, &first.url(), &json!({ "order": 1 }))
        .model_at("any", "anthropic/claude-sonnet-4-5", &second.url(), &json!({ "order": 2 }))
        .model_at("any", "anthropic/claude-haiku-4-5", &third.url(), &json!({ "order": 3 }))
        .set("router_settings", "mid_stream_failover", true)
        .start();
    for caller in &CALLERS {
        one_stream(caller, DialectId::OpenaiChat, End::Cut, &ask(&gateway, caller));
    }
    let last = third.seen().pop().unwrap().json();
    assert!(last["messages"][1].to_string().contains("The quick brown fox"), "{last}");
    assert_eq!(last["messages"].as_array().map(Vec::len), Some(2));
}

/// Nobody is left: the caller is told of the error of the one that broke off.
#[test]
fn when_all_break_off_the_first_error_is_told() {
    let first = Upstream::always(dying(DialectId::OpenaiChat, End::Error));
    let second = Upstream::always(anthropic_error());
    let gateway =
        setup(DYING[0], &first, &second).set("router_settings", "mid_stream_failover", true).start();
    for caller in &CALLERS {
        let answer = ask(&gateway, caller);
        let (_, events) = read(dialects::dialect(caller.id), &answer.body);
        let told = format!("{:?}: {}", caller.id, answer.text());
        assert_eq!(text_of(&events).trim_end(), "The quick brown", "{told}");
        assert_eq!(count(&events, |event| matches!(event, Event::Error(_))), 1, "{told}");
    }
    assert_eq!(second.seen().len(), 6);
    gateway.wait_for_rest();
    for row in gateway.booked() {
        assert_eq!((row.outcome.as_str(), row.provider.as_deref()), ("cut", Some("mistral")));
    }
}

fn anthropic_error() -> Reply {
    let error = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "full" } });
    Reply::json(529, &error)
}

/// A caller who leaves while another deployment is asked pays for both.
#[test]
fn who_leaves_meanwhile_pays_for_both() {
    let first = Upstream::always(dying(DialectId::OpenaiChat, End::Cut));
    let second = Upstream::always(Reply::silence());
    let gateway =
        setup(DYING[0], &first, &second).set("router_settings", "mid_stream_failover", true).start();
    let mut flow = gateway.chat(&openai::streamed("any")).open();
    flow.until("brown");
    second.wait_for_requests(1);
    drop(flow);
    second.wait_for_hang_up();
    gateway.wait_for_rest();
    let rows = gateway.booked();
    assert_eq!((rows.len(), rows[0].outcome.as_str(), rows[0].estimated), (1, "hung_up", true), "{rows:#?}");
    assert_eq!(rows[0].output_tokens, 4);
    let details: Value = serde_json::from_str(rows[0].usage.as_deref().unwrap()).unwrap();
    let why: Vec<&str> =
        details["shares"].as_array().unwrap().iter().filter_map(|one| one["why"].as_str()).collect();
    assert_eq!(why, ["cut", "cancelled"]);
}

/// A reply that came whole is the measure of what callers' readers understand.
#[test]
fn the_readers_of_this_test_read() {
    let reply = ChatResponse {
        id: "theirs_1".into(),
        choices: vec![Choice {
            index: 0,
            message: Message::assistant("Hello"),
            finish: Some(Finish::Stop),
            logprobs: None,
            extra: llm_types::Extra::default(),
        }],
        ..ChatResponse::default()
    };
    for caller in &CALLERS {
        let dialect = dialects::dialect(caller.id);
        let mut encoder = dialect.stream_encoder(ReplyContext::default());
        let mut out = BytesMut::new();
        reply.clone().into_events().iter().for_each(|event| encoder.push(event, &mut out));
        encoder.finish(&mut out);
        let (_, events) = read(dialect, &out);
        assert_eq!(
            (text_of(&events).as_str(), count(&events, |event| matches!(event, Event::Done))),
            ("Hello", 1)
        );
    }
}

/// The operator's program (`routing_strategy: custom`) is asked who goes on, too.
#[test]
fn a_program_says_who_goes_on() {
    let first = Upstream::always(dying(DialectId::Anthropic, End::Cut));
    let (second, third) = (Upstream::always(goes_on()), Upstream::always(goes_on()));
    let program = Upstream::always(Reply::json(200, &json!({ "deployments": ["1st", "3rd", "2nd"] })));
    let times = json!({ "stream_timeout": 5, "timeout": 0.4 });
    let gateway = [("1st", &first), ("2nd", &second), ("3rd", &third)]
        .into_iter()
        .fold(gateway(), |setup, (id, upstream)| {
            let setup = setup.model_at("any", "anthropic/claude-sonnet-4-5", &upstream.url(), &times);
            setup.info(json!({ "id": id }))
        })
        .with(
            "router_settings",
            json!({
                "mid_stream_failover": true,
                "routing_strategy": "custom",
                "routing_webhook": { "url": format!("{}/route", program.url()), "timeout": 20 },
            }),
        )
        .start();
    one_stream(&CALLERS[0], DialectId::Anthropic, End::Cut, &ask(&gateway, &CALLERS[0]));
    assert_eq!([first, second, third, program].map(|one| one.seen().len()), [1, 0, 1, 2]);
}
