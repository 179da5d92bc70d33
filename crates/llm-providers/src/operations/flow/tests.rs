//! Replies that flow by.

use bytes::Bytes;
use llm_types::{Error, ErrorKind, Operation};

use super::flow;
use crate::dialect::Relay;
use crate::operations::{Asked, Job, entry};
use crate::{Registry, Target};

fn with_relay(kind: &str, check: impl FnOnce(Box<dyn Relay>)) {
    let body = Bytes::from_static(br#"{"model":"tts-1","input":"Hello","voice":"alloy"}"#);
    let (asked, _) = Asked::read(Operation::Speech, body, "application/json").unwrap();
    let target = Target::bare(Registry::built_in().provider("openai").unwrap().clone(), "tts-1");
    let entry = entry(&target.spec, Operation::Speech, "tts-1").unwrap();
    let request = asked.request().unwrap();
    check(flow(&Job { asked: &asked, request, target: &target, entry, set: None }, kind));
}

#[test]
fn audio_passes_as_it_is_and_is_charged_by_its_letters() {
    with_relay("audio/mpeg", |mut relay| {
        let mut out = Vec::new();
        relay.push(Bytes::from_static(b"\xff\xfb"), &mut out);
        assert!(!relay.facts().complete);
        relay.finish(None, &mut out);
        assert_eq!(out, [Bytes::from_static(b"\xff\xfb")]);
        let units = relay.facts().usage.as_ref().unwrap().units.clone().unwrap();
        assert_eq!((units.characters, relay.facts().complete), (Some(5), true));
    });
}

#[test]
fn cut_audio_is_not_complete() {
    with_relay("audio/mpeg", |mut relay| {
        let mut out = Vec::new();
        relay.finish(Some(&Error::new(ErrorKind::BadUpstream, "cut")), &mut out);
        assert!(!relay.facts().complete && out.is_empty());
    });
}

#[test]
fn events_tell_usage_and_their_end_wherever_they_are_split() {
    let text = b"data: {\"type\":\"speech.audio.delta\",\"audio\":\"AA\"}\n\n\
        data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":7,\"output_tokens\":9,\"total_tokens\":16}}\n\n";
    for at in 0..text.len() {
        with_relay("text/event-stream", |mut relay| {
            let mut out = Vec::new();
            relay.push(Bytes::copy_from_slice(&text[..at]), &mut out);
            relay.push(Bytes::copy_from_slice(&text[at..]), &mut out);
            relay.finish(None, &mut out);
            let usage = relay.facts().usage.clone().unwrap();
            assert_eq!(
                (usage.input_tokens, usage.output_tokens, relay.facts().complete),
                (7, 9, true),
                "{at}"
            );
            assert_eq!(out.concat(), text);
        });
    }
}

#[test]
fn events_that_stop_early_end_with_an_error() {
    with_relay("text/event-stream", |mut relay| {
        let mut out = Vec::new();
        relay.push(Bytes::from_static(b"data: {\"type\":\"speech.audio.delta\"}\n\n"), &mut out);
        relay.finish(None, &mut out);
        assert!(!relay.facts().complete);
        assert!(String::from_utf8_lossy(&out.concat()).contains("ended before it was complete"));
    });
}
