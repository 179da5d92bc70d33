//! How much tenants weigh.

use serde_json::json;

use super::weight;

#[test]
fn weights_are_kept_within_bounds() {
    let of = |said: serde_json::Value| weight(json!({ "fairness_weight": said }).as_object());
    assert_eq!(weight(None), 1_000);
    assert_eq!((of(json!(2)), of(json!(0.5)), of(json!("no"))), (2_000, 500, 1_000));
    assert_eq!((of(json!(-1)), of(json!(1e9))), (1, 1_000_000));
}
