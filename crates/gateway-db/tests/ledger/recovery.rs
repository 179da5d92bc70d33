//! Opening a ledger again: what was cut off is booked at its reservation, once.

use gateway_db::{
    CallId, Ledger, LedgerOptions, Recovery, Shipper, ShipperOptions, SpendQuery, encode_cancel,
};
use llm_types::Money;

use crate::ship::{append, intent, open, outcome, reopen};
use crate::support::{hash, on_each, plain_key};

#[tokio::test]
async fn open_calls_are_booked_at_their_reservation_and_flagged() {
    on_each(async |fresh| {
        let db = &fresh.db;
        db.insert_key(plain_key(1)).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let key = hash(1);
        {
            let (_ledger, mut writer) = open(dir.path(), LedgerOptions::default());
            let mut batch = Vec::new();
            for id in 1..=4 {
                intent(id, key.as_str()).encode(&mut batch);
            }
            encode_cancel(CallId(3), &mut batch);
            writer.append(&batch, 1).unwrap();
            append(&mut writer, &[outcome(2, key.as_str(), 7)]);
        }
        let expected =
            Recovery { segments: 1, outcomes: 1, unknown: 2, unknown_cost: Money(2_000), damaged_bytes: 0 };
        let ledger = reopen(dir.path(), LedgerOptions::default());
        assert_eq!(*ledger.recovery(), expected);
        drop(ledger);
        let ledger = reopen(dir.path(), LedgerOptions::default());
        assert_eq!(
            (ledger.recovery().unknown, ledger.recovery().outcomes),
            (0, 3),
            "nothing is booked again"
        );

        Shipper::new(&ledger, db.clone(), ShipperOptions::default()).flush().await.unwrap();
        assert_eq!(db.key_by_hash(&key).await.unwrap().unwrap().spend, Money(2_007));
        let rows = db.spend_rows(&SpendQuery::default()).await.unwrap();
        assert_eq!(rows.total, 3);
        let unknown = rows.items.iter().find(|row| row.request_id == CallId(4).to_string()).unwrap();
        assert!(unknown.unknown_outcome && unknown.estimated);
        assert_eq!((unknown.outcome.as_str(), unknown.cost), ("unknown", Some(Money(1_000))));
        assert_eq!(
            (unknown.input_tokens, unknown.output_tokens, unknown.user_id.as_deref()),
            (3, 4, Some("u"))
        );
    })
    .await;
}

#[test]
fn a_folder_belongs_to_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let first = Ledger::open(dir.path(), 1, 1, LedgerOptions::default()).unwrap();
    let error = Ledger::open(dir.path(), 1, 1, LedgerOptions::default()).expect_err("it is locked");
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    assert!(error.to_string().contains("another process"), "{error}");
    drop(first);
    reopen(dir.path(), LedgerOptions::default());
}

#[tokio::test]
async fn a_torn_end_loses_only_what_was_never_acknowledged() {
    let fresh = crate::support::sqlite().await;
    let dir = tempfile::tempdir().unwrap();
    {
        let (_ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        append(&mut writer, &[outcome(1, "k", 1), outcome(2, "k", 1)]);
    }
    let file = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path());
    let file =
        file.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "ledger")).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 5]).unwrap();
    let ledger = reopen(dir.path(), LedgerOptions::default());
    assert_eq!(ledger.recovery().outcomes, 1);
    assert!(ledger.recovery().damaged_bytes > 0);
    let shipper = Shipper::new(&ledger, fresh.db.clone(), ShipperOptions::default());
    shipper.flush().await.unwrap();
    assert_eq!(shipper.status().shipped_rows, 1);
    assert_eq!(shipper.status().damaged_bytes, ledger.recovery().damaged_bytes);
}

#[test]
fn a_lost_disk_is_reported_and_survived() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger =
        Ledger::open(dir.path(), 1, 1, LedgerOptions { segment_bytes: 1, ..Default::default() }).unwrap();
    let mut writer = ledger.take_writers().pop().unwrap();
    append(&mut writer, &[outcome(1, "k", 1)]);
    // The next segment cannot be made: the folder is gone, as with a disk that dropped out.
    let moved = dir.path().with_extension("moved");
    std::fs::rename(dir.path(), &moved).unwrap();
    let mut batch = Vec::new();
    outcome(2, "k", 1).encode(&mut batch);
    assert!(writer.append(&batch, 1).is_err());
    assert!(writer.append(&batch, 1).is_err(), "still refused");
    std::fs::rename(&moved, dir.path()).unwrap();
    writer.append(&batch, 1).expect("goes on when the disk is back");
    drop((writer, ledger));
    let ledger = reopen(dir.path(), LedgerOptions::default());
    assert_eq!(ledger.recovery().outcomes, 2);
}
