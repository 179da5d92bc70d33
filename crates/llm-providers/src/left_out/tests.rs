//! Notes are kept by request, and have an end.

use super::{collect, note};

#[test]
fn names_are_told_once_and_in_order() {
    let (written, left_out) = collect(|| {
        note("user");
        note("messages.name".to_owned());
        note("user");
        7
    });
    assert_eq!(written, 7);
    assert_eq!(left_out, ["user", "messages.name"]);
}

#[test]
fn nobody_who_did_not_ask_is_told() {
    note("user");
    assert!(collect(|| ()).1.is_empty());
}

#[test]
fn a_request_within_a_request_keeps_its_notes_to_itself() {
    let ((), outer) = collect(|| {
        note("a");
        assert_eq!(collect(|| note("b")).1, ["b"]);
        note("c");
    });
    assert_eq!(outer, ["a", "c"]);
}

#[test]
fn a_panic_leaves_nothing_behind() {
    let _ = std::panic::catch_unwind(|| {
        collect(|| {
            note("a");
            panic!("on purpose");
        })
    });
    note("b");
    assert!(collect(|| ()).1.is_empty());
}

#[test]
fn there_is_an_end_of_names() {
    let (_, left_out) = collect(|| (0..1000).for_each(|number| note(format!("x{number}"))));
    assert_eq!(left_out.len(), super::MOST);
}
