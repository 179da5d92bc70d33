//! Keys, spend and the ledger, on SQLite and PostgreSQL.
//!
//! Two halves. [`Db`] is the shared store: virtual keys, the scopes they are
//! charged to, the spend log, daily sums, settings. The
//! [`Ledger`] is the local write-ahead log on the hot path: before a call its intent, after it its
//! outcome; a [`Shipper`] moves outcomes into the database so that a crash at any point neither loses
//! nor doubles one. No type of the database library leaves this crate, and time and ids come in as
//! arguments: Unix milliseconds in UTC, money in nano-dollars.

mod audit;
mod db;
mod entity;
mod error;
mod import;
mod ledger;
mod migration;
mod record;
mod repo;
mod seal;

pub use audit::{Actor, AuditCheckpoint, AuditFault, AuditQuery, AuditReport, AuditRow, AuditSigner};
pub use db::{Backend, Db, DbOptions, SchemaStatus, knows_parameter};
pub use error::{DbError, DbErrorKind};
pub use import::{ImportOptions, ImportReport, TableReport};
pub use ledger::{
    CallId, End, Flags, Intent, LONGEST_NAME, Ledger, LedgerOptions, Outcome, Owner, Record, Recovery,
    Shipper, ShipperOptions, ShipperStatus, Tokens, Writer, encode_cancel,
};
pub use record::{
    Change, ConfigEntry, DailyQuery, DailySpend, EntryKind, Invitation, JsonMap, KeyPatch, KeyRecord,
    KeySettings, ModelSpend, NewKey, NewScope, Page, PageRequest, ScopeId, ScopeKind, ScopeRecord,
    ScopeSettings, SpendQuery, SpendRow, SpendSort, StoredResponse, TokenKey,
};
pub use repo::{
    AliasQuery, CallsBy, CallsQuery, CallsRow, Carry, CleanUp, Cleaned, ConfigEntries, Corrected, Correction,
    CostRange, DueBudget, DueScope, EndedPeriods, Granted, KeyChanges, KeyName, KeyNames, KeyQuery, KeySort,
    LeaseAsk, LessonRow, LogRows, Payer, ReportQuery, ReportRow, SLOW_S, SPEND_ROWS_COUNTED, ScopeChanges,
    ScopeQuery, ScopeSort, Seals, SessionOf, SessionSums, SlipName, SlipPut, SortOrder, SpendBy, SpendSums,
    ToolSpend, ToolsQuery,
};
pub use seal::Seal;
