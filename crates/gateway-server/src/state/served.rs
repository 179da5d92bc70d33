//! A deployment ready to be called: its dialect, price, headers and counters, resolved once.

use std::sync::Arc;

use http::HeaderName;
use llm_providers::catalog::{Adjustments, ModelInfo, ModelQuery, PriceBook};
use llm_providers::dialects::openai::text::completes;
use llm_providers::{Dialect, DialectId, Door, Prefill, PreparedTarget, ProviderSpec, Target, dialects};
use llm_router::Deployment;
use llm_types::{Cost, CostContext, Money, Price, Reach, Usage};

use super::terms::Terms;
use crate::answer::CallHeaders;
use crate::config::{CachePoint, Keepalive, Model as Configured};
use crate::telemetry::{CallCounts, Metrics};

/// One deployment and the model it is called for; wildcards are filled in.
#[derive(Debug)]
pub(crate) struct Served {
    /// What was configured.
    pub(crate) deployment: Arc<Deployment>,
    /// Where to send requests.
    pub(crate) target: PreparedTarget,
    /// The provider's dialect.
    pub(crate) dialect: &'static dyn Dialect,
    /// Its price and limits, where they are known.
    pub(crate) info: Option<Arc<ModelInfo>>,
    /// What is charged beside the price.
    pub(crate) terms: Terms,
    /// Headers on its answers.
    pub(crate) headers: CallHeaders,
    /// What is counted of it.
    pub(crate) counts: Arc<CallCounts>,
    /// How it goes on with an answer that was begun.
    pub(crate) prefill: Prefill,
    /// The answer to give instead of asking the provider (`mock_response`).
    pub(crate) mock_response: Option<String>,
    /// Where its prompts are marked for the provider's cache.
    pub(crate) cache_points: Box<[CachePoint]>,
    /// Whether streams of chats tell thoughts as text.
    pub(crate) tells_thoughts: bool,
    /// After how long a silence its streams get signs of life.
    pub(crate) keepalive: Keepalive,
    /// The header in which it is told the session of a call (`provider_affinity_header`).
    pub(crate) session_header: Option<HeaderName>,
    /// Its host was named by a caller.
    pub(crate) is_elsewhere: bool,
    /// The same model in further protocols of the vendor.
    doors: Vec<Arc<Self>>,
    /// The same model where the vendor searches the web, if not everywhere.
    searching: Option<Arc<Self>>,
}

/// What calls are charged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates<'a> {
    pub(super) book: &'a PriceBook,
    pub(super) adjustments: &'a Adjustments,
}

/// The answer cap assumed in reservations when neither the caller nor the model states one, tokens.
const ASSUMED_ANSWER: u64 = 4_096;

/// LiteLLM's name for going on with an answer that was begun.
const PREFILL: &str = "assistant_prefill";

impl Served {
    /// Resolves an entry of the configuration for a model.
    pub(super) fn new(
        deployment: &Arc<Deployment>,
        configured: &Configured,
        model: &str,
        rates: &Rates<'_>,
        metrics: &Metrics,
    ) -> Self {
        let (spec, model) = by_responses(&deployment.target.spec, model);
        let target = if deployment.target.model == model {
            Arc::clone(&deployment.target)
        } else {
            Arc::new(Target { spec, model: model.to_owned(), ..(*deployment.target).clone() }.routed())
        };
        let info = model_info(configured, target.spec.id.as_str(), model, rates.book);
        let terms = Terms::of(&target, rates.adjustments);
        let can = |ability: &str| info.as_ref().is_some_and(|info| info.supports(ability) == Some(true));
        let target = if target.spec.quirks.differ_by_model() {
            Arc::new(Arc::unwrap_or_clone(target).for_model(can))
        } else {
            target
        };
        let known = info.as_ref().and_then(|info| info.supports(PREFILL));
        let prefill = Prefill::of(&target, configured.overrides.supports(PREFILL), known);
        let provider = target.spec.id.as_str();
        let doors = target.spec.quirks.doors.iter().filter(|door| door.leads_to(&target.model));
        let behind = |target: Arc<Target>| Self {
            dialect: dialects::dialect(target.spec.dialect),
            info: info.clone(),
            terms,
            headers: CallHeaders::of(deployment),
            counts: metrics.calls(&deployment.group, model, provider, deployment.id.as_str()),
            prefill,
            mock_response: configured.mock_response.clone(),
            cache_points: configured.cache_points.clone(),
            tells_thoughts: configured.tells_thoughts,
            keepalive: configured.keepalive,
            session_header: configured.session_header.clone(),
            target: PreparedTarget::new(target),
            deployment: Arc::clone(deployment),
            is_elsewhere: false,
            doors: Vec::new(),
            searching: None,
        };
        let (searching, doors): (Vec<_>, Vec<_>) = doors.partition(|door| door.searches);
        let open = |door: &Door| Arc::new(behind(Arc::new(target.through(door))));
        Self {
            doors: doors.into_iter().map(&open).collect(),
            searching: searching.first().map(|door| open(door)),
            dialect: dialect_of(&target.spec, info.as_deref()),
            info,
            terms,
            headers: CallHeaders::of(deployment),
            counts: metrics.calls(&deployment.group, model, provider, deployment.id.as_str()),
            prefill,
            mock_response: configured.mock_response.clone(),
            cache_points: configured.cache_points.clone(),
            tells_thoughts: configured.tells_thoughts,
            keepalive: configured.keepalive,
            session_header: configured.session_header.clone(),
            target: PreparedTarget::new(target),
            deployment: Arc::clone(deployment),
            is_elsewhere: false,
        }
    }

    /// The same deployment asked otherwise: with a caller's key, and at a caller's host where `is_elsewhere`.
    pub(crate) fn elsewhere(&self, target: Arc<Target>, is_elsewhere: bool) -> Self {
        Self {
            deployment: Arc::clone(&self.deployment),
            target: PreparedTarget::new(target),
            dialect: self.dialect,
            info: self.info.clone(),
            terms: self.terms,
            headers: CallHeaders::of(&self.deployment),
            counts: Arc::clone(&self.counts),
            prefill: self.prefill,
            mock_response: self.mock_response.clone(),
            cache_points: self.cache_points.clone(),
            tells_thoughts: self.tells_thoughts,
            keepalive: self.keepalive,
            session_header: self.session_header.clone(),
            is_elsewhere,
            doors: Vec::new(),
            searching: None,
        }
    }

    /// The same model in a caller's protocol, where the vendor speaks it beside its usual one, or where the vendor
    /// searches the web.
    pub(crate) fn for_caller(
        self: &Arc<Self>,
        caller: DialectId,
        searches: impl FnOnce(&Target) -> bool,
    ) -> Arc<Self> {
        if let Some(door) = &self.searching
            && caller != door.dialect.id()
            && searches(self.target.target())
        {
            return Arc::clone(door);
        }
        let door = self.doors.iter().find(|door| door.dialect.id() == caller);
        Arc::clone(door.unwrap_or(self))
    }

    /// The dialect in which the deployment is asked for a caller: legacy Completions are forwarded
    /// wherever the vendor has them and the model completes texts, Responses wherever it has those.
    pub(crate) fn dialect_for(&self, caller: &'static dyn Dialect) -> &'static dyn Dialect {
        let target = self.target.target();
        let spec = &target.spec;
        let completes = || !spec.quirks.openai_families || completes(&target.model);
        match caller.id() {
            DialectId::OpenaiText if spec.quirks.text_completions && completes() => caller,
            DialectId::OpenaiResponses if spec.quirks.responses => caller,
            _ => self.dialect,
        }
    }

    /// The most a call can cost that reaches so far, for reservations; zero when the model has no price.
    pub(crate) fn worst_case(&self, input_tokens: u64, max_output_tokens: u64, asked: Reach) -> Money {
        let (context, reach) = (self.terms.context(), self.terms.reach(asked));
        self.info.as_ref().map_or(Money::ZERO, |info| {
            info.price.worst_case(input_tokens, max_output_tokens, &context, reach)
        })
    }

    /// What usage costs; `None` when the model has no price and the provider stated none. `info` is the model's
    /// own record, or one for what was asked of it.
    pub(crate) fn cost(
        &self,
        info: Option<&ModelInfo>,
        usage: &Usage,
        call: &CostContext<'_>,
    ) -> Option<Cost> {
        cost_by(&self.terms, info, usage, call)
    }

    /// The answer cap to reserve for, in tokens.
    pub(crate) fn answer_cap(&self, asked: Option<u64>) -> u64 {
        let known = self.info.as_ref().and_then(|info| info.output_limit());
        asked.unwrap_or_else(|| known.unwrap_or(ASSUMED_ANSWER).min(ASSUMED_ANSWER))
    }
}

/// What usage costs on a deployment's terms; `None` when the model has no price and the provider stated none.
pub(crate) fn cost_by(
    terms: &Terms,
    info: Option<&ModelInfo>,
    usage: &Usage,
    call: &CostContext<'_>,
) -> Option<Cost> {
    let terms = terms.context();
    let context = CostContext { adjustment: terms.adjustment, host: terms.host, ..*call };
    match info {
        Some(info) if info.price.is_known() => Some(info.price.cost(usage, &context)),
        _ => usage.stated_cost.map(|_| Price::default().cost(usage, &context)),
    }
}

/// The vendor's record and the model's own name for a name that a wildcard was filled with:
/// `responses/<model>` is to be called by the Responses API.
fn by_responses<'m>(spec: &Arc<ProviderSpec>, model: &'m str) -> (Arc<ProviderSpec>, &'m str) {
    let speaks = spec.quirks.responses || spec.dialect == DialectId::OpenaiResponses;
    match model.strip_prefix("responses/").filter(|name| speaks && !name.is_empty()) {
        None => (Arc::clone(spec), model),
        Some(name) => {
            let spec = ProviderSpec { dialect: DialectId::OpenaiResponses, ..(**spec).clone() };
            (Arc::new(spec), name)
        }
    }
}

/// The dialect a deployment is asked in: that of its vendor, or Responses for models that are called by
/// it alone (`mode: responses` in the price book or in `model_info`).
fn dialect_of(spec: &ProviderSpec, info: Option<&ModelInfo>) -> &'static dyn Dialect {
    let mode = info.and_then(|info| info.mode.as_deref());
    if mode == Some("responses") && spec.quirks.responses {
        return dialects::dialect(DialectId::OpenaiResponses);
    }
    dialects::dialect(spec.dialect)
}

/// The book's record with the operator's settings over it.
pub(super) fn model_info(
    configured: &Configured,
    provider: &str,
    model: &str,
    book: &PriceBook,
) -> Option<Arc<ModelInfo>> {
    let query = ModelQuery::new(provider, model).with_base_model(configured.deployment.base_model.as_deref());
    overlaid(configured, book.lookup(&query))
}

/// A record with the operator's settings over it.
pub(crate) fn overlaid(configured: &Configured, known: Option<Arc<ModelInfo>>) -> Option<Arc<ModelInfo>> {
    if configured.overrides == ModelInfo::default() {
        return known;
    }
    let known = known.map(Arc::unwrap_or_clone).unwrap_or_default();
    Some(Arc::new(known.overlaid(configured.overrides.clone())))
}
