//! Deployments, their weather, and two ways to be routed through it.

mod events;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use http::StatusCode;
use llm_providers::Target;
use llm_router::testing::{deployment, target};
use llm_router::{Attempt, Clock, Controls, Counters, Deployment, Request, Router, RouterSettings, Routes};
use llm_types::{Error, ErrorKind, Origin, Retry};

use events::{Events, drive};

const DEPLOYMENTS: usize = 20;
const PROVIDERS: usize = 4;
/// Length of the simulation, milliseconds.
const LENGTH: u64 = 600_000;
/// Milliseconds between two calls, on average.
const PACE: f64 = 20.0;
/// Requests a deployment takes in a minute.
const RPM: u32 = 300;
/// How long a caller waits for one attempt.
const TIMEOUT: u64 = 10_000;

/// What goes wrong at a deployment.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Trouble {
    /// Errors at once.
    Down,
    /// No answer at all.
    Hangs,
    /// Answers, but so many times slower.
    Slow(f64),
}

#[derive(Debug, Clone, Copy)]
struct Episode {
    at: usize,
    from: u64,
    to: u64,
    trouble: Trouble,
}

/// A time and all that happens in it.
#[derive(Debug)]
pub(super) struct World {
    episodes: Vec<Episode>,
    base_ms: Vec<f64>,
    /// When each call comes, and by how much its answer takes longer than usual wherever it is asked.
    calls: Vec<(u64, f64)>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome {
    Answered(f64),
    Lost,
}

impl Outcome {
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost)
    }

    pub(super) fn answered_ms(&self) -> Option<f64> {
        match self {
            Self::Answered(ms) => Some(*ms),
            Self::Lost => None,
        }
    }
}

impl World {
    /// Nothing goes wrong.
    pub(super) fn fair(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let base_ms = (0..DEPLOYMENTS).map(|_| 400.0 + 40.0 * rng.f64()).collect();
        let mut calls = Vec::new();
        let mut at = 0.0;
        while at < LENGTH as f64 {
            at += -PACE * (1.0 - rng.f64()).ln();
            // Answers differ in length: about log-normal.
            let normal = (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
            calls.push((at as u64, (0.6 * normal).exp()));
        }
        Self { episodes: Vec::new(), base_ms, calls }
    }

    /// A provider goes away twice, deployments fail, hang and slow down all the time.
    pub(super) fn stormy(seed: u64) -> Self {
        let mut world = Self::fair(seed);
        let mut rng = Rng::with_seed(seed + 100);
        for (provider, trouble) in [(0, Trouble::Down), (1, Trouble::Hangs)] {
            let from = 60_000 + rng.u64(..LENGTH / 2);
            let members = (0..DEPLOYMENTS).filter(|at| at % PROVIDERS == provider);
            world.episodes.extend(members.map(|at| Episode { at, from, to: from + 60_000, trouble }));
        }
        for kind in 0..24 {
            let trouble = [Trouble::Down, Trouble::Slow(8.0), Trouble::Hangs, Trouble::Slow(15.0)][kind % 4];
            let from = rng.u64(..LENGTH - 60_000);
            let to = from + rng.u64(20_000..60_000);
            world.episodes.push(Episode { at: rng.usize(..DEPLOYMENTS), from, to, trouble });
        }
        world
    }

    fn trouble(&self, at: usize, now: u64) -> Option<Trouble> {
        let found = self.episodes.iter().find(|one| one.at == at && (one.from..one.to).contains(&now));
        found.map(|one| one.trouble)
    }

    fn slowness(&self, at: usize, now: u64) -> f64 {
        match self.trouble(at, now) {
            Some(Trouble::Slow(times)) => times,
            _ => 1.0,
        }
    }

    fn is_up(&self, at: usize, now: u64) -> bool {
        !matches!(self.trouble(at, now), Some(Trouble::Down | Trouble::Hangs))
    }
}

/// Requests of each deployment in the minute at hand.
#[derive(Debug, Default)]
struct Meters(RefCell<[(u64, u32); DEPLOYMENTS]>);

impl Meters {
    fn admits(&self, at: usize, now: u64) -> bool {
        let (minute, count) = &mut self.0.borrow_mut()[at];
        if *minute != now / 60_000 {
            (*minute, *count) = (now / 60_000, 0);
        }
        *count += 1;
        *count <= RPM
    }
}

/// A router that knows what is up, how fast it is and how much it still takes, and is right at once.
pub(super) fn oracle(world: &World) -> Vec<Outcome> {
    let meters = Meters::default();
    let best = |&(now, length): &(u64, f64)| {
        let up = (0..DEPLOYMENTS).filter(|at| world.is_up(*at, now));
        let mut ranked: Vec<(f64, usize)> =
            up.map(|at| (world.base_ms[at] * world.slowness(at, now), at)).collect();
        ranked.sort_by(|one, other| one.0.total_cmp(&other.0));
        match ranked.into_iter().find(|(_, at)| meters.admits(*at, now)) {
            Some((base, _)) => Outcome::Answered(base * length),
            None => Outcome::Lost,
        }
    };
    world.calls.iter().map(best).collect()
}

/// The router under test.
pub(super) fn routed(world: &World, settings: RouterSettings) -> Vec<Outcome> {
    let clock = Arc::new(Events::default());
    let routes = Routes::new(members(), settings, &Counters::new(), None);
    let router = Router::new(Arc::new(routes), Arc::clone(&clock) as Arc<dyn Clock>);
    let meters = Rc::new(Meters::default());
    let outcomes = RefCell::new(vec![Outcome::Lost; world.calls.len()]);
    let controls: Vec<Controls> = (0..world.calls.len())
        .map(|seed| Controls { seed: Some(seed as u64), ..Controls::default() })
        .collect();
    let mut calls = FuturesUnordered::new();
    for (number, &(at, length)) in world.calls.iter().enumerate() {
        let (clock, router, meters, outcomes) = (&clock, &router, &meters, &outcomes);
        let controls = &controls[number];
        calls.push(async move {
            clock.sleep(Duration::from_millis(at)).await;
            let attempt = |attempt: Attempt<'_>| {
                let at: usize = attempt.deployment.id.as_str().parse().expect("a number");
                answer(world, clock, meters, at, length)
            };
            let done = router.run(Request::new("m", controls), attempt).await;
            if done.is_ok() {
                outcomes.borrow_mut()[number] = Outcome::Answered((clock.now().0 - at) as f64);
            }
        });
    }
    drive(&clock, async { while calls.next().await.is_some() {} });
    drop(calls);
    outcomes.into_inner()
}

fn members() -> Vec<Deployment> {
    let member = |at: usize| {
        let address = format!("http://provider-{}.invalid", at % PROVIDERS);
        let target = Target { base_url: address, ..target("openai", "gpt") };
        Deployment { target: Arc::new(target), ..deployment(&at.to_string(), "m", "gpt") }
    };
    (0..DEPLOYMENTS).map(member).collect()
}

/// What a deployment says to a call.
async fn answer(world: &World, clock: &Events, meters: &Meters, at: usize, length: f64) -> Result<(), Error> {
    let now = clock.now().0;
    let sleep = |ms: u64| clock.sleep(Duration::from_millis(ms));
    if !meters.admits(at, now) {
        sleep(20).await;
        let wait = Duration::from_millis(60_000 - now % 60_000);
        return Err(upstream(ErrorKind::RateLimited, 429).with_retry(Retry::After(wait)));
    }
    match world.trouble(at, now) {
        Some(Trouble::Down) => {
            sleep(30).await;
            Err(upstream(ErrorKind::Overloaded, 503))
        }
        Some(Trouble::Hangs) => {
            sleep(TIMEOUT).await;
            Err(upstream(ErrorKind::Timeout, 408))
        }
        _ => {
            let ms = world.base_ms[at] * world.slowness(at, now) * length;
            sleep(ms as u64).await;
            Ok(())
        }
    }
}

fn upstream(kind: ErrorKind, status: u16) -> Error {
    let status = StatusCode::from_u16(status).expect("a status");
    Error::new(kind, "upstream").with_origin(Origin::Upstream).with_status(status)
}
