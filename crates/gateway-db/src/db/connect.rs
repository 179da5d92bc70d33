//! Opens connections: SQLite in WAL mode in a private file, PostgreSQL with a pool and timeouts.

use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};

use super::{Backend, DbOptions};
use crate::error::{DbError, DbErrorKind};

/// URL parameters of PostgreSQL that the driver knows; it would log others with their values.
const PG_PARAMETERS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
];

/// Whether the parameter of a PostgreSQL URL has an effect.
#[must_use]
pub fn knows_parameter(name: &str) -> bool {
    name == "schema" || PG_PARAMETERS.contains(&name)
}

/// How long to wait before a locked file is opened again.
const RETRY: Duration = Duration::from_millis(10);

pub(super) async fn open(url: &str, options: &DbOptions) -> Result<(DatabaseConnection, Backend), DbError> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        Ok((sqlite(path, options).await?, Backend::Sqlite))
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok((postgres(url, options).await?, Backend::Postgres))
    } else {
        let scheme = url.split(':').next().filter(|scheme| scheme.len() < url.len()).unwrap_or("");
        Err(DbError::new(
            DbErrorKind::BadUrl,
            format!("a database URL begins with `sqlite:` or `postgres://`, not with `{scheme}`"),
        ))
    }
}

async fn sqlite(location: &str, options: &DbOptions) -> Result<DatabaseConnection, DbError> {
    let path = location.strip_prefix("//").unwrap_or(location);
    let path = path.split('?').next().unwrap_or(path);
    let in_memory = path.is_empty() || path == ":memory:";
    let mut driver = SqliteConnectOptions::new();
    if in_memory {
        driver = driver.in_memory(true);
    } else {
        make_private_file(Path::new(path)).map_err(|error| {
            DbError::new(DbErrorKind::Unavailable, format!("cannot make the database file `{path}`: {error}"))
        })?;
        driver = driver.filename(path).journal_mode(SqliteJournalMode::Wal);
    }
    let driver = driver
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(options.acquire_timeout)
        .disable_statement_logging();

    let mut connect = ConnectOptions::new("sqlite::memory:");
    let connections = if in_memory { 1 } else { options.max_connections.max(1) };
    common(&mut connect, options).max_connections(connections).map_sqlx_sqlite_opts(move |_| driver.clone());
    if in_memory {
        // The database lives as long as its one connection.
        connect.min_connections(1).idle_timeout(None).max_lifetime(None);
    }
    let deadline = Instant::now() + options.acquire_timeout;
    loop {
        let opened = Database::connect(connect.clone()).await;
        let opened = opened
            .map_err(|error| DbError::from_sea(format!("cannot open the database file `{path}`"), error));
        match opened {
            // SQLite waits for locks, but not for the one that makes a new file a WAL database.
            Err(error) if error.kind() == DbErrorKind::Timeout && Instant::now() < deadline => {
                tokio::time::sleep(RETRY).await;
            }
            opened => return opened,
        }
    }
}

async fn postgres(url: &str, options: &DbOptions) -> Result<DatabaseConnection, DbError> {
    let (url, schema) = known_parameters(url);
    // The parser's own words may repeat parts of the URL, so they are not passed on.
    let driver = PgConnectOptions::from_str(&url).map_err(|_| {
        let shape =
            "expected `postgres://user:password@host:port/database`, with special characters percent-encoded";
        DbError::new(DbErrorKind::BadUrl, format!("the PostgreSQL URL cannot be read; {shape}"))
    })?;
    let place = format!("{}:{}", driver.get_host(), driver.get_port());
    let timeout = options.statement_timeout.as_millis().to_string();
    let mut driver = driver.options([("statement_timeout", timeout)]).disable_statement_logging();
    if driver.get_application_name().is_none() {
        driver = driver.application_name("gateway");
    }

    let mut connect = ConnectOptions::new("postgres://localhost");
    common(&mut connect, options)
        .max_connections(options.max_connections.max(2))
        .map_sqlx_postgres_opts(move |_| driver.clone());
    if let Some(schema) = schema {
        connect.set_schema_search_path(schema);
    }
    let opened = Database::connect(connect).await;
    opened.map_err(|error| DbError::from_sea(format!("cannot connect to PostgreSQL at `{place}`"), error))
}

fn common<'a>(connect: &'a mut ConnectOptions, options: &DbOptions) -> &'a mut ConnectOptions {
    connect
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .connect_timeout(options.acquire_timeout)
        .acquire_timeout(options.acquire_timeout)
}

/// The URL with only the parameters the driver knows, and Prisma's `schema`.
fn known_parameters(url: &str) -> (String, Option<String>) {
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let mut schema = None;
    let mut kept = Vec::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name == "schema" && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            schema = Some(value.to_owned());
        } else if PG_PARAMETERS.contains(&name) {
            kept.push(pair);
        }
    }
    let url = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
    (url, schema.filter(|schema| !schema.is_empty()))
}

/// Makes the file and its folder readable by their owner only; SQLite gives its side files the same mode.
fn make_private_file(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map(drop)
}

#[cfg(test)]
mod tests;
