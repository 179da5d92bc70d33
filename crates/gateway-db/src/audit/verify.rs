//! A walk over the whole audit log: edits, deletions, gaps and a cut end are found.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, Statement};

use super::AuditCheckpoint;
use super::chain::{BEGINNING, COLUMNS, Link, failed};
use crate::repo::Feed;
use crate::{Db, DbError};

/// Rows that are read at once.
const BATCH: i64 = 1_000;
/// Faults after which the walk says no more.
const MOST_FAULTS: usize = 100;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFault {
    /// The row it was found at.
    pub seq: i64,
    /// What is wrong.
    pub what: String,
}

/// What a walk over the audit log found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Rows that are there.
    pub rows: u64,
    /// Checkpoints that are there.
    pub checkpoints: u64,
    /// The number that the last checkpoint covers; 0 where there is none.
    pub signed_up_to: i64,
    /// Everything that is wrong, first row first; a hundred at most.
    pub faults: Vec<AuditFault>,
}

impl AuditReport {
    fn fault(&mut self, seq: i64, what: impl Into<String>) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(AuditFault { seq, what: what.into() });
        }
    }
}

impl Db {
    /// Walks over the audit log. `public_key` (base64) proves the checkpoints; without it they are not proved, which
    /// is a fault where there are any. `kept` is a checkpoint that was kept outside of the database.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn verify_audit(
        &self,
        public_key: Option<&str>,
        kept: Option<&AuditCheckpoint>,
    ) -> Result<AuditReport, DbError> {
        let mut report = AuditReport::default();
        let checkpoints = self.audit_checkpoints().await?;
        report.checkpoints = checkpoints.len() as u64;
        let mut signed = BTreeMap::new();
        check_signatures(&checkpoints, public_key, &mut report);
        for checkpoint in &checkpoints {
            report.signed_up_to = report.signed_up_to.max(checkpoint.seq);
            signed.insert(checkpoint.seq, checkpoint.hash.clone());
        }
        if let Some(kept) = kept {
            if public_key.is_some_and(|key| !kept.is_signed_by(key)) {
                report.fault(kept.seq, "the signature of the checkpoint that was kept elsewhere is not ours");
            }
            if signed.insert(kept.seq, kept.hash.clone()).is_none() {
                report.fault(kept.seq, "the checkpoint that was kept elsewhere is not in the database");
            }
        }
        // What is written meanwhile is not walked over: the count is taken first.
        let written = self.version_of(Feed::Audit).await?;
        self.walk(written, &mut signed, &mut report).await?;
        for (seq, _) in signed {
            report.fault(seq, "a checkpoint was signed for this row, and it is not there");
        }
        Ok(report)
    }

    async fn walk(
        &self,
        written: i64,
        signed: &mut BTreeMap<i64, String>,
        report: &mut AuditReport,
    ) -> Result<(), DbError> {
        let (mut last, mut previous) = (0, BEGINNING.to_owned());
        loop {
            let sql = format!("SELECT {COLUMNS} FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT {BATCH}");
            let select = Statement::from_sql_and_values(self.sea_backend(), sql, [last.into()]);
            let rows = self.conn.query_all_raw(select).await.map_err(failed)?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let link = Link::read(row)?;
                check_link(&link, (last, &previous), report);
                if let Some(hash) = signed.remove(&link.seq)
                    && hash != link.hash
                {
                    report.fault(link.seq, "the row is not the one that a checkpoint was signed for");
                }
                report.rows += 1;
                (last, previous) = (link.seq, link.hash);
            }
        }
        match written.cmp(&last) {
            std::cmp::Ordering::Greater => {
                report.fault(
                    last + 1,
                    format!("{written} rows were written, the last that is there is {last}"),
                );
            }
            std::cmp::Ordering::Less if self.version_of(Feed::Audit).await? < last => {
                report.fault(last, format!("there is a row {last}, but only {written} were written"));
            }
            _ => {}
        }
        Ok(())
    }
}

fn check_link(link: &Link, (last, previous): (i64, &str), report: &mut AuditReport) {
    if link.seq != last + 1 {
        report.fault(last + 1, format!("rows {} to {} are missing", last + 1, link.seq - 1));
    }
    if link.previous != previous {
        report.fault(link.seq, "the row does not follow the one before it: one of them was exchanged");
    }
    if link.hash != link.digest() {
        report.fault(link.seq, "the row was edited: its hash is another");
    }
}

fn check_signatures(checkpoints: &[AuditCheckpoint], public_key: Option<&str>, report: &mut AuditReport) {
    let mut before = "";
    for checkpoint in checkpoints {
        if checkpoint.previous != before {
            report.fault(checkpoint.seq, "the checkpoint before this one is missing or was exchanged");
        }
        if public_key.is_some_and(|key| !checkpoint.is_signed_by(key)) {
            report.fault(checkpoint.seq, "the signature of the checkpoint is not ours");
        }
        before = &checkpoint.signature;
    }
    if public_key.is_none()
        && let Some(first) = checkpoints.first()
    {
        report.fault(first.seq, "there is no key to prove the checkpoints with");
    }
}
