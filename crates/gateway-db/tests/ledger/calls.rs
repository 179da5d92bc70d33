//! What deployments did: the daily sums say the same as the log.

use gateway_db::{CallsBy, CallsQuery, CallsRow, End, LedgerOptions, Shipper, ShipperOptions, Tokens};

use super::ship::{append, open, outcome};
use crate::support::{TestDb, hash, on_each};

const SECOND: u64 = 1_000_000;

/// Day 5, by what is asked for; slow from 12 s on.
fn query(by: Vec<CallsBy>) -> CallsQuery {
    CallsQuery { from_day: 5, to_day: 5, slow_from_s: 12, by, ..CallsQuery::default() }
}

fn counted(rows: &[CallsRow]) -> Vec<(Vec<&str>, i64, i64)> {
    rows.iter().map(|row| (row.names.iter().map(String::as_str).collect(), row.calls, row.slow)).collect()
}

#[tokio::test]
async fn days_of_deployments_add_up_and_the_log_of_one_key_says_the_same() {
    on_each(async |fresh: &TestDb| {
        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        let key = hash(1);
        let call = |id: u128, deployment: &'static str, seconds: u64| {
            let mut call = outcome(id, key.as_str(), 1);
            (call.deployment, call.duration_us) = (deployment, seconds * SECOND);
            call.owner.end_user = "somebody";
            call
        };
        let mut streamed = call(2, "one", 12);
        streamed.flags.stream = true;
        streamed.first_byte_us = Some(SECOND / 2);
        let mut cached = call(3, "one", 30);
        cached.flags.cache_hit = true;
        let mut failed = call(4, "two", 11);
        (failed.end, failed.status, failed.error) = (End::Failed, 429, "rate_limited");
        failed.tokens = Tokens::default();
        let mut elsewhere = call(5, "one", 1);
        elsewhere.model_group = "other";
        let mut later = call(6, "one", 1);
        later.started_ms += 86_400_000;
        append(&mut writer, &[call(1, "one", 2), streamed, cached, failed, elsewhere, later]);
        Shipper::new(&ledger, fresh.db.clone(), ShipperOptions::default()).flush().await.unwrap();

        let db = &fresh.db;
        for (key, customer) in [(None, None), (Some(key.clone()), None), (None, Some("somebody".to_owned()))]
        {
            let ask = |by| CallsQuery { key: key.clone(), customer: customer.clone(), ..query(by) };
            let all = db.calls_report(&ask(vec![CallsBy::Deployment])).await.unwrap();
            assert_eq!(counted(&all), [(vec!["one"], 3, 1), (vec!["two"], 1, 0)], "{key:?}");
            let of_group = CallsQuery {
                model_group: Some("group".to_owned()),
                ..ask(vec![CallsBy::Day, CallsBy::Model])
            };
            let [row] = &db.calls_report(&of_group).await.unwrap()[..] else { panic!("one day, one model") };
            assert_eq!(row.names, ["5", "model"]);
            assert_eq!((row.calls, row.output_tokens, row.duration_us), (3, 10, 14_000_000));
            assert_eq!((row.streamed, row.first_byte_us), (1, 500_000));
            let limited = CallsQuery { status: Some(429), failed: true, ..ask(vec![CallsBy::Error]) };
            assert_eq!(counted(&db.calls_report(&limited).await.unwrap()), [(vec!["rate_limited"], 1, 0)]);
        }
        let nobody = CallsQuery { key: Some("nobody".to_owned().into()), ..query(vec![CallsBy::Day]) };
        assert_eq!(db.calls_report(&nobody).await.unwrap(), []);
    })
    .await;
}
