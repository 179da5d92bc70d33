//! Parameters are found and unescaped.

use super::{flag, param, with};

#[test]
fn parameters_are_unescaped() {
    let query = Some("key=sk-a%2Fb&alias=my+key&return_full_object=True&empty&on=y");
    assert_eq!(param(query, "key").as_deref(), Some("sk-a/b"));
    assert_eq!(param(query, "alias").as_deref(), Some("my key"));
    assert_eq!(param(query, "empty").as_deref(), Some(""));
    assert_eq!(param(query, "none"), None);
    assert!(flag(query, "return_full_object") && !flag(query, "alias") && flag(query, "on"));
}

#[test]
fn a_parameter_is_set_whatever_it_was() {
    let query = with(Some("user%5Fid=a&size=5&user_id=b&"), "user_id", "é&=x");
    assert_eq!(query, "size=5&user_id=%C3%A9%26%3Dx");
    assert_eq!(param(Some(&query), "user_id").as_deref(), Some("é&=x"));
    assert_eq!(param(Some(&query), "size").as_deref(), Some("5"));
    assert_eq!(with(None, "a", "b"), "a=b");
}
