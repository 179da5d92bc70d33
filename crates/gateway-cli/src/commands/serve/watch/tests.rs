//! Which changes of files are seen.

use super::Seen;

/// The main file and what it includes, at any depth, there or not yet there.
#[test]
fn a_change_of_an_included_file_is_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("main.yaml"), "include: [one.yaml, away.yaml]\n").expect("written");
    std::fs::write(file("one.yaml"), "include: [two.yaml]\n").expect("written");
    std::fs::write(file("two.yaml"), "model_list: []\n").expect("written");
    let look = || Seen::of(&file("main.yaml"));
    assert!(!look().changed());

    for name in ["main.yaml", "one.yaml", "two.yaml"] {
        let seen = look();
        let mut text = std::fs::read_to_string(file(name)).expect("read");
        text.push_str("# longer\n");
        std::fs::write(file(name), text).expect("written");
        assert!(seen.changed(), "{name}");
    }
    let seen = look();
    std::fs::remove_file(file("two.yaml")).expect("removed");
    assert!(!seen.changed(), "a file that is away is being replaced");
    std::fs::write(file("away.yaml"), "model_list: []\n").expect("written");
    assert!(seen.changed(), "a file that was not there is");
}
