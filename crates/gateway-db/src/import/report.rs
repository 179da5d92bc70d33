//! What an import found, wrote and could not carry.

use std::collections::BTreeMap;

/// What an import came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Per table of the source that is carried.
    pub tables: BTreeMap<&'static str, TableReport>,
    /// Values that could not be carried: table, row and what is wrong.
    pub problems: Vec<String>,
    /// Tables with rows that are not carried, and how many rows.
    pub not_carried: BTreeMap<String, u64>,
}

/// What became of one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableReport {
    /// Rows read.
    pub read: u64,
    /// Records written; a team's row is also its memberships.
    pub written: u64,
    /// Records that were here already and stay as they are.
    pub present: u64,
}

impl TableReport {
    /// Counts a record that was written, or was here already.
    pub(super) fn count(&mut self, written: bool) {
        if written {
            self.written += 1;
        } else {
            self.present += 1;
        }
    }
}

impl ImportReport {
    pub(super) fn table(&mut self, table: &'static str) -> &mut TableReport {
        self.tables.entry(table).or_default()
    }

    pub(super) fn problem(&mut self, table: &str, row: &str, what: impl std::fmt::Display) {
        self.problems.push(format!("{table}: row `{row}`: {what}"));
    }
}
