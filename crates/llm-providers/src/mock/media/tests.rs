//! What the mock model does beside chats.

use super::{PICTURE, ranking, vector};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

#[test]
fn texts_that_share_words_are_near_each_other() {
    let near = |one: &str, other: &str| -> f64 {
        vector(one, 16).iter().zip(vector(other, 16)).map(|(one, other)| one * other).sum()
    };
    assert!(near("the sky is blue", "the blue sky") > near("the sky is blue", "bread and butter"));
    assert!((near("a b", "B, a!") - 1.0).abs() < 1e-9);
}

#[test]
fn ranks_follow_shared_words() {
    let body = json!({"query": "blue sky", "documents": ["red", {"text": "the sky is blue"}], "top_n": 1,
        "return_documents": true});
    let reply = ranking(&body);
    assert_eq!(
        reply["results"],
        json!([{"index": 1, "relevance_score": 1.0, "document": {"text": "the sky is blue"}}])
    );
}

#[test]
fn the_picture_is_a_png() {
    assert!(BASE64_STANDARD.decode(PICTURE).unwrap().starts_with(b"\x89PNG"));
}
