//! No beta feature is lost, none is named twice.

use http::{HeaderMap, HeaderValue};

use super::{BETAS, join};

fn listed(lists: &[&'static str]) -> HeaderMap {
    lists.iter().map(|list| (BETAS, HeaderValue::from_static(list))).collect()
}

fn joined(own: &[&'static str], asked: &[&'static str]) -> Vec<String> {
    let mut headers = listed(own);
    join(&listed(asked), &mut headers);
    headers.get_all(BETAS).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[test]
fn the_callers_features_stand_beside_the_gateways() {
    assert_eq!(joined(&["files-1"], &["context-1m"]), ["files-1,context-1m"]);
}

#[test]
fn a_feature_named_by_both_is_named_once() {
    assert_eq!(
        joined(&["files-1, skills-2"], &["skills-2,context-1m", "files-1"]),
        ["files-1,skills-2,context-1m"]
    );
}

#[test]
fn several_headers_of_a_caller_become_one() {
    assert_eq!(joined(&[], &["a-1", " b-2 ,, "]), ["a-1,b-2"]);
}

#[test]
fn a_caller_without_any_leaves_the_gateways_alone() {
    assert_eq!(joined(&["files-1"], &[]), ["files-1"]);
    assert!(joined(&[], &[]).is_empty());
}
