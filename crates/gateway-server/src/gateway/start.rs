//! From a configuration to a running gateway, step by step.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use gateway_db::{Db, DbOptions, Ledger, LedgerOptions, Shipper, ShipperOptions, Writer};
use llm_providers::transport::{HyperTransport, TransportOptions};
use llm_router::Counters;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use super::core_thread::{self, CoreParts};
use super::{Gateway, ServeOptions, StartError, tasks};
use crate::clock::{TokioClock, now_ms};
use crate::config::{Calls, Config, Trust};
use crate::door;
use crate::identity::Directory;
use crate::jwt::Jwt;
use crate::ledger::Shipping;
use crate::prices::Prices;
use crate::responses::Responses;
use crate::share::Lines;
use crate::state::{Drain, Shared, Snapshot, Surroundings};
use crate::stored::Stored;
use crate::telemetry::Metrics;

/// Connections that may wait for one core.
const ARRIVALS: usize = 1_024;

/// Starts a gateway and returns when it accepts calls.
pub(super) fn start(config: Config, options: &ServeOptions) -> Result<Gateway, StartError> {
    let cores = options.cores.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let control = control_runtime()?;
    let db = control.block_on(open_database(&config, &options.data_dir))?;
    let pace = ShipperOptions { interval: config.general.spend_flush, ..ShipperOptions::default() };
    let (shipping, writers) = open_ledger(&options.data_dir, cores, &db, pace)?;
    let clock = TokioClock::start();
    let transport = transport(&config.calls)?;
    let prices = control.block_on(Prices::begin(&config.calls.price_map, transport.sibling()));
    let lines = Lines::new(transport.sibling(), control.handle().clone());
    let uploads = door::Uploads::new(&options.data_dir);
    let shared = (db, shipping, uploads);
    let outside = (lines, Jwt::new(transport.sibling()));
    let shared = control.block_on(shared_state(config, shared, (prices, clock), outside, &control))?;
    let (address, threads) = control.block_on(open_doors(&shared, writers, options, &transport))?;
    tasks::spawn(&control, &shared);
    shared.ready.store(true, Ordering::Release);
    Ok(Gateway { address, shared, control, cores: threads })
}

fn control_runtime() -> Result<Runtime, StartError> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("control")
        .enable_all()
        .build()
        .map_err(|error| failed("starting the control thread", "raise the limit of threads", error))
}

async fn open_database(config: &Config, data_dir: &Path) -> Result<Db, StartError> {
    let mut options = DbOptions::default();
    let url = match &config.general.database {
        Some(database) => {
            options.max_connections = database.pool;
            options.acquire_timeout = database.wait;
            options.statement_timeout = database.statement.unwrap_or(options.statement_timeout);
            database.url.reveal().clone()
        }
        None => format!("sqlite:{}", data_dir.join("gateway.db").display()),
    };
    let hint = "check `general_settings.database_url` (or `DATABASE_URL`) and that the server runs";
    let db =
        Db::connect(&url, &options).await.map_err(|error| failed("opening the database", hint, error))?;
    let migrated = db.migrate().await.map_err(|error| failed("migrating the database", hint, error))?;
    if !migrated.is_empty() {
        tracing::info!(count = migrated.len(), "the database was brought to this version's schema");
    }
    Ok(db)
}

fn open_ledger(
    data_dir: &Path,
    shards: usize,
    db: &Db,
    pace: ShipperOptions,
) -> Result<(Shipping, Vec<Writer>), StartError> {
    let dir = data_dir.join("ledger");
    let hint = "one data folder serves one gateway: give each its own with `--data-dir`";
    let mut ledger = Ledger::open(&dir, shards, now_ms(), LedgerOptions::default())
        .map_err(|error| failed("opening the ledger", hint, error))?;
    let recovery = ledger.recovery();
    if recovery.unknown > 0 {
        tracing::warn!(
            calls = recovery.unknown,
            cost = %recovery.unknown_cost,
            "calls of an earlier run have no known outcome: they are booked at their reservation"
        );
    }
    let writers = ledger.take_writers();
    let ledger = Arc::new(ledger);
    let shipper = Arc::new(Shipper::new(&ledger, db.clone(), pace));
    Ok((Shipping::new(ledger, Some(shipper)), writers))
}

/// How providers, and a shared Redis, are reached.
fn transport(calls: &Calls) -> Result<HyperTransport, StartError> {
    let options = TransportOptions::from_env().map(|mut options| {
        options.http2 |= calls.http2;
        match &calls.trust {
            Trust::WellKnown => {}
            Trust::Anyone => options.verify_tls &= std::env::var_os("SSL_VERIFY").is_some(),
            Trust::File(path) => options.root_certificates = options.root_certificates.or(Some(path.clone())),
        }
        options
    });
    options.and_then(HyperTransport::new).map_err(|error| {
        let hint = "check `HTTPS_PROXY`, `SSL_CERT_FILE`, and `ssl_verify` of `litellm_settings`";
        failed("reading the proxy and TLS settings", hint, error)
    })
}

async fn shared_state(
    config: Config,
    (db, shipping, uploads): (Db, Shipping, door::Uploads),
    (prices, clock): (Prices, TokioClock),
    (redis, jwt): (Lines, Jwt),
    control: &Runtime,
) -> Result<Arc<Shared>, StartError> {
    let hint = "the database answered and then failed: see its log";
    shipping.keep(&config.general);
    // Spend of earlier runs must be in the database before keys are read from it.
    shipping.flush().await.map_err(|error| failed("shipping the ledger of earlier runs", hint, error))?;
    // All that this node ever spent is in the database: what it had leased is free again.
    db.drop_leases(shipping.node()).await.map_err(|error| failed("giving back leases", hint, error))?;
    let hint = "the salt for secrets is not usable: check `LITELLM_SALT_KEY`";
    let stored = Stored::new(&config).map_err(|error| failed("making the key for secrets", hint, error))?;
    let hint = "the database answered and then failed: see its log";
    let config = stored.begin(&db, config).await;
    let config = config.map_err(|error| failed("reading the models in the database", hint, error))?;
    // What was wanted before this gateway began, it has done by beginning.
    prices.is_wanted(&stored.entries());
    let directory = Directory::new(Some(db), shipping.node());
    directory.begin().await.map_err(|error| failed("reading the keys", hint, error))?;
    let (counters, metrics) = (Counters::new(), Metrics::default());
    let book = &prices.book();
    let snapshot =
        Snapshot::new(config, &Surroundings { counters: &counters, metrics: &metrics, book, clock });
    directory.scopes.set_calendar(snapshot.calendar.clone());
    for fund in snapshot.funds.all() {
        let loaded = directory.scopes.part(&fund.owner, fund.spec.clone()).await;
        loaded.map_err(|error| failed("reading what budgets have spent", hint, error))?;
    }
    Ok(Arc::new(Shared {
        snapshot: ArcSwap::from_pointee(snapshot),
        directory,
        counters,
        metrics,
        control: control.handle().clone(),
        shipping,
        responses: Responses::default(),
        ready: AtomicBool::new(false),
        drain: Arc::new(Drain::default()),
        retires: AtomicBool::default(),
        gate: Arc::default(),
        findings: crate::health::Findings::default(),
        lessons: llm_router::auto::Lessons::default(),
        callers: crate::state::Callers::default(),
        exchange: crate::share::Exchange::default(),
        quotas: crate::share::Quotas::default(),
        redis,
        jwt,
        failures: crate::admin::Failures::default(),
        answers: crate::webhook::Answers::default(),
        prices,
        clock,
        store: crate::store::Store::default(),
        stored,
        uploads,
    }))
}

async fn open_doors(
    shared: &Arc<Shared>,
    writers: Vec<Writer>,
    options: &ServeOptions,
    transport: &HyperTransport,
) -> Result<(SocketAddr, Vec<JoinHandle<()>>), StartError> {
    let hint = "choose another `--port`, or stop what listens there";
    let listening = format!("listening on {}", options.address);
    let listener = door::bind(options.address).map_err(|error| failed(&listening, hint, error))?;
    let address = listener.local_addr().map_err(|error| failed(&listening, hint, error))?;
    tokio::spawn(crate::health::run(Arc::clone(shared), transport.sibling()));
    let (mut doors, mut threads) = (Vec::new(), Vec::new());
    for (index, writer) in writers.into_iter().enumerate() {
        let (sender, arrivals) = mpsc::channel(ARRIVALS);
        let parts = CoreParts {
            shared: Arc::clone(shared),
            transport: transport.sibling(),
            writer,
            access_log: options.access_log.clone(),
            drain: options.drain,
        };
        let thread = std::thread::Builder::new()
            .name(format!("core-{index}"))
            .spawn(move || core_thread::run(parts, arrivals))
            .map_err(|error| failed("starting a core", "raise the limit of threads", error))?;
        doors.push(sender);
        threads.push(thread);
    }
    let drain = Arc::clone(&shared.drain);
    tokio::spawn(async move {
        tokio::select! {
            () = door::accept(listener, doors) => {}
            () = drain.begun() => {}
        }
    });
    Ok((address, threads))
}

fn failed(what: &str, hint: &'static str, cause: impl StdError + Send + Sync + 'static) -> StartError {
    StartError { what: what.to_owned(), hint, cause: Box::new(cause) }
}
