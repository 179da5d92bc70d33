//! Which folder is taken, and what is said when none can be.

use std::path::{Path, PathBuf};

use super::{database, make, of};

#[test]
fn what_is_chosen_goes_before_what_lies_near() {
    let (chosen, config) = (Path::new("/data"), Path::new("/etc/gateway/config.yaml"));
    assert_eq!(of(Some(chosen), Some(config)), PathBuf::from("/data"));
    assert_eq!(of(None, Some(config)), PathBuf::from("/etc/gateway/.gateway"));
    assert_eq!(of(None, Some(Path::new("config.yaml"))), PathBuf::from(".gateway"));
    assert_eq!(of(None, None), PathBuf::from(".gateway"));
    assert_eq!(database(chosen).reveal(), "sqlite:/data/gateway.db");
}

#[test]
fn it_is_made_with_its_parents_and_a_second_time_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a/b");
    make(&inner).unwrap();
    make(&inner).unwrap();
    assert_eq!(std::fs::read_dir(&inner).unwrap().count(), 0);
}

#[test]
fn a_folder_that_cannot_be_is_said_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let text = make(&file.join("inner")).unwrap_err().text();
    assert!(text.contains("cannot write into the data folder") && text.contains("--data-dir"), "{text}");
}
