//! Who goes on with an answer, and what bodies say of it.

use super::*;
use crate::Registry;

fn way(provider: &str, model: &str, said: Option<bool>, known: Option<bool>) -> Prefill {
    let registry = Registry::built_in();
    let spec = registry.provider(provider).unwrap_or_else(|| panic!("no provider {provider}"));
    Prefill::of(&Target::bare(spec.clone(), model).routed(), said, known)
}

#[test]
fn who_goes_on() {
    let (yes, no) = (Some(true), Some(false));
    for (provider, model, said, known, expected) in [
        ("anthropic", "claude-sonnet-4-5", None, yes, Prefill::Last),
        ("anthropic", "claude-3-5-haiku-20241022", None, None, Prefill::Last),
        ("anthropic", "claude-opus-4-6", None, yes, Prefill::None),
        ("anthropic", "claude-opus-5", None, yes, Prefill::None),
        ("anthropic", "claude-newer", None, None, Prefill::None),
        ("anthropic", "claude-opus-4-6", yes, None, Prefill::Last),
        ("anthropic", "claude-sonnet-4-5", no, yes, Prefill::None),
        ("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0", None, yes, Prefill::Last),
        ("bedrock", "us.anthropic.claude-sonnet-4-6", None, yes, Prefill::None),
        ("bedrock", "amazon.nova-pro-v1:0", None, None, Prefill::None),
        ("mistral", "mistral-small-latest", None, yes, Prefill::Prefix),
        ("mistral", "mistral-small-latest", None, no, Prefill::None),
        ("deepseek", "deepseek-chat", None, None, Prefill::Prefix),
        ("hosted_vllm", "llama", None, None, Prefill::FinalMessage),
        ("openai", "gpt-4o", None, None, Prefill::None),
        ("openai", "gpt-4o", None, yes, Prefill::None),
        ("openai", "own-server", yes, None, Prefill::Last),
        ("gemini", "gemini-2.5-pro", None, None, Prefill::None),
    ] {
        assert_eq!(way(provider, model, said, known), expected, "{provider}/{model} {said:?} {known:?}");
    }
}

#[test]
fn bodies_say_so() {
    let body =
        || Bytes::from_static(br#"{"messages":[{"role":"user"},{"role":"assistant","content":"It"}]}"#);
    let marked = |way: Prefill| String::from_utf8(way.mark(body()).unwrap().to_vec()).unwrap();
    assert_eq!(marked(Prefill::Last).as_bytes(), &*body());
    assert_eq!(
        marked(Prefill::Prefix),
        r#"{"messages":[{"role":"user"},{"role":"assistant","content":"It","prefix":true}]}"#
    );
    assert_eq!(
        marked(Prefill::FinalMessage),
        r#"{"messages":[{"role":"user"},{"role":"assistant","content":"It"}],"continue_final_message":true,"add_generation_prompt":false}"#
    );
    assert!(Prefill::Prefix.mark(Bytes::from_static(b"{}")).is_err());
}
