//! `gateway audit`: whether the audit log is as it was written.

use gateway_db::{AuditCheckpoint, AuditReport, Db};
use gateway_server::config::Env;
use llm_types::Secret;
use serde_json::{Value, json};

use super::{db, load};
use crate::args::{AuditCommand, CheckpointArgs, DbArgs, VerifyArgs};
use crate::render::{self, Exit, Failure};

/// Runs a command about the audit log.
///
/// # Errors
/// When the configuration or the checkpoint cannot be read, or the database does not answer.
pub(crate) fn run(command: &AuditCommand) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start a runtime").because(error))?;
    match command {
        AuditCommand::Verify(args) => runtime.block_on(verify(args)),
        AuditCommand::Checkpoint(args) => runtime.block_on(checkpoint(args)),
    }
}

async fn verify(args: &VerifyArgs) -> Result<Exit, Failure> {
    let kept = args.checkpoint.as_deref().map(read).transpose()?;
    let db = db::connect(&args.db).await?;
    db.check().await.map_err(db::failure)?;
    let key = match &args.public_key {
        Some(key) => Some(key.clone()),
        None => public_key(&args.db, &db).await?,
    };
    let report = db.verify_audit(key.as_deref(), kept.as_ref()).await.map_err(db::failure)?;
    db.close().await.map_err(db::failure)?;
    if args.json {
        render::data(told(&report));
    } else {
        say(&report);
    }
    Ok(if report.faults.is_empty() { Exit::Success } else { Exit::Failure })
}

fn say(report: &AuditReport) {
    render::data(format!("rows: {}", report.rows));
    render::data(format!("checkpoints: {}, the last covers row {}", report.checkpoints, report.signed_up_to));
    for fault in &report.faults {
        render::data(format!("row {}: {}", fault.seq, fault.what));
    }
    render::data(if report.faults.is_empty() { "sound" } else { "NOT sound" });
}

fn told(report: &AuditReport) -> Value {
    let fault = |fault: &gateway_db::AuditFault| json!({ "sequence": fault.seq, "what": fault.what });
    json!({
        "rows": report.rows,
        "checkpoints": report.checkpoints,
        "signed_up_to": report.signed_up_to,
        "sound": report.faults.is_empty(),
        "faults": report.faults.iter().map(fault).collect::<Vec<_>>(),
    })
}

async fn checkpoint(args: &CheckpointArgs) -> Result<Exit, Failure> {
    let db = db::connect(&args.db).await?;
    db.check().await.map_err(db::failure)?;
    let last = db.last_audit_checkpoint().await.map_err(db::failure)?;
    let key = public_key(&args.db, &db).await?;
    db.close().await.map_err(db::failure)?;
    let Some(last) = last else {
        render::talk("there is no checkpoint yet: a gateway that runs signs one within seconds of a change");
        return Ok(Exit::Failure);
    };
    render::data(json!({
        "seq": last.seq,
        "hash": last.hash,
        "at": last.at,
        "previous": last.previous,
        "signature": last.signature,
        "public_key": key,
    }));
    Ok(Exit::Success)
}

/// The key that proves checkpoints, of the configuration or the environment: never the database's word alone.
async fn public_key(args: &DbArgs, db: &Db) -> Result<Option<String>, Failure> {
    let env = Env::of_process();
    let (key, salt) = match &args.config {
        Some(path) => {
            let general = load::file(path, &env, false)?.general;
            (general.audit_key, general.salt_key)
        }
        None => {
            let of = |names: &[&str]| {
                env.first(names.iter().copied()).map(|(_, value)| Secret::new(value.to_owned()))
            };
            (of(&["GATEWAY_AUDIT_SIGNING_KEY"]), of(&["LITELLM_SALT_KEY", "LITELLM_MASTER_KEY"]))
        }
    };
    let signer = gateway_server::audit_signer(key.as_ref(), salt.as_ref(), db).await.map_err(db::failure)?;
    Ok(signer.map(|signer| signer.public_key()))
}

/// A checkpoint as `gateway audit checkpoint` prints it.
fn read(path: &std::path::Path) -> Result<AuditCheckpoint, Failure> {
    let failed =
        |what: String| Failure::bad_input(format!("`{}` holds no checkpoint: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    let words = |name: &str| {
        let found = value[name].as_str().map(str::to_owned);
        found.ok_or_else(|| failed(format!("`{name}` is not there")))
    };
    let number = |name: &str| value[name].as_i64().ok_or_else(|| failed(format!("`{name}` is not there")));
    Ok(AuditCheckpoint {
        seq: number("seq")?,
        hash: words("hash")?,
        at: number("at")?,
        previous: words("previous")?,
        signature: words("signature")?,
    })
}
