//! What is left of a text.

use super::*;

#[test]
fn blocks_are_taken_out() {
    let all = Reminder::of(Some("codex_cli_rs/0.50"));
    for (text, left) in [
        ("hi", "hi"),
        ("<system-reminder>be good</system-reminder>hi", "hi"),
        ("a <System-Reminder>x</SYSTEM-REMINDER> b <system-reminder>y</system-reminder> c", "a  b  c"),
        ("<system-reminder>one <system-reminder>two</system-reminder> three</system-reminder>hi", "hi"),
        ("what is a <system-reminder>?", "what is a <system-reminder>?"),
        ("<system-reminder>x</system-reminder> and <system-reminder>?", " and <system-reminder>?"),
        ("<environment_context>linux</environment_context>fix it", "fix it"),
        (
            "# AGENTS.md instructions for this repository\n<INSTRUCTIONS>be brief</INSTRUCTIONS>fix it",
            "fix it",
        ),
        ("<system-reminder>ä</system-reminder>ö", "ö"),
        ("</system-reminder>hi", "</system-reminder>hi"),
    ] {
        let (found, taken) = without(text, &all);
        assert_eq!(found, left, "{text}");
        assert_eq!(found.len() + taken.len(), text.len(), "{text}");
    }
    let (left, taken) = without("<system-reminder>Plan mode is active</system-reminder>go", &all);
    assert_eq!((&*left, taken.contains("Plan mode is active")), ("go", true));
}

#[test]
fn codex_has_blocks_of_its_own() {
    let text = "<environment_context>linux</environment_context>hi";
    assert_eq!(without(text, &Reminder::of(Some("curl/8"))).0, text);
    assert_eq!(without(text, &Reminder::of(None)).0, text);
    let own = [Reminder::new("<<<", ">>>").expect("a block")];
    assert_eq!(
        without("<<<a>>>b<system-reminder>c</system-reminder>", &own).0,
        "b<system-reminder>c</system-reminder>"
    );
    for (open, close) in [("", "x"), ("x", ""), ("x", "X")] {
        assert_eq!(Reminder::new(open, close), None);
    }
}

/// The time that a text full of beginnings takes grows as the text does.
#[test]
fn many_beginnings_end() {
    let codex = Reminder::of(Some("codex"));
    let (open, close) = ("<system-reminder>", "</system-reminder>");
    let begun = open.repeat(50_000);
    assert_eq!(without(&begun, &codex).0, begun);
    assert_eq!(without(&format!("{begun}{close}"), &codex).1, "");
    let nested = format!("{begun}{}hi", close.repeat(50_000));
    assert_eq!(without(&nested, &codex).0, "hi");
    assert_eq!(without(&format!("{open}{close}").repeat(50_000), &codex).0, "");
}
