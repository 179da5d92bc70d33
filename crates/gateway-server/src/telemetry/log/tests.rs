//! Lines are JSON whatever callers write into them.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;

use super::{AccessLine, AccessLog};

#[test]
fn a_line_is_json_even_with_hostile_texts() {
    let sink = Arc::new(Mutex::new(Vec::new()));
    let log = AccessLog::new(Some(sink.clone()));
    log.add(&AccessLine {
        model: "a\"b\\c\n{\"x\":1}",
        status: 200,
        cost_nanos: Some(-1),
        ..AccessLine::default()
    });
    log.flush();
    let written = sink.lock().clone();
    let line: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(line["model"], "a\"b\\c\n{\"x\":1}");
    assert_eq!(line["cost_nano_usd"], -1);
    assert_eq!(written.iter().filter(|byte| **byte == b'\n').count(), 1);
}
