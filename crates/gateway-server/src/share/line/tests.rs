//! A connection to a real Redis, which goes away and comes back.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use llm_providers::transport::TransportOptions;

use super::*;

/// A Redis of the test's own; it ends with the test.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// Nothing where Redis is not installed.
    fn start(port: u16) -> Option<Self> {
        let arguments = ["--port", &port.to_string(), "--save", "", "--bind", "127.0.0.1"];
        let mut command = Command::new("redis-server");
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        Some(Self { process: command.spawn().ok()?, port })
    }

    fn place(&self) -> Redis {
        let (user, password) = (None, None);
        Redis { host: "127.0.0.1".to_owned(), port: self.port, tls: false, user, password, database: 0 }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Counts by a script until Redis answers.
async fn count(lines: &Lines, redis: &Redis, by: u64) -> u64 {
    let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let counted = match lines.line(redis).await {
            Ok(mut line) => line.run(&script, &["count".to_owned()], by).await,
            Err(error) => Err(error),
        };
        match counted {
            Ok(count) => return count,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_line_is_opened_again_after_redis_was_away() {
    let Some(server) = Server::start(free_port()) else {
        let mut out = std::io::stderr();
        std::io::Write::write_all(&mut out, b"SKIPPED: redis-server is not installed\n").unwrap();
        return;
    };
    let redis = server.place();
    let transport = HyperTransport::new(TransportOptions::default()).unwrap();
    let lines = Lines::new(transport, Handle::current());
    assert_eq!(count(&lines, &redis, 2).await, 2);
    assert_eq!(count(&lines, &redis, 3).await, 5, "the script is kept there, its digest is sent");

    let mut batch = Pipeline::new();
    batch.set("one", 1).ignore().get("one").get("none");
    let answers: (u64, Option<u64>) = lines.line(&redis).await.unwrap().ask(&batch).await.unwrap();
    assert_eq!(answers, (1, None));
    let mut wrong = Pipeline::new();
    wrong.lpush("one", 1);
    let refused: Result<()> = lines.line(&redis).await.unwrap().ask(&wrong).await;
    assert!(refused.unwrap_err().message().contains("WRONGTYPE"));
    assert_eq!(count(&lines, &redis, 1).await, 6, "a refused command does not cost the connection");

    let port = server.port;
    drop(server);
    let lost = async { lines.line(&redis).await?.ask::<(u64,)>(Pipeline::new().get("one")).await };
    assert!(lost.await.is_err(), "nobody is there");
    let _back = Server::start(port).unwrap();
    assert_eq!(count(&lines, &redis, 7).await, 7, "a fresh Redis, a fresh connection");
}
