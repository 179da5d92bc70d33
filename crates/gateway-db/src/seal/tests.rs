//! What is sealed, and when it opens.

use super::Seal;
use crate::DbErrorKind;

#[test]
fn opens_with_its_salt_in_its_place_only() {
    let (seal, other) = (Seal::new("salt").unwrap(), Seal::new("other").unwrap());
    let sealed = seal.seal("model/a", b"secret").unwrap();
    assert_eq!(seal.open("model/a", &sealed).unwrap(), b"secret");
    let corrupt = |found: Result<Vec<u8>, crate::DbError>| found.unwrap_err().kind() == DbErrorKind::Corrupt;
    assert!(corrupt(other.open("model/a", &sealed)));
    assert!(corrupt(seal.open("model/b", &sealed)));
    for at in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[at] ^= 1;
        assert!(corrupt(seal.open("model/a", &damaged)), "byte {at}");
        assert!(corrupt(seal.open("model/a", &sealed[..at])), "cut at {at}");
    }
}

#[test]
fn the_same_text_is_never_sealed_alike() {
    let seal = Seal::new("salt").unwrap();
    assert_ne!(seal.seal("a", b"text").unwrap(), seal.seal("a", b"text").unwrap());
    assert!(!seal.seal("a", b"text").unwrap().windows(4).any(|bytes| bytes == b"text"));
}

#[test]
fn tells_nothing_of_itself() {
    assert_eq!(format!("{:?}", Seal::new("salt").unwrap()), "Seal");
}
