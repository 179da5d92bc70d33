//! Streams of events as decoders tell them.

use llm_types::{Citation, Error, ErrorKind, Event, Finish, Start, Usage};
use proptest::prelude::*;
use serde_json::{Value, json};

/// How a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Done,
    Error,
    Cut,
}

/// One stream.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) events: Vec<Event>,
    pub(super) end: End,
}

impl Case {
    /// All the text.
    pub(super) fn text(&self) -> String {
        let of = |event: &Event| match event {
            Event::Text { text, .. } => Some(text.clone()),
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    /// All the reasoning.
    pub(super) fn reasoning(&self) -> String {
        let of = |event: &Event| match event {
            Event::Reasoning { text, .. } => Some(text.clone()),
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    /// The calls: names and arguments, in the order they began.
    pub(super) fn calls(&self) -> Vec<(String, Value)> {
        let of = |event: &Event| match event {
            Event::ToolStart { index, name, .. } => Some((*index, name.clone())),
            _ => None,
        };
        let arguments = |wanted: u32| {
            let of = |event: &Event| match event {
                Event::ToolArguments { index, arguments, .. } if *index == wanted => Some(arguments.clone()),
                _ => None,
            };
            let text: String = self.events.iter().filter_map(of).collect();
            if text.is_empty() { json!({}) } else { serde_json::from_str(&text).unwrap() }
        };
        self.events.iter().filter_map(of).map(|(index, name)| (name, arguments(index))).collect()
    }
}

/// A run of events that belong together.
#[derive(Debug, Clone)]
enum Block {
    Text(Vec<String>, bool),
    Reasoning(Vec<String>, Option<String>),
    /// Names and argument texts, and whether the calls are told side by side.
    Calls(Vec<(String, String)>, bool),
    Ping,
    Usage(u64),
}

fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-zäß\"\\\\😀\n ]{0,5}[a-z]", 1..4)
}

fn call() -> impl Strategy<Value = (String, String)> {
    let arguments = prop_oneof![
        Just(String::new()),
        Just("{}".to_owned()),
        "[a-z\"ä]{0,6}".prop_map(|text| json!({ "a": text, "b": [1, { "c": null }] }).to_string()),
    ];
    ("[a-z]{1,6}", arguments)
}

fn block() -> impl Strategy<Value = Block> {
    prop_oneof![
        4 => (words(), any::<bool>()).prop_map(|(words, cited)| Block::Text(words, cited)),
        2 => (words(), prop::option::of(Just("c2lnbmVk".to_owned()))).prop_map(|(words, signed)| Block::Reasoning(words, signed)),
        3 => (prop::collection::vec(call(), 1..4), any::<bool>()).prop_map(|(calls, mixed)| Block::Calls(calls, mixed)),
        1 => Just(Block::Ping),
        1 => (1..50_u64).prop_map(Block::Usage),
    ]
}

/// Any stream.
pub(super) fn case() -> impl Strategy<Value = Case> {
    let end = prop_oneof![4 => Just(End::Done), 1 => Just(End::Error), 1 => Just(End::Cut)];
    (prop::collection::vec((block(), any::<bool>()), 0..6), end, any::<bool>()).prop_map(
        |(blocks, end, long)| {
            let mut events = vec![Event::Start(Start {
                id: "r1".to_owned(),
                model: "m".to_owned(),
                created: Some(1_600_000_000),
                ..Start::default()
            })];
            let mut calls = 0;
            for (block, closed) in blocks {
                told(block, &mut calls, &mut events);
                if closed && !matches!(events.last(), Some(Event::Start(_) | Event::Ping | Event::Usage(_))) {
                    events.push(Event::BlockEnd { choice: 0 });
                }
            }
            match end {
                End::Done => {
                    let reason = match (calls > 0, long) {
                        (_, true) => Finish::Length,
                        (true, false) => Finish::ToolCalls,
                        (false, false) => Finish::Stop,
                    };
                    events.push(Event::Finish { choice: 0, reason });
                    events.push(usage(60));
                    events.push(Event::Done);
                }
                End::Error => events.push(Event::Error(Error::new(ErrorKind::Overloaded, "busy"))),
                End::Cut => {}
            }
            Case { events, end }
        },
    )
}

fn usage(tokens: u64) -> Event {
    Event::Usage(Usage { input_tokens: 9, output_tokens: tokens, ..Usage::default() })
}

fn told(block: Block, calls: &mut u32, events: &mut Vec<Event>) {
    match block {
        Block::Text(words, cited) => {
            events.extend(words.into_iter().map(|text| Event::Text { choice: 0, text }));
            if cited {
                let citation = Citation { url: Some("https://e.org".to_owned()), ..Citation::default() };
                events.push(Event::Citation { choice: 0, citation: Box::new(citation) });
            }
        }
        Block::Reasoning(words, signature) => {
            events.extend(words.into_iter().map(|text| Event::Reasoning { choice: 0, text }));
            events.extend(signature.map(|signature| Event::Signature { choice: 0, signature }));
        }
        Block::Calls(list, mixed) => {
            let first = *calls;
            *calls += u32::try_from(list.len()).unwrap();
            let start = |(index, name): (u32, &String)| Event::ToolStart {
                choice: 0,
                index,
                id: format!("call_{index}"),
                name: name.clone(),
                custom: false,
            };
            let pieces = |index: u32, text: &str| {
                let chars: Vec<char> = text.chars().collect();
                let piece = |piece: &[char]| Event::ToolArguments {
                    choice: 0,
                    index,
                    arguments: piece.iter().collect(),
                };
                chars.chunks(4).map(piece).collect::<Vec<_>>()
            };
            if mixed {
                events.extend((first..).zip(list.iter().map(|(name, _)| name)).map(start));
                let mut rest: Vec<Vec<Event>> =
                    (first..).zip(&list).map(|(index, (_, text))| pieces(index, text)).collect();
                while rest.iter().any(|pieces| !pieces.is_empty()) {
                    rest.iter_mut()
                        .filter(|pieces| !pieces.is_empty())
                        .for_each(|pieces| events.push(pieces.remove(0)));
                }
            } else {
                for (index, (name, text)) in (first..).zip(&list) {
                    events.push(start((index, name)));
                    events.extend(pieces(index, text));
                }
            }
        }
        Block::Ping => events.push(Event::Ping),
        Block::Usage(tokens) => events.push(usage(tokens)),
    }
}
