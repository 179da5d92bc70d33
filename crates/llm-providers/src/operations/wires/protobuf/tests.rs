//! The encoding's own examples, both ways, and what is none of it.

use super::{Held, Message, fields};

/// The examples of the encoding's own documentation: `150` in field 1, `"testing"` in field 2.
#[test]
fn fields_are_written_as_the_encoding_says() {
    let mut inner = Message::default();
    inner.number(1, 150);
    let mut message = Message::default();
    message.number(1, 150);
    message.bytes(2, b"testing");
    message.message(3, &inner);
    message.number(4, 0);
    message.bytes(5, b"");
    message.message(6, &Message::default());
    let bytes = message.into_bytes();
    assert_eq!(bytes, b"\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01\x32\x00");
    let read: Vec<_> = fields(&bytes).map(Result::unwrap).collect();
    let inner: &[u8] = b"\x08\x96\x01";
    assert_eq!(
        read,
        [
            (1, Held::Number(150)),
            (2, Held::Bytes(b"testing")),
            (3, Held::Bytes(inner)),
            (6, Held::Bytes(b"")),
        ]
    );
}

#[test]
fn numbers_of_all_widths_are_read() {
    let bytes = b"\x0d\x00\x00\xc0\x3f\x11\x01\x00\x00\x00\x00\x00\x00\x00\xa0\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    let read: Vec<_> = fields(bytes).map(Result::unwrap).collect();
    assert_eq!(
        read,
        [(1, Held::Fixed32(1.5_f32.to_bits())), (2, Held::Fixed64(1)), (100, Held::Number(u64::MAX))]
    );
}

#[test]
fn what_is_cut_short_or_unknown_is_an_error_once() {
    for bytes in [
        &b"\x08"[..],
        b"\x12\x07test",
        b"\x0d\x00",
        b"\x0b",
        b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let read: Vec<_> = fields(bytes).collect();
        assert!(matches!(&read[..], [Err(_)]), "{bytes:?}: {read:?}");
    }
}
