//! Conversations over four deployments that cache prompts: how much of what is sent is warm, compared with
//! a single deployment.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use futures_util::FutureExt as _;
use llm_router::testing::{FakeClock, deployment};
use llm_router::{Attempt, Clock, Controls, Counters, Request, Router, RouterSettings, Routes, prefix};
use llm_types::{ChatRequest, Error, ErrorKind, Message, Origin};

/// A provider's cache: beginnings by the number of their messages, and until when they are kept.
#[derive(Default)]
struct Cache(HashMap<(usize, usize), u64>);

impl Cache {
    /// Tokens of a talk's first `turns` messages that are warm, and keeps all of them.
    fn ask(&mut self, talk: usize, turns: usize, now: u64) -> usize {
        let warm =
            (1..=turns).rev().find(|turn| self.0.get(&(talk, *turn)).is_some_and(|until| *until > now));
        self.0.extend((1..=turns).map(|turn| ((talk, turn), now + 300_000)));
        warm.map_or(0, tokens)
    }
}

/// Tokens of a talk's first messages: a long system prompt and short turns.
fn tokens(turns: usize) -> usize {
    2_000 + 200 * (turns - 1)
}

/// The share of all tokens sent that was warm; `fails` says which deployment is away at a moment.
fn share(deployments: usize, affinity: bool, fails: impl Fn(&str, u64) -> bool) -> f64 {
    let members = (0..deployments).map(|at| deployment(&at.to_string(), "m", "gpt")).collect();
    let routes = Routes::new(members, RouterSettings::default(), &Counters::new(), None);
    let clock = Arc::new(FakeClock::default());
    clock.advance(Duration::from_secs(60));
    let router = Router::new(Arc::new(routes), Arc::clone(&clock) as Arc<dyn Clock>);
    let caches: RefCell<HashMap<String, Cache>> = RefCell::default();
    let mut rng = Rng::with_seed(7);
    // Two hundred talks of ten turns, mixed.
    let mut talks: Vec<usize> = (0..2_000).map(|n| n % 200).collect();
    rng.shuffle(&mut talks);
    let mut turns: HashMap<usize, Vec<Message>> = HashMap::new();
    let (mut warm, mut sent) = (0, 0);
    for (number, talk) in talks.into_iter().enumerate() {
        clock.advance(Duration::from_millis(100));
        let messages = turns
            .entry(talk)
            .or_insert_with(|| vec![Message::system(format!("talk {talk} {}", "x".repeat(8_000)))]);
        messages.push(Message::user(format!("turn {number}")));
        let bonds = prefix::bonds(&ChatRequest::new("m", messages.clone()), 1, prefix::USUAL);
        let controls = Controls { seed: Some(number as u64), ..Controls::default() };
        let request = Request { bonds: if affinity { &bonds } else { &[] }, ..Request::new("m", &controls) };
        let now = clock.now().0;
        let attempt = |attempt: Attempt<'_>| {
            let id = attempt.deployment.id.to_string();
            let away = fails(&id, now);
            let found =
                (!away).then(|| caches.borrow_mut().entry(id).or_default().ask(talk, messages.len(), now));
            async move {
                found.ok_or_else(|| Error::new(ErrorKind::Overloaded, "away").with_origin(Origin::Upstream))
            }
        };
        let done = router.run(request, attempt).now_or_never().expect("nothing waits for real");
        warm += done.expect("an answer").value;
        sent += tokens(messages.len());
    }
    warm as f64 / sent as f64
}

/// Unmet needs A12, D8: four deployments keep at least 95 % of what one alone would have warm; without affinity they
/// do not.
#[test]
fn four_deployments_are_nearly_as_warm_as_one() {
    let well = |_: &str, _: u64| false;
    let (one, four, apart) = (share(1, true, well), share(4, true, well), share(4, false, well));
    println!("warm: one deployment {one:.4}, four {four:.4}, four without affinity {apart:.4}");
    assert!(four >= 0.95 * one, "{four} of {one}");
    assert!(apart < 0.8 * one, "the test tells nothing: {apart} of {one}");
}

/// D8: where a deployment goes away, its talks move once and stay where they went.
#[test]
fn talks_move_once_from_a_failing_deployment() {
    let away = |id: &str, now: u64| id == "2" && now > 100_000;
    let (one, four) = (share(1, true, |_, _| false), share(4, true, away));
    println!("warm: one deployment {one:.4}, four of which one goes away {four:.4}");
    assert!(four >= 0.9 * one, "{four} of {one}");
}
