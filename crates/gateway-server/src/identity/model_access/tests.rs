//! The table of surface §4.5.

use super::may_use_model;

fn allows(list: &[&str], requested: &str) -> bool {
    let list: Vec<String> = list.iter().map(ToString::to_string).collect();
    let provider = requested.starts_with("gpt-").then_some("openai");
    may_use_model(&list, requested, &["grp1".to_owned()], provider)
}

#[test]
fn lists_allow_what_the_table_says() {
    for (list, requested, expected) in [
        (&[][..], "anything", true),
        (&["*"], "anything", true),
        (&["all-proxy-models"], "anything", true),
        (&["all-team-models"], "anything", true),
        (&["no-default-models"], "gpt-4o", false),
        (&["gpt-4o"], "gpt-4o", true),
        (&["gpt-4o"], "gpt-4o-mini", false),
        (&["openai/*"], "openai/foo", true),
        (&["openai/*"], "gpt-4o", true),
        (&["openai/*"], "my-alias", false),
        (&["anthropic/claude-*-latest"], "anthropic/claude-3-latest", true),
        (&["anthropic/claude-*-latest"], "anthropic/claude-3", false),
        (&["grp1"], "whatever", true),
        (&["grp2"], "whatever", false),
    ] {
        assert_eq!(allows(list, requested), expected, "{list:?} {requested}");
    }
}
