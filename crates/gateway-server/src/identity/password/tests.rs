//! Hashes are LiteLLM's, and no password fits another's.

use super::{PasswordPolicy, hash_password, is_password};

/// Of a password that LiteLLM 1.106.2 hashed.
const LITELLMS: &str = "scrypt:pf4qKvO8DuuHKYiIIovGRuzS6vbU+KeaGjeMTBsv4Rv7XdciYrC/7O988/lN+g7w";

#[test]
fn passwords_that_litellm_hashed_go_on_working() {
    assert!(is_password("Str0ng-pässword-user-01!Xy7", Some(LITELLMS)));
    assert!(!is_password("Str0ng-pässword-user-01!Xy8", Some(LITELLMS)));
}

#[test]
fn each_hash_has_a_salt_of_its_own() {
    let [one, two] = [(); 2].map(|()| hash_password("same").unwrap());
    assert_ne!(one, two);
    for hash in [one, two] {
        assert!(is_password("same", Some(&hash)) && !is_password("Same", Some(&hash)));
    }
}

#[test]
fn what_is_no_hash_is_nobodys() {
    for stored in [None, Some(""), Some("same"), Some("scrypt:"), Some("scrypt:c2FtZQ=="), Some("md5:x")] {
        assert!(!is_password("same", stored) && !is_password("", stored), "{stored:?}");
    }
}

#[test]
fn what_a_password_lacks_is_said() {
    let all = PasswordPolicy { length: 12, upper: true, lower: true, digit: true, special: true };
    assert_eq!(all.lacks("Long-enough-1"), None);
    assert_eq!(all.lacks("Übermäßig-8 "), None, "letters of every script are letters");
    assert_eq!(all.lacks("SHORT1!").as_deref(), Some("at least 12 characters, a lower-case letter"));
    assert_eq!(all.lacks("only letters").as_deref(), Some("an upper-case letter, a digit"));
    let none = PasswordPolicy { length: 8, upper: false, lower: false, digit: false, special: false };
    assert_eq!(none.lacks("aaaaaaaa"), None);
    assert_eq!(none.lacks("aaaaaaa").as_deref(), Some("at least 8 characters"));
    assert!(none.lacks(&"a".repeat(2_000)).is_some());
}
