//! A running gateway: how it starts, changes its configuration, and stops.

mod core_thread;
mod start;
mod tasks;

use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Runtime;

use crate::config::Config;
use crate::state::Shared;

/// How to serve, beside the configuration.
#[derive(Clone)]
pub struct ServeOptions {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Where the SQLite file and the ledger are kept.
    pub data_dir: PathBuf,
    /// Threads that serve calls; `None` is one per core this process may use.
    pub cores: Option<usize>,
    /// Where the access log goes; `None` is nowhere.
    pub access_log: Option<Arc<Mutex<dyn Write + Send>>>,
    /// How long streams in flight may take to finish when the gateway is stopped.
    pub drain: Duration,
}

impl fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeOptions")
            .field("address", &self.address)
            .field("data_dir", &self.data_dir)
            .field("cores", &self.cores)
            .field("drain", &self.drain)
            .finish_non_exhaustive()
    }
}

/// Why a gateway did not start, in words for the operator.
#[derive(Debug)]
pub struct StartError {
    /// What was being done.
    pub what: String,
    /// What to do about it.
    pub hint: &'static str,
    /// What went wrong.
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.cause)
    }
}

impl std::error::Error for StartError {}

/// A running gateway. Dropping it ends it abruptly; [`Gateway::stop`] ends it well.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    shared: Arc<Shared>,
    control: Runtime,
    cores: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Starts a gateway and returns when it accepts calls.
    ///
    /// # Errors
    /// When the database, the ledger or the port cannot be had.
    pub fn start(config: Config, options: &ServeOptions) -> Result<Self, StartError> {
        start::start(config, options)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Puts another configuration in force. Calls in flight end under the one they began with.
    ///
    /// The database, the data folder and the address stay what they were at the start.
    pub fn reload(&self, config: Config) {
        self.shared.stored.install(&self.shared, config);
    }

    /// Runs something on the gateway's own runtime, for signals and timers of the embedder.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.control.block_on(future)
    }

    /// Stops: no new connections, streams in flight finish within the deadline, everything is booked.
    pub fn stop(self) {
        self.shared.ready.store(false, std::sync::atomic::Ordering::Relaxed);
        self.shared.drain.begin();
        for core in self.cores {
            if core.join().is_err() {
                tracing::error!("a core ended in a panic");
            }
        }
        let shared = Arc::clone(&self.shared);
        self.control.block_on(async move {
            if let Err(error) = shared.shipping.flush().await {
                tracing::error!(%error, "spend stays in the ledger and is shipped at the next start");
            }
            if shared.snapshot().has_autos()
                && let Err(error) = tasks::exchange_lessons(&shared).await
            {
                tracing::warn!(%error, "what adaptive routers saw last is lost");
            }
            if let Some(db) = shared.directory.db().cloned()
                && let Err(error) = db.close().await
            {
                tracing::warn!(%error, "the database was not closed cleanly");
            }
        });
        self.control.shutdown_timeout(Duration::from_secs(1));
    }
}
