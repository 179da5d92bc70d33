//! Signs of life come after a silence, between events, and not while something happens.

use super::*;

const PAUSE: Duration = Duration::from_secs(15);

#[test]
fn a_sign_comes_after_each_pause_and_later_when_something_passed() {
    let began = Instant::now();
    let at = |seconds| began + Duration::from_secs(seconds);
    let mut pings = Pings::new(PAUSE, DialectId::OpenaiChat, began);
    assert_eq!(pings.sign, COMMENT);
    assert_eq!(pings.look(at(14)), Some(at(15)));
    assert_eq!(pings.look(at(15)), None, "a sign");
    assert_eq!(pings.look(at(16)), Some(at(30)), "the next after another pause");
    pings.passed(b"data: {}\n\n", at(20));
    assert_eq!(pings.look(at(30)), Some(at(35)), "the silence began anew");
    pings.passed(b"", at(34));
    assert_eq!(pings.look(at(36)), None, "nothing passed");
}

#[test]
fn nothing_comes_between_the_lines_of_an_event() {
    let began = Instant::now();
    let at = |seconds| began + Duration::from_secs(seconds);
    let mut pings = Pings::new(PAUSE, DialectId::Anthropic, began);
    assert_eq!(pings.sign, EVENT);
    for (piece, is_due) in [
        (b"event: content_block_delta\ndata: {\"ty".as_slice(), false),
        (b"pe\":1}\n\n", true),
        (b"data: {}\n", false),
        (b"data: {}\r\n\r\n", true),
        (b"\n", false),
    ] {
        pings.passed(piece, began);
        assert_eq!(pings.look(at(40)), (!is_due).then_some(at(55)), "{piece:?}");
        pings.last = began;
    }
}
