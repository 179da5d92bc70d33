//! States of a prediction become one answer, and recorded ones say where it will be.

use llm_types::{Event, Finish};
use serde_json::{Value, json};

use super::super::tests::shared;
use super::{Decoder, later};
use crate::dialect::{Frame, StreamDecoder as _};

fn events(states: &[Value]) -> Vec<Event> {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for state in states {
        let frame = Frame { event: "".into(), data: state.to_string().into() };
        decoder.push(&frame, &mut events).unwrap();
    }
    decoder.finish(&mut events);
    events
}

fn state(status: &str, output: &Value) -> Value {
    json!({"id": "p1", "status": status, "output": output, "error": null})
}

#[test]
fn what_is_new_in_a_state_is_the_next_piece() {
    let mut last = state("succeeded", &json!(["H", "i", " there"]));
    last["metrics"] = json!({"input_token_count": 10, "output_token_count": 3});
    let states = [
        state("starting", &Value::Null),
        state("processing", &json!(["H"])),
        state("processing", &json!(["H"])),
        state("processing", &json!(["H", "i"])),
        last,
    ];
    let told = events(&states);
    let texts: Vec<&str> = told
        .iter()
        .filter_map(|event| if let Event::Text { text, .. } = event { Some(text.as_str()) } else { None })
        .collect();
    assert_eq!(texts, ["H", "i", " there"]);
    assert!(matches!(told.first(), Some(Event::Start(start)) if start.id == "p1"), "{told:?}");
    assert!(told.contains(&Event::Finish { choice: 0, reason: Finish::Stop }));
    assert!(told.iter().any(|event| matches!(event, Event::Usage(usage) if usage.output_tokens == 3)));
    assert_eq!(told.last(), Some(&Event::Done));
    assert!(!events(&states[..4]).contains(&Event::Done), "a cut stream has no end");
}

#[test]
fn a_prediction_that_fails_is_an_error_and_nothing_follows() {
    let failed = json!({"id": "p1", "status": "failed", "output": ["H"], "error": "CUDA out of memory"});
    let told = events(&[state("processing", &json!(["H"])), failed, state("succeeded", &json!(["Hi"]))]);
    assert!(matches!(told.last(), Some(Event::Error(error)) if error.message().contains("CUDA")), "{told:?}");
    let canceled = events(&[state("canceled", &Value::Null)]);
    assert!(matches!(canceled.last(), Some(Event::Error(error)) if error.message().contains("canceled")));
}

#[test]
fn an_answer_that_is_taken_back_is_no_answer() {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for (text, fits) in [("Hello", true), ("He", false)] {
        let data = state("processing", &json!(text)).to_string().into();
        assert_eq!(decoder.push(&Frame { event: "".into(), data }, &mut events).is_ok(), fits);
    }
}

#[test]
fn only_what_is_on_its_way_is_asked_for_again() {
    let at = |state: &Value| later(state.to_string().as_bytes());
    assert_eq!(at(&state("starting", &Value::Null)).as_deref(), Some("/predictions/p1"));
    assert_eq!(at(&state("processing", &json!(["H"]))).as_deref(), Some("/predictions/p1"));
    for over in ["succeeded", "failed", "canceled"] {
        assert_eq!(at(&state(over, &Value::Null)), None);
    }
    let strange = json!({"id": "../account", "status": "starting"});
    assert_eq!(at(&strange), None, "an id is no path");
}

#[test]
fn recorded_predictions_say_where_they_will_be() {
    let Some(folder) = shared("traffic/replicate") else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let record: Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let body = &record["response"]["body"];
        if !matches!(body["status"].as_str(), Some("starting" | "processing")) {
            continue;
        }
        let told = later(body.to_string().as_bytes()).unwrap();
        assert!(body["urls"]["get"].as_str().unwrap().ends_with(&told), "{told}");
        seen += 1;
    }
    assert!(seen >= 5, "the folder holds the recordings: {seen}");
}
