//! Which messages are marked.

use llm_types::{CacheMark, CacheTtl, ChatRequest, Message, Part, PartKind, Role, Tool, ToolKind};

use super::mark;
use crate::config::{CachePoint, CacheSpot};

const HOUR: CacheMark = CacheMark { ttl: Some(CacheTtl::OneHour) };

fn at(spot: CacheSpot) -> CachePoint {
    CachePoint { spot, mark: CacheMark::default() }
}

fn talk(turns: usize) -> ChatRequest {
    let mut messages = vec![Message::system("Be brief")];
    for _ in 0..turns {
        messages.extend([Message::user("Question"), Message::assistant("Answer")]);
    }
    ChatRequest { messages, ..ChatRequest::default() }
}

/// The numbers of the messages whose last part is marked.
fn marked(request: &ChatRequest) -> Vec<usize> {
    let is = |message: &Message| message.parts.last().is_some_and(|part| part.cache.is_some());
    (0..request.messages.len()).filter(|at| is(&request.messages[*at])).collect()
}

#[test]
fn roles_and_numbers_from_both_ends() {
    for (points, expected) in [
        (vec![at(CacheSpot::Role(Role::System))], vec![0]),
        (vec![at(CacheSpot::Role(Role::User))], vec![1, 3]),
        (vec![at(CacheSpot::Message(2))], vec![2]),
        (vec![at(CacheSpot::Message(-1)), at(CacheSpot::Role(Role::System))], vec![0, 4]),
        (vec![at(CacheSpot::Message(9)), at(CacheSpot::Message(-9))], vec![]),
    ] {
        let mut request = talk(2);
        mark(&mut request, &points);
        assert_eq!(marked(&request), expected, "{points:?}");
    }
}

#[test]
fn there_are_four_at_most_and_the_last_ones_win() {
    let mut request = talk(6);
    mark(&mut request, &[at(CacheSpot::Role(Role::User)), at(CacheSpot::Role(Role::System))]);
    assert_eq!(marked(&request), [5, 7, 9, 11]);
}

#[test]
fn the_callers_own_marks_stay_and_count() {
    let mut request = talk(2);
    for own in &mut request.messages[..3] {
        own.parts[0].cache = Some(HOUR);
    }
    mark(&mut request, &[at(CacheSpot::Role(Role::User)), at(CacheSpot::Message(-1))]);
    assert_eq!(marked(&request), [0, 1, 2, 4], "one was free");
    assert_eq!(request.messages[1].parts[0].cache, Some(HOUR));
}

#[test]
fn thoughts_and_empty_texts_are_not_marked() {
    let mut request = talk(1);
    let thought = Part::new(PartKind::Reasoning { text: "hm".to_owned(), summary: false });
    request.messages[2].parts.extend([thought, Part::text("")]);
    mark(&mut request, &[at(CacheSpot::Message(-1))]);
    let marks: Vec<bool> = request.messages[2].parts.iter().map(|part| part.cache.is_some()).collect();
    assert_eq!(marks, [true, false, false]);
}

#[test]
fn the_last_tool_is_marked() {
    let tool = |name: &str| Tool {
        name: name.to_owned(),
        description: None,
        kind: ToolKind::Function { parameters: None },
        strict: None,
        cache: None,
        extra: llm_types::Extra::default(),
    };
    let mut request = ChatRequest { tools: vec![tool("a"), tool("b")], ..talk(1) };
    mark(&mut request, &[CachePoint { spot: CacheSpot::Tools, mark: HOUR }]);
    assert_eq!(request.tools.iter().map(|tool| tool.cache).collect::<Vec<_>>(), [None, Some(HOUR)]);
}
