//! Several replicas on one store, with a clock that is passed: what they let in together.

use super::*;

/// The store, as the script keeps it: one window.
#[derive(Default)]
struct Store {
    start: Option<i64>,
    taken: [i64; 2],
    pause: i64,
    joined: Vec<usize>,
    places: std::collections::BTreeMap<usize, i64>,
}

fn share(want: i64, limit: i64, used: i64) -> i64 {
    if want < 0 || limit < 0 { want } else { want.min(limit - used).max(0) }
}

impl Store {
    fn answer(&mut self, node: usize, want: &Want, now: i64) -> Got {
        let goes_on = (0..WINDOW_MS).contains(&want.age);
        if self.start.is_none_or(|start| now - start >= WINDOW_MS) {
            let places = std::mem::take(&mut self.places);
            *self = Self { start: Some(now), places, ..Self::default() };
            if goes_on && (want.taken[0] > 0 || want.taken[1] > 0) {
                (self.start, self.pause) = (Some(now - want.age), now + 500);
            }
        }
        if goes_on && !self.joined.contains(&node) {
            self.taken[0] += want.taken[0];
            self.taken[1] += want.taken[1];
        }
        self.joined.push(node);
        let mut more = [0, 1].map(|what| share(want.more[what], want.limits[what], self.taken[what]));
        if want.lacks > more[1].max(0) {
            let is_last = want.limits[1] >= 0 && want.limits[1] - self.taken[1] + want.own > 0;
            more[1] = if is_last { want.lacks } else { -want.own.max(0) };
        }
        if want.own < 0 {
            more[1] = more[1].max(-want.own);
        }
        if now < self.pause {
            more = more.map(|more| more.min(0));
        }
        for (taken, more) in self.taken.iter_mut().zip(more) {
            *taken = (*taken + more).max(0);
        }
        let others: i64 = self.places.iter().filter(|(other, _)| **other != node).map(|(_, held)| held).sum();
        let places = share(want.more[2], want.limits[2], others + want.taken[2]);
        self.places.insert(node, want.taken[2] + places);
        let left = |what: usize| (want.limits[what] - self.taken[what]).max(0);
        let free = want.limits[2] - others - want.taken[2] - places;
        let ends_in = self.start.unwrap_or(now) + WINDOW_MS - now;
        Got { more: [more[0], more[1], places], ends_in, left: [left(0), left(1), free] }
    }
}

/// Replicas, and the calls each has in flight.
struct Fleet {
    store: Store,
    quotas: Vec<Quota>,
    flying: Vec<u32>,
    limits: Limits,
    questions: u32,
}

impl Fleet {
    fn new(replicas: usize, limits: Limits) -> Self {
        let (quotas, flying) = (vec![Quota::default(); replicas], vec![0; replicas]);
        Self { store: Store::default(), quotas, flying, limits, questions: 0 }
    }

    fn ask(&mut self, node: usize, need: Option<Ask>, now: i64) {
        self.questions += 1;
        let want = self.quotas[node].want(&self.limits, need, self.flying[node], now);
        let got = self.store.answer(node, &want, now);
        self.quotas[node].take(&want, &got, now);
    }

    fn call(&mut self, node: usize, tokens: u64, now: i64) -> Result<u64, Denial> {
        let ask = Ask { tokens, ..Ask::default() };
        for _ in 0..4 {
            match self.quotas[node].reserve(&self.limits, ask, self.flying[node], now) {
                Err(Denial::Quota) => self.ask(node, Some(ask), now),
                done => return done,
            }
        }
        Err(Denial::Quota)
    }

    fn round(&mut self, now: i64) {
        for node in 0..self.quotas.len() {
            let flying = self.flying[node];
            self.ask(node, None, now);
            self.quotas[node].turn(flying, now);
        }
    }
}

fn rpm(rpm: u64) -> Limits {
    Limits { rpm: Some(rpm), ..Limits::default() }
}

/// Calls a second of each replica over a minute; how many were let in.
fn minute(fleet: &mut Fleet, from: i64, rates: impl Fn(i64) -> Vec<u32>) -> u64 {
    let mut admitted = 0;
    for tick in 0..600 {
        let now = from + tick * 100;
        for (node, calls) in rates(tick).into_iter().enumerate() {
            admitted += (0..calls).filter(|_| fleet.call(node, 1, now).is_ok()).count() as u64;
        }
        if tick % 3 == 2 {
            fleet.round(now + 50);
        }
    }
    admitted
}

#[test]
fn replicas_admit_the_limit_and_no_more_however_traffic_is_spread() {
    for limit in [60, 1_000, 30_000] {
        let flood = |_| vec![100, 100, 100];
        let uneven = |_| vec![150, 3, 0];
        let wandering = |tick: i64| match tick / 10 % 3 {
            0 => vec![120, 0, 1],
            1 => vec![0, 120, 1],
            _ => vec![1, 0, 120],
        };
        let shapes: [&dyn Fn(i64) -> Vec<u32>; 3] = [&flood, &uneven, &wandering];
        for (number, rates) in shapes.into_iter().enumerate() {
            let mut fleet = Fleet::new(3, rpm(limit));
            for window in 0..3 {
                let admitted = minute(&mut fleet, 1_000_000 + window * WINDOW_MS, rates);
                assert!(admitted <= limit, "limit {limit}, shape {number}, window {window}: {admitted}");
                assert!(admitted * 100 >= limit * 99, "limit {limit}, shape {number}: only {admitted}");
            }
            assert!(fleet.questions < 20_000, "{} questions for limit {limit}", fleet.questions);
        }
    }
}

#[test]
fn below_the_limit_nobody_is_refused_and_the_store_is_seldom_asked() {
    let mut fleet = Fleet::new(3, rpm(20_000));
    let admitted = minute(&mut fleet, 1_000_000, |_| vec![30, 1, 0]);
    assert_eq!(admitted, 31 * 600);
    assert!(fleet.questions < 3 * 200 + 1_300, "{} questions for {admitted} calls", fleet.questions);
}

#[test]
fn a_store_that_forgets_lets_nobody_in_twice() {
    let mut fleet = Fleet::new(3, rpm(3_000));
    let mut admitted = 0;
    for tick in 0..600 {
        let now = 1_000_000 + tick * 100;
        if tick % 150 == 75 {
            fleet.store = Store::default();
        }
        for node in 0..3 {
            admitted += (0..10).filter(|_| fleet.call(node, 1, now).is_ok()).count();
        }
        if tick % 3 == 2 {
            fleet.round(now + 50);
        }
    }
    assert!((2_970..=3_000).contains(&admitted), "{admitted}");
}

#[test]
fn tokens_are_counted_as_used_and_places_are_shared() {
    let mut fleet = Fleet::new(2, Limits { tpm: Some(100), ..Limits::default() });
    let now = 1_000_000;
    assert_eq!(fleet.call(0, 60, now), Ok(60));
    // Of 60 that were set aside 10 were used: the rest serves the other replica after a round.
    let window = fleet.quotas[0].ends_at();
    fleet.quotas[0].settle(window, (60, 10), true);
    for round in 1..=3 {
        fleet.round(now + round * 250);
    }
    assert_eq!(fleet.call(1, 90, now + 1_000), Ok(90));
    assert!(matches!(fleet.call(0, 1, now + 1_000), Err(Denial::Tokens { limit: 100, .. })));

    let mut fleet = Fleet::new(2, Limits { parallel: Some(3), ..Limits::default() });
    for node in [0, 1, 0] {
        assert!(fleet.call(node, 1, now).is_ok());
        fleet.flying[node] += 1;
    }
    assert!(matches!(fleet.call(1, 1, now), Err(Denial::Parallel { limit: 3 })));
    fleet.flying[0] = 0;
    for round in 1..=2 {
        fleet.round(now + round * 250);
    }
    assert!(fleet.call(1, 1, now + 1_000).is_ok(), "a place that became free elsewhere");
}

/// Calls one after the other, at replicas in turns; how many were let in.
fn in_turns(replicas: usize, tpm: u64, (asks, uses): (u64, u64), pause_ms: i64) -> u64 {
    let mut fleet = Fleet::new(replicas, Limits { tpm: Some(tpm), ..Limits::default() });
    let mut admitted = 0;
    for number in 0..15_000 {
        let now = 1_000_000 + i64::try_from(number).unwrap() * pause_ms;
        let node = number * 7 / 3 % replicas;
        if let Ok(reserved) = fleet.call(node, asks, now) {
            admitted += 1;
            let window = fleet.quotas[node].ends_at();
            fleet.quotas[node].settle(window, (reserved, uses), true);
            if fleet.quotas[node].owes() {
                fleet.ask(node, None, now);
            }
        }
        if number % 80 == 79 {
            fleet.round(now);
        }
    }
    admitted
}

#[test]
fn replicas_admit_by_tokens_what_one_alone_would() {
    for tpm in [100, 200, 205, 1_000, 2_003] {
        for tokens in [(10, 10), (4, 10), (30, 10), (10, 7)] {
            let alone = in_turns(1, tpm, tokens, 3);
            for replicas in [2, 3, 5] {
                let together = in_turns(replicas, tpm, tokens, 3);
                let case = format!("{tpm} tokens, {tokens:?} a call, {replicas}: {together}, alone {alone}");
                // Where calls use more than they ask for, each replica may find out about its last one too late.
                let few = u64::from(tokens.1 > tokens.0);
                assert!(together.abs_diff(alone) <= few, "{case}");
            }
        }
    }
}
