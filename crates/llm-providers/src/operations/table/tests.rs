//! The table of vendors is sorted, and every entry can be reached.

use std::collections::HashSet;

use llm_types::Operation;

use super::{entries, entry, has_nameless};
use crate::Registry;

#[test]
fn entries_stand_in_the_order_of_operations_and_slugs() {
    let keys: Vec<_> = entries().map(|entry| (entry.operation, entry.provider)).collect();
    assert!(keys.is_sorted(), "{:?}", keys.windows(2).find(|pair| pair[0] > pair[1]));
}

#[test]
fn no_entry_hides_behind_another() {
    let mut all = HashSet::new();
    for entry in entries() {
        let whole = (entry.provider, entry.operation);
        assert!(!all.contains(&whole), "{whole:?} comes after an entry for all models");
        if entry.models.is_empty() {
            all.insert(whole);
        }
    }
}

#[test]
fn a_vendor_that_is_not_listed_has_no_endpoint_and_a_users_own_has_openais() {
    let built_in = Registry::built_in();
    let groq = built_in.provider("groq").unwrap();
    assert!(entry(groq, Operation::Embeddings, "m").is_none());
    let mut own = (**groq).clone();
    own.id = llm_types::ProviderId::known("house");
    for operation in Operation::ALL {
        assert!(entry(&own, operation, "m").is_some(), "{operation:?}");
    }
    own.dialect = crate::DialectId::Anthropic;
    assert!(entry(&own, Operation::Embeddings, "m").is_none());
}

#[test]
fn what_needs_no_models_name_is_asked_without_and_nothing_else_is() {
    let spec = |slug: &str| Registry::built_in().provider(slug).unwrap().clone();
    let (google, openai) = (spec("vertex_ai"), spec("openai"));
    assert!(has_nameless(&google) && !has_nameless(&openai));
    assert!(entry(&google, Operation::Speech, "").is_some());
    assert!(entry(&google, Operation::ImageGeneration, "").is_none());
    assert!(entry(&openai, Operation::Speech, "").is_none());
}

#[test]
fn models_choose_their_wire() {
    let bedrock = Registry::built_in();
    let bedrock = bedrock.provider("bedrock").unwrap();
    let wire =
        |model: &str| format!("{:?}", entry(bedrock, Operation::Embeddings, model).map(|entry| entry.wire));
    assert_eq!(wire("amazon.titan-embed-text-v1"), "Some(TitanOne)");
    assert_eq!(wire("amazon.titan-embed-text-v2:0"), "Some(TitanTwo)");
    assert_eq!(wire("amazon.titan-embed-image-v1"), "Some(TitanImage)");
    assert_eq!(wire("cohere.embed-v4:0"), "Some(Invoke)");
    assert_eq!(wire("us.cohere.embed-v4:0"), "Some(Invoke)");
    assert_eq!(wire("anthropic.claude-3"), "None");
}
