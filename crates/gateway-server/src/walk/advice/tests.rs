//! What programs may answer.

use super::advice;

#[test]
fn an_answer_names_deployments() {
    let read = advice(br#"{"deployments": ["b", "a"], "why": "b is nearer"}"#).unwrap();
    assert_eq!(
        (read.order.iter().map(|id| id.as_str()).collect::<Vec<_>>(), read.only),
        (vec!["b", "a"], false)
    );
    assert!(advice(br#"{"deployments": [], "only": true}"#).unwrap().only);
    for wrong in ["", "[]", "{}", r#"{"deployments": "a"}"#, r#"{"deployments": [1]}"#] {
        assert!(advice(wrong.as_bytes()).unwrap_err().contains("its answer is not"), "{wrong}");
    }
}
