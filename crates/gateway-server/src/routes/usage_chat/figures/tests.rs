//! What tools ask the database for, and how figures are told.

use gateway_db::{ReportRow, SpendBy, SpendSums};
use llm_types::Money;
use serde_json::json;

use super::{LINES, Sees, TOOLS, list};

#[test]
fn who_sees_their_own_cannot_ask_for_others() {
    let arguments = json!({ "start_date": "1970-01-02", "end_date": "1970-01-03", "user_id": "eve, max" });
    let usage = &TOOLS[0];
    let own = usage.query(&Sees::Own("mia".to_owned()), &arguments).expect("a query");
    assert_eq!(own.only, [(SpendBy::User, vec!["mia".to_owned()])]);
    assert_eq!((own.from_day, own.to_day), (Some(1), Some(2)));
    let all = usage.query(&Sees::All, &arguments).expect("a query");
    assert_eq!(all.only, [(SpendBy::User, vec!["eve".to_owned(), "max".to_owned()])]);
    let error = usage.query(&Sees::All, &json!({ "start_date": "soon" })).expect_err("no day");
    assert_eq!(error.message(), "`start_date` is `soon`, expected a day such as 2026-11-20");
}

#[test]
fn the_dearest_stand_first_and_the_rest_is_counted() {
    let row = |at: i64| ReportRow {
        names: vec![format!("m{at}")],
        sums: SpendSums { requests: 1, cost: Money(at * 1_000), ..SpendSums::default() },
    };
    let told = list("Models", (0..20).map(row).collect());
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[1], "- m19: $0.000019, 1 calls (0 failed), 0 tokens");
    assert_eq!((lines.len(), lines[LINES + 1]), (LINES + 2, "- and 5 more that cost less"));
    assert_eq!(list("Models", Vec::new()), "Models: nothing in these days");
}
