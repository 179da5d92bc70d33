//! What is served when nothing is configured.

use gateway_server::config::{Env, Registry};

use super::{detect, single};
use crate::args::ServeArgs;

fn names(loaded: &gateway_server::config::Loaded) -> Vec<&str> {
    let config = loaded.config.as_ref().unwrap();
    config.models.iter().map(|model| &*model.deployment.group).collect()
}

#[test]
fn without_anything_there_is_the_mock_model() {
    let found = detect(&Env::default(), &Registry::built_in(), &[]);
    assert_eq!(names(&found.loaded), ["mock"]);
    assert!(found.lines[0].starts_with("mock (made-up answers"), "{:?}", found.lines);
}

#[test]
fn ollamas_models_are_called_by_name() {
    let found = detect(&Env::default(), &Registry::built_in(), &["llama3.2:1b".into()]);
    assert!(names(&found.loaded).contains(&"llama3.2:1b"));
    assert_eq!(found.lines, ["ollama/*", "llama3.2:1b (Ollama)"]);
}

#[test]
fn one_model_by_flag() {
    let args = ServeArgs {
        model: Some("openai/gpt-4o".into()),
        alias: Some("gpt: \"the\" one".into()),
        api_base: Some("http://127.0.0.1:1/v1".into()),
        ..ServeArgs::default()
    };
    let found = single("openai/gpt-4o", &args, &Env::default(), &Registry::built_in());
    assert_eq!(names(&found.loaded), ["gpt: \"the\" one"]);
    assert_eq!(found.lines, ["gpt: \"the\" one (http://127.0.0.1:1/v1)"]);
}
