//! What calls cost by the tools they invoked.

use gateway_db::{Correction, CostRange, Db, LedgerOptions, Shipper, ShipperOptions, ToolSpend, ToolsQuery};
use llm_types::Money;
use serde_json::json;

use crate::ship::{append, open, outcome};
use crate::support::{hash, on_each};

const DAY: i64 = 86_400_000;

fn query(most: u64) -> ToolsQuery {
    ToolsQuery { from_day: 5, to_day: 6, most }
}

/// A line of a report: day, tool, calls, tokens, nano-dollars. A call of these tests has 15 tokens.
fn line(day: i64, tool: &str, calls: i64, cost: i64) -> ToolSpend {
    ToolSpend { day, tool: tool.to_owned(), calls, tokens: calls * 15, cost: Money(cost) }
}

async fn ship(db: &Db) {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
    let key = hash(1);
    let calls = [
        (5, r#"["find","write"]"#, Some(100)),
        (5, r#"["find"]"#, Some(40)),
        (6, r#"["write"]"#, Some(7)),
        (6, r#"["nul\u0000"]"#, Some(3)),
        (6, "", Some(900)),
        (6, r#"["unpriced"]"#, None),
        (7, r#"["find"]"#, Some(5_000)),
    ];
    for (number, (day, tools, cost)) in (1..).zip(calls) {
        let mut call = outcome(number, key.as_str(), 0);
        (call.started_ms, call.tools, call.cost) = (day * DAY, tools, cost.map(Money));
        append(&mut writer, &[call]);
    }
    Shipper::new(&ledger, db.clone(), ShipperOptions::default()).flush().await.unwrap();
}

#[tokio::test]
async fn a_call_counts_in_full_for_each_tool_it_invoked() {
    on_each(async |fresh| {
        let db = &fresh.db;
        ship(db).await;
        let nul = "nul\u{fffd}";
        let all = [
            line(0, "find", 2, 140),
            line(0, "write", 2, 107),
            line(0, nul, 1, 3),
            line(0, "unpriced", 1, 0),
        ];
        assert_eq!(db.spend_by_tool(&query(9)).await.unwrap(), all);
        let days = [
            line(5, "find", 2, 140),
            line(5, "write", 1, 100),
            line(6, "write", 1, 7),
            line(6, nul, 1, 3),
            line(6, "unpriced", 1, 0),
        ];
        assert_eq!(db.spend_by_tool_and_day(&query(9)).await.unwrap(), days);
        assert_eq!(db.spend_by_tool(&query(1)).await.unwrap(), all[..1], "the dearest first");
        assert_eq!(db.spend_by_tool_and_day(&query(2)).await.unwrap(), days[..3], "of the same tools");

        let rows = db.calls_to_price(&CostRange::default(), None, 100).await.unwrap();
        assert_eq!(rows[0].tools.as_deref(), Some(r#"["find","write"]"#));
        assert_eq!(rows.iter().find(|row| row.cost == Some(Money(900))).unwrap().tools, None);
    })
    .await;
}

#[tokio::test]
async fn what_tools_cost_follows_when_costs_are_derived_anew() {
    on_each(async |fresh| {
        let db = &fresh.db;
        ship(db).await;
        let rows =
            db.calls_to_price(&CostRange { until: Some(6 * DAY), ..CostRange::default() }, None, 9).await;
        let rows = rows.unwrap();
        let anew: Vec<Correction<'_>> = rows.iter().map(|row| Correction { row, cost: Money(10) }).collect();
        assert_eq!(db.correct_costs(&anew, &json!("new prices")).await.unwrap().calls, 2);
        let days = db.spend_by_tool_and_day(&query(9)).await.unwrap();
        assert_eq!(days[..2], [line(5, "find", 2, 20), line(5, "write", 1, 10)]);
    })
    .await;
}
