//! Parameters are found and unescaped.

use super::{flag, param};

#[test]
fn parameters_are_unescaped() {
    let query = Some("key=sk-a%2Fb&alias=my+key&return_full_object=True&empty");
    assert_eq!(param(query, "key").as_deref(), Some("sk-a/b"));
    assert_eq!(param(query, "alias").as_deref(), Some("my key"));
    assert_eq!(param(query, "empty").as_deref(), Some(""));
    assert_eq!(param(query, "none"), None);
    assert!(flag(query, "return_full_object") && !flag(query, "alias"));
}
