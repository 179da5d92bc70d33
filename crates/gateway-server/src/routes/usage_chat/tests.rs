//! What of a conversation is taken, and what the model is told.

use serde_json::{Value, json};

use super::figures::Sees;
use super::{MESSAGES, arguments_of, instructions, messages};

#[test]
fn only_words_of_the_last_messages_are_taken() {
    let said: Vec<Value> = (0..MESSAGES + 5)
        .map(|at| json!({ "role": "user", "content": at.to_string(), "name": "x" }))
        .collect();
    let body = json!({ "messages": said });
    let taken = messages(body.as_object().expect("an object")).expect("a conversation");
    assert_eq!((taken.len(), &taken[0]), (MESSAGES, &json!({ "role": "user", "content": "5" })));
}

#[test]
fn the_model_is_told_of_the_tools_it_has() {
    let (all, own) =
        (instructions(&Sees::All, "2026-11-20"), instructions(&Sees::Own("mia".to_owned()), "2026-11-20"));
    assert!(all.contains("get_team_usage_data") && all.contains("2026-11-20"));
    assert!(own.contains("get_usage_data") && !own.contains("get_team_usage_data"));
}

#[test]
fn a_tool_hears_what_is_said_and_never_something_else() {
    assert_eq!(arguments_of(" ").unwrap(), json!({}));
    assert_eq!(arguments_of(r#"{"start_date": "2026-01-01"}"#).unwrap(), json!({"start_date": "2026-01-01"}));
    assert!(arguments_of("{\"start_date\": ").unwrap_err().message().contains("not JSON"));
}
