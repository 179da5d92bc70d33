//! What changes a key, and what must not.

use llm_types::{ChatRequest, Message, Options, Tool};
use serde_json::{Value, json};

use super::CacheKey;

fn key(request: &ChatRequest) -> CacheKey {
    CacheKey::of("", request).unwrap()
}

fn base() -> ChatRequest {
    ChatRequest::new("gpt-4o-mini", [Message::system("Be brief"), Message::user("Say hello")])
}

fn with_options(change: impl FnOnce(&mut Options)) -> ChatRequest {
    let mut request = base();
    change(&mut request.options);
    request
}

#[test]
fn what_shapes_the_answer_changes_the_key() {
    let changed = [
        ChatRequest { model: "gpt-4o".into(), ..base() },
        ChatRequest { messages: vec![Message::user("Say hello")], ..base() },
        ChatRequest { messages: vec![Message::user("Say hello"), Message::system("Be brief")], ..base() },
        with_options(|options| options.temperature = Some(0.5)),
        with_options(|options| options.max_tokens = Some(1)),
        with_options(|options| options.seed = Some(1)),
        with_options(|options| options.stop = vec!["\n".into()]),
        {
            let mut request = base();
            request.extra.keep("chat_template_kwargs", json!({"thinking": true}));
            request
        },
    ];
    let mut keys: Vec<_> = changed.iter().map(key).chain([key(&base())]).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), changed.len() + 1);
}

#[test]
fn who_asks_and_how_it_travels_do_not() {
    let same = [
        ChatRequest { stream: true, ..base() },
        with_options(|options| options.include_usage = Some(true)),
        with_options(|options| options.user = Some("alice".into())),
        with_options(|options| options.safety_identifier = Some("hash".into())),
        with_options(|options| options.store = Some(true)),
        with_options(|options| options.prompt_cache_key = Some("prefix".into())),
        with_options(|options| options.service_tier = Some("flex".into())),
        with_options(|options| options.metadata = json!({"trip": "1"}).as_object().cloned()),
    ];
    for request in same {
        assert_eq!(key(&request), key(&base()), "{request:?}");
    }
}

#[test]
fn the_order_of_members_does_not_matter_but_that_of_items_does() {
    let tool = |schema: &str| {
        let schema: Value = serde_json::from_str(schema).unwrap();
        let kind = json!({"function": {"parameters": schema}});
        let tool: Tool = serde_json::from_value(json!({"name": "weather", "kind": kind})).unwrap();
        ChatRequest { tools: vec![tool], ..base() }
    };
    let one = tool(r#"{"type":"object","required":["a","b"]}"#);
    let turned = tool(r#"{"required":["a","b"],"type":"object"}"#);
    let other = tool(r#"{"type":"object","required":["b","a"]}"#);
    assert_eq!(key(&one), key(&turned));
    assert_ne!(key(&one), key(&other));
}

#[test]
fn namespaces_keep_callers_apart() {
    let of = |namespace| CacheKey::of(namespace, &base()).unwrap();
    assert_ne!(of("a"), of("b"));
    assert_ne!(of(""), of("{"));
    assert_eq!(of("a").to_string().len(), 64);
}
