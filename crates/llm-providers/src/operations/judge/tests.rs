//! What vendors lack is refused or dropped; what operators say is set.

use bytes::Bytes;
use llm_types::{ErrorKind, Operation};
use serde_json::{Map, json};

use super::settle;
use crate::operations::{Asked, entry};
use crate::{ParamPolicy, Registry, Target};

fn asked(body: &'static str) -> Asked {
    Asked::read(Operation::Embeddings, Bytes::from_static(body.as_bytes()), "application/json").unwrap().0
}

fn target(provider: &str) -> Target {
    Target::bare(Registry::built_in().provider(provider).unwrap().clone(), "m")
}

#[test]
fn what_a_vendor_lacks_is_refused_or_dropped() {
    let asked = asked(r#"{"model":"x","input":"a","user":"u","encoding_format":"base64","own":1}"#);
    let mut target = target("ovhcloud");
    let entry = entry(&target.spec, Operation::Embeddings, "m").unwrap();
    let refused = settle(&asked, &target, entry, None).unwrap_err();
    assert_eq!((refused.kind(), refused.param()), (ErrorKind::Unsupported, Some("user")));
    target.policy = ParamPolicy { drop: true, ..ParamPolicy::default() };
    let settled = settle(&asked, &target, entry, None).unwrap();
    assert_eq!(settled.params, *json!({"input": "a", "own": 1}).as_object().unwrap());
    target.policy = ParamPolicy { allow: vec!["user".to_owned()], ..ParamPolicy::default() };
    assert_eq!(settle(&asked, &target, entry, None).unwrap().text("user"), Some("u"));
}

#[test]
fn fallbacks_set_and_operators_default() {
    let asked = asked(r#"{"input":"a","dimensions":8}"#);
    let mut target = target("openai");
    target.defaults = json!({"dimensions": 1, "user": "house"}).as_object().unwrap().clone();
    let entry = entry(&target.spec, Operation::Embeddings, "m").unwrap();
    let set: Map<_, _> = json!({"dimensions": 16, "stream": true}).as_object().unwrap().clone();
    let settled = settle(&asked, &target, entry, Some(&set)).unwrap();
    assert_eq!(
        settled.params,
        *json!({"input": "a", "dimensions": 16, "user": "house"}).as_object().unwrap()
    );
}
