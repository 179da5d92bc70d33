//! One core of the data plane: a thread with a runtime, connections and providers of its own.
//!
//! Nothing on the path of a call is shared between cores but the snapshot, the directory and counters.
//! The choice of one single-threaded runtime per core lives in this file alone.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_db::Writer;
use llm_providers::transport::HyperTransport;
use parking_lot::Mutex;
use tokio::runtime::Builder;
use tokio::sync::mpsc;

use crate::answer::Heads;
use crate::door::{Arrival, serve_connection};
use crate::journal::Journal;
use crate::state::{Core, Shared};
use crate::telemetry::AccessLog;

/// How often lines of the access log are handed over.
const LOG_EVERY: Duration = Duration::from_millis(100);
/// How often the end of the last connection is looked for while draining.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How many URLs of callers one core fetches at a time.
const FETCHES: usize = 32;

/// What a core is made of.
pub(super) struct CoreParts {
    pub(super) shared: Arc<Shared>,
    pub(super) transport: HyperTransport,
    pub(super) writer: Writer,
    pub(super) access_log: Option<Arc<Mutex<dyn Write + Send>>>,
    pub(super) drain: Duration,
}

/// Serves connections until the gateway drains and the last one has ended, or the deadline has passed.
pub(super) fn run(parts: CoreParts, arrivals: mpsc::Receiver<Arrival>) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "a core could not start");
            return;
        }
    };
    let deadline = parts.drain;
    let core = Arc::new(Core {
        drain: Arc::clone(&parts.shared.drain),
        shared: parts.shared,
        transport: parts.transport,
        journal: Journal::new(parts.writer),
        heads: Heads::default(),
        access: AccessLog::new(parts.access_log),
        fetches: tokio::sync::Semaphore::new(FETCHES),
        ids: Mutex::new(fastrand::Rng::new()),
    });
    runtime.block_on(serve(&core, arrivals, deadline));
    // What is still running is dropped here, and with it every unsettled call is settled.
    drop(runtime);
    if let Err(error) = core.journal.sync() {
        tracing::error!(%error, "the last records of the ledger could not be written");
    }
    core.access.flush();
}

async fn serve(core: &Arc<Core>, mut arrivals: mpsc::Receiver<Arrival>, deadline: Duration) {
    tokio::spawn(Arc::clone(&core.journal).run());
    tokio::spawn(flush_log(Arc::clone(core)));
    let alive = Arc::new(());
    loop {
        let arrival = tokio::select! {
            arrival = arrivals.recv() => arrival,
            () = core.drain.begun() => None,
        };
        let Some((stream, peer)) = arrival else { break };
        match tokio::net::TcpStream::from_std(stream) {
            Ok(stream) => {
                let (core, alive) = (Arc::clone(core), Arc::clone(&alive));
                tokio::spawn(async move {
                    serve_connection(core, stream, peer).await;
                    drop(alive);
                });
            }
            Err(error) => tracing::warn!(%error, "a connection could not be taken over"),
        }
    }
    if !core.drain.has_begun() {
        return; // The gateway was dropped without being stopped.
    }
    let began = Instant::now();
    while Arc::strong_count(&alive) > 1 && began.elapsed() < deadline {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn flush_log(core: Arc<Core>) {
    loop {
        tokio::time::sleep(LOG_EVERY).await;
        core.access.flush();
    }
}
