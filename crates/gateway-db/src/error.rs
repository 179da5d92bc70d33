//! What can go wrong with the database: a kind to act on, and the words for a person.

use std::error::Error as StdError;
use std::fmt;

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// What happened, in as few words as callers need to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DbErrorKind {
    /// A key with this hash exists already.
    DuplicateKey,
    /// A living key with this alias exists already.
    DuplicateAlias,
    /// A living scope with this id exists already.
    DuplicateScope,
    /// A living scope of the kind has this name, or this mail address, already.
    DuplicateName,
    /// A name is longer than can be kept, or holds what cannot.
    BadName,
    /// There is no such row.
    NotFound,
    /// The database URL is not one we understand.
    BadUrl,
    /// The database cannot be reached, is shutting down or has no free connection.
    Unavailable,
    /// The database is locked or took too long.
    Timeout,
    /// The database went away before it said whether it kept a change.
    Unsure,
    /// The schema is older or newer than this program.
    Schema,
    /// A stored value is not what its column should hold.
    Corrupt,
    /// Anything else the database refused.
    Internal,
}

/// A database error. Its text holds no credentials.
pub struct DbError {
    kind: DbErrorKind,
    context: String,
    field: Option<&'static str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl DbError {
    pub(crate) fn new(kind: DbErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), field: None, source: None }
    }

    /// Classifies what sea-orm said while we did `context`.
    pub(crate) fn from_sea(context: impl Into<String>, error: DbErr) -> Self {
        Self { kind: classify(&error), context: context.into(), field: None, source: Some(Box::new(error)) }
    }

    /// The same with another kind.
    pub(crate) fn with_kind(self, kind: DbErrorKind) -> Self {
        Self { kind, ..self }
    }

    /// The same about a field of what was to be kept.
    pub(crate) fn of_field(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }

    /// The field it is about, as the management API names it; `None` where it is about none.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        self.field
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> DbErrorKind {
        self.kind
    }

    /// True when the same request may succeed later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self.kind, DbErrorKind::Unavailable | DbErrorKind::Timeout | DbErrorKind::Unsure)
    }
}

impl fmt::Debug for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DbError")
            .field("kind", &self.kind)
            .field("context", &self.context)
            .field("source", &self.source.as_ref().map(ToString::to_string))
            .finish()
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl StdError for DbError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<DbError> for llm_types::Error {
    /// The text goes to the log as the source; callers see only what they can act on.
    fn from(error: DbError) -> Self {
        use llm_types::{ErrorKind, Origin};
        let (kind, message) = match error.kind {
            DbErrorKind::DuplicateKey => (ErrorKind::BadRequest, "the key exists already"),
            DbErrorKind::DuplicateAlias => (ErrorKind::BadRequest, "the key alias exists already"),
            DbErrorKind::DuplicateScope => (ErrorKind::BadRequest, "the id exists already"),
            DbErrorKind::DuplicateName => (ErrorKind::BadRequest, "the name exists already"),
            DbErrorKind::BadName => (ErrorKind::BadRequest, "a name is too long, or holds a NUL character"),
            DbErrorKind::NotFound => (ErrorKind::NotFound, "not found"),
            DbErrorKind::Unavailable | DbErrorKind::Timeout | DbErrorKind::Unsure => {
                (ErrorKind::Overloaded, "the database is not available; try again")
            }
            _ => (ErrorKind::Internal, "the database refused the request"),
        };
        let origin =
            if kind == ErrorKind::Overloaded { Origin::Gateway } else { Self::new(kind, "").origin() };
        Self::new(kind, message).with_origin(origin).with_source(error)
    }
}

fn classify(error: &DbErr) -> DbErrorKind {
    if let Some(SqlErr::UniqueConstraintViolation(text)) = error.sql_err() {
        return match text {
            text if text.contains("scopes") => DbErrorKind::DuplicateScope,
            text if text.contains("alias") => DbErrorKind::DuplicateAlias,
            _ => DbErrorKind::DuplicateKey,
        };
    }
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => classify_sqlx(error),
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => DbErrorKind::Unavailable,
        DbErr::RecordNotFound(_) | DbErr::RecordNotUpdated => DbErrorKind::NotFound,
        DbErr::TryIntoErr { .. } | DbErr::Type(_) | DbErr::Json(_) => DbErrorKind::Corrupt,
        DbErr::Migration(_) => DbErrorKind::Schema,
        _ => DbErrorKind::Internal,
    }
}

fn classify_sqlx(error: &sqlx::Error) -> DbErrorKind {
    match error {
        sqlx::Error::Database(database) => {
            // SQLite: 5 busy, 6 locked, 10 I/O error, 13 full, and extensions of these. PostgreSQL: class 08 connection, 40 rollback
            // (deadlock, serialisation), 53 resources, 57 intervention, 57014 statement timeout, 55P03 lock.
            match database.code().as_deref() {
                Some("5" | "6" | "261" | "517" | "57014" | "55P03") => DbErrorKind::Timeout,
                Some("10" | "13" | "14") => DbErrorKind::Unavailable,
                // A NUL character in a text, or in a text of JSON.
                Some("22021" | "22P05") => DbErrorKind::BadName,
                Some(code) if code.len() == 5 && ["08", "40", "53", "57"].contains(&&code[..2]) => {
                    DbErrorKind::Unavailable
                }
                _ => DbErrorKind::Internal,
            }
        }
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_) => DbErrorKind::Unavailable,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => DbErrorKind::Corrupt,
        _ => DbErrorKind::Internal,
    }
}
