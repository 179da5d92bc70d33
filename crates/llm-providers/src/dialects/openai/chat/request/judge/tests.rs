//! The fate of parameters, model by model.

use super::super::super::models::Rules;
use super::super::tests::target;
use super::{Fate, Judge, Said};
use crate::{Quirks, Target};

fn openai(model: &str) -> Target {
    let quirks = Quirks { openai_families: true, ..Quirks::NONE };
    Target { model: model.to_owned(), ..target(quirks) }
}

fn fate(model: &str, effort: Option<&str>, name: &str, said: Said<'_>) -> Fate {
    let target = openai(model);
    Judge::new(&target, effort.map(|word| word.to_owned().into()), false).fate(name, said)
}

#[test]
fn families_refuse_what_they_cannot_do() {
    use Fate::{Drop, Refuse, Send};
    use Said::{Number, Other, Word};
    for (model, effort, name, said, expected) in [
        ("gpt-4o", None, "reasoning_effort", Word("low"), Refuse),
        ("gpt-4o", None, "thinking", Other, Refuse),
        ("gpt-4o", None, "verbosity", Word("low"), Refuse),
        ("gpt-4o", None, "temperature", Number(2.0), Send),
        ("gpt-4o", None, "stop", Other, Send),
        ("gpt-5", None, "stop", Other, Refuse),
        ("gpt-5", None, "temperature", Number(1.0), Send),
        ("gpt-5", None, "temperature", Number(0.0), Refuse),
        ("gpt-5", None, "top_p", Number(1.0), Refuse),
        ("gpt-5", None, "verbosity", Word("low"), Send),
        ("gpt-5", None, "reasoning_effort", Word("minimal"), Send),
        ("gpt-5", Some("none"), "reasoning_effort", Word("none"), Refuse),
        ("gpt-5", Some("xhigh"), "reasoning_effort", Word("xhigh"), Refuse),
        ("gpt-5.1", None, "temperature", Number(0.0), Send),
        ("gpt-5.1", Some("low"), "temperature", Number(0.0), Refuse),
        ("gpt-5.1", Some("none"), "top_logprobs", Number(3.0), Send),
        ("gpt-5.1", Some("minimal"), "reasoning_effort", Word("minimal"), Refuse),
        // A refused effort is dropped, so it does not make the model reason.
        ("gpt-5.1", Some("minimal"), "temperature", Number(0.0), Send),
        ("gpt-5.5", None, "temperature", Number(0.0), Refuse),
        ("gpt-5.5", Some("none"), "temperature", Number(0.0), Send),
        ("o3", None, "parallel_tool_calls", Other, Refuse),
        ("o3", None, "logprobs", Other, Refuse),
        ("o3", None, "stop", Other, Send),
        ("o3", Some("xhigh"), "reasoning_effort", Word("xhigh"), Send),
        ("o3", None, "user", Word("u"), Send),
        ("unheard-of", None, "reasoning_effort", Word("low"), Send),
        ("unheard-of", None, "temperature", Number(2.0), Send),
    ] {
        assert_eq!(fate(model, effort, name, said), expected, "{model} {effort:?} {name} {said:?}");
        let target = openai(model);
        let dropping =
            Target { policy: crate::ParamPolicy { drop: true, ..target.policy.clone() }, ..target.clone() };
        let judge = Judge::new(&dropping, effort.map(|word| word.to_owned().into()), false);
        let softened = if expected == Refuse { Drop } else { expected };
        assert_eq!(judge.fate(name, said), softened, "{model} {name} dropping");
    }
}

#[test]
fn what_the_operator_allows_is_sent() {
    let mut target = openai("gpt-4o");
    target.policy.allow = vec!["reasoning_effort".into()];
    let judge = Judge::new(&target, None, false);
    assert_eq!(judge.fate("reasoning_effort", Said::Word("low")), Fate::Send);
}

#[test]
fn rules_are_for_vendors_of_these_models_only() {
    let target = Target { model: "gpt-4o".to_owned(), ..target(Quirks::NONE) };
    assert!(Rules::of("gpt-4o").is_some());
    assert_eq!(Judge::new(&target, None, false).fate("verbosity", Said::Word("low")), Fate::Send);
}

#[test]
fn a_refusal_names_the_value_at_fault() {
    let target = openai("gpt-5");
    let judge = Judge::new(&target, None, false);
    for (name, said, expected) in [
        ("stop", Said::Other, "the parameter `stop`"),
        ("temperature", Said::Number(0.5), "`temperature: 0.5` (only 1 is taken while the model reasons)"),
        ("reasoning_effort", Said::Word("none"), "`reasoning_effort: none`"),
    ] {
        let error = judge.refusal(name, said);
        assert_eq!(
            error.message(),
            format!(
                "`vendor` does not support {expected} for model `gpt-5`; leave it out, or set `drop_params: true` to have it dropped"
            )
        );
        assert_eq!(error.param(), Some(name));
    }
}

#[test]
fn the_choice_of_a_function_goes_where_functions_go() {
    let target = target(Quirks { unsupported: vec!["functions".into()].into(), ..Quirks::NONE });
    let judge = Judge::new(&target, None, false);
    for name in ["functions", "function_call"] {
        assert_eq!(judge.fate(name, Said::Other), Fate::Refuse, "{name}");
    }
}

#[test]
fn a_record_says_what_is_taken_and_what_is_left_out() {
    use Fate::{Drop, Idle, Refuse, Send};
    use Said::{Number, Other, Word};
    let few = Quirks {
        supported: vec!["max_tokens".into(), "stop".into()].into(),
        ignored: vec!["temperature".into()].into(),
        ..Quirks::NONE
    };
    let target = target(few);
    let judge = Judge::new(&target, None, false);
    for (name, said, expected) in [
        ("stop", Other, Send),
        ("seed", Number(1.0), Refuse),
        ("tools", Other, Refuse),
        ("temperature", Number(0.5), Drop),
        ("n", Number(1.0), Idle),
        ("n", Number(2.0), Refuse),
        ("user", Word("u"), Drop),
        ("top_k", Number(4.0), Send),
    ] {
        assert_eq!(judge.fate(name, said), expected, "{name}");
    }
    assert_eq!(judge.name_of("max_completion_tokens"), "max_tokens", "the cap it has");
}

#[test]
fn an_owners_models_are_told_the_user_wherever_they_are_served() {
    let quirks = Quirks { unsupported: vec!["user".into()].into(), ..Quirks::NONE };
    for (model, expected) in [("gpt-4o", Fate::Send), ("llama-4", Fate::Drop)] {
        let target = Target { model: model.to_owned(), ..target(quirks.clone()) };
        assert_eq!(Judge::new(&target, None, false).fate("user", Said::Word("u")), expected, "{model}");
    }
}
