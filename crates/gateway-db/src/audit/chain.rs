//! One more link: a row in the transaction of the change it tells of.

use ring::digest::{Context, SHA256};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Statement};
use serde_json::Value;

use super::{Actor, AuditRow, mask, view};
use crate::repo::Feed;
use crate::{ConfigEntry, Db, DbError, DbErrorKind, KeyRecord, ScopeRecord};

/// What a change is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// A virtual key.
    Key(&'a KeyRecord),
    /// A team, a user, a budget, …
    Scope(&'a ScopeRecord),
    /// A model or a credential.
    Entry(&'a ConfigEntry),
    /// Something else.
    Told(&'a Told),
}

/// Something without a record of its own, as the log tells of it: costs that were corrected together, an invitation, a
/// password.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// LiteLLM's name for its table.
    pub(crate) table: &'static str,
    /// Its id; of several, the first one's.
    pub(crate) id: String,
    /// What is said of it.
    pub(crate) told: Value,
}

/// What the first row has before it.
pub(super) const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The columns of a row, in the order of [`row_of`].
pub(super) const COLUMNS: &str = "seq, id, at, changed_by, changed_by_api_key, user_id, address, action, \
                                  table_name, object_id, before_value, updated_values, previous, hash";

/// The text of a row as it is stored: JSON stays the text that was hashed.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) seq: i64,
    pub(super) id: String,
    pub(super) at: i64,
    pub(super) changed_by: String,
    pub(super) api_key: String,
    pub(super) user: String,
    pub(super) address: Option<String>,
    pub(super) action: String,
    pub(super) table: String,
    pub(super) object: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    pub(super) previous: String,
    pub(super) hash: String,
}

impl Db {
    /// Writes down a change, if somebody is acting: what is there before is what was, what is there after is what
    /// is now. Call it last: the chain is locked until the transaction ends.
    pub(crate) async fn note(
        &self,
        transaction: &DatabaseTransaction,
        before: Option<Subject<'_>>,
        after: Option<Subject<'_>>,
    ) -> Result<(), DbError> {
        let Some(actor) = &self.actor else { return Ok(()) };
        let Some(subject) = after.or(before) else { return Ok(()) };
        let old = before.map(view::shown);
        let new = after.map(view::shown);
        let seq = self.next_version(transaction, Feed::Audit).await?;
        let previous = self.hash_at(transaction, seq - 1).await?;
        let mut link = Link {
            seq,
            id: new_id(),
            at: actor.at,
            changed_by: actor.changed_by.clone(),
            api_key: actor.api_key.clone(),
            user: actor.user.clone(),
            address: actor.address.clone(),
            action: action(before, after).to_owned(),
            table: view::table(subject).to_owned(),
            object: view::object(subject),
            before: old.as_ref().map(|old| mask::masked(old, None).to_string()),
            after: new.as_ref().map(|new| mask::masked(new, old.as_ref()).to_string()),
            previous,
            hash: String::new(),
        };
        link.hash = link.digest();
        self.insert_link(transaction, link).await
    }

    async fn hash_at(&self, transaction: &DatabaseTransaction, seq: i64) -> Result<String, DbError> {
        if seq == 0 {
            return Ok(BEGINNING.to_owned());
        }
        let sql = "SELECT hash FROM audit_log WHERE seq = $1";
        let statement = Statement::from_sql_and_values(self.sea_backend(), sql, [seq.into()]);
        let row = transaction.query_one_raw(statement).await.map_err(failed)?;
        match row {
            Some(row) => row.try_get_by_index(0).map_err(failed),
            // Somebody took the newest rows away. Changes go on; the next checkpoint and `verify` tell of it.
            None => Ok(format!("missing:{seq}")),
        }
    }

    async fn insert_link(&self, transaction: &DatabaseTransaction, link: Link) -> Result<(), DbError> {
        let places: Vec<String> = (1..=14).map(|place| format!("${place}")).collect();
        let sql = format!("INSERT INTO audit_log ({COLUMNS}) VALUES ({})", places.join(", "));
        let values = [
            link.seq.into(),
            link.id.into(),
            link.at.into(),
            link.changed_by.into(),
            link.api_key.into(),
            link.user.into(),
            link.address.into(),
            link.action.into(),
            link.table.into(),
            link.object.into(),
            link.before.into(),
            link.after.into(),
            link.previous.into(),
            link.hash.into(),
        ];
        let insert = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        transaction.execute_raw(insert).await.map(drop).map_err(failed)
    }
}

/// The word for a change.
fn action(before: Option<Subject<'_>>, after: Option<Subject<'_>>) -> &'static str {
    match (before, after) {
        (None, _) => "created",
        (_, None) => "deleted",
        (Some(Subject::Key(old)), Some(Subject::Key(new))) if old.hash != new.hash => "rotated",
        (Some(old), Some(new)) => match (blocked(old), blocked(new)) {
            (false, true) => "blocked",
            (true, false) => "unblocked",
            _ => "updated",
        },
    }
}

fn blocked(subject: Subject<'_>) -> bool {
    match subject {
        Subject::Key(key) => key.settings.blocked,
        Subject::Scope(scope) => scope.settings.blocked,
        Subject::Entry(entry) => entry.blocked,
        Subject::Told(_) => false,
    }
}

impl Link {
    /// The hash of everything but the hash. Each part is led by its length, so that no two rows are alike.
    pub(super) fn digest(&self) -> String {
        let mut hash = Context::new(&SHA256);
        let mut part = |bytes: Option<&[u8]>| {
            hash.update(&[u8::from(bytes.is_some())]);
            let bytes = bytes.unwrap_or_default();
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(Some(b"gateway audit row 1"));
        part(Some(&self.seq.to_le_bytes()));
        part(Some(&self.at.to_le_bytes()));
        let texts =
            [&self.id, &self.changed_by, &self.api_key, &self.user, &self.action, &self.table, &self.object];
        for text in texts {
            part(Some(text.as_bytes()));
        }
        for text in [&self.address, &self.before, &self.after] {
            part(text.as_ref().map(String::as_bytes));
        }
        part(Some(self.previous.as_bytes()));
        hex(hash.finish().as_ref())
    }

    pub(super) fn read(row: &QueryResult) -> Result<Self, DbError> {
        let text = |index| row.try_get_by_index::<String>(index).map_err(failed);
        let maybe = |index| row.try_get_by_index::<Option<String>>(index).map_err(failed);
        let number = |index| row.try_get_by_index::<i64>(index).map_err(failed);
        Ok(Self {
            seq: number(0)?,
            id: text(1)?,
            at: number(2)?,
            changed_by: text(3)?,
            api_key: text(4)?,
            user: text(5)?,
            address: maybe(6)?,
            action: text(7)?,
            table: text(8)?,
            object: text(9)?,
            before: maybe(10)?,
            after: maybe(11)?,
            previous: text(12)?,
            hash: text(13)?,
        })
    }
}

impl TryFrom<Link> for AuditRow {
    type Error = DbError;

    fn try_from(link: Link) -> Result<Self, DbError> {
        let seq = link.seq;
        let json = |text: Option<String>| -> Result<Option<Value>, DbError> {
            let read = |text: String| {
                serde_json::from_str(&text).map_err(|_| {
                    let words = format!("row {seq} of the audit log holds what is not JSON");
                    DbError::new(DbErrorKind::Corrupt, words)
                })
            };
            text.map(read).transpose()
        };
        Ok(Self {
            seq,
            id: link.id,
            actor: Actor {
                changed_by: link.changed_by,
                api_key: link.api_key,
                user: link.user,
                address: link.address,
                at: link.at,
            },
            action: link.action,
            table_name: link.table,
            object_id: link.object,
            before: json(link.before)?,
            after: json(link.after)?,
            previous: link.previous,
            hash: link.hash,
        })
    }
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A random id in the form of a UUID, version 4.
fn new_id() -> String {
    let bits = (fastrand::u128(..) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let cut = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", cut(0, 8), cut(8, 12), cut(12, 16), cut(16, 20), cut(20, 32))
}

pub(super) fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot keep the audit log", error)
}
