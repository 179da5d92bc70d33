//! What the router may want to know of a call: read only when a setting of the operator's needs it.

use std::hash::BuildHasher as _;
use std::sync::OnceLock;

use foldhash::fast::FixedState;
use http::header::USER_AGENT;
use llm_router::{AffinityKinds, Ask, Bond, CountTokens, Deployment, Lar1, prefix};
use llm_types::ResponseFormat;
use serde_json::Value;

use super::{Call, Caller};
use crate::tokens::{Encoding, count};

/// Numbers of tokens that were counted, by encoding, so that nothing is counted twice.
#[derive(Debug, Default)]
pub(crate) struct Counted([OnceLock<u64>; Encoding::COUNT]);

/// Headers that name a session, the most telling first.
const SESSIONS: [&str; 4] =
    ["x-litellm-session-id", "x-session-id", "x-claude-code-session-id", "x-litellm-trace-id"];

/// A hash of some words.
fn hash(words: &[&str]) -> u128 {
    let half = |seed: u64| u128::from(FixedState::with_seed(seed).hash_one(words));
    half(1) << 64 | half(2)
}

/// `metadata.lar1` in the router's terms; what is not said counts as nothing (surface §7.2).
fn lar1(asked: &Value) -> Lar1<'_> {
    let text = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
    let confidence = asked.get("confidence").and_then(Value::as_f64).unwrap_or_default();
    Lar1 { confidence, evidence: text("evidence"), time: text("time") }
}

impl Call {
    /// What is known of the request.
    pub(super) fn ask<'a>(&'a self, tokens: CountTokens<'a>) -> Ask<'a> {
        let settings = self.controls.settings.as_ref().unwrap_or(self.snapshot.routes().settings());
        let by_tags = self.controls.tag_filtering.unwrap_or(settings.tag_filtering);
        let agent = || self.head.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        Ask {
            stream: self.glance.stream,
            tokens: Some(tokens),
            structured: settings.pre_call_checks && self.wants_schema(),
            user_agent: if by_tags { agent() } else { None },
            region: self.controls.region.as_deref(),
            lar1: self.lar1.as_ref().map(lar1),
        }
    }

    /// By what the call is known again: its session, its caller, what of its prompt is warm somewhere.
    pub(super) fn bonds(&self, caller: &Caller) -> Vec<Bond> {
        let settings = self.controls.settings.as_ref().unwrap_or(self.snapshot.routes().settings());
        let kinds = settings.affinity_of(&self.glance.model);
        if kinds == AffinityKinds::default() {
            return Vec::new();
        }
        let bond = |kind: &str, who: &str| Bond {
            key: hash(&[kind, &self.glance.model, caller.word(), who]),
            ttl: settings.affinity_ttl,
            spreads: false,
        };
        let mut bonds = Vec::new();
        if kinds.session
            && let Some(session) = self.session()
        {
            bonds.push(bond("session", session));
        }
        if kinds.prompt
            && let Ok(request) = self.canonical()
        {
            // A team shares what it keeps warm.
            let tenant = caller.team().unwrap_or_else(|| caller.word());
            bonds.extend(prefix::bonds(&request, hash(&["prompt", &self.glance.model, tenant])));
        }
        if kinds.caller {
            bonds.push(bond("caller", ""));
        }
        bonds
    }

    /// The session the request names, by the headers that do (surface §6.2).
    fn session(&self) -> Option<&str> {
        let header = |name: &&str| self.head.headers.get(*name)?.to_str().ok().filter(|id| !id.is_empty());
        SESSIONS.iter().find_map(header)
    }

    /// Whether an answer by a JSON schema is asked for. A body that cannot be read is refused later.
    fn wants_schema(&self) -> bool {
        let is_schema = |format: &ResponseFormat| matches!(format, ResponseFormat::JsonSchema { .. });
        self.canonical().is_ok_and(|request| request.options.response_format.as_ref().is_some_and(is_schema))
    }

    /// The tokens of the prompt as a deployment's model counts them.
    pub(super) fn tokens_for(&self, deployment: &Deployment) -> u64 {
        let model = deployment.base_model.as_deref().unwrap_or(&deployment.target.model);
        let encoding = Encoding::of(model);
        *self.counted.0[encoding as usize].get_or_init(|| match self.canonical() {
            Ok(request) => count(encoding, &request),
            Err(_) => encoding.estimate(self.glance.prompt_bytes),
        })
    }
}
