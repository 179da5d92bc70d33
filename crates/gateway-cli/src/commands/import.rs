//! `gateway import`: keys, teams, users and budgets of another gateway come over.

use std::time::{SystemTime, UNIX_EPOCH};

use gateway_db::{Db, DbOptions, ImportOptions, ImportReport};

use super::db::{connect, failure};
use crate::args::{DbArgs, ImportCommand, LitellmArgs};
use crate::render::{self, Exit, Failure};

/// Runs an import.
///
/// # Errors
/// When either database does not answer, or the source is none that can be read.
pub(crate) fn run(command: &ImportCommand) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start a runtime").because(error))?;
    match command {
        ImportCommand::Litellm(args) => runtime.block_on(litellm(args)),
    }
}

async fn litellm(args: &LitellmArgs) -> Result<Exit, Failure> {
    let source = Db::connect(&args.database_url, &DbOptions::default()).await.map_err(failure)?;
    let into = DbArgs {
        config: args.config.clone(),
        database_url: args.into.clone(),
        data_dir: args.data_dir.clone(),
    };
    let db = connect(&into).await?;
    db.migrate().await.map_err(failure)?;
    let options =
        ImportOptions { dry_run: args.dry_run, salt: args.salt_key.clone(), spend_logs: args.spend_logs };
    let report = db.import_litellm(&source, options, now_ms()).await;
    db.close().await.map_err(failure)?;
    source.close().await.map_err(failure)?;
    let report = report.map_err(|error| Failure::new("nothing was imported").because(error))?;
    show(&report, args.dry_run);
    Ok(if report.problems.is_empty() { Exit::Success } else { Exit::Failure })
}

fn show(report: &ImportReport, dry_run: bool) {
    let written = if dry_run { "would be written" } else { "written" };
    for (table, counts) in &report.tables {
        let (read, new, present) = (counts.read, counts.written, counts.present);
        render::data(format!("{table}: {read} rows read, {new} {written}, {present} here already"));
    }
    for (table, rows) in &report.not_carried {
        render::data(format!("{table}: not carried, {rows} rows"));
    }
    for problem in &report.problems {
        render::talk(format!("problem: {problem}"));
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
