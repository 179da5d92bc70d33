//! What is refused, dropped and kept.

use std::sync::Arc;

use llm_providers::{DialectId, ParamPolicy};
use llm_types::{ChatRequest, Extra, Message, NativeFields, Part, PartKind, Role};
use serde_json::json;

use super::{RESPONSES, leave_hints, settle};

fn request() -> Arc<ChatRequest> {
    let item =
        Part::new(PartKind::Native { dialect: RESPONSES.into(), value: json!({"type": "item_reference"}) });
    let messages = [Message::user("hi"), Message::new(Role::Assistant, vec![item])];
    let mut fields = Extra::default();
    fields.keep("conversation", json!("conv_1"));
    fields.keep("include", json!([]));
    let native = NativeFields { dialect: RESPONSES.into(), fields, needed: vec!["conversation".into()] };
    Arc::new(ChatRequest { native: Some(native), ..ChatRequest::new("m", messages) })
}

#[test]
fn a_needed_member_is_refused_by_its_name() {
    let error = settle(&mut request(), &ParamPolicy::default()).unwrap_err();
    assert_eq!(error.param(), Some("conversation"));
    assert!(error.message().starts_with("`conversation` is understood by providers"), "{error}");
}

#[test]
fn members_are_dropped_one_by_one_or_all() {
    let policy = ParamPolicy { always_drop: vec!["conversation".into()], ..ParamPolicy::default() };
    let mut one = request();
    settle(&mut one, &policy).unwrap();
    assert_eq!(one.messages.len(), 2, "only what is named is dropped");
    let mut all = request();
    settle(&mut all, &ParamPolicy { drop: true, ..ParamPolicy::default() }).unwrap();
    assert_eq!(all.messages, [Message::user("hi")]);
}

#[test]
fn what_other_attempts_share_is_not_changed() {
    let shared = request();
    let mut own = Arc::clone(&shared);
    settle(&mut own, &ParamPolicy { drop: true, ..ParamPolicy::default() }).unwrap();
    assert_eq!((own.messages.len(), shared.messages.len()), (1, 2));
}

#[test]
fn a_cache_key_stays_where_the_provider_knows_it() {
    for (provider, kept) in
        [(DialectId::OpenaiChat, true), (DialectId::Anthropic, false), (DialectId::Gemini, false)]
    {
        let mut asked = request();
        Arc::make_mut(&mut asked).options.prompt_cache_key = Some("k".into());
        leave_hints(&mut asked, provider);
        assert_eq!(asked.options.prompt_cache_key.is_some(), kept, "{provider:?}");
    }
}

#[test]
fn what_is_empty_when_all_is_dropped_is_not_sent() {
    let mut asked = request();
    Arc::make_mut(&mut asked).messages.remove(0);
    let error = settle(&mut asked, &ParamPolicy { drop: true, ..ParamPolicy::default() }).unwrap_err();
    assert_eq!(error.param(), Some("messages"));
}
