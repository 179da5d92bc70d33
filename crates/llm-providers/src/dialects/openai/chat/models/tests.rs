//! Which family a name belongs to, and when it samples.

use super::{CHAT, FAMILIES, GPT_5, GPT_5_1, GPT_5_2, GPT_5_5, O1, O3, Rules};

#[test]
fn names_find_their_family() {
    for (model, rules) in [
        ("gpt-4o", Some(&CHAT)),
        ("gpt-4o-mini-2024-07-18", Some(&CHAT)),
        ("ft:gpt-4o-mini:org::id", Some(&CHAT)),
        ("gpt-4-turbo", Some(&CHAT)),
        ("gpt-5", Some(&GPT_5)),
        ("gpt-5-mini", Some(&GPT_5)),
        ("gpt-5-chat-latest", Some(&CHAT)),
        ("gpt-5.1-2025-11-13", Some(&GPT_5_1)),
        ("gpt-5.4-nano", Some(&GPT_5_2)),
        ("gpt-5.6", Some(&GPT_5_5)),
        ("o1", Some(&O1)),
        ("o1-mini", Some(&O3)),
        ("o3-mini", Some(&O3)),
        ("o4-mini", Some(&O3)),
        // Neither a part of a name nor an unknown generation is a family.
        ("gpt-50", None),
        ("gpt-5.10", None),
        ("gpt-6-sol", None),
        ("o35", None),
        ("my-gpt-4o", None),
        ("qwen3", None),
    ] {
        assert_eq!(Rules::of(model), rules, "{model}");
    }
}

#[test]
fn families_and_their_lists_are_sorted() {
    assert!(FAMILIES.is_sorted_by_key(|(family, _)| family));
    for (family, rules) in FAMILIES {
        assert!(rules.unsupported.is_sorted(), "{family}");
    }
}

#[test]
fn a_model_samples_unless_it_reasons() {
    for (rules, unsaid, none, low) in [
        (&CHAT, true, true, true),
        (&GPT_5, false, false, false),
        (&GPT_5_1, true, true, false),
        (&GPT_5_5, false, true, false),
    ] {
        let found = (rules.samples(None), rules.samples(Some("none")), rules.samples(Some("low")));
        assert_eq!(found, (unsaid, none, low), "{rules:?}");
    }
}

#[test]
fn deployments_of_free_names_are_plain_chat_models() {
    let refuses = |name: &str, param: &str| {
        Rules::of_deployment(name).is_some_and(|rules| rules.unsupported.contains(&param))
    };
    for name in ["my-deployment", "gpt-4o", "gpt-4o-prod"] {
        assert!(refuses(name, "reasoning_effort") && refuses(name, "service_tier"), "{name}");
    }
    assert!(!refuses("gpt-5", "reasoning_effort") && !refuses("gpt-5", "service_tier"));
    assert!(Rules::of_deployment("gpt-9").is_none(), "a newer model than this list");
}
