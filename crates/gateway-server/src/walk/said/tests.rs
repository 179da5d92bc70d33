//! What can be handed over, and how two texts are joined.

use llm_types::{Finish, Part};

use super::*;

fn text(text: &str) -> Event {
    Event::Text { choice: 0, text: text.to_owned() }
}

#[test]
fn only_plain_text_is_handed_over() {
    let signed = Part { signature: Some("s".into()), ..Part::text("x") };
    for (event, expected) in [
        (Event::Ping, Ok("It is")),
        (text(" so"), Ok("It is so")),
        (Event::Reasoning { choice: 0, text: String::new() }, Ok("It is")),
        (Event::Text { choice: 1, text: String::new() }, Err("several answers are being written")),
        (Event::Reasoning { choice: 0, text: "2".into() }, Err("the model has shown its reasoning")),
        (Event::Signature { choice: 0, signature: "s".into() }, Err("the model has shown its reasoning")),
        (Event::ToolArguments { choice: 0, index: 0, arguments: "{".into() }, Err("a tool call was begun")),
        (Event::Part { choice: 0, part: Box::new(signed) }, Err("the answer holds more than text")),
        (Event::Finish { choice: 0, reason: Finish::Stop }, Err("the answer was finished")),
        (text(&"x".repeat(LONGEST)), Err("the answer is too long to be handed over")),
    ] {
        let mut said = Said::default();
        said.note(&text("It is"));
        said.note(&event);
        assert_eq!(said.text(), expected, "{event:?}");
    }
}

#[test]
fn texts_are_joined() {
    for (before, may_repeat, pieces, after) in [
        ("It is", false, vec![" so."], " so."),
        ("It is ", false, vec![" so."], "so."),
        ("It is ", false, vec!["so."], "so."),
        ("Line\n\n", false, vec!["\n", "\nNext"], "Next"),
        ("Line\n", false, vec!["\n\nNext"], "\nNext"),
        ("Line\u{a0}", false, vec!["\u{2003}x"], "\u{2003}x"),
        ("It is", true, vec!["It", " is", " so."], " so."),
        ("It is", true, vec!["It is so."], " so."),
        ("It is ", true, vec!["It is", " so."], "so."),
        ("It is", true, vec![" so."], " so."),
        ("It is", true, vec!["It", " was."], "It was."),
        ("ha", false, vec!["ha"], "ha"),
        ("", true, vec!["It"], "It"),
    ] {
        let mut seam = Seam::behind(before, may_repeat);
        let told: String = pieces.iter().map(|piece| seam.text((*piece).to_owned())).collect();
        assert_eq!(told + &seam.rest(), after, "{before:?} {pieces:?}");
    }
}

#[test]
fn what_was_waited_with_is_told_at_the_end() {
    let mut seam = Seam::behind("It is so", true);
    assert_eq!(seam.text("It".to_owned()), "");
    assert_eq!(seam.rest(), "It");
}
