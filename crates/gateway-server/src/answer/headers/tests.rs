//! What may stand in a header.

use super::text;

#[test]
fn texts_cannot_break_a_header() {
    assert_eq!(text("a\r\nset-cookie: x"), "aset-cookie: x");
}
