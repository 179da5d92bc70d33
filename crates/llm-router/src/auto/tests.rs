//! LiteLLM surface §7.8, row by row.

use fastrand::Rng;
use serde_json::{Value, json};

use super::*;
use crate::testing::deployment;
use crate::{Counters, Deployment, RouterSettings};

fn choice(model: &str) -> Choice {
    Choice { model: model.into(), params: None }
}

fn complexity() -> Complexity {
    let tiers = ["s", "m", "c", "r"].map(|model| vec![choice(model)]);
    Complexity { tiers, ..Complexity::default() }
}

fn decide(router: &AutoRouter, routes: &Routes, said: &Said<'_>, lessons: &Lessons) -> Option<Decision> {
    router.decide(("auto", routes, None), said, lessons, &mut Rng::with_seed(7), Moment(0))
}

fn no_routes() -> Routes {
    Routes::new(Vec::new(), RouterSettings::default(), &Counters::new(), None)
}

fn said(text: &str) -> Said<'_> {
    Said { text, messages: 1, ..Said::default() }
}

#[test]
fn prompts_are_scored_as_litellm_scores_them() {
    let scorer = Scorer::default();
    for (text, score, tier) in [
        // Observed of LiteLLM: short and a greeting.
        ("hi", -0.15, Tier::Simple),
        ("What is 2+2?", -0.15, Tier::Simple),
        // Short, two words of code.
        ("debug this python", 0.2, Tier::Medium),
        // Code, and two of engineering.
        (
            "Please refactor the api of our service for better latency and throughput; thank everybody later, ok",
            0.425,
            Tier::Complex,
        ),
        // Two markers of reasoning promote what reaches the first boundary.
        (
            "Think through this step by step and tell me what you would do about the leaking roof of my house",
            0.25,
            Tier::Reasoning,
        ),
        // Nothing fires.
        (
            "I wonder whether the weather in the mountains will stay as nice as it has been all of this week",
            0.0,
            Tier::Simple,
        ),
        (
            "First cut the onion and then fry it, and after that please add the carrots and wait for a good while",
            0.015,
            Tier::Simple,
        ),
        (
            "Is it red? Is it blue? Is it big? Is it old? I would like to know all of it before I buy the thing",
            0.01,
            Tier::Simple,
        ),
    ] {
        let found = scorer.score(text);
        assert!((found.score - score).abs() < 1e-9 && found.tier == tier, "{text}: {found:?}");
    }
}

#[test]
fn words_stand_alone_and_markers_need_a_score() {
    let scorer = Scorer::default();
    // `capital` holds `api`, `classical` holds `class`.
    let found = scorer.score(
        "The capital of France likes classical music in its many beautiful concert halls, I hear it said",
    );
    assert!(found.signals.is_empty(), "{found:?}");
    // Markers on a trivial prompt do not buy the top tier, unless the floor is zero.
    let trivial = "hi, deduce, infer";
    assert_eq!(scorer.score(trivial).tier, Tier::Simple);
    let low = Scorer { override_from: Some(0.0), ..Scorer::default() };
    assert_eq!(low.score(trivial).tier, Tier::Reasoning);
    assert!(Keyword::new("c++").is_in("write c++x now") && !Keyword::new("rust").is_in("trusty"));
    assert!(Keyword::new("分析").is_in("请分析一下"));
}

#[test]
fn long_prompts_weigh_and_boundaries_move() {
    let long = "word ".repeat(400);
    let scorer = Scorer::default();
    assert!((scorer.score(&long).score - 0.10).abs() < 1e-9);
    let strict = Scorer { boundaries: [0.05, 0.2, 0.5], ..Scorer::default() };
    assert_eq!(strict.score(&long).tier, Tier::Medium);
    // A hostile prompt of a megabyte is looked at in its beginning only.
    let began = std::time::Instant::now();
    let _ = scorer.score(&"first step ? a) 1. api ".repeat(50_000));
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}

#[test]
fn own_dimensions_add_their_weight() {
    let custom = |graded| Custom {
        name: "sql".into(),
        weight: 0.7,
        keywords: vec![Keyword::new("orbitmesh")],
        patterns: vec![pattern(r"\b(create|drop)\s{1,4}table\b").unwrap()],
        graded,
    };
    let score =
        |graded, text: &str| Scorer { custom: vec![custom(graded)], ..Scorer::default() }.score(text).score;
    let plain =
        "and would you kindly tell me how it is done by other people around here, in the usual way of doing";
    let one = format!("DROP  TABLE {plain}");
    let both = format!("orbitmesh DROP TABLE {plain}");
    let none = score(false, plain);
    assert!((score(false, &one) - none - 0.7).abs() < 1e-9);
    assert!((score(true, &one) - none - 0.35).abs() < 1e-9);
    assert!((score(true, &both) - none - 0.7).abs() < 1e-9);
}

#[test]
fn tiers_lead_to_groups() {
    let (routes, lessons) = (no_routes(), Lessons::default());
    let router = |complexity: Complexity| AutoRouter::Complexity(Box::new(complexity));
    let ask = |complexity, text: &str| decide(&router(complexity), &routes, &said(text), &lessons).unwrap();
    let hi = ask(complexity(), "hi");
    assert_eq!(
        (&*hi.model, hi.tier, hi.score, hi.cause),
        ("s", Some(Tier::Simple), Some(-0.15), "heuristic_scorer")
    );
    // Keywords of the operator go before the score.
    let rule = Rule { keywords: vec![Keyword::new("contract")], tier: Tier::Complex };
    let ruled = ask(Complexity { rules: vec![rule], ..complexity() }, "hi, about the Contract");
    assert_eq!(
        (&*ruled.model, ruled.cause, ruled.keyword.as_deref()),
        ("c", "keyword_rule", Some("contract"))
    );
    // A caller may ask for more, in exactly these words.
    assert_eq!(&*ask(complexity(), "hi LITELLM ESCALATE").model, "m");
    assert_eq!(&*ask(complexity(), "hi litellm escalate").model, "s");
    // A tier without a group: the default, else the next harder, else the next easier one.
    let mut holes = complexity();
    holes.tiers[0].clear();
    assert_eq!(&*ask(holes.clone(), "hi").model, "m");
    holes.default = Some(choice("d"));
    assert_eq!(&*ask(holes, "hi").model, "d");
    let empty = Complexity::default();
    assert!(decide(&router(empty), &routes, &said("hi"), &lessons).is_none());
}

#[test]
fn sessions_stay_until_they_are_idle() {
    let (routes, lessons) = (no_routes(), Lessons::default());
    let ttl = std::time::Duration::from_secs(60);
    let router = AutoRouter::Complexity(Box::new(Complexity { session: Some(ttl), ..complexity() }));
    let ask = |text, at: u64| {
        let said = Said { session: Some(9), ..said(text) };
        let cx = ("auto", &routes, None);
        router.decide(cx, &said, &lessons, &mut Rng::with_seed(1), Moment(at)).unwrap()
    };
    assert_eq!(&*ask("debug this python", 0).model, "m");
    let again = ask("hi", 50_000);
    assert_eq!((&*again.model, again.cause), ("m", "session_affinity"));
    assert_eq!(&*ask("hi", 100_000).model, "m", "a use renews the stay");
    assert_eq!(&*ask("hi", 161_000).model, "s");
}

fn group(name: &str, info: &Value, price: f64) -> Deployment {
    let mut one = deployment(name, name, name);
    one.model_info = Arc::new(info.as_object().unwrap().clone());
    one.token_price = (Some(price), None);
    one
}

fn routes_of(deployments: Vec<Deployment>) -> Routes {
    Routes::new(deployments, RouterSettings::default(), &Counters::new(), None)
}

#[test]
fn quality_is_the_cheapest_that_is_good_enough() {
    let stated = |tier: u32, keywords: &[&str]| json!({ "litellm_routing_preferences": { "quality_tier": tier, "keywords": keywords } });
    let routes = routes_of(vec![
        group("dear", &stated(1, &[]), 2.0),
        group("cheap", &stated(1, &[]), 1.0),
        group("good", &stated(3, &["sql"]), 9.0),
        group("better", &stated(3, &["sql"]), 8.0),
    ]);
    let models = ["dear", "cheap", "good", "better"].map(Arc::from).to_vec();
    let router = AutoRouter::Quality(Box::new(Quality { models, ..Quality::default() }));
    let ask = |text: &str| decide(&router, &routes, &said(text), &Lessons::default()).unwrap();
    let hi = ask("hi");
    assert_eq!((&*hi.model, hi.cause, hi.quality), ("cheap", "quality_tier", Some(1)));
    // MEDIUM needs 2: the next better tier has 3. REASONING needs 4: the best there is.
    assert_eq!(&*ask("debug this python").model, "better");
    let reasoning =
        ask("Think through this step by step and tell me what you would do about the roof of my house");
    assert_eq!((&*reasoning.model, reasoning.tier), ("better", Some(Tier::Reasoning)));
    let word = ask("hi, some SQL");
    assert_eq!(
        (&*word.model, word.cause, word.keyword.as_deref(), word.tier),
        ("better", "keyword", Some("sql"), None)
    );
    let nobody = Quality { models: vec!["gone".into()], default: Some("cheap".into()), ..Quality::default() };
    let default =
        decide(&AutoRouter::Quality(Box::new(nobody)), &routes, &said("hi"), &Lessons::default()).unwrap();
    assert_eq!((&*default.model, default.quality), ("cheap", None));
}

#[test]
fn kinds_of_requests_are_told_by_their_words() {
    for (text, kind) in [
        ("Write me a python script", RequestKind::CodeGeneration),
        ("Implement an endpoint for users", RequestKind::CodeGeneration),
        ("Explain this function", RequestKind::CodeUnderstanding),
        ("Fix the bug in it", RequestKind::CodeUnderstanding),
        ("Design a schema for orders", RequestKind::TechnicalDesign),
        ("Compare postgres and mysql", RequestKind::TechnicalDesign),
        ("Solve this equation", RequestKind::AnalyticalReasoning),
        ("Draft an email to Bob", RequestKind::Writing),
        ("Who was Ada Lovelace?", RequestKind::FactualLookup),
        ("define entropy", RequestKind::FactualLookup),
        ("hello there", RequestKind::General),
        ("", RequestKind::General),
    ] {
        assert_eq!(RequestKind::of(text), kind, "{text}");
    }
}

#[test]
fn beliefs_begin_at_the_tier_and_end_at_the_cap() {
    for (tier, strong, mean) in
        [(1, false, 0.3), (2, false, 0.5), (3, false, 0.7), (2, true, 0.8), (3, true, 0.95)]
    {
        assert!((Belief::at_start(tier, strong).mean() - mean).abs() < 1e-9);
    }
    let mut belief = Belief::at_start(2, false);
    (0..1_000).for_each(|_| belief = belief.after(1.0, 0.0));
    assert!(belief.good + belief.bad <= 200.0 && belief.mean() > 0.95);
    let mut rng = Rng::with_seed(3);
    let start = Belief { good: 3.0, bad: 7.0 };
    let draws: Vec<f64> = (0..20_000).map(|_| start.draw(&mut rng)).collect();
    let mean = draws.iter().sum::<f64>() / 20_000.0;
    let spread = draws.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 20_000.0;
    // Beta(3, 7): mean 0.3, variance 0.0190909.
    assert!((mean - 0.3).abs() < 0.005 && (spread - 0.019_090_9).abs() < 0.001, "{mean} {spread}");
    assert_eq!(
        (cheapness(1.0, &[1.0, 3.0]), cheapness(3.0, &[1.0, 3.0]), cheapness(2.0, &[2.0])),
        (1.0, 0.0, 0.5)
    );
}

#[test]
fn the_adaptive_router_learns_from_what_is_said_next() {
    let stated = |tier: u32| json!({ "adaptive_router_preferences": { "quality_tier": tier } });
    let routes = routes_of(vec![group("big", &stated(3), 1.0), group("small", &stated(1), 1.0)]);
    let models = ["big", "small"].map(Arc::from).to_vec();
    let router = AutoRouter::Adaptive(Adaptive { models, exploration: 0.0, ..Adaptive::default() });
    let lessons = Lessons::default();
    let mut rng = Rng::with_seed(5);
    let mut ask = |session: u128, messages, text: &str| {
        let said = Said { text, messages, session: Some(session), ..Said::default() };
        router.decide(("auto", &routes, None), &said, &lessons, &mut rng, Moment(0)).unwrap()
    };
    let code = "Write me a python script";
    assert_eq!(&*ask(1, 1, code).model, "big");
    // Short conversations teach nothing.
    for session in 2..40 {
        ask(session, 1, code);
        ask(session, 3, "that's wrong");
    }
    assert_eq!(&*ask(50, 1, code).model, "big");
    // Blame after blame, and the other one is believed better; other kinds of requests are not touched.
    for session in 100..130 {
        let answered = ask(session, 1, code).model;
        ask(session, 5, if &*answered == "big" { "that's wrong" } else { "perfect, thanks" });
    }
    assert_eq!(&*ask(200, 1, code).model, "small");
    assert_eq!(&*ask(201, 1, "Draft an email to Bob").model, "big");
}

#[test]
fn callers_may_ask_for_quality() {
    let stated = |tier: u32| json!({ "adaptive_router_preferences": { "quality_tier": tier } });
    let routes = routes_of(vec![group("big", &stated(3), 9.0), group("small", &stated(1), 1.0)]);
    let models = ["big", "small"].map(Arc::from).to_vec();
    let router = AutoRouter::Adaptive(Adaptive {
        models,
        weights: (0.0, 1.0),
        exploration: 0.0,
        default: Some("d".into()),
    });
    let ask = |least| {
        let said = Said { min_quality: least, ..said("hi") };
        decide(&router, &routes, &said, &Lessons::default()).unwrap().model
    };
    assert_eq!((&*ask(None), &*ask(Some(3)), &*ask(Some(4))), ("small", "big", "d"));
}

#[test]
fn meaning_is_the_nearest_of_five() {
    let place = |name: &str, count: usize, threshold| Place {
        name: name.into(),
        utterances: (0..count).map(|at| format!("{name} {at}")).collect(),
        threshold,
    };
    let router = Semantic {
        routes: vec![place("code", 2, Some(0.5)), place("law", 3, Some(0.9))],
        default: Some("other".into()),
        embedding: "e".into(),
        max_letters: Some(3),
    };
    let points = vec![vec![1.0, 0.0], vec![0.9, 0.1], vec![0.0, 1.0], vec![0.1, 0.9], vec![0.3, 0.9]];
    let index = router.index(points).unwrap();
    let decision = router.decide(vec![1.0, 0.0], &index).unwrap();
    assert_eq!((&*decision.model, decision.cause), ("code", "semantic_match"));
    assert!(decision.score.is_some_and(|score| (score - 0.996_942).abs() < 1e-5), "{decision:?}");
    // Between both nobody reaches its threshold but code; against all the default serves.
    assert_eq!(&*router.decide(vec![0.6, 0.8], &index).unwrap().model, "code");
    let far = router.decide(vec![-1.0, -1.0], &index).unwrap();
    assert_eq!((&*far.model, far.cause), ("other", "default_model"));
    assert!(router.index(vec![vec![1.0]]).is_none(), "every utterance has a point");
    assert_eq!(router.asked("日本語です"), "日本語");
    let other = Semantic { embedding: "f".into(), ..router.clone() };
    assert_ne!(router.fingerprint(), other.fingerprint(), "another model has other points");
}
