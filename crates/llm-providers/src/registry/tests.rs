//! How model names find their provider.

use llm_types::{ErrorKind, ProviderId};
use proptest::prelude::*;

use super::{Registry, bare_owner};

#[test]
fn names_are_split_at_the_first_slash() {
    let registry = Registry::built_in();
    let cases = [
        ("groq/llama-3.3-70b", "groq", "llama-3.3-70b"),
        ("openrouter/openai/gpt-4o", "openrouter", "openai/gpt-4o"),
        ("together_ai/meta-llama/Llama-3-8b", "together_ai", "meta-llama/Llama-3-8b"),
        ("gpt-4o-mini", "openai", "gpt-4o-mini"),
        ("o3-mini", "openai", "o3-mini"),
        ("o1", "openai", "o1"),
        ("ft:gpt-4o:org::id", "openai", "ft:gpt-4o:org::id"),
        ("claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
        // Names the price book lists.
        ("deepseek-chat", "deepseek", "deepseek-chat"),
        ("command-a-03-2025", "cohere_chat", "command-a-03-2025"),
        ("jamba-1.5-large", "ai21", "jamba-1.5-large"),
        ("gemini-2.5-flash", "vertex_ai", "gemini-2.5-flash"),
        ("amazon.nova-lite-v1:0", "bedrock", "amazon.nova-lite-v1:0"),
        // Another vendor's word in the name changes nothing.
        ("anthropic/claude-replicate-x", "anthropic", "claude-replicate-x"),
        ("maritalk/my-replicate", "maritalk", "my-replicate"),
        ("groq/openai/gpt-oss-120b", "groq", "openai/gpt-oss-120b"),
    ];
    for (name, slug, model) in cases {
        let (provider, found) = registry.split_model(name).unwrap();
        assert_eq!((provider.id.as_str(), found), (slug, model), "{name}");
    }
}

#[test]
fn nothing_is_guessed_from_the_middle() {
    let registry = Registry::built_in();
    for name in [
        "my-gpt-4",
        "my-deepseek-chat",
        "DeepSeek-Chat",
        "replicate-x",
        "unheard/gpt-4o",
        "vendor/claude-3",
        "claude",
        "o",
        "ox-1",
        "o1mini",
        "gpt-oss-120b",
        "",
    ] {
        let error = registry.split_model(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{name}");
        assert_eq!(error.param(), Some("model"));
    }
    assert_eq!(registry.split_model("groq/").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(bare_owner("not-claude-3"), None);
}

#[test]
fn own_providers_join_and_replace() {
    let mut own = Registry::built_in().provider("groq").unwrap().as_ref().clone();
    own.base_url = "http://10.0.0.1:8000/v1/".into();
    let mut new = own.clone();
    new.id = ProviderId::known("house");
    let registry = Registry::built_in().with([own, new]).unwrap();
    assert_eq!(registry.provider("groq").unwrap().base_url, "http://10.0.0.1:8000/v1");
    assert_eq!(registry.split_model("house/m").unwrap().0.id.as_str(), "house");
    assert_eq!(registry.all().len(), Registry::built_in().all().len() + 1);
    assert_ne!(Registry::built_in().provider("groq").unwrap().base_url, "http://10.0.0.1:8000/v1");
}

#[test]
fn unusable_records_are_refused() {
    let groq = Registry::built_in().provider("groq").unwrap().as_ref().clone();
    for change in [
        |spec: &mut crate::ProviderSpec| spec.id = ProviderId::known("a/b"),
        |spec: &mut crate::ProviderSpec| spec.base_url = "example.com/v1".into(),
        |spec: &mut crate::ProviderSpec| spec.prefix = "v1/".into(),
    ] {
        let mut spec = groq.clone();
        change(&mut spec);
        let error = Registry::built_in().with([spec]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
    }
}

proptest! {
    /// Whatever vendors' words stand within a name, what stands before the first slash decides; without a slug
    /// nothing but the beginning, or the whole name, tells a vendor.
    #[test]
    fn names_never_resolve_by_what_they_hold(
        before in "[a-z0-9._:-]{0,6}",
        after in "[a-zA-Z0-9._:/-]{0,12}",
        slug in any::<prop::sample::Index>(),
        word in any::<prop::sample::Index>(),
    ) {
        let registry = Registry::built_in();
        let all = registry.all();
        let (slug, word) = (slug.get(&all).id.as_str(), word.get(&all).id.as_str());
        let model = format!("{before}{word}{after}");
        let whole = format!("{slug}/{model}");
        let (provider, found) = registry.split_model(&whole).unwrap();
        prop_assert_eq!((provider.id.as_str(), found), (slug, &*model));

        // No provider's name, and no listed model's, begins so.
        let bare = format!("zz-{model}");
        let error = registry.split_model(&bare).unwrap_err();
        prop_assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
