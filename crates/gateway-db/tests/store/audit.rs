//! The audit log: a row with every change, and no way to alter it unseen.

use gateway_db::{
    Actor, AuditCheckpoint, AuditQuery, AuditReport, AuditSigner, ConfigEntry, Db, DbOptions, EntryKind,
    KeyName, KeyPatch, NewScope, PageRequest, ScopeId, ScopeKind, ScopeSettings, Seal, SortOrder,
};
use llm_types::Money;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::{TestDb, hash, named_key, on_each};

fn ann() -> Actor {
    Actor {
        changed_by: "ann".into(),
        api_key: "k".repeat(64),
        user: "u-ann".into(),
        address: Some("10.1.2.3".into()),
        at: 5_000,
    }
}

fn query() -> AuditQuery {
    AuditQuery {
        changed_by: None,
        api_key: None,
        action: None,
        table_name: None,
        object_id: None,
        from: None,
        to: None,
        order: SortOrder::Ascending,
        page: PageRequest { page: 1, size: 100 },
    }
}

fn team(id: &str) -> NewScope {
    NewScope {
        id: ScopeId::new(ScopeKind::Team, id),
        settings: ScopeSettings { alias: Some("red".into()), ..ScopeSettings::default() },
        spend: Money::ZERO,
        created_at: 1,
        created_by: None,
    }
}

fn signer() -> AuditSigner {
    AuditSigner::of_text(&"5a".repeat(32)).unwrap()
}

async fn verify(db: &Db) -> AuditReport {
    db.verify_audit(Some(&signer().public_key()), None).await.unwrap()
}

/// Ten changes, a checkpoint, and two more.
async fn history(db: &Db) -> AuditCheckpoint {
    let acting = db.acting(ann());
    for number in 1..=10 {
        acting.insert_key(named_key(number, &format!("key {number}"))).await.unwrap();
    }
    let made = db.checkpoint_audit(&signer(), 6_000).await.unwrap().unwrap();
    acting.insert_scope(team("t1")).await.unwrap();
    acting.delete_keys(&[KeyName::Hash(hash(1))], 7_000, None).await.unwrap();
    made
}

/// What an intruder with the database in hand does.
async fn tamper(of: &TestDb, sql: &str) {
    let conn = sea_orm::Database::connect(&of.url).await.unwrap();
    let done = conn.execute_unprepared(sql).await.unwrap();
    assert!(done.rows_affected() > 0, "{sql}");
    conn.close().await.unwrap();
}

#[tokio::test]
async fn every_change_has_its_row() {
    on_each(async |of| {
        let (db, acting) = (&of.db, of.db.acting(ann()));
        let seal = Seal::new("salt").unwrap();
        let mut key = named_key(1, "one");
        key.settings.metadata.insert("langfuse_secret_key".into(), json!("very secret"));
        acting.insert_key(key).await.unwrap();
        let block = KeyPatch { blocked: Some(true), ..KeyPatch::default() };
        acting.update_key(&hash(1), block, 6_000, None).await.unwrap();
        acting.replace_key_hash(&hash(1), &hash(2), None, 6_000, None).await.unwrap();
        acting.delete_keys(&[KeyName::Hash(hash(2))], 6_000, None).await.unwrap();
        acting.insert_scope(team("t1")).await.unwrap();
        let id = ScopeId::new(ScopeKind::Team, "t1");
        acting.update_scope(&id, 6_000, None, |team| team.rpm_limit = Some(9)).await.unwrap();
        acting.set_scope_spend(&id, Money::ZERO, 6_000).await.unwrap();
        acting.delete_scopes(&[id], 6_000, None).await.unwrap();
        let entry = ConfigEntry {
            kind: EntryKind::Credential,
            id: "c".into(),
            name: "c".into(),
            secret: json!({"api_key": "sk-live"}).as_object().cloned().unwrap(),
            info: serde_json::Map::new(),
            blocked: false,
            created_at: 1,
            created_by: None,
            updated_at: 1,
            updated_by: None,
        };
        acting.put_entry(&entry, &seal).await.unwrap();
        let other = json!({"api_key": "sk-other"}).as_object().cloned().unwrap();
        acting.put_entry(&ConfigEntry { secret: other, ..entry }, &seal).await.unwrap();
        acting.delete_entry(EntryKind::Credential, "c").await.unwrap();

        let rows = db.audit_rows(&query()).await.unwrap();
        let told: Vec<_> =
            rows.items.iter().map(|row| (row.action.as_str(), row.table_name.as_str())).collect();
        let (key, team) = ("LiteLLM_VerificationToken", "LiteLLM_TeamTable");
        let credential = "LiteLLM_CredentialsTable";
        assert_eq!(
            told,
            [
                ("created", key),
                ("blocked", key),
                ("rotated", key),
                ("deleted", key),
                ("created", team),
                ("updated", team),
                ("updated", team),
                ("deleted", team),
                ("created", credential),
                ("updated", credential),
                ("deleted", credential),
            ]
        );
        assert_eq!(rows.items[0].actor, ann());
        assert_eq!(rows.items[5].after.as_ref().unwrap()["rpm_limit"], 9);
        assert_eq!(rows.items[5].before.as_ref().unwrap().get("rpm_limit"), None);
        let changed = &rows.items[9].after.as_ref().unwrap()["credential_values"]["api_key"];
        assert_eq!(changed, &Value::from("**** (changed)"));
        let all = format!("{rows:?}");
        assert!(!all.contains("sk-live") && !all.contains("very secret"), "{all}");
        let row = db.audit_row(&rows.items[3].id).await.unwrap().unwrap();
        assert_eq!(row, rows.items[3]);
        let of_team = AuditQuery { object_id: Some("t1".into()), to: Some(5_000), ..query() };
        assert_eq!(db.audit_rows(&of_team).await.unwrap().total, 4);
        assert_eq!(verify(db).await, AuditReport { rows: 11, ..AuditReport::default() });
    })
    .await;
}

#[tokio::test]
async fn a_change_that_fails_leaves_no_row_and_no_gap() {
    on_each(async |of| {
        let acting = of.db.acting(ann());
        acting.insert_key(named_key(1, "one")).await.unwrap();
        acting.insert_key(named_key(2, "one")).await.unwrap_err();
        acting.insert_scope(team("t1")).await.unwrap();
        acting.insert_scope(team("t1")).await.unwrap_err();
        of.db.insert_key(named_key(3, "nobody's")).await.unwrap();
        assert_eq!(verify(&of.db).await, AuditReport { rows: 2, ..AuditReport::default() });
    })
    .await;
}

#[tokio::test]
async fn replicas_write_one_chain() {
    on_each(async |of| {
        let other = Db::connect(&of.url, &DbOptions::default()).await.unwrap();
        let (one, two) = (of.db.acting(ann()), other.acting(ann()));
        let write = async |db: &Db, from: u64| {
            for number in from..from + 20 {
                db.insert_key(named_key(number, &format!("key {number}"))).await.unwrap();
                let scope = team(&format!("t{number}"));
                db.insert_scope(scope).await.unwrap();
                db.checkpoint_audit(&signer(), 1).await.unwrap();
            }
        };
        tokio::join!(write(&one, 100), write(&two, 200));
        let report = verify(&of.db).await;
        assert_eq!((report.rows, &report.faults), (80, &Vec::new()));
        assert_eq!(report.signed_up_to, 80);
    })
    .await;
}

#[tokio::test]
async fn a_history_that_nobody_touched_is_sound() {
    on_each(async |of| {
        history(&of.db).await;
        let report = verify(&of.db).await;
        assert_eq!(report, AuditReport { rows: 12, checkpoints: 1, signed_up_to: 10, faults: Vec::new() });
        assert_eq!(of.db.checkpoint_audit(&signer(), 1).await.unwrap().unwrap().seq, 12);
        assert_eq!(of.db.checkpoint_audit(&signer(), 1).await.unwrap(), None);
        assert_eq!(verify(&of.db).await.faults, []);
    })
    .await;
}

/// What is done to the database, the row the walk complains of, and a word of the complaint.
const TAMPERING: [(&str, i64, &str); 10] = [
    ("UPDATE audit_log SET changed_by = 'bob' WHERE seq = 4", 4, "edited"),
    ("UPDATE audit_log SET updated_values = '{}' WHERE seq = 11", 11, "edited"),
    ("UPDATE audit_log SET address = NULL WHERE seq = 12", 12, "edited"),
    ("UPDATE audit_log SET hash = previous WHERE seq = 3", 3, "edited"),
    ("DELETE FROM audit_log WHERE seq = 1", 1, "missing"),
    ("DELETE FROM audit_log WHERE seq BETWEEN 5 AND 6", 5, "missing"),
    ("DELETE FROM audit_log WHERE seq = 12", 12, "12 rows were written"),
    ("DELETE FROM audit_log WHERE seq >= 10", 10, "a checkpoint was signed"),
    ("DELETE FROM audit_log", 1, "12 rows were written"),
    ("UPDATE audit_checkpoints SET seq = 9", 9, "not ours"),
];

#[tokio::test]
async fn every_tampering_is_found() {
    for (sql, seq, word) in TAMPERING {
        on_each(async |of| {
            history(&of.db).await;
            tamper(of, sql).await;
            let faults = verify(&of.db).await.faults;
            let found = faults.iter().any(|fault| fault.seq == seq && fault.what.contains(word));
            assert!(found, "{sql}: {faults:?}");
        })
        .await;
    }
}

/// Rows and count are cut off together: the checkpoint tells; and where it is cut off too, the one kept elsewhere.
#[tokio::test]
async fn a_cut_end_is_found() {
    on_each(async |of| {
        let kept = history(&of.db).await;
        tamper(of, "DELETE FROM audit_log WHERE seq > 8").await;
        tamper(of, "UPDATE change_feed SET version = 8 WHERE name = 'audit'").await;
        assert_eq!(verify(&of.db).await.faults.len(), 1);
        tamper(of, "DELETE FROM audit_checkpoints").await;
        assert_eq!(verify(&of.db).await.faults, [], "nothing in the database tells");
        let key = signer().public_key();
        let report = of.db.verify_audit(Some(&key), Some(&kept)).await.unwrap();
        assert!(report.faults.iter().any(|fault| fault.what.contains("is not there")), "{report:?}");
    })
    .await;
}

/// Whoever writes the whole chain anew cannot sign it.
#[tokio::test]
async fn another_signature_is_found() {
    on_each(async |of| {
        history(&of.db).await;
        let intruder = AuditSigner::of_text(&"66".repeat(32)).unwrap();
        tamper(of, "DELETE FROM audit_checkpoints").await;
        of.db.checkpoint_audit(&intruder, 1).await.unwrap().unwrap();
        let faults = verify(&of.db).await.faults;
        assert!(faults.iter().any(|fault| fault.what.contains("not ours")), "{faults:?}");
        assert!(!of.db.verify_audit(None, None).await.unwrap().faults.is_empty(), "no key, no proof");
    })
    .await;
}

#[tokio::test]
async fn the_signing_key_is_made_once_and_kept_sealed() {
    on_each(async |of| {
        let seal = Seal::new("salt").unwrap();
        let first = of.db.audit_signer(&seal, 1).await.unwrap();
        let again = of.db.audit_signer(&seal, 2).await.unwrap();
        assert_eq!(first.public_key(), again.public_key());
        of.db.audit_signer(&Seal::new("pepper").unwrap(), 3).await.unwrap_err();
    })
    .await;
}
