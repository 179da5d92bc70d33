//! What a start says.

use std::path::{Path, PathBuf};

use llm_types::Secret;

use super::{example, text};
use crate::quickstart::MasterKey;

fn key(is_new: bool) -> MasterKey {
    MasterKey { secret: Secret::new("sk-made".into()), path: PathBuf::from(".gateway/master-key"), is_new }
}

fn greet(key: Option<&MasterKey>) -> String {
    text("0.0.0.0:4000".parse().unwrap(), &["mock (made-up)".into()], key, Path::new(".gateway"))
}

#[test]
fn a_new_key_is_shown_and_an_old_one_is_not() {
    let new = greet(Some(&key(true)));
    assert!(new.contains("key     sk-made  (made now"), "{new}");
    assert!(new.contains(r#"-H "Authorization: Bearer sk-made""#), "{new}");
    assert!(new.contains(r#"OpenAI(base_url="http://127.0.0.1:4000/v1", api_key="sk-made")"#), "{new}");
    let old = greet(Some(&key(false)));
    assert!(!old.contains("sk-made") && old.contains("Bearer $(cat .gateway/master-key)"), "{old}");
    assert!(greet(None).contains("Bearer $LITELLM_MASTER_KEY"));
}

#[test]
fn the_line_to_try_names_a_model_that_can_be_called() {
    let of = |lines: &[&str]| example(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
    assert_eq!(of(&["mock (made-up answers)"]), "mock");
    assert_eq!(of(&["openai/* (OPENAI_API_KEY)"]), "openai/gpt-4o-mini");
    assert_eq!(of(&["zai/* (ZAI_API_KEY)"]), "zai/MODEL");
    assert_eq!(of(&["ollama/*", "llama3.2:1b (Ollama)"]), "llama3.2:1b");
}
