//! What becomes of the events of a stream.

use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use llm_providers::dialect::StreamEncoder;
use llm_types::{Event, Finish};

use super::Told;

#[derive(Debug, Default, Clone)]
struct Seen(Arc<Mutex<Vec<Event>>>);

impl StreamEncoder for Seen {
    fn push(&mut self, event: &Event, _out: &mut BytesMut) {
        self.0.lock().unwrap().push(event.clone());
    }

    fn finish(&mut self, _out: &mut BytesMut) {}
}

fn told(events: &[Event]) -> Vec<Event> {
    let seen = Seen::default();
    let mut told = Told::new(Box::new(seen.clone()));
    for event in events {
        told.push(event, &mut BytesMut::new());
    }
    seen.0.lock().unwrap().clone()
}

fn text(choice: u32, text: &str) -> Event {
    Event::Text { choice, text: text.to_owned() }
}

fn thought(choice: u32, text: &str) -> Event {
    Event::Reasoning { choice, text: text.to_owned() }
}

#[test]
fn thoughts_stand_between_marks_and_each_answer_has_its_own() {
    let events = [
        thought(0, "Let "),
        thought(1, "Hm"),
        thought(0, "me see"),
        Event::Signature { choice: 0, signature: "s".to_owned() },
        text(0, "Four"),
        text(0, "."),
        text(1, "4"),
    ];
    let expected = [
        text(0, "<think>Let "),
        text(1, "<think>Hm"),
        text(0, "me see"),
        text(0, "</think>Four"),
        text(0, "."),
        text(1, "</think>4"),
    ];
    assert_eq!(told(&events), expected);
}

#[test]
fn thoughts_before_a_call_or_the_end_are_closed() {
    let call =
        Event::ToolStart { choice: 0, index: 0, id: "c".to_owned(), name: "f".to_owned(), custom: false };
    let finish = Event::Finish { choice: 0, reason: Finish::Stop };
    for end in [call, finish] {
        let events = told(&[thought(0, "Hm"), end.clone()]);
        assert_eq!(events, [text(0, "<think>Hm"), text(0, "</think>"), end]);
    }
    assert_eq!(told(&[text(0, "Hi"), Event::Done]), [text(0, "Hi"), Event::Done], "no thought, no marks");
}
