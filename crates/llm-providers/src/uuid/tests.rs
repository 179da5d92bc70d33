//! Random ids have the form of a version 4 UUID and do not repeat.

use super::uuid;

#[test]
fn ids_are_version_4_and_differ() {
    let ids: std::collections::HashSet<String> = (0..100).map(|_| uuid()).collect();
    assert_eq!(ids.len(), 100);
    for id in ids {
        let words: Vec<&str> = id.split('-').collect();
        assert_eq!(words.iter().map(|word| word.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
        assert!(words[2].starts_with('4') && "89ab".contains(&words[3][..1]), "{id}");
    }
}
