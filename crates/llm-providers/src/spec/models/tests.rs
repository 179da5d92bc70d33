//! What one model takes, by its name and by what it can.

use std::borrow::Cow;

use crate::{Amendment, ModelRule, Quirks};

fn quirks(rules: Vec<ModelRule>) -> Quirks {
    Quirks {
        unsupported: vec!["thinking".into(), "tools".into()].into(),
        models: rules.into(),
        ..Quirks::NONE
    }
}

#[test]
fn a_rule_counts_for_the_models_it_names_and_for_those_that_can() {
    let by_name = ModelRule {
        models: vec!["think-*".into()].into(),
        takes: vec!["thinking".into()].into(),
        lacks: vec!["stop".into()].into(),
        ..ModelRule::ANY
    };
    let by_ability =
        ModelRule { can: "function_calling".into(), takes: vec!["tools".into()].into(), ..ModelRule::ANY };
    let quirks = quirks(vec![by_name, by_ability]);
    let cases = [
        ("think-1", "", ["thinking", "seed"], ["stop", "tools"]),
        ("chat-1", "", ["stop", "seed"], ["thinking", "tools"]),
        ("chat-1", "function_calling", ["stop", "tools"], ["thinking", "thinking"]),
        ("re-think-1", "reasoning", ["stop", "seed"], ["thinking", "tools"]),
    ];
    for (model, ability, takes, lacks) in cases {
        let one = quirks.of_model(model, |asked| asked == ability).unwrap();
        assert!(takes.iter().all(|param| one.takes(param)), "{model} takes {takes:?}");
        assert!(!lacks.iter().any(|param| one.takes(param)), "{model} lacks {lacks:?}");
        assert!(one.models.is_empty(), "rules are applied once");
    }
}

#[test]
fn a_rule_adds_to_a_list_of_all_that_is_taken() {
    let rule = ModelRule { takes: vec!["tools".into()].into(), ..ModelRule::ANY };
    let few = Quirks { supported: vec!["stop".into()].into(), models: vec![rule].into(), ..Quirks::NONE };
    assert!(!few.takes("tools"));
    let one = few.of_model("m", |_| false).unwrap();
    assert!(one.takes("tools") && one.takes("stop") && !one.takes("seed"));
    assert!(one.takes("top_k"), "what is no parameter of OpenAI's is the vendor's own");
}

#[test]
fn a_rule_ignores_and_amends_beside_the_record() {
    let rule = ModelRule {
        ignores: vec!["temperature".into()].into(),
        amend: vec![Amendment::NoStrict].into(),
        ..ModelRule::ANY
    };
    let quirks = Quirks { amend: vec![Amendment::JoinTexts].into(), ..quirks(vec![rule]) };
    let one = quirks.of_model("m", |_| false).unwrap();
    assert_eq!(one.amend, [Amendment::JoinTexts, Amendment::NoStrict].as_slice());
    assert_eq!(one.ignored, [Cow::Borrowed("temperature")].as_slice());
}

#[test]
fn nothing_is_copied_where_all_models_are_alike() {
    assert_eq!(Quirks::NONE.of_model("m", |_| true), None);
}

#[test]
fn a_word_of_the_name_stands_in_the_url() {
    let paths = vec![("chat/".into(), "/chats/{}".into())];
    let quirks = Quirks { model_paths: paths.into(), ..Quirks::NONE };
    assert_eq!(quirks.model_path("chat/c-1/qwen"), Some(("/chats/c-1".to_owned(), "qwen".to_owned())));
    assert_eq!(quirks.model_path("chat/c-1"), None);
    assert_eq!(quirks.model_path("agent/a/qwen"), None);
}

#[test]
fn a_name_of_several_words_fills_the_vendors_template() {
    let quirks = Quirks { model_template: "https://v/{}/{}/models/{}".into(), ..Quirks::NONE };
    let cases = [
        ("openai.chat.gpt-4o", "https://v/openai/chat/models/gpt-4o"),
        ("openai.chat.gpt-4.1", "https://v/openai/chat/models/gpt-4.1"),
        ("https://v/a/b/models/c.d.e", "https://v/a/b/models/c.d.e"),
        ("gpt-4o", "gpt-4o"),
    ];
    for (model, name) in cases {
        assert_eq!(quirks.model_name(model), name);
    }
}

#[test]
fn a_rule_may_be_for_models_that_cannot() {
    let rule = ModelRule {
        cannot: "response_schema".into(),
        amend: vec![Amendment::SchemaByTool].into(),
        ..ModelRule::ANY
    };
    let quirks = quirks(vec![rule]);
    assert_eq!(quirks.of_model("m", |_| false).unwrap().amend, [Amendment::SchemaByTool].as_slice());
    assert!(quirks.of_model("m", |can| can == "response_schema").unwrap().amend.is_empty());
}
