//! What was left out is told in one clean line.

use std::borrow::Cow;

use super::line;

#[test]
fn names_stand_in_one_clean_line() {
    let names = vec![Cow::Borrowed("user"), Cow::Owned("tools.a\r\nx-evil: 1".to_owned())];
    assert_eq!(line(&names), "user, tools.ax-evil: 1");
}

#[test]
fn long_names_are_cut_between_letters() {
    let names = vec![Cow::Owned("\u{fc}".repeat(500))];
    assert!(line(&names).len() <= 64);
}
