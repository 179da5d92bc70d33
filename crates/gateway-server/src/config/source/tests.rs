//! Text into trees: scalars, anchors, duplicates, faults with their lines, includes, the environment.

use std::fs;
use std::sync::Arc;

use super::{Env, Node, Tree, read_file, read_text};
use crate::config::{Problem, Severity};

fn read(text: &str) -> (Option<Node>, Vec<Problem>) {
    let mut problems = Vec::new();
    let node = read_text(text, &Arc::from("file.yaml"), &mut problems);
    (node, problems)
}

fn json(text: &str) -> String {
    let (node, problems) = read(text);
    assert_eq!(problems, [], "{text}");
    node.expect("a tree").json().to_string()
}

/// A text that cannot be read: the words of its one problem, and its line.
fn fault(text: &str) -> (String, usize) {
    let (node, problems) = read(text);
    assert!(node.is_none(), "{text}");
    let [problem] = problems.as_slice() else { panic!("{text}: {problems:?}") };
    assert_eq!(problem.severity, Severity::Error);
    (problem.found.clone(), problem.place.line)
}

#[test]
fn plain_scalars_mean_what_pyyaml_says() {
    for (text, expected) in [
        ("yes", "true"),
        ("On", "true"),
        ("TRUE", "true"),
        ("off", "false"),
        ("No", "false"),
        ("y", "\"y\""),
        ("~", "null"),
        ("", "null"),
        ("NULL", "null"),
        ("12", "12"),
        ("-12", "-12"),
        ("+12", "12"),
        ("1_000", "1000"),
        ("0x1F", "31"),
        ("0b11", "3"),
        ("010", "8"),
        ("0", "0"),
        ("09", "9.0"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("1e-6", "1e-6"),
        ("3.0e+2", "300.0"),
        (".inf", "null"),
        (".nan", "null"),
        ("99999999999999999999", "1e+20"),
        ("1.2.3", "\"1.2.3\""),
        ("2024-02-01", "\"2024-02-01\""),
        ("12:30", "\"12:30\""),
        ("1-2", "\"1-2\""),
        ("e5", "\"e5\""),
        ("_", "\"_\""),
        ("\"yes\"", "\"yes\""),
        ("'12'", "\"12\""),
        ("!!str 12", "\"12\""),
        ("!!int '12'", "12"),
        ("!!float '1'", "1.0"),
        ("gpt-4o", "\"gpt-4o\""),
    ] {
        assert_eq!(json(&format!("a: {text}")), format!("{{\"a\":{expected}}}"), "{text}");
    }
}

#[test]
fn keys_keep_their_spelling() {
    assert_eq!(json("yes: 1\n404: 2\n~: 3"), r#"{"yes":1,"404":2,"~":3}"#);
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    assert_eq!(json("a: &x {k: 1}\nb: *x"), r#"{"a":{"k":1},"b":{"k":1}}"#);
    assert_eq!(
        json("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\nc: {l: 4, <<: *x}"),
        r#"{"a":{"k":1,"l":2},"b":{"k":1,"l":3},"c":{"l":4,"k":1}}"#
    );
    assert_eq!(json("a: {<<: [{k: 1}, {k: 2, l: 3}]}"), r#"{"a":{"k":1,"l":3}}"#);
    assert_eq!(json("a: {'<<': 1}"), r#"{"a":{"<<":1}}"#);
    assert_eq!(fault("a: {<<: 1}").0, "`<<` merges something that is not a mapping");
}

#[test]
fn a_key_that_stands_twice_is_told_with_both_lines() {
    let (node, problems) = read("a:\n- b: 1\n  c: 2\n  b: 3\n");
    assert_eq!(node.expect("a tree").json().to_string(), r#"{"a":[{"b":3,"c":2}]}"#);
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert_eq!((problem.path.as_str(), problem.place.line), ("a[0].b", 4));
    assert_eq!(problem.found, "found the key again after line 2");
    assert_eq!(problem.severity, Severity::Warning);
}

#[test]
fn faults_have_their_line() {
    assert_eq!(fault("a: 1\nb: [1, 2\nc: 3\n").1, 3);
    assert_eq!(fault("a: 1\n---\nb: 2\n"), ("a second document begins".to_owned(), 2));
    assert_eq!(fault("a: 1\n? [b]\n: 2\n"), ("a key is a list or a mapping".to_owned(), 2));
    assert_eq!(fault("a: !!python/object:os.system x\n").0, "a value has a tag that is not known here");
    assert_eq!(fault("# nothing\n").0, "the file is empty");
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    assert_eq!(fault(&deep).0, "values are nested deeper than 64 levels");
}

#[test]
fn aliases_cannot_blow_up() {
    let mut text = String::from("a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n");
    for level in 1..12 {
        let earlier = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", [earlier.as_str(); 9].join(", ")));
    }
    assert_eq!(fault(&text).0, "the file comes to more than 200000 values");
    assert!(read("a: &a [*a]").0.is_none(), "an alias inside its own anchor");
}

#[test]
fn included_files_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("sub")).unwrap();
    fs::write(at("main.yaml"), "include: [sub/one.yaml]\nlist: [1]\nmap: {a: 1, b: 1}\nkept: 1\n").unwrap();
    fs::write(at("sub/one.yaml"), "include: [two.yaml]\nlist: [2]\nmap: {b: 2, c: 2}\n").unwrap();
    fs::write(at("sub/two.yaml"), "list: [3]\nmore: yes\n").unwrap();
    let mut problems = Vec::new();
    let node = read_file(&at("main.yaml"), &mut problems).0.expect("a tree");
    assert_eq!(node.json().to_string(), r#"{"list":[1,2,3],"map":{"a":1,"b":2,"c":2},"kept":1,"more":true}"#);
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert_eq!(problem.path, "map.b");
    assert!(problem.place.file.ends_with("one.yaml"), "{problem:?}");

    fs::write(at("sub/two.yaml"), "include: [../main.yaml]\n").unwrap();
    problems.clear();
    read_file(&at("main.yaml"), &mut problems);
    assert!(
        problems.iter().any(|problem| problem.found == "found a file that includes itself"),
        "{problems:?}"
    );
}

#[test]
fn the_environment_replaces_whole_texts_only() {
    let env: Env = [("SET", "value"), ("EMPTY", "")].into_iter().collect();
    let mut node =
        read("a: [os.environ/SET, {b: os.environ/EMPTY}, x-os.environ/SET, os.environ/UNSET]").0.unwrap();
    env.expand(&mut node);
    let items = node.member("a").unwrap().items();
    assert_eq!(items[0].tree, Tree::FromEnv("value".into(), "SET".into()));
    assert_eq!(items[1].member("b").unwrap().tree, Tree::Unset("EMPTY".into()));
    assert_eq!(items[2].tree, Tree::Text("x-os.environ/SET".into()));
    assert_eq!(items[3].tree, Tree::Unset("UNSET".into()));
    assert_eq!(format!("{env:?}"), r#"{"EMPTY", "SET"}"#);
}
