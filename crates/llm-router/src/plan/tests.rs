//! Who is asked first, next and never.

use std::time::Instant;

use super::*;
use crate::testing::deployment;
use crate::{Candidate, Counters, Deployment};

const SECOND: Duration = Duration::from_secs(1);

fn group(deployments: Vec<Deployment>) -> Group {
    let counters = Counters::new();
    let candidates = deployments.into_iter().map(|one| {
        let state = counters.of(&one.id);
        Candidate::new(one.into(), state, None)
    });
    Group::new("m".into(), candidates.collect())
}

fn leveled(levels: &[Option<i64>]) -> Group {
    let member = |(n, level): (usize, &Option<i64>)| {
        let mut one = deployment(&format!("d{n}"), "m", "gpt");
        one.order = *level;
        one
    };
    group(levels.iter().enumerate().map(member).collect())
}

/// Everyone the plan would try, sorted.
fn open(group: &Group, filter: Filter<'_>, now: Moment) -> Result<Vec<u32>, Refusal> {
    open_under(&RouterSettings::default(), group, filter, now)
}

fn open_under(
    settings: &RouterSettings,
    group: &Group,
    filter: Filter<'_>,
    now: Moment,
) -> Result<Vec<u32>, Refusal> {
    let mut rng = Rng::with_seed(1);
    let mut plan = plan(group, filter, settings, now)?;
    let mut order = Vec::new();
    while let Some(at) = plan.pick(&mut rng) {
        order.push(at);
    }
    assert_eq!((plan.is_empty(), plan.len()), (true, 0));
    order.sort_unstable();
    Ok(order)
}

#[test]
fn everyone_comes_once() {
    assert_eq!(open(&leveled(&[None; 20]), Filter::default(), Moment(0)), Ok((0..20).collect()));
}

/// §7.1 step 10: the lowest level that can serve, or the one asked for.
#[test]
fn the_lowest_level() {
    let group = leveled(&[Some(2), Some(1), None, Some(1), Some(2)]);
    let now = Moment(0);
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![1, 3]));
    let second = Filter { level: Some(2), ..Filter::default() };
    assert_eq!(open(&group, second, now), Ok(vec![0, 4]));
    group.candidates[1].state.rest(now, SECOND);
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![3]));
    group.candidates[3].state.rest(now, SECOND);
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![0, 4]));
    assert_eq!(open(&group, Filter::default(), now + SECOND), Ok(vec![1, 3]));
    assert_eq!(*group.levels, [1, 2, i64::MAX]);
}

/// §7.1 steps 11, 12: excluded ones never, failed ones only when nobody else is left, within the level.
#[test]
fn failed_and_excluded() {
    let group = leveled(&[Some(1), Some(1), Some(2)]);
    let now = Moment(0);
    let failed = |failed| Filter { failed, ..Filter::default() };
    assert_eq!(open(&group, failed(&[0]), now), Ok(vec![1]));
    assert_eq!(open(&group, failed(&[0, 1]), now), Ok(vec![0, 1]));
    let excluded = Filter { excluded: &[0, 1], ..Filter::default() };
    assert_eq!(open(&group, excluded, now), Ok(vec![2]));
    let all = Filter { excluded: &[0, 1, 2], ..Filter::default() };
    assert_eq!(open(&group, all, now), Err(Refusal::Nobody));
}

/// §7.1 steps 3, 5, 13: paused, resting.
#[test]
fn nobody_can_serve() {
    let mut paused = deployment("p", "m", "gpt");
    paused.blocked = true;
    let now = Moment(0);
    assert_eq!(open(&group(vec![paused.clone()]), Filter::default(), now), Err(Refusal::Paused));
    let resting = group(vec![paused, deployment("x", "m", "gpt"), deployment("y", "m", "gpt")]);
    resting.candidates[1].state.rest(now, 9 * SECOND);
    resting.candidates[2].state.rest(now, 4 * SECOND);
    assert_eq!(open(&resting, Filter::default(), now), Err(Refusal::Resting(4 * SECOND)));
    assert_eq!(healthy(&resting, now, 9), 0);
    assert_eq!(open(&resting, Filter::default(), now + 4 * SECOND), Ok(vec![2]));
    assert_eq!(healthy(&resting, now + 4 * SECOND, 9), 1);
}

/// A deployment without a free place is passed over while another has one.
#[test]
fn full_ones_wait() {
    let member = |id: &str, limit| {
        let mut one = deployment(id, "m", "gpt");
        one.max_parallel_requests = Some(limit);
        one
    };
    let group = group(vec![member("x", 1), member("y", 2)]);
    let now = Moment(0);
    let first = group.candidates[0].state.enter(Some(1));
    assert!(first.is_some());
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![1]));
    let rest: Vec<_> = (0..2).map(|_| group.candidates[1].state.enter(Some(2))).collect();
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![0, 1]));
    drop(rest);
    drop(first);
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![0, 1]));
}

/// §7.1 step 7: the context window, requests of this minute, region and JSON schemas, each only with
/// `enable_pre_call_checks`; nobody left is a refusal that says which it was.
#[test]
fn pre_call_checks() {
    let member = |n: usize| {
        let mut one = deployment(&format!("d{n}"), "m", "gpt");
        one.max_input_tokens = [Some(100), None, Some(1_000)][n];
        one.region = [Some("eu-west-1"), Some("us-east-1"), None][n].map(str::to_owned);
        one.structured = [None, Some(false), Some(true)][n];
        one.rpm = [None, Some(1), Some(1)][n];
        one
    };
    let group = group((0..3).map(member).collect());
    let checked = RouterSettings { pre_call_checks: true, ..RouterSettings::default() };
    let many = |_: &Deployment| 500;
    let most = |_: &Deployment| 5_000;
    let check = |ask: Ask<'_>, expect: Result<&[u32], Refusal>| {
        let filter = Filter { ask, ..Filter::default() };
        let found = open_under(&checked, &group, filter, Moment(0));
        assert_eq!(found.as_deref().map_err(Clone::clone), expect, "{ask:?}");
        // Where a caller may be served is checked always.
        let unchecked = if ask.region.is_some() { vec![0] } else { vec![0, 1, 2] };
        assert_eq!(open(&group, filter, Moment(0)), Ok(unchecked), "nobody asked for checks");
    };
    check(Ask::default(), Ok(&[0, 1, 2]));
    check(Ask { tokens: Some(&many), ..Ask::default() }, Ok(&[1, 2]));
    check(Ask { region: Some("EU"), ..Ask::default() }, Ok(&[0]));
    check(Ask { structured: true, ..Ask::default() }, Ok(&[0, 2]));
    let picky = Ask { tokens: Some(&most), structured: true, ..Ask::default() };
    check(picky, Err(Refusal::Unable));
    group.candidates[1].state.measures.requests.add(1, Moment(0));
    check(Ask::default(), Ok(&[0, 2]));
    group.candidates[2].state.measures.requests.add(1, Moment(0));
    check(Ask { tokens: Some(&many), ..Ask::default() }, Err(Refusal::Limits));
}

/// §7.7: regions hold the places of clouds, however these are written.
#[test]
fn regions_hold_places() {
    let places =
        ["eu-west-1", "europe-west4", "swedencentral", "us-east-1", "eastus2", "northcentralus", "uksouth"];
    let member = |place: &&str| {
        let mut one = deployment(place, "m", "gpt");
        one.region = Some((*place).to_owned());
        one
    };
    let group = group(places.iter().map(member).collect());
    for (region, expect) in [("eu", &[0, 1, 2][..]), ("US", &[3, 4, 5]), ("uksouth", &[6]), ("europe", &[1])]
    {
        let filter = Filter { ask: Ask { region: Some(region), ..Ask::default() }, ..Filter::default() };
        assert_eq!(open(&group, filter, Moment(0)).as_deref(), Ok(expect), "{region}");
    }
}

/// §7.1 step 2, §7.7: deployments that are kept for others, and those that do not search the web.
#[test]
fn reserved_and_web_search() {
    let member = |n: usize| {
        let mut one = deployment(&format!("d{n}"), "m", "gpt");
        one.web_search = [None, Some(true), Some(false)][n];
        one
    };
    let group = group((0..3).map(member).collect());
    let settings = RouterSettings::default();
    let left = |ask| open_under(&settings, &group, Filter { ask, ..Filter::default() }, Moment(0));
    let kept = |names: &'static [&'static str]| move |one: &Deployment| names.contains(&one.id.as_str());
    let (some, all) = (kept(&["d0", "d2"]), kept(&["d0", "d1", "d2"]));
    assert_eq!(left(Ask { reserved: Some(&some), ..Ask::default() }), Ok(vec![1]));
    assert_eq!(left(Ask { reserved: Some(&all), ..Ask::default() }), Err(Refusal::Reserved));
    assert_eq!(left(Ask { web_search: true, ..Ask::default() }), Ok(vec![0, 1]));
    let both = kept(&["d0", "d1"]);
    let ask = Ask { web_search: true, reserved: Some(&both), ..Ask::default() };
    assert_eq!(left(ask), Err(Refusal::Reserved));
}

/// §7.7: hard limits of a minute, requests and tokens.
#[test]
fn enforced_limits() {
    let member = |n: usize| {
        let mut one = deployment(&format!("d{n}"), "m", "gpt");
        (one.rpm, one.tpm) = [(Some(2), None), (None, Some(50))][n];
        one
    };
    let group = group((0..2).map(member).collect());
    let settings = RouterSettings { enforce_limits: true, ..RouterSettings::default() };
    let left = |now| open_under(&settings, &group, Filter::default(), now);
    let measures = |at: usize| &group.candidates[at].state.measures;
    measures(0).requests.add(1, Moment(0));
    measures(1).tokens.add(49, Moment(0));
    assert_eq!(left(Moment(0)), Ok(vec![0, 1]));
    measures(0).requests.set_others(1, Moment(0));
    assert_eq!(left(Moment(0)), Ok(vec![1]), "what other gateways sent counts");
    measures(1).tokens.add(1, Moment(0));
    assert_eq!(left(Moment(0)), Err(Refusal::Limits));
    assert_eq!(left(Moment(60_000)), Ok(vec![0, 1]));
}

/// §7.1 steps 8, 10: tags choose before levels do.
#[test]
fn tags_before_levels() {
    let mut members: Vec<Deployment> = ["plain", "tagged"].map(|id| deployment(id, "m", "gpt")).into();
    (members[0].order, members[1].order) = (Some(1), Some(2));
    members[1].tags = vec!["gold".into()];
    let group = group(members);
    let wish = [String::from("gold")];
    let tags = TagWish { tags: &wish, any: true, prefix: "", user_agent: None };
    assert_eq!(open(&group, Filter { tags: Some(tags), ..Filter::default() }, Moment(0)), Ok(vec![1]));
}

/// §7.1 step 4: those found ill are avoided, unless all are.
#[test]
fn the_ill_are_avoided() {
    let group = group((0..2).map(|n| deployment(&format!("d{n}"), "m", "gpt")).collect());
    let settings = RouterSettings { health_routing: true, ..RouterSettings::default() };
    let left = |now| open_under(&settings, &group, Filter::default(), now);
    group.candidates[0].state.probed_ill(Moment(0), 10 * SECOND);
    assert_eq!(left(Moment(0)), Ok(vec![1]));
    assert_eq!(open(&group, Filter::default(), Moment(0)), Ok(vec![0, 1]), "nobody asked for it");
    assert_eq!(left(Moment(10_000)), Ok(vec![0, 1]), "an old finding does not count");
    group.candidates[1].state.probed_ill(Moment(0), 10 * SECOND);
    assert_eq!(left(Moment(0)), Ok(vec![0, 1]));
    group.candidates[1].state.probed_well();
    assert_eq!(left(Moment(0)), Ok(vec![1]));
}

/// After a rest one call at a time tries a deployment, while others can serve.
#[test]
fn one_trial_at_a_time() {
    let group = group((0..2).map(|n| deployment(&format!("d{n}"), "m", "gpt")).collect());
    let state = &group.candidates[0].state;
    state.rest(Moment(0), SECOND);
    let now = Moment(0) + SECOND;
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![0, 1]));
    let trial = state.enter(None);
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![1]));
    state.succeeded(now);
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![0, 1]));
    drop(trial);
}

/// A wanted deployment serves while it can and is not much busier than the others (unmet need D8: a cap of load).
#[test]
fn wanted_ones_first() {
    let group = group((0..3).map(|n| deployment(&format!("d{n}"), "m", "gpt")).collect());
    let wanted = |wanted| Filter { wanted, ..Filter::default() };
    assert_eq!(open(&group, wanted(&[2]), Moment(0)), Ok(vec![2]));
    assert_eq!(open(&group, Filter { failed: &[2], ..wanted(&[2]) }, Moment(0)), Ok(vec![0, 1]));
    let busy: Vec<_> = (0..8).map(|_| group.candidates[2].state.enter(None)).collect();
    assert_eq!(open(&group, wanted(&[2, 1]), Moment(0)), Ok(vec![1]));
    assert_eq!(open(&group, wanted(&[2]), Moment(0)), Ok(vec![0, 1, 2]));
    let even: Vec<_> = (0..8).map(|n| group.candidates[n % 2].state.enter(None)).collect();
    assert_eq!(open(&group, wanted(&[2]), Moment(0)), Ok(vec![2]), "all are busy");
    drop((busy, even));
    group.candidates[2].state.rest(Moment(0), SECOND);
    assert_eq!(open(&group, wanted(&[2]), Moment(0)), Ok(vec![0, 1]));
}

/// The best of 20 rounds of choosing one of `size`.
fn choosing(size: usize, strategy: &str) -> Duration {
    let strategy = strategy.parse().expect("a strategy");
    let settings = RouterSettings { strategy, ..RouterSettings::default() };
    let mut rng = Rng::with_seed(1);
    let members = (0..size).map(|n| {
        let mut one = deployment(&format!("d{n}"), "m", "gpt");
        one.weight = Some(n as f64 + 1.0);
        one
    });
    let group = group(members.collect());
    for candidate in &group.candidates {
        candidate.state.keep_latencies(settings.strategy_args.latencies);
        for _ in 0..settings.strategy_args.latencies {
            candidate.state.measures.ended(SECOND, 10, Moment(0));
        }
    }
    let rounds = 20_000 / size as u32 + 10;
    let round = || {
        let start = Instant::now();
        for _ in 0..rounds {
            let mut plan = plan(&group, Filter::default(), &settings, Moment(0)).expect("a plan");
            assert!(plan.pick(&mut rng).is_some());
        }
        start.elapsed() / rounds
    };
    std::iter::repeat_with(round).take(20).min().expect("a round")
}

/// A plan of 1000 deployments and a pick take at most 20 µs. This crate is optimised wherever it is tested (the
/// workspace's `profile.dev.package.llm-router`), and the best of twenty rounds counts, so that a busy machine
/// changes nothing. `cargo test --release -p llm-router choosing -- --nocapture` for figures that count.
#[test]
fn choosing_among_a_thousand() {
    let most = Duration::from_micros(20);
    for strategy in [
        "simple-shuffle",
        "least-busy",
        "usage-based-routing-v2",
        "cost-based-routing",
        "latency-based-routing",
        "latency",
    ] {
        let (ten, hundred) = (choosing(10, strategy), choosing(100, strategy));
        // On a machine that is busy throughout a whole measurement another one is made, later.
        let measured = |_| {
            let thousand = choosing(1_000, strategy);
            if thousand > most {
                std::thread::sleep(Duration::from_millis(250));
            }
            thousand
        };
        let thousand = (0..60).map(measured).find(|thousand| *thousand <= most);
        println!("{strategy}: 1 of 10 {ten:?}, of 100 {hundred:?}, of 1000 {thousand:?}");
        assert!(thousand.is_some(), "{strategy}: more than {most:?} sixty times");
    }
}
