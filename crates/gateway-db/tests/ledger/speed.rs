//! What shipping costs. The figures mean something with `--release` only; the sums are checked always.

use std::time::Instant;

use gateway_db::{LedgerOptions, Outcome, Owner, Shipper, ShipperOptions};

use crate::ship::{open, outcome};
use crate::support::{hash, on_each, plain_key};

/// CPU time of this process so far, in seconds.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

#[tokio::test]
async fn rows_are_shipped_in_bulk() {
    let rows: u32 = if cfg!(debug_assertions) { 5_000 } else { 300_000 };
    on_each(async |fresh| {
        for number in 1..=50 {
            fresh.db.insert_key(plain_key(number)).await.unwrap();
        }
        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        let keys: Vec<_> = (1..=50).map(hash).collect();
        let start = Instant::now();
        let mut batch = Vec::new();
        for number in 0..rows {
            let key = &keys[number as usize % keys.len()];
            call(number, key.as_str()).encode(&mut batch);
            if number % 32 == 31 {
                writer.append(&batch, 1).unwrap();
                batch.clear();
            }
        }
        writer.append(&batch, 1).unwrap();
        let wrote = start.elapsed();

        let shipper = Shipper::new(&ledger, fresh.db.clone(), ShipperOptions::default());
        let (start, cpu) = (Instant::now(), cpu_seconds());
        shipper.flush().await.unwrap();
        let (took, cpu) = (start.elapsed(), cpu_seconds() - cpu);
        assert_eq!(shipper.status().shipped_rows, u64::from(rows));
        println!(
            "{:?}: append {:?}/row, ship {:.2} µs CPU/row, {:.2} µs/row",
            fresh.db.backend(),
            wrote / rows,
            cpu * 1e6 / f64::from(rows),
            took.as_secs_f64() * 1e6 / f64::from(rows),
        );
    })
    .await;
}

fn call(number: u32, key: &str) -> Outcome<'_> {
    let id = gateway_db::CallId::at(
        1_800_000_000_000 + i64::from(number / 10),
        u128::from(fastrand::u64(..)) << 32,
    );
    let mut call = outcome(id.0, key, 1_234);
    call.owner = Owner { team_id: "team-1", ..call.owner };
    call.model_group = "gpt-4o-mini";
    call.model = "gpt-4o-mini-2024-07-18";
    call.deployment = "3f6c1a2b9d";
    call
}
