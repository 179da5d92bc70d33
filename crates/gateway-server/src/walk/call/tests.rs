//! Ids look like UUIDs.

use gateway_db::CallId;

#[test]
fn an_id_reads_as_a_uuid() {
    let shown = super::id_value(CallId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef));
    assert_eq!(shown, "01234567-89ab-cdef-0123-456789abcdef");
}
