//! What a pattern matches and captures.

use super::*;

fn substituted(pattern: &str, name: &str, model: &str) -> Option<String> {
    Some(Pattern::new(pattern).matches(Cow::Borrowed(name))?.substitute(model))
}

/// §2.2: captures fill the stars of the target left to right.
#[test]
fn captures_fill_stars() {
    let check = |pattern, name, model, expect: &str| {
        assert_eq!(substituted(pattern, name, model).as_deref(), Some(expect), "{pattern} {name} {model}");
    };
    check("openai/*", "openai/anything", "openai/*", "openai/anything");
    check("mine/*", "mine/gpt-4o", "azure/*", "azure/gpt-4o");
    check(
        "mine/fo::*::static::*",
        "mine/fo::a::static::b",
        "openai/fo::*::static::*",
        "openai/fo::a::static::b",
    );
    check("*", "gpt-4o", "openai/*", "openai/gpt-4o");
    check("openai/*", "openai/", "openai/*", "openai/");
    // A target without stars is meant as it is.
    check("openai/*", "openai/x", "openai/gpt-4o", "openai/gpt-4o");
    // Fewer stars than captures: what the caller wrote.
    check("*meta.llama3*", "x-meta.llama3-70b", "bedrock/meta.llama3*", "x-meta.llama3-70b");
    // More stars than captures: the rest stays.
    check("a/*", "a/x", "b/*/*", "b/x/*");
}

/// Earlier stars take as much as they can, as in a regular expression.
#[test]
fn stars_are_greedy() {
    assert_eq!(substituted("*-*", "a-b-c", "*/*").as_deref(), Some("a-b/c"));
    assert_eq!(substituted("*a*a", "aaaa", "*/*").as_deref(), Some("aa/"));
}

#[test]
fn whole_names_match() {
    for (pattern, name) in [
        ("openai/*", "openaix/y"),
        ("*-mini", "gpt-mini-2024"),
        ("a*b*c", "acb"),
        ("ab*ba", "aba"),
        ("é*", "e"),
    ] {
        assert!(Pattern::new(pattern).matches(Cow::Borrowed(name)).is_none(), "{pattern} {name}");
    }
    assert!(Pattern::new("é*ü").matches(Cow::Borrowed("éñü")).is_some());
}

/// §2.2: the most specific pattern first.
#[test]
fn longer_patterns_come_first() {
    let mut patterns = ["*", "openai/*", "*/*", "openai/gpt-*", "openai/gpt-4o-*"];
    patterns.sort_by_key(|pattern| Pattern::rank(pattern));
    assert_eq!(patterns, ["openai/gpt-4o-*", "openai/gpt-*", "openai/*", "*/*", "*"]);
}
