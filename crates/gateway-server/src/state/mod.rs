//! The three kinds of state: what is configured (a snapshot), what is happening (counters and the
//! directory), and each core's own tools.

mod drain;
mod funds;
mod gate;
mod new_team;
mod priorities;
mod served;
mod snapshot;
mod terms;
mod windows;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use llm_providers::transport::HyperTransport;
use llm_router::Counters;
use parking_lot::Mutex;

use crate::answer::Heads;
use crate::clock::TokioClock;
use crate::config::Config;
use crate::identity::Directory;
use crate::journal::Journal;
use crate::responses::Responses;
use crate::telemetry::{AccessLog, Metrics};

pub(crate) use drain::Drain;
pub(crate) use funds::{Fund, Funds, fund_of_provider};
pub(crate) use gate::{Admitted, Gate};
pub(crate) use priorities::{CallerNews, Callers, ModelShares, Pool, PriorityShares};
pub(crate) use served::{Served, cost_by, overlaid};
pub(crate) use snapshot::{Snapshot, Surroundings};
pub(crate) use terms::{Terms, reach_of};
pub(crate) use windows::Windows;

/// What all cores share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What is configured now. A call takes it once, at the door, and keeps it to its end.
    pub(crate) snapshot: ArcSwap<Snapshot>,
    /// Virtual keys.
    pub(crate) directory: Directory,
    /// What is known of deployments; survives reloads.
    pub(crate) counters: Counters,
    /// What operators count.
    pub(crate) metrics: Metrics,
    /// The runtime of management routes, database and timers.
    pub(crate) control: tokio::runtime::Handle,
    /// The ledger's way into the database.
    pub(crate) shipping: crate::ledger::Shipping,
    /// Set once the gateway accepts calls; readiness says so.
    pub(crate) ready: AtomicBool,
    /// Replies that callers ask for later.
    pub(crate) responses: Responses,
    /// Begins when the gateway is told to stop.
    pub(crate) drain: Arc<Drain>,
    /// Set once an orchestrator wants no more calls sent here (`/health/drain`); readiness says so.
    pub(crate) retires: AtomicBool,
    /// Where calls to models are let in.
    pub(crate) gate: Arc<Gate>,
    /// What probes found.
    pub(crate) findings: crate::health::Findings,
    /// What auto routers learnt.
    pub(crate) lessons: llm_router::auto::Lessons,
    /// Which keys called which model lately, for equal shares.
    pub(crate) callers: Callers,
    /// What gateways tell each other.
    pub(crate) exchange: crate::share::Exchange,
    /// Rates that gateways keep together.
    pub(crate) quotas: crate::share::Quotas,
    /// The connection to the Redis that gateways share, for those that have one.
    pub(crate) redis: crate::share::Lines,
    /// Issuers of JWTs, and tokens that were proved.
    pub(crate) jwt: crate::jwt::Jwt,
    /// Wrong passwords of late.
    pub(crate) failures: crate::admin::Failures,
    /// What a webhook said of callers.
    pub(crate) answers: crate::webhook::Answers,
    /// Prices and abilities of models.
    pub(crate) prices: crate::prices::Prices,
    /// The time.
    pub(crate) clock: TokioClock,
    /// Whether the database answers.
    pub(crate) store: crate::store::Store,
    /// Entries of the configuration that are kept in the database.
    pub(crate) stored: crate::stored::Stored,
    /// Where large uploads are put down.
    pub(crate) uploads: crate::door::Uploads,
}

impl Shared {
    /// What is configured now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// A configuration that is tried and not put in force: what it counts is forgotten with it.
    pub(crate) fn trial(&self, config: Config) -> Snapshot {
        let (counters, metrics) = (Counters::default(), Metrics::default());
        let surroundings = Surroundings {
            counters: &counters,
            metrics: &metrics,
            book: &self.prices.book(),
            clock: self.clock,
        };
        Snapshot::new(config, &surroundings)
    }

    /// Puts another configuration in force. Calls in flight end under the one they began with.
    pub(crate) fn put_in_force(&self, config: Config) {
        let surroundings = Surroundings {
            counters: &self.counters,
            metrics: &self.metrics,
            book: &self.prices.book(),
            clock: self.clock,
        };
        let snapshot = Snapshot::new(config, &surroundings);
        self.shipping.keep(&snapshot.config.general);
        self.directory.scopes.set_calendar(snapshot.calendar.clone());
        self.snapshot.store(Arc::new(snapshot));
        self.directory.touch();
        let forgotten = self.counters.forget_unused();
        tracing::info!(forgotten, "a new configuration is in force");
    }
}

/// One core of the data plane: what it uses alone.
#[derive(Debug)]
pub(crate) struct Core {
    /// What all cores share.
    pub(crate) shared: Arc<Shared>,
    /// Connections to providers.
    pub(crate) transport: HyperTransport,
    /// The ledger's records on their way to disk.
    pub(crate) journal: Arc<Journal>,
    /// The heads of answers.
    pub(crate) heads: Heads,
    /// Lines of the access log on their way out.
    pub(crate) access: AccessLog,
    /// Places for fetching what callers name by URL.
    pub(crate) fetches: tokio::sync::Semaphore,
    /// Makes ids of calls.
    pub(crate) ids: Mutex<fastrand::Rng>,
    /// Begins when the gateway is told to stop.
    pub(crate) drain: Arc<Drain>,
}
