//! Keys that are made can be used, and primes are told from what only looks like one.

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::*;

#[test]
fn a_new_key_signs_and_is_another_each_time() {
    let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let signature = key.sign(b"text").unwrap();
    let public =
        |key: &SigningKey| UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public().to_vec());
    assert_eq!(signature.len(), 256);
    assert!(public(&key).verify(b"text", &signature).is_ok());
    assert!(public(&key).verify(b"other text", &signature).is_err());
    assert!(public(&other).verify(b"text", &signature).is_err());
    assert_eq!(key.spki()[..4], [0x30, 0x82, 0x01, 0x22], "a `SubjectPublicKeyInfo` of 2,048 bits");
    assert!(key.spki().ends_with(key.public()));
}

#[test]
fn composites_that_fool_simple_tests_do_not_pass() {
    let random = SystemRandom::new();
    let number = |text: &str| text.parse::<BigUint>().unwrap();
    for prime in ["5", "7919", "2147483647", "162259276829213363391578010288127"] {
        assert!(passes(&number(prime), &random).unwrap(), "{prime} is a prime");
    }
    // Of Carmichael, strong pseudoprimes to small bases, a square, a product of large primes.
    for composite in [
        "561",
        "3215031751",
        "3825123056546413051",
        "318665857834031151167461",
        "62710561",
        "4611686014132420609",
    ] {
        assert!(!passes(&number(composite), &random).unwrap(), "{composite} has factors");
    }
}

#[test]
fn what_candidates_are_divided_by_are_primes() {
    let small = small_primes();
    assert_eq!(small[..5], [3, 5, 7, 11, 13]);
    assert_eq!((small.len(), small.last()), (302, Some(&1_999)));
}
