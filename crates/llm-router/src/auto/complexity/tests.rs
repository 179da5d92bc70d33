//! What goes before the score and after it. LiteLLM surface §7.8.

use http::Uri;

use super::*;
use crate::auto::judge::{Webhook, Who};
use crate::auto::{Called, Signs, Warmth};
use crate::testing::deployment;
use crate::{Counters, RouterSettings};

const HARD: &str =
    "Think through this step by step and tell me what you would do about the leaking roof of my house";

fn choice(model: &str) -> Choice {
    Choice { model: model.into(), params: None }
}

fn router() -> Complexity {
    let tiers = ["s", "m", "c", "r"].map(|model| vec![choice(model)]);
    Complexity { tiers, ..Complexity::default() }
}

/// Groups `s`, `m`, `c`, `r`: windows of 1,000, 4,000, unknown and 100,000 tokens; `s` and `m` are blind.
fn routes() -> Routes {
    let windows = [Some(1_000), Some(4_000), None, Some(100_000)];
    let groups = ["s", "m", "c", "r"].into_iter().zip(windows).map(|(name, window)| {
        let mut one = deployment(name, name, name);
        one.max_input_tokens = window;
        one.vision = matches!(name, "s" | "m").then_some(false);
        one
    });
    Routes::new(groups.collect(), RouterSettings::default(), &Counters::new(), None)
}

fn said<'a>(text: &'a str, signs: Signs<'a>) -> Said<'a> {
    Said { text, messages: 1, session: Some(5), signs, ..Said::default() }
}

fn decide(router: &Complexity, said: &Said<'_>, lessons: &Lessons) -> Option<(String, &'static str)> {
    let place = ("auto", &routes(), None);
    let decision = router.decide(place, said, lessons, &mut Rng::with_seed(3), Moment(1))?;
    Some((decision.model.to_string(), decision.cause))
}

fn goes(router: &Complexity, said: &Said<'_>) -> (String, &'static str) {
    decide(router, said, &Lessons::default()).expect("a group")
}

fn to(model: &str, cause: &'static str) -> (String, &'static str) {
    (model.to_owned(), cause)
}

#[test]
fn agents_are_raised_and_spared() {
    let planning = Signs { plan_tool: true, ..Signs::default() };
    let plan = Complexity { plan: Some((Tier::Complex, Vec::new())), ..router() };
    assert_eq!(goes(&plan, &said("hi", planning)), to("c", "heuristic_scorer"));
    assert_eq!(goes(&plan, &said(HARD, planning)), to("r", "reasoning_override"), "a floor, not a ceiling");
    assert_eq!(goes(&router(), &said("hi", planning)), to("s", "heuristic_scorer"));
    let call = Called { what: 1, failed: false };
    let stuck = Signs { calls: &[call; 3], ..Signs::default() };
    let stall = Complexity { stall: Some((6, 3)), ..router() };
    assert_eq!(goes(&stall, &said("hi", stuck)), to("m", "heuristic_scorer"));
    let title =
        "You are coming up with a succinct title for a coding session. Debug the python api step by step.";
    assert_eq!(goes(&router(), &said(title, Signs::default())), to("s", "housekeeping"));
    let all = Complexity { housekeeping: None, ..router() };
    assert_ne!(goes(&all, &said(title, Signs::default())).1, "housekeeping");
}

/// A prompt leaves a tier that is known not to hold it for the lowest that is known to; never for one of which
/// nobody knows.
#[test]
fn long_prompts_go_where_they_fit() {
    let of = |tokens| Signs { tokens, ..Signs::default() };
    assert_eq!(goes(&router(), &said("hi", of(900))), to("s", "heuristic_scorer"));
    assert_eq!(goes(&router(), &said("hi", of(960))), to("m", "context_window_escalation"), "95 % of 1,000");
    assert_eq!(goes(&router(), &said("hi", of(5_000))), to("r", "context_window_escalation"));
    assert_eq!(
        goes(&router(), &said("hi", of(500_000))),
        to("s", "context_window_escalation"),
        "too long for all"
    );
    let off = Complexity { window: None, ..router() };
    assert_eq!(goes(&off, &said("hi", of(5_000))), to("s", "heuristic_scorer"));
    let mut pool = router();
    pool.tiers[0].push(choice("r"));
    assert_eq!(
        goes(&pool, &said("hi", of(5_000))),
        to("r", "heuristic_scorer"),
        "the tier has one that holds it"
    );
}

/// Pictures go up to a group that takes them, else to the default, else nowhere.
#[test]
fn pictures_go_where_they_are_seen() {
    let picture = Signs { images: true, ..Signs::default() };
    let sees = Complexity { modality: Some(false), ..router() };
    assert_eq!(goes(&sees, &said("hi", picture)), to("c", "modality_escalation"));
    assert_eq!(goes(&router(), &said("hi", picture)), to("s", "heuristic_scorer"), "off unless asked for");
    let mut blind = Complexity { modality: Some(false), ..router() };
    blind.tiers[2] = vec![choice("m")];
    blind.tiers[3] = vec![choice("s")];
    assert_eq!(decide(&blind, &said("hi", picture), &Lessons::default()), None);
    blind.default = Some(choice("r"));
    assert_eq!(goes(&blind, &said("hi", picture)), to("r", "modality_escalation"));
}

/// A session's group holds, but for the turn of a plan or of a picture where the operator says so; it comes back.
#[test]
fn sessions_leave_for_a_turn() {
    let hour = Some(Duration::from_secs(3600));
    let plan = Some((Tier::Complex, Vec::new()));
    let kept = Complexity { session: hour, plan, modality: Some(true), ..router() };
    let lessons = Lessons::default();
    let ask = |text, signs| decide(&kept, &said(text, signs), &lessons).expect("a group");
    assert_eq!(ask("hi", Signs::default()), to("s", "heuristic_scorer"));
    assert_eq!(ask(HARD, Signs::default()), to("s", "session_affinity"));
    assert_eq!(ask("go on", Signs { plan_tool: true, ..Signs::default() }), to("c", "plan_mode_floor"));
    assert_eq!(ask("look", Signs { images: true, ..Signs::default() }), to("c", "modality_pin_override"));
    assert_eq!(ask("and now", Signs::default()), to("s", "session_affinity"));
}

/// With `classification_mode: user_turn` a turn whose tools still work stays where it was decided.
#[test]
fn turns_go_on_where_they_began() {
    let turns = Complexity { turn: Some(Duration::from_secs(60)), ..router() };
    let lessons = Lessons::default();
    let ask = |text, goes_on| decide(&turns, &said(text, Signs { goes_on, ..Signs::default() }), &lessons);
    assert_eq!(ask(HARD, false), Some(to("r", "reasoning_override")));
    assert_eq!(ask("hi", true), Some(to("r", "turn_affinity")));
    assert_eq!(ask("hi", false), Some(to("s", "heuristic_scorer")), "a new question is judged anew");
}

fn judge(falls_to_default: bool) -> Judge {
    Judge {
        who: Who::Model("judge".into()),
        patience: Duration::from_secs(3),
        breaker: Some(Duration::from_secs(30)),
        effort: None,
        system: None,
        instructions: None,
        examples: None,
        context: (3, 8_000, false),
        falls_to_default,
        max_tokens: 256,
    }
}

/// A model is asked only where nothing else decides, and what happens where it fails is the operator's.
#[test]
fn models_decide_where_nothing_else_does() {
    let mut asks = Complexity { classifier: Classifier::Model(judge(false)), ..router() };
    let plain = said("hi", Signs::default());
    let lessons = Lessons::default();
    assert!(asks.wants_judge("auto", &plain, &lessons, Moment(1)));
    let verdict = Verdict { tier: Tier::Complex, score: None, signals: Vec::new() };
    let judged = Judged::Said(verdict);
    assert_eq!(goes(&asks, &Said { judged: Some(&judged), ..plain }), to("c", "llm_classifier"));
    assert_eq!(goes(&asks, &Said { judged: Some(&Judged::Failed), ..plain }), to("s", "heuristic_fallback"));
    asks.default = Some(choice("m"));
    asks.classifier = Classifier::Model(judge(true));
    let failed = Said { judged: Some(&Judged::Failed), ..plain };
    assert_eq!(goes(&asks, &failed), to("m", "classifier_failed_default_model"));
    asks.rules = vec![Rule { keywords: vec![Keyword::new("hi")], tier: Tier::Reasoning }];
    assert!(!asks.wants_judge("auto", &plain, &lessons, Moment(1)), "a rule of the operator's decides");
    assert!(!router().wants_judge("auto", &plain, &lessons, Moment(1)));
    assert_eq!(asks.models().last(), Some("judge"), "checks of the configuration know it");
}

/// A model that was too slow rests; after its rest one call tries it, and the others wait for what becomes of that.
#[test]
fn slow_models_rest() {
    let lessons = Lessons::default();
    let rest = Duration::from_millis(30);
    assert!(lessons.may_ask("auto", rest, Moment(0)));
    lessons.asked("auto", Some(Moment(30)));
    assert!(!lessons.may_ask("auto", rest, Moment(29)));
    assert!(lessons.may_ask("auto", rest, Moment(30)));
    assert!(!lessons.may_ask("auto", rest, Moment(31)), "one tries");
    lessons.asked("auto", None);
    assert!(lessons.may_ask("auto", rest, Moment(32)));
    assert!(lessons.may_ask("other", rest, Moment(0)));
}

/// Groups `s` and `c`: cheap and dear, with caches; and `r`, whose price nobody knows.
fn priced() -> Routes {
    let prices = [("s", Some(1.0)), ("m", Some(2.0)), ("c", Some(3.0)), ("r", None)];
    let groups = prices.map(|(name, price)| {
        let mut one = deployment(name, name, name);
        one.token_price = (price.map(|price| price * 1e-6), price.map(|price| price * 5e-6));
        one.cache_price = (price.map(|price| price * 1e-7), price.map(|price| price * 1.25e-6));
        one
    });
    Routes::new(groups.into(), RouterSettings::default(), &Counters::new(), None)
}

/// A conversation stays where its prompt is warm, unless the model that is picked costs less all the same.
#[test]
fn conversations_stay_where_they_are_warm() {
    let aware = Complexity { cache_aware: Some(1_000), window: None, ..router() };
    let routes = priced();
    let warmth = |model: &str, tokens| Warmth { model: model.into(), tokens };
    let goes = |router: &Complexity, text, tokens, warm: &[Warmth]| {
        let signs = Signs { tokens, ..Signs::default() };
        let said = Said { warm, ..said(text, signs) };
        let rng = &mut Rng::with_seed(1);
        let decision = router.decide(("auto", &routes, None), &said, &Lessons::default(), rng, Moment(1));
        decision.map(|one| (one.model.to_string(), one.cause))
    };
    let to = |model: &str, cause| Some((model.to_owned(), cause));
    let (long, short) = (50_000, 2_000);
    // 50,000 tokens: 15 thousandths of a dollar to read at `c`, 62.5 to write at `s`; answers cost 15 and 5.
    let warm = [warmth("c", long)];
    assert_eq!(goes(&aware, "hi", long, &warm), to("c", "cache_aware_routing"));
    assert_eq!(goes(&router(), "hi", long, &warm), to("s", "heuristic_scorer"), "only where it is turned on");
    assert_eq!(
        goes(&aware, "hi", short, &[warmth("c", short)]),
        to("s", "heuristic_scorer"),
        "too little is lost"
    );
    assert_eq!(goes(&aware, "hi", long, &[]), to("s", "heuristic_scorer"), "nothing is warm");
    let both = [warmth("c", long), warmth("s", long)];
    assert_eq!(goes(&aware, "hi", long, &both), to("s", "heuristic_scorer"), "warm at both: the cheap one");
    // Never below the tier that the prompt needs.
    assert_eq!(goes(&aware, HARD, long, &both), to("r", "reasoning_override"));
    assert_eq!(
        goes(&aware, "hi", long, &[warmth("r", long)]),
        to("s", "heuristic_scorer"),
        "a price is unknown"
    );
    let ruled =
        Complexity { rules: vec![Rule { keywords: vec![Keyword::new("hi")], tier: Tier::Simple }], ..aware };
    assert_eq!(goes(&ruled, "hi", long, &warm), to("s", "keyword_rule"), "the operator's word stands");
}

/// Of several models of a tier a session that names itself has always the same.
#[test]
fn sessions_stay_with_one_model_of_each_tier() {
    let mut several = router();
    several.tiers[0] = ["s", "m", "c", "r"].map(choice).into();
    let routes = routes();
    let picks = |named: bool, session: u128, router: &Complexity| {
        let said = Said { session: Some(session), named, ..said("hi", Signs::default()) };
        let pick = |seed| {
            let rng = &mut Rng::with_seed(seed);
            let decision = router.decide(("auto", &routes, None), &said, &Lessons::default(), rng, Moment(1));
            decision.map(|one| one.model.to_string())
        };
        (0..40).map(pick).collect::<std::collections::HashSet<_>>()
    };
    assert_eq!(picks(true, 7, &several).len(), 1);
    let all: std::collections::HashSet<_> = (0..40).flat_map(|one| picks(true, one, &several)).collect();
    assert_eq!(all.len(), 4, "sessions spread");
    assert_eq!(picks(false, 7, &several).len(), 4, "who names no session is spread call by call");
    assert_eq!(picks(true, 7, &Complexity { sticky: false, ..several }).len(), 4);
}

/// An operator's program names the tier, and may say why; its words are not taken from anybody else.
#[test]
fn programs_of_operators_decide() {
    let program = Webhook { url: Uri::from_static("http://127.0.0.1/tier"), secret: None };
    let own = Judge { who: Who::Webhook(program), ..judge(false) };
    let classifier = Classifier::Model(own);
    let said_so = r#"{"tier": "complex", "score": 0.8, "signals": ["legal"]}"#;
    let verdict = classifier.verdict(said_so).expect("a tier");
    assert_eq!(
        (verdict.tier, verdict.score, &*verdict.signals),
        (Tier::Complex, Some(0.8), &["legal".to_owned()][..])
    );
    assert_eq!(classifier.verdict(r#"{"tier": null}"#), None, "it leaves it to the fallback");
    assert_eq!(classifier.verdict(""), None);
    assert_eq!(
        Classifier::Model(judge(false)).verdict(said_so).expect("a tier").signals,
        Vec::<String>::new()
    );
    let router = Complexity { classifier, ..router() };
    let judged = Judged::Said(verdict);
    let title = "You are coming up with a succinct title for a coding session";
    let plain = said(title, Signs::default());
    assert!(
        router.wants_judge("auto", &plain, &Lessons::default(), Moment(1)),
        "housekeeping is its business too"
    );
    assert_eq!(goes(&router, &Said { judged: Some(&judged), ..plain }), to("c", "classifier_plugin"));
    assert_eq!(router.models().last(), Some("r"), "no group is asked");
}

/// A conversation that is made shorter stays in its tier; who makes it shorter holds it.
#[test]
fn long_conversations_are_made_shorter() {
    let how = Compaction { model: None, ratio: 0.9, max_tokens: 4_096, patience: Duration::from_secs(120) };
    let compacts = Complexity { compaction: Some(how.clone()), ..router() };
    let long = said("hi", Signs { tokens: 5_000, ..Signs::default() });
    assert_eq!(goes(&compacts, &Said { shortens: true, ..long }), to("s", "heuristic_scorer"));
    assert_eq!(
        goes(&compacts, &long),
        to("r", "context_window_escalation"),
        "where it cannot be made shorter"
    );
    let (routes, named) = (routes(), Compaction { model: Some("own".into()), ..how });
    let by = |router: &Complexity, tokens, model: &str| {
        let said = said("hi", Signs { tokens, ..Signs::default() });
        router.compactor((&routes, None), &said, model).map(|(_, by)| by.to_string())
    };
    assert_eq!(by(&compacts, 901, "s").as_deref(), Some("r"), "the highest tier that is known to hold it");
    assert_eq!(by(&compacts, 900, "s"), None, "nine tenths are not too much");
    assert_eq!(by(&compacts, 5_000, "c"), None, "nobody knows how much it holds");
    assert_eq!(by(&compacts, 200_000, "s"), None, "nobody holds it");
    assert_eq!(by(&router(), 5_000, "s"), None, "only where it is turned on");
    let own = Complexity { compaction: Some(named), ..router() };
    assert_eq!(by(&own, 5_000, "s").as_deref(), Some("own"));
    assert!(own.models().any(|name| name == "own"), "checks of the configuration know it");
}
