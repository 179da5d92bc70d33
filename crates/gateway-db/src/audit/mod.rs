//! The audit log: who changed what through the management API, so that nobody changes it afterwards unseen.
//!
//! A row is written in the transaction of the change it tells of, so there is neither without the other. Rows are
//! numbered under the database's lock, without gaps and across replicas, and each holds the hash of the one before.
//! Checkpoints sign where the chain stands; [`Db::verify_audit`] walks it all.

mod chain;
mod checkpoint;
mod list;
mod mask;
mod verify;
mod view;

use std::sync::Arc;

use serde_json::Value;

use crate::Db;

pub(crate) use chain::{Subject, Told};
pub(crate) use checkpoint::reseal_signer;
pub use checkpoint::{AuditCheckpoint, AuditSigner};
pub use list::AuditQuery;
pub use verify::{AuditFault, AuditReport};

/// Who changes something, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who is said to: the `litellm-changed-by` header, else the user.
    pub changed_by: String,
    /// The hash of the key that was used; a word for the master key.
    pub api_key: String,
    /// The user whose key it was, whatever the header said.
    pub user: String,
    /// The client's address.
    pub address: Option<String>,
    /// Now, in Unix milliseconds.
    pub at: i64,
}

/// One row of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Its number: the first is 1, and there are no gaps.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Who, and when.
    pub actor: Actor,
    /// `created`, `updated`, `deleted`, `blocked`, `unblocked` or `rotated`.
    pub action: String,
    /// LiteLLM's name for the table of the object.
    pub table_name: String,
    /// The object's id; of a membership, both ids.
    pub object_id: String,
    /// The object before the change, secrets masked.
    pub before: Option<Value>,
    /// The object after the change, secrets masked.
    pub after: Option<Value>,
    /// The hash of the row before; zeros before the first.
    pub previous: String,
    /// SHA-256 of all of the above, in hex.
    pub hash: String,
}

impl Db {
    /// The same database, with changes written down in the audit log as somebody's.
    #[must_use]
    pub fn acting(&self, actor: Actor) -> Self {
        let mut own = self.clone();
        own.actor = Some(Arc::new(actor));
        own
    }
}

#[cfg(test)]
mod tests;
