//! The master key is made once and kept private.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;

use super::MasterKey;

#[test]
fn it_is_made_once_and_only_its_owner_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let made = MasterKey::load_or_make(folder.path()).unwrap();
    let read = MasterKey::load_or_make(folder.path()).unwrap();
    assert!(made.is_new && !read.is_new);
    assert_eq!(made.secret, read.secret);
    assert_eq!(made.secret.reveal().len(), 25);
    assert_eq!(fs::metadata(&made.path).unwrap().permissions().mode() & 0o777, 0o600);
    let other = MasterKey::load_or_make(tempfile::tempdir().unwrap().path()).unwrap();
    assert_ne!(made.secret, other.secret);
}

#[test]
fn a_file_without_a_key_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("master-key"), "hello").unwrap();
    let error = MasterKey::load_or_make(folder.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(!format!("{error}").contains("hello"));
}
