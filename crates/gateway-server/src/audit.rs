//! Checkpoints of the audit log: signed on a timer, while there are rows that none covers.

use std::sync::Arc;
use std::time::Duration;

use gateway_db::{AuditSigner, Db, DbError, Seal};
use llm_types::Secret;

use crate::clock::now_ms;
use crate::state::Shared;

/// How often rows without a checkpoint are looked for: what is cut off the end within this time leaves no trace but
/// the number of rows.
const EVERY: Duration = Duration::from_secs(5);

/// What signs checkpoints: the key that was given, else the one in the database. None where there is neither a key
/// nor a salt to seal one with.
///
/// # Errors
/// When the key is none, was sealed with another salt, or the database does not answer.
pub async fn signer(
    key: Option<&Secret>,
    salt: Option<&Secret>,
    db: &Db,
) -> Result<Option<AuditSigner>, DbError> {
    if let Some(key) = key {
        return AuditSigner::of_text(key.reveal()).map(Some);
    }
    let Some(salt) = salt else { return Ok(None) };
    let seal = Seal::new(salt.reveal())?;
    db.audit_signer(&seal, now_ms()).await.map(Some)
}

/// Signs checkpoints for as long as the gateway runs.
pub(crate) async fn run(shared: Arc<Shared>) {
    let Some(db) = shared.directory.db().cloned() else { return };
    let signer = loop {
        let general = shared.snapshot().config.general.clone();
        match signer(general.audit_key.as_ref(), general.salt_key.as_ref(), &db).await {
            Ok(Some(signer)) => break signer,
            Ok(None) => {
                tracing::warn!(
                    "the audit log has no checkpoints: set `LITELLM_SALT_KEY` or `GATEWAY_AUDIT_SIGNING_KEY`"
                );
                return;
            }
            Err(error) if error.is_temporary() => tokio::time::sleep(EVERY).await,
            Err(error) => {
                tracing::error!(%error, "the audit log has no checkpoints: is `LITELLM_SALT_KEY` the one it began with?");
                return;
            }
        }
    };
    tracing::info!(public_key = signer.public_key(), "checkpoints of the audit log are signed");
    let mut failing = false;
    loop {
        let ending = tokio::select! {
            () = tokio::time::sleep(EVERY) => false,
            () = shared.drain.begun() => true,
        };
        let signed = sign(&db, &signer).await;
        if let Err(error) = &signed
            && !failing
        {
            tracing::warn!(%error, "checkpoints of the audit log are signed when the database answers again");
        }
        failing = signed.is_err();
        if ending {
            return;
        }
    }
}

/// The log line is a second place where a checkpoint stands: who keeps logs elsewhere can prove the end with it.
async fn sign(db: &Db, signer: &AuditSigner) -> Result<(), DbError> {
    if let Some(made) = db.checkpoint_audit(signer, now_ms()).await? {
        tracing::info!(
            seq = made.seq,
            hash = made.hash,
            at = made.at,
            signature = made.signature,
            "checkpoint of the audit log"
        );
    }
    Ok(())
}
