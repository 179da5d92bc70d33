//! Checkpoints: a signature over where the chain stands, by a key that is not in the database in clear.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, QueryResult, Set, Statement};
use serde_json::Value;

use super::chain::failed;
use crate::entity::settings;
use crate::{Db, DbError, DbErrorKind, Seal};

/// The setting that holds the sealed key.
const SETTING: &str = "audit_signing_key";
/// What the key is sealed for.
const PLACE: &str = "audit/signing_key";
/// The columns of a checkpoint, in the order of [`AuditCheckpoint::read`].
const COLUMNS: &str = "seq, hash, at, previous, signature";

/// Signs checkpoints, with Ed25519.
pub struct AuditSigner {
    pair: Ed25519KeyPair,
}

/// A checkpoint: the row of a number had this hash, says who holds the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCheckpoint {
    /// The number of the row.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
    /// When it was signed, in Unix milliseconds.
    pub at: i64,
    /// The signature of the checkpoint before; empty before the first.
    pub previous: String,
    /// The signature, base64.
    pub signature: String,
}

impl AuditSigner {
    /// The signer of a key in text: 32 bytes, as 64 hex digits or in base64.
    ///
    /// # Errors
    /// `Internal` when the text is neither.
    pub fn of_text(text: &str) -> Result<Self, DbError> {
        let seed = from_hex(text.trim()).or_else(|| STANDARD.decode(text.trim()).ok());
        let words =
            "the audit signing key is not 32 bytes in hex or base64: make one with `openssl rand -hex 32`";
        let seed =
            seed.filter(|seed| seed.len() == 32).ok_or_else(|| DbError::new(DbErrorKind::Internal, words))?;
        Self::of_seed(&seed)
    }

    fn of_seed(seed: &[u8]) -> Result<Self, DbError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed);
        let pair = pair.map_err(|_| DbError::new(DbErrorKind::Corrupt, "the audit signing key is no key"))?;
        Ok(Self { pair })
    }

    /// The key that proves its signatures, base64.
    #[must_use]
    pub fn public_key(&self) -> String {
        STANDARD.encode(self.pair.public_key().as_ref())
    }

    pub(super) fn sign(&self, seq: i64, hash: &str, at: i64, previous: &str) -> AuditCheckpoint {
        let signature = self.pair.sign(&message(seq, hash, at, previous));
        let signature = STANDARD.encode(signature.as_ref());
        AuditCheckpoint { seq, hash: hash.to_owned(), at, previous: previous.to_owned(), signature }
    }
}

impl fmt::Debug for AuditSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditSigner").field("public_key", &self.public_key()).finish_non_exhaustive()
    }
}

impl AuditCheckpoint {
    /// Whether the holder of a key signed it; `public_key` is base64.
    #[must_use]
    pub fn is_signed_by(&self, public_key: &str) -> bool {
        let (Ok(key), Ok(signature)) = (STANDARD.decode(public_key.trim()), STANDARD.decode(&self.signature))
        else {
            return false;
        };
        let message = message(self.seq, &self.hash, self.at, &self.previous);
        UnparsedPublicKey::new(&ED25519, key).verify(&message, &signature).is_ok()
    }

    pub(super) fn read(row: &QueryResult) -> Result<Self, DbError> {
        let text = |index| row.try_get_by_index::<String>(index).map_err(failed);
        let number = |index| row.try_get_by_index::<i64>(index).map_err(failed);
        Ok(Self { seq: number(0)?, hash: text(1)?, at: number(2)?, previous: text(3)?, signature: text(4)? })
    }
}

/// What is signed.
fn message(seq: i64, hash: &str, at: i64, previous: &str) -> Vec<u8> {
    format!("gateway audit checkpoint 1\n{seq}\n{hash}\n{at}\n{previous}\n").into_bytes()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..64).step_by(2).map(pair).collect()
}

/// Seals the key that signs checkpoints with `new` where `old` opens it; whether one of them opens it, if there is one.
///
/// # Errors
/// When the database refuses, or there is no randomness.
pub(crate) async fn reseal_signer(
    conn: &impl ConnectionTrait,
    old: &Seal,
    new: &Seal,
) -> Result<bool, DbError> {
    let failed = |error| DbError::from_sea("cannot seal the key of the audit log", error);
    let Some(row) = settings::Entity::find_by_id(SETTING).one(conn).await.map_err(failed)? else {
        return Ok(true);
    };
    let sealed = row.value.as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    if new.open(PLACE, &sealed).is_ok() {
        return Ok(true);
    }
    let Ok(seed) = old.open(PLACE, &sealed) else { return Ok(false) };
    let mut fresh: settings::ActiveModel = row.into();
    fresh.value = Set(Value::from(STANDARD.encode(new.seal(PLACE, &seed)?)));
    fresh.update(conn).await.map_err(failed)?;
    Ok(true)
}

impl Db {
    /// The signer of this database: made on the first call and kept sealed, the same for every replica.
    ///
    /// # Errors
    /// `Corrupt` when the key was sealed with another salt.
    pub async fn audit_signer(&self, seal: &Seal, now: i64) -> Result<AuditSigner, DbError> {
        let kept = match self.setting(SETTING).await? {
            Some(kept) => kept,
            None => {
                let mut seed = [0; 32];
                let random = SystemRandom::new().fill(&mut seed);
                random.map_err(|_| DbError::new(DbErrorKind::Internal, "there is no randomness"))?;
                let sealed = Value::from(STANDARD.encode(seal.seal(PLACE, &seed)?));
                self.setting_or_insert(SETTING, &sealed, now).await?
            }
        };
        let sealed = kept.as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
        AuditSigner::of_seed(&seal.open(PLACE, &sealed)?)
    }

    /// Signs where the audit log stands, if rows were added since the last checkpoint; gives what it signed.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn checkpoint_audit(
        &self,
        signer: &AuditSigner,
        now: i64,
    ) -> Result<Option<AuditCheckpoint>, DbError> {
        let newest = self.newest_audit_row().await?;
        let last = self.last_audit_checkpoint().await?;
        let Some((seq, hash)) = newest.filter(|(seq, _)| last.as_ref().is_none_or(|last| *seq > last.seq))
        else {
            return Ok(None);
        };
        let previous = last.map(|last| last.signature).unwrap_or_default();
        let made = signer.sign(seq, &hash, now, &previous);
        // Of two replicas that sign after the same checkpoint, one wins (`previous` is unique).
        let sql = format!(
            "INSERT INTO audit_checkpoints ({COLUMNS}) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
        );
        let values = [
            made.seq.into(),
            made.hash.as_str().into(),
            made.at.into(),
            made.previous.as_str().into(),
            made.signature.as_str().into(),
        ];
        let insert = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        let done = self.conn.execute_raw(insert).await.map_err(failed)?;
        Ok((done.rows_affected() > 0).then_some(made))
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn last_audit_checkpoint(&self) -> Result<Option<AuditCheckpoint>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM audit_checkpoints ORDER BY seq DESC LIMIT 1");
        let row = self.conn.query_one_raw(Statement::from_string(self.sea_backend(), sql)).await;
        row.map_err(failed)?.as_ref().map(AuditCheckpoint::read).transpose()
    }

    /// Every checkpoint, oldest first.
    pub(super) async fn audit_checkpoints(&self) -> Result<Vec<AuditCheckpoint>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM audit_checkpoints ORDER BY seq");
        let rows = self.conn.query_all_raw(Statement::from_string(self.sea_backend(), sql)).await;
        rows.map_err(failed)?.iter().map(AuditCheckpoint::read).collect()
    }

    async fn newest_audit_row(&self) -> Result<Option<(i64, String)>, DbError> {
        let sql = "SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1";
        let row = self.conn.query_one_raw(Statement::from_string(self.sea_backend(), sql)).await;
        let Some(row) = row.map_err(failed)? else { return Ok(None) };
        Ok(Some((row.try_get_by_index(0).map_err(failed)?, row.try_get_by_index(1).map_err(failed)?)))
    }
}
