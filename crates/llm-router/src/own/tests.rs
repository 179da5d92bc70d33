//! Strategies, rules and advice of a program's own. LiteLLM surface §7.1 step 9, §7.2 (`custom`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use futures_util::FutureExt as _;
use llm_types::{Error, ErrorKind, Origin, Result};

use crate::strategies::Pool;
use crate::testing::{FakeClock, deployment};
use crate::{
    Advice, Ask, Attempt, Candidate, Choose, Controls, Counters, FallbackTarget, Moment, Own, Request,
    Router, RouterSettings, Routes, Rule,
};

#[derive(Debug)]
struct Last;

impl Choose for Last {
    fn choose(&self, pool: Pool<'_>, _: &mut fastrand::Rng) -> Option<u32> {
        pool.open.last().copied()
    }
}

/// Names a place that is in no pool.
#[derive(Debug)]
struct Astray;

impl Choose for Astray {
    fn choose(&self, _: Pool<'_>, _: &mut fastrand::Rng) -> Option<u32> {
        Some(99)
    }
}

#[derive(Debug)]
struct Not(&'static str);

impl Rule for Not {
    fn name(&self) -> &str {
        "not that one"
    }

    fn keeps(&self, one: &Candidate, _: &Ask<'_>, _: Moment) -> bool {
        one.deployment.id.as_str() != self.0
    }
}

fn router(own: Own, custom: bool) -> Router {
    let deployments = ["a", "b", "c"]
        .map(|id| deployment(id, "g", "gpt-4o"))
        .into_iter()
        .chain([deployment("d", "h", "gpt-4o")]);
    let mut settings = RouterSettings { own, num_retries: 2, ..RouterSettings::default() };
    if custom {
        settings.strategy = "custom".parse().unwrap();
    }
    settings.fallbacks.add("g", [FallbackTarget::from("h")]);
    let routes = Routes::new(deployments.collect(), settings, &Counters::new(), None);
    Router::new(Arc::new(routes), Arc::new(FakeClock::default()))
}

/// Who was asked, in order; those in `bad` fail.
fn asked<'r>(router: &'r Router, request: Request<'r>, bad: &[&str]) -> (Vec<String>, bool) {
    let asked = std::sync::Mutex::new(Vec::new());
    let attempt = |attempt: Attempt<'r>| {
        let id = attempt.deployment.id.as_str().to_owned();
        asked.lock().unwrap().push(id.clone());
        let answer: Result<()> = match bad.contains(&&*id) {
            true => Err(Error::new(ErrorKind::Overloaded, "no").with_origin(Origin::Upstream)),
            false => Ok(()),
        };
        async move { answer }
    };
    let ran = router.run(request, attempt).now_or_never().expect("nobody waits").is_ok();
    (asked.into_inner().unwrap(), ran)
}

#[test]
fn a_strategy_of_the_programs_own_picks() {
    let controls = Controls::default();
    let own = |strategy: Arc<dyn Choose>| Own { strategy: Some(strategy), rules: Vec::new() };
    let last = router(own(Arc::new(Last)), true);
    for _ in 0..10 {
        assert_eq!(asked(&last, Request::new("g", &controls), &[]).0, ["c"]);
    }
    // The one that failed is passed over.
    assert_eq!(asked(&last, Request::new("g", &controls), &["c"]).0, ["c", "b"]);
    // Only the strategy of that name asks it.
    let unused = router(own(Arc::new(Last)), false);
    assert!((0..50).any(|_| asked(&unused, Request::new("g", &controls), &[]).0 != ["c"]));
    // One that errs is as good as none.
    let astray = router(own(Arc::new(Astray)), true);
    assert!(asked(&astray, Request::new("g", &controls), &[]).1);
}

#[test]
fn rules_hold_whatever_the_strategy() {
    let controls = Controls::default();
    let rules = |ids: &[&'static str]| -> Vec<Arc<dyn Rule>> {
        ids.iter().map(|id| Arc::new(Not(id)) as Arc<dyn Rule>).collect()
    };
    let without = router(Own { strategy: None, rules: rules(&["a", "b"]) }, false);
    for _ in 0..10 {
        assert_eq!(asked(&without, Request::new("g", &controls), &[]).0, ["c"]);
    }
    let explained = without.explain(Request::new("g", &controls));
    assert!(explained.considered.iter().any(|one| {
        one.left_out.as_ref().is_some_and(|why| why.to_string() == "left out by the rule `not that one`")
    }));
    let nobody = router(Own { strategy: None, rules: rules(&["a", "b", "c", "d"]) }, false);
    assert_eq!(asked(&nobody, Request::new("g", &controls), &[]), (vec![], false));
}

#[test]
fn advice_is_taken_for_each_group_that_is_tried() {
    let controls = Controls::default();
    let router = router(Own::default(), true);
    let times = AtomicU32::new(0);
    let consult = |group: &crate::Group| -> llm_types::BoxFuture<'_, Option<Advice>> {
        times.fetch_add(1, Relaxed);
        let order: &[&str] = if &*group.name == "g" { &["gone", "b", "a"] } else { &["d"] };
        let order = order.iter().map(|id| (*id).into()).collect();
        Box::pin(async move { Some(Advice { order, only: true }) })
    };
    let request = Request { consult: Some(&consult), ..Request::new("g", &controls) };
    assert_eq!(asked(&router, request, &[]).0, ["b"]);
    assert_eq!(times.load(Relaxed), 1);
    // Both named ones fail, nobody else of the group may serve, and the fallback is asked about, too.
    let (ids, answered) = asked(&router, request, &["a", "b"]);
    assert!(answered && ids[..2] == ["b", "a"] && ids.last().is_some_and(|id| id == "d"), "{ids:?}");
    assert!(!ids.contains(&"c".to_owned()));
    assert_eq!(times.load(Relaxed), 3);
    // A group with another strategy asks nobody.
    let other = self::router(Own::default(), false);
    let request = Request { consult: Some(&consult), ..Request::new("g", &controls) };
    assert!(asked(&other, request, &[]).1);
    assert_eq!(times.load(Relaxed), 3);
}
