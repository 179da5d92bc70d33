//! Ids sort by time and read as UUIDs.

use super::CallId;

#[test]
fn an_id_is_a_version_7_uuid() {
    // RFC 9562, appendix A.6.
    let id = CallId::at(0x017f_22e2_79b0, (0xcc3 << 64) | 0x18c4_dc0c_0c07_398f);
    assert_eq!(id.to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    assert_eq!(id.to_string().parse(), Ok(id));
}

#[test]
fn later_ids_sort_after_earlier_ones() {
    assert!(CallId::at(1_000, u128::MAX).to_string() < CallId::at(1_001, 0).to_string());
}
