//! What the router may want to know of a call: read only when a setting of the operator's needs it.

use std::hash::BuildHasher as _;
use std::sync::OnceLock;

use foldhash::fast::FixedState;
use http::HeaderName;
use http::header::USER_AGENT;
use jiff::Timestamp;
use llm_providers::tokens::{Encoding, count};
use llm_router::{AffinityKinds, Ask, Bond, CountTokens, Deployment, Group, Lar1, RouterSettings, prefix};
use llm_types::{ChatRequest, Message, Reach, ResponseFormat, Role, SearchContext};
use serde::Deserialize;
use serde_json::Value;

use super::{Call, Caller};
use crate::state::reach_of;

/// Numbers of tokens that were counted, by encoding, so that nothing is counted twice.
#[derive(Debug, Default)]
pub(crate) struct Counted([OnceLock<u64>; Encoding::COUNT]);

/// The longest prompt that is counted on a core's own thread, in bytes: some 0.2 ms.
const IN_PLACE: u64 = 4 * 1024;
/// Tokens that a prompt of short texts may have beyond its bytes.
const OVERHEAD: u64 = 64;
/// Members whose tokens have nothing to do with their bytes: pictures, sounds, documents.
const MEDIA: [&str; 11] = [
    "image_url",
    "input_audio",
    "file",
    "video_url",
    "source",
    "inlineData",
    "inline_data",
    "fileData",
    "file_data",
    "image",
    "document",
];

/// The member for reasoning that only the organisation can read that wrote it; requests that want it so name it in
/// `include`. <https://platform.openai.com/docs/guides/reasoning>
const SEALED: &[u8] = b"encrypted_content";

/// Headers that name a session, the most telling first.
static SESSIONS: [HeaderName; 4] = [
    HeaderName::from_static("x-litellm-session-id"),
    HeaderName::from_static("x-session-id"),
    HeaderName::from_static("x-claude-code-session-id"),
    HeaderName::from_static("x-litellm-trace-id"),
];
/// Which of them names a trace, which is a session where no other is named.
const TRACE: usize = 3;

/// What few want to know of a request: deployments with rules of their own, and whoever prices a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hints {
    /// The service tier it asks for; the provider's word of what it served beats it.
    pub(super) tier: Option<String>,
    /// It wants the web to be searched.
    web_search: bool,
    /// How much web searches are to read.
    pub(super) search: SearchContext,
}

impl Hints {
    /// Those of a body; none where it cannot be read, which is told later.
    fn of(body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        struct Told {
            #[serde(default)]
            service_tier: Value,
            #[serde(default)]
            web_search_options: Value,
            #[serde(default)]
            tools: Value,
        }
        let told: Told = serde_json::from_slice(body).unwrap_or_default();
        let tools = told.tools.as_array().map_or(&[][..], Vec::as_slice);
        let searches = |tool: &Value| {
            tool.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("web_search"))
        };
        let size = std::iter::once(&told.web_search_options)
            .chain(tools)
            .find_map(|from| from.get("search_context_size")?.as_str());
        Self {
            tier: told.service_tier.as_str().map(str::to_owned),
            web_search: tools.iter().any(searches),
            search: size.map_or(SearchContext::default(), SearchContext::of_word),
        }
    }
}

/// What a call is known again by, with the name that was asked for and the caller.
pub(super) const SESSION: &str = "session";
pub(super) const CALLER: &str = "caller";

/// By one thing a call is known again: calls of one caller for one name.
pub(super) fn bond(
    kind: &str,
    (model, caller, who): (&str, &Caller, &str),
    settings: &RouterSettings,
) -> Bond {
    let key = hash(&[kind, model, caller.word(), who]);
    Bond { key, ttl: settings.affinity_ttl, spreads: false, tokens: None }
}

/// What a call that is not made would be known again by: its session, where one is named, and its caller.
pub(crate) fn bonds_of(
    model: &str,
    caller: &Caller,
    session: Option<&str>,
    settings: &RouterSettings,
) -> Vec<Bond> {
    let kinds = settings.affinity_of(model);
    let session = session.filter(|_| kinds.session).map(|session| (SESSION, session));
    let all = session.into_iter().chain(kinds.caller.then_some((CALLER, "")));
    all.map(|(kind, who)| bond(kind, (model, caller, who), settings)).collect()
}

/// Who keeps a prompt warm: a team shares what it does.
pub(crate) fn prompt_tenant(caller: &Caller, model: &str) -> u128 {
    hash(&["prompt", model, caller.team().unwrap_or_else(|| caller.word())])
}

/// A hash of some words.
pub(super) fn hash(words: &[&str]) -> u128 {
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
        let agent = || self.head.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        Ask {
            stream: self.glance.stream,
            tokens: Some(tokens),
            at_most: self.at_most(),
            output: self.glance.max_tokens,
            structured: settings.pre_call_checks && self.wants_schema(),
            web_search: self.hints().is_some_and(|hints| hints.web_search),
            tier: self.hints().and_then(|hints| hints.tier.as_deref()),
            reserved: None,
            user_agent: agent(),
            region: self.controls.region.as_deref(),
            advice: None,
            lar1: self.lar1.as_ref().map(lar1),
        }
    }

    /// What a few deployments want to know of the request; nothing where no deployment does.
    fn hints(&self) -> Option<&Hints> {
        let told = self.snapshot.has_hints && (self.holds("service_tier") || self.holds("tools"));
        told.then(|| self.hints_of_body())
    }

    fn hints_of_body(&self) -> &Hints {
        self.hints.get_or_init(|| Hints::of(&self.body))
    }

    /// What the request asks for that has a price of its own; read only where its members say so.
    pub(super) fn priced_hints(&self) -> Hints {
        let told = self.holds("service_tier") || self.holds("search_context_size");
        if told { self.hints_of_body().clone() } else { Hints::default() }
    }

    /// How dear the request can make a call.
    pub(super) fn reach(&self) -> Reach {
        reach_of(|name| self.holds(name))
    }

    /// Whether a member of the body may have a name.
    fn holds(&self, name: &str) -> bool {
        self.glance.may_hold(name) && may_name(&self.body, name)
    }

    /// Whether a deployment is kept for other teams now.
    pub(super) fn is_reserved(&self, deployment: &Deployment, team: Option<&str>) -> bool {
        let now = Timestamp::from_millisecond(self.started_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        self.snapshot.windows.reserved(&deployment.id, team, now)
    }

    /// By what the call is known again: its session, its caller, what of its prompt is warm somewhere.
    pub(super) fn bonds(&self, caller: &Caller) -> Vec<Bond> {
        let settings = self.controls.settings.as_ref().unwrap_or(self.snapshot.routes().settings());
        let mut kinds = settings.affinity_of(&self.glance.model);
        if let Some(routed) = &self.routed {
            kinds.session |= routed.sticky && self.session().is_some();
            // A group that is named because a prompt is warm there is of no use at another deployment of it.
            kinds.prompt |= routed.beginning.is_some();
        }
        if kinds == AffinityKinds::default() {
            return Vec::new();
        }
        let bond = |kind: &str, who: &str| bond(kind, (&self.glance.model, caller, who), settings);
        let mut bonds = Vec::new();
        if kinds.session
            && let Some(session) = self.session()
        {
            bonds.push(bond(SESSION, session));
        }
        if kinds.prompt
            && let Ok(request) = self.canonical()
        {
            let tenant = prompt_tenant(caller, &self.glance.model);
            bonds.extend(prefix::bonds(&request, tenant, self.cached_from(caller.team())));
        }
        if kinds.sealed
            && memchr::memmem::find(&self.body, SEALED).is_some()
            && let Ok(request) = self.canonical()
        {
            bonds.push(bond("sealed", &beginning(&request)));
        }
        if kinds.caller {
            bonds.push(bond(CALLER, ""));
        }
        bonds
    }

    /// The shortest beginning of a prompt, in tokens, that any deployment may keep warm.
    fn cached_from(&self, team: Option<&str>) -> u64 {
        let Some(route) = self.snapshot.routes().resolve(&self.glance.model, team) else {
            return prefix::USUAL;
        };
        let callable = route.group.candidates.iter().filter(|one| one.deployment.auto.is_none());
        let of_model = callable.map(|one| {
            let model = route.model(&one.deployment);
            let served = self.snapshot.served(&one.deployment, &model, &self.core.shared.metrics);
            let known = served.ok().and_then(|served| served.info.as_ref()?.cached_from());
            known.unwrap_or(prefix::USUAL)
        });
        of_model.min().unwrap_or(prefix::USUAL)
    }

    /// The session the request names, by the headers that do (surface §6.2).
    pub(super) fn session(&self) -> Option<&str> {
        // One pass: most calls have few headers and none of these, and each look by name would hash it.
        let rank = |name: &HeaderName| SESSIONS.iter().position(|session| session == name);
        let named = self.head.headers.iter().filter_map(|(name, id)| Some((rank(name)?, id)));
        let told = named.filter_map(|(rank, id)| Some((rank, id.to_str().ok()?)));
        let best = told.filter(|(_, id)| !id.is_empty()).min_by_key(|(rank, _)| *rank);
        let trace = best.filter(|(rank, _)| *rank == TRACE).map(|(_, id)| id);
        let session = best.filter(|(rank, _)| *rank != TRACE).map(|(_, id)| id);
        session.or(self.session.as_deref()).or(trace).or(self.trace.as_deref())
    }

    /// Whether an answer by a JSON schema is asked for. A body that cannot be read is refused later.
    fn wants_schema(&self) -> bool {
        let is_schema = |format: &ResponseFormat| matches!(format, ResponseFormat::JsonSchema { .. });
        self.canonical().is_ok_and(|request| request.options.response_format.as_ref().is_some_and(is_schema))
    }

    /// More tokens than the prompt has, told from its bytes; 0 where media are in it.
    fn at_most(&self) -> u64 {
        match MEDIA.iter().any(|member| self.glance.may_hold(member)) {
            true => 0,
            false => self.glance.prompt_bytes + OVERHEAD,
        }
    }

    /// Counts a long prompt beside the data plane, where the router is going to ask for its tokens: other calls
    /// of this core need not wait for it.
    pub(super) async fn count_ahead(&self, team: Option<&str>) {
        let settings = self.controls.settings.as_ref().unwrap_or(self.snapshot.routes().settings());
        let limits = settings.strategy_of(&self.glance.model).0.limits;
        if !settings.pre_call_checks && !settings.enforce_limits && !limits {
            return;
        }
        let Some(route) = self.snapshot.routes().resolve(&self.glance.model, team) else { return };
        for encoding in encodings(route.group, settings, self.at_most()) {
            let short = self.glance.prompt_bytes <= IN_PLACE && encoding.is_loaded();
            let slot = &self.counted.0[encoding as usize];
            if short || slot.get().is_some() {
                continue;
            }
            let Ok(request) = self.canonical() else { return };
            let counting = self.core.shared.control.spawn_blocking(move || count(encoding, &request));
            // A count that was interrupted is made in place.
            if let Ok(tokens) = counting.await {
                let _counted_meanwhile = slot.set(tokens);
            }
        }
    }

    /// The tokens of the prompt as a deployment's model counts them. A long prompt that was not counted
    /// ahead, because only a fallback's model counts that way, is what another model counted, or estimated.
    pub(super) fn tokens_for(&self, deployment: &Deployment) -> u64 {
        let encoding = encoding_of(deployment);
        let long = self.glance.prompt_bytes > IN_PLACE || !encoding.is_loaded();
        let slots = &self.counted.0;
        if long && encoding.is_exact() && slots[encoding as usize].get().is_none() {
            let others = [Encoding::O200k, Encoding::Cl100k].into_iter();
            let known = others.filter_map(|other| slots[other as usize].get().copied()).next();
            return known.unwrap_or_else(|| self.tokens_by(Encoding::Unknown));
        }
        self.tokens_by(encoding)
    }

    fn tokens_by(&self, encoding: Encoding) -> u64 {
        *self.counted.0[encoding as usize].get_or_init(|| match self.canonical() {
            Ok(request) => count(encoding, &request),
            Err(_) => encoding.estimate(self.glance.prompt_bytes),
        })
    }
}

/// How a conversation began: what was said before the first answer.
pub(super) fn beginning(request: &ChatRequest) -> String {
    let asked = request.messages.iter().take_while(|message| message.role != Role::Assistant);
    asked.map(Message::text).collect::<Vec<_>>().join("\n")
}

/// Whether a name may stand in a body: escapes can hide it.
fn may_name(body: &[u8], name: &str) -> bool {
    [name, "\\u"].iter().any(|text| memchr::memmem::find(body, text.as_bytes()).is_some())
}

/// How a deployment's model counts.
fn encoding_of(deployment: &Deployment) -> Encoding {
    Encoding::of(deployment.base_model.as_deref().unwrap_or(&deployment.target.model))
}

/// The encodings in which the router is going to ask for the tokens of a prompt with so many at most.
fn encodings(group: &Group, settings: &RouterSettings, at_most: u64) -> Vec<Encoding> {
    let limits = settings.strategy_of(&group.name).0.limits;
    let mut found = Vec::new();
    for candidate in &group.candidates {
        let one = &candidate.deployment;
        let beyond = |limit: u64| at_most == 0 || limit < at_most;
        let checked = settings.pre_call_checks && one.max_input_tokens.is_some_and(beyond);
        let limited = (limits && one.tpm.is_some()) || (settings.enforce_limits && one.itpm.is_some());
        let encoding = encoding_of(one);
        if (checked || limited) && !found.contains(&encoding) {
            found.push(encoding);
        }
    }
    found
}

#[cfg(test)]
mod tests;
