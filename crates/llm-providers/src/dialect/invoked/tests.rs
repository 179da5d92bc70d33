//! Names of tools: once each, and bounded.

use super::*;

#[test]
fn a_tool_is_named_once_and_names_are_bounded() {
    let mut tools = InvokedTools::default();
    for name in ["find", " find ", "", "  ", "write"] {
        tools.note(name);
    }
    assert_eq!(tools.names(), ["find", "write"]);
    // `ä` has two bytes: the 128th begins at byte 254 and does not fit.
    tools.note(&"ä".repeat(200));
    assert_eq!(tools.names()[2], "ä".repeat(127));
    (0..500).for_each(|number| tools.note(&number.to_string()));
    assert_eq!(tools.names().len(), MOST);
}
