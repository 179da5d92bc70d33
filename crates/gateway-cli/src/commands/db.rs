//! `gateway db`: which database there is, and bringing its tables up to date.

use gateway_db::{Backend, Db, DbError, DbOptions};
use gateway_server::config::Env;
use llm_types::Secret;

use super::{data_dir, load};
use crate::args::{DbArgs, DbCommand};
use crate::render::{self, Exit, Failure};

/// Runs a database command.
///
/// # Errors
/// When the configuration cannot be read, or the database does not answer.
pub(crate) fn run(command: &DbCommand) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start a runtime").because(error))?;
    match command {
        DbCommand::Migrate(args) => runtime.block_on(migrate(args)),
        DbCommand::Status(args) => runtime.block_on(status(args)),
    }
}

async fn migrate(args: &DbArgs) -> Result<Exit, Failure> {
    let db = connect(args).await?;
    let done = db.migrate().await.map_err(failure)?;
    if done.is_empty() {
        render::data("up to date");
    }
    for name in done {
        render::data(format!("applied {name}"));
    }
    db.close().await.map_err(failure)?;
    Ok(Exit::Success)
}

async fn status(args: &DbArgs) -> Result<Exit, Failure> {
    let db = connect(args).await?;
    let status = db.status().await.map_err(failure)?;
    let backend = match db.backend() {
        Backend::Sqlite => "SQLite",
        Backend::Postgres => "PostgreSQL",
    };
    render::data(format!("database: {backend}"));
    render::data(format!("applied: {}", status.applied.len()));
    for name in &status.pending {
        render::data(format!("pending: {name}"));
    }
    db.close().await.map_err(failure)?;
    if status.pending.is_empty() {
        return Ok(Exit::Success);
    }
    render::talk("hint: run `gateway db migrate`");
    Ok(Exit::Failure)
}

/// The database that a command is about.
pub(super) async fn connect(args: &DbArgs) -> Result<Db, Failure> {
    let url = url(args)?;
    Db::connect(url.reveal(), &DbOptions::default()).await.map_err(failure)
}

/// The database of the flag, else of the configuration, else our own file.
fn url(args: &DbArgs) -> Result<Secret, Failure> {
    if let Some(url) = &args.database_url {
        return Ok(Secret::new(url.clone()));
    }
    let configured = match &args.config {
        Some(path) => load::file(path, &Env::of_process(), false)?.general.database,
        None => None,
    };
    let folder = data_dir::of(args.data_dir.as_deref(), args.config.as_deref());
    Ok(configured.map_or_else(|| data_dir::database(&folder), |database| database.url))
}

/// Why a database cannot be used, with what to do about it.
pub(super) fn failure(error: DbError) -> Failure {
    let temporary = error.is_temporary();
    let failure = Failure::new("the database cannot be used").because(error);
    if temporary {
        failure.hint("is the server running, and are its name and password right?")
    } else {
        failure
    }
}
