//! Beginnings of prompts.

use llm_types::{Message, Part, Role};

use super::*;

/// Bytes of a beginning that is just long enough.
const SHORTEST: usize = (USUAL * TOKEN) as usize;

fn long(word: &str) -> String {
    word.repeat(SHORTEST)
}

fn keys(messages: Vec<Message>, tenant: u128) -> Vec<u128> {
    bonds(&ChatRequest::new("m", messages), tenant, USUAL).iter().map(|bond| bond.key).collect()
}

/// A conversation that goes on begins as it did before; the longest beginning comes first. A tenant's prompts are
/// known to it alone (unmet need D8).
#[test]
fn conversations_grow() {
    let mut talk = vec![Message::system(long("s")), Message::user("hi")];
    let first = keys(talk.clone(), 1);
    talk.extend([Message::assistant("hello"), Message::user("and now?")]);
    let second = keys(talk.clone(), 1);
    assert_eq!((first.len(), second.len()), (2, 4));
    assert_eq!(second[2..], first[..]);
    let other = keys(vec![Message::system(long("s")), Message::user("something else")], 1);
    assert_eq!(other[1], first[1], "the system prompt is shared");
    assert_ne!(other[0], first[0]);
    assert!(keys(talk.clone(), 2).iter().all(|key| !second.contains(key)), "tenants are kept apart");
    let renamed = bonds(&ChatRequest::new("n", talk), 1, USUAL);
    assert!(renamed.iter().all(|bond| !second.contains(&bond.key)), "so are models");
}

#[test]
fn short_prompts_are_not_cached() {
    assert!(keys(vec![Message::system("short"), Message::user("hi")], 1).is_empty());
    let role = |role| keys(vec![Message::new(role, vec![Part::text(long("s"))])], 1);
    assert_ne!(role(Role::System), role(Role::User));
}

/// What is long enough is a matter of the model: Claude Opus 5 caches 512 tokens, Haiku 4.5 no fewer than 4,096.
#[test]
fn the_shortest_is_said_by_the_model() {
    let talk =
        ChatRequest::new("m", vec![Message::system("s".repeat(2_048)), Message::user("u".repeat(4_096))]);
    let tokens =
        |shortest| -> Vec<u64> { bonds(&talk, 1, shortest).iter().filter_map(|bond| bond.tokens).collect() };
    assert_eq!(tokens(LEAST), [1_536, 512]);
    assert_eq!(tokens(USUAL), [1_536]);
    assert!(tokens(4_096).is_empty());
}

/// A mark ends a beginning inside a message and says how long it is kept: five minutes or an hour (LiteLLM #28427).
#[test]
fn marks() {
    let mark = |ttl| Some(CacheMark { ttl });
    let part = |text: &str, cache| Part { cache, ..Part::text(text) };
    let parts = vec![part(&long("a"), mark(Some(CacheTtl::OneHour))), part("b", mark(None)), part("c", None)];
    let found = bonds(&ChatRequest::new("m", vec![Message::new(Role::User, parts)]), 1, USUAL);
    let kept: Vec<u64> = found.iter().map(|bond| bond.ttl.as_secs()).collect();
    assert_eq!(kept, [300, 300, 3600]);
    assert!(found.iter().all(|bond| bond.spreads));
}

#[test]
fn of_many_beginnings_the_ends_count() {
    let mut talk = vec![Message::system(long("s"))];
    talk.extend((0..100).map(|n| Message::user(format!("message {n}"))));
    let all = keys(talk.clone(), 1);
    assert_eq!(all.len(), MOST);
    assert_eq!(all[MOST - 1], keys(talk[..1].to_vec(), 1)[0], "the shortest is there");
    assert_eq!(all[0], keys(talk, 1)[0]);
}
