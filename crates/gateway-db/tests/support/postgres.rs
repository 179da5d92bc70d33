//! A throw-away PostgreSQL server for the length of a test run.
//!
//! `GATEWAY_TEST_PG` names a server to use instead, as a URL whose user may create databases.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;

/// The server's URL without a database name; `None` when there is no server to be had.
static SERVER: OnceLock<Option<Server>> = OnceLock::new();

struct Server {
    url: String,
    /// Its standard input is a pipe of ours: when this process ends in whatever way, the shell behind it
    /// stops the server and removes its files.
    _shell: Option<Child>,
}

/// Makes the server as the shell's own user and ends it when standard input ends.
const SCRIPT: &str = r#"
set -e
dir=$(mktemp -d /tmp/gateway-test-pg.XXXXXX)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP
"$1/initdb" -D "$dir/data" -U postgres -A trust -N -E UTF8 --locale=C >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
"$1/postgres" -D "$dir/data" -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
    -c synchronous_commit=off -c shared_buffers=32MB -c max_connections=200 >"$dir/server.log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -INT $server
wait $server
"#;

/// A new database on the server, as a URL; prints a line and gives `None` where there is no server.
pub(crate) async fn fresh_database() -> Option<String> {
    let server = SERVER.get_or_init(start).as_ref()?;
    let admin = admin(&server.url).await;
    let name = format!("test_{:016x}", fastrand::u64(..));
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database is created");
    Some(format!("{}/{name}", server.url))
}

async fn admin(url: &str) -> sea_orm::DatabaseConnection {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match sea_orm::Database::connect(format!("{url}/postgres")).await {
            Ok(connection) => return connection,
            Err(error) => assert!(Instant::now() < deadline, "PostgreSQL does not start: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn start() -> Option<Server> {
    if let Ok(url) = std::env::var("GATEWAY_TEST_PG") {
        let end = url.rfind('/').filter(|end| url[..*end].contains('@')).unwrap_or(url.len());
        return Some(Server { url: url[..end].to_owned(), _shell: None });
    }
    let Some(binaries) = binaries() else {
        // Straight to the terminal: the test harness keeps what tests print.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED on PostgreSQL: no server found, `GATEWAY_TEST_PG` is not set"
        );
        return None;
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let mut command = as_plain_user();
    let shell = command.arg("sh").arg("-c").arg(SCRIPT).arg("sh").arg(&binaries).arg(port.to_string());
    let shell = shell.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let shell = shell.expect("a shell runs");
    Some(Server { url: format!("postgres://postgres@127.0.0.1:{port}"), _shell: Some(shell) })
}

/// PostgreSQL refuses to run as root; packages make a user for it.
fn as_plain_user() -> Command {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let mut command = Command::new(if is_root { "setpriv" } else { "env" });
    if is_root {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command
}

fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders.filter(|folder| folder.join("initdb").exists() && folder.join("postgres").exists()).max()
}
