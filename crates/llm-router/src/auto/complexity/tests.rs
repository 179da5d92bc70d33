//! What goes before the score and after it. LiteLLM surface §7.8.

use super::*;
use crate::auto::judge::Judge;
use crate::auto::{Called, Signs};
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
        model: "judge".into(),
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
