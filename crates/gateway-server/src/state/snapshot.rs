//! What is configured, resolved for the hot path: immutable, swapped whole.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::sync::Arc;

use dashmap::DashMap;
use foldhash::fast::{FixedState, RandomState};
use jiff::tz::TimeZone;
use llm_providers::Prefill;
use llm_providers::catalog::{Image, ModelInfo, ModelQuery, PriceBook};
use llm_router::{Counters, Deployment, Group, Router, RouterSettings, Routes};
use llm_types::{DeploymentId, Error, ErrorKind, Meter, Result};
use serde_json::{Map, Value};

use super::served::{Rates, model_info, overlaid};
use super::{Funds, PriorityShares, Served, Windows};
use crate::clock::TokioClock;
use crate::config::{ClientSide, Config, Model, is_empty, overlaid as laid_over};
use crate::identity::KeyDigest;
use crate::limits::Calendar;
use crate::telemetry::Metrics;

/// Models of wildcard deployments that are kept resolved; beyond it they are resolved per call.
const MOST_WILDCARD_MODELS: usize = 2_048;

/// Different settings of keys and teams that are kept resolved; beyond it they are resolved per call.
const MOST_OVERLAYS: usize = 4_096;

/// One configuration, ready to serve.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// As the operator wrote it, typed.
    pub(crate) config: Config,
    /// Which deployments answer to which name, and the walk through them.
    pub(crate) router: Router,
    /// The digest of the master key.
    pub(crate) master: Option<KeyDigest>,
    /// When days of budgets begin.
    pub(crate) calendar: Calendar,
    /// Whether any group is an auto router.
    has_autos: bool,
    /// Budgets and rates that the configuration sets.
    pub(crate) funds: Funds,
    /// When deployments are kept for some teams.
    pub(crate) windows: Windows,
    /// Whether any deployment asks for the service tier of a request, or whether it searches the web.
    pub(crate) has_hints: bool,
    /// Shares of models' rates by priority.
    pub(crate) priorities: PriorityShares,
    served: HashMap<DeploymentId, Arc<Served>, RandomState>,
    /// Names that lists leave out for callers who are no administrators.
    unlisted: HashSet<Arc<str>>,
    /// Where each deployment stands in `config.models`.
    entries: HashMap<DeploymentId, usize>,
    wildcards: DashMap<(DeploymentId, String), Arc<Served>>,
    /// Settings of keys and teams laid over the router's, by what they say.
    overlays: DashMap<u64, Option<Arc<RouterSettings>>>,
    book: Arc<PriceBook>,
}

/// What a snapshot is resolved with; it outlives configurations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) counters: &'a Counters,
    pub(crate) metrics: &'a Metrics,
    pub(crate) book: &'a Arc<PriceBook>,
    pub(crate) clock: TokioClock,
}

/// A deployment with what the price book and the operator say of its model.
fn known(model: &Model, book: &PriceBook) -> Deployment {
    let mut deployment = model.deployment.clone();
    let provider = deployment.target.spec.id.as_str();
    let Some(info) = model_info(model, provider, &deployment.target.model, book) else { return deployment };
    deployment.max_input_tokens = info.max_input;
    deployment.max_output_tokens = info.max_output;
    deployment.cached_from = info.cached_from();
    deployment.vision = info.supports("vision");
    deployment.structured = info.supports("response_schema");
    deployment.token_price = info.price.usd_per_token();
    let cache = [Meter::CacheRead, Meter::CacheWrite].map(|meter| info.price.usd_per_unit(meter));
    deployment.cache_price = (cache[0], cache[1]);
    deployment
}

/// Names none of whose deployments is to be listed, public names of teams included.
fn unlisted(models: &[Model]) -> HashSet<Arc<str>> {
    let names = |model: &Model| {
        let public = model.deployment.team_public_model_name.as_deref().map(Arc::from);
        [Some(Arc::clone(&model.deployment.group)), public].into_iter().flatten()
    };
    let (listed, hidden): (Vec<&Model>, Vec<&Model>) = models.iter().partition(|model| model.listed);
    let mut unlisted: HashSet<Arc<str>> = hidden.into_iter().flat_map(names).collect();
    for name in listed.into_iter().flat_map(names) {
        unlisted.remove(&name);
    }
    unlisted
}

impl Snapshot {
    /// Resolves a configuration.
    pub(crate) fn new(config: Config, cx: &Surroundings<'_>) -> Self {
        let deployments: Vec<Deployment> = config.models.iter().map(|model| known(model, cx.book)).collect();
        let infer = |name: &str| llm_providers::bare_owner(name).map(Cow::Borrowed);
        let routes = Routes::new(deployments, config.router.clone(), cx.counters, Some(infer));
        let rates = Rates { book: cx.book, adjustments: &config.calls.adjustments };
        let served = routes
            .deployments()
            .iter()
            .zip(&config.models)
            .filter(|(deployment, _)| !deployment.is_wildcard())
            .map(|(deployment, model)| {
                let served = Served::new(deployment, model, &deployment.target.model, &rates, cx.metrics);
                (deployment.id.clone(), Arc::new(served))
            })
            .collect();
        let entries =
            config.models.iter().enumerate().map(|(at, model)| (model.deployment.id.clone(), at)).collect();
        let zone = TimeZone::get(&config.budgets.timezone).unwrap_or(TimeZone::UTC);
        let calendar = Calendar { zone, at: config.budgets.reset_time };
        let master = config.general.master_key.as_ref().map(|key| KeyDigest::of(key.reveal().as_bytes()));
        let router = Router::new(Arc::new(routes), Arc::new(cx.clock));
        let has_autos = config.models.iter().any(|model| model.deployment.auto.is_some());
        let (funds, priorities) = (Funds::of(&config), PriorityShares::of(&config));
        let windows = Windows::of(&config);
        let wants_hints = |one: &Deployment| {
            one.web_search == Some(false) || one.tier_timeouts.iter().any(|times| !times.is_empty())
        };
        let has_hints = config.models.iter().any(|model| wants_hints(&model.deployment));
        Self {
            has_autos,
            funds,
            priorities,
            windows,
            has_hints,
            unlisted: unlisted(&config.models),
            config,
            router,
            master,
            calendar,
            served,
            entries,
            wildcards: DashMap::new(),
            overlays: DashMap::new(),
            book: Arc::clone(cx.book),
        }
    }

    /// What callers may bring along for a deployment.
    pub(crate) fn client_side(&self, id: &DeploymentId) -> Option<&ClientSide> {
        self.entries.get(id).and_then(|at| self.config.models.get(*at)).map(|model| &model.client_side)
    }

    /// Whether callers may bring a key or an address of their own for any deployment.
    pub(crate) fn takes_credentials(&self) -> bool {
        self.config.general.client_credentials
            || self.config.models.iter().any(|model| model.client_side.any())
    }

    /// Whether any group is an auto router.
    pub(crate) fn has_autos(&self) -> bool {
        self.has_autos
    }

    /// Whether lists leave a name out for callers who are no administrators.
    pub(crate) fn is_unlisted(&self, name: &str) -> bool {
        self.unlisted.contains(name)
    }

    /// A deployment by its id.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when it is not of this configuration.
    pub(crate) fn deployment(&self, id: &DeploymentId) -> Result<&Arc<Deployment>> {
        let at = self.entries.get(id).and_then(|at| self.routes().deployments().get(*at));
        at.ok_or_else(|| Error::new(ErrorKind::Internal, "the deployment is not of this configuration"))
    }

    /// The deployment, ready to be called for a model.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the deployment is not of this configuration.
    pub(crate) fn served(
        &self,
        deployment: &Arc<Deployment>,
        model: &str,
        metrics: &Metrics,
    ) -> Result<Arc<Served>> {
        if let Some(served) = self.served.get(&deployment.id)
            && served.target.target().model == model
        {
            return Ok(Arc::clone(served));
        }
        let key = (deployment.id.clone(), model.to_owned());
        if let Some(served) = self.wildcards.get(&key) {
            return Ok(Arc::clone(&served));
        }
        let entry = self.entries.get(&deployment.id).and_then(|at| self.config.models.get(*at));
        let Some(entry) = entry else {
            return Err(Error::new(ErrorKind::Internal, "the deployment is not of this configuration"));
        };
        let rates = Rates { book: &self.book, adjustments: &self.config.calls.adjustments };
        let served = Arc::new(Served::new(deployment, entry, model, &rates, metrics));
        if self.wildcards.len() < MOST_WILDCARD_MODELS {
            self.wildcards.insert(key, Arc::clone(&served));
        }
        Ok(served)
    }

    /// The auto router that answers to a name, where one does.
    pub(crate) fn auto(&self, name: &str, team: Option<&str>) -> Option<Arc<Deployment>> {
        if !self.has_autos {
            return None;
        }
        let route = self.routes().resolve(name, team)?;
        let deployment = &route.group.candidates.first()?.deployment;
        deployment.auto.is_some().then(|| Arc::clone(deployment))
    }

    /// Whether a deployment may go on with an answer that was begun; that of a wildcard is known when its
    /// model is.
    pub(crate) fn goes_on(&self, id: &DeploymentId) -> bool {
        self.served.get(id).is_none_or(|served| served.prefill != Prefill::None)
    }

    /// Which deployments answer to which name.
    pub(crate) fn routes(&self) -> &Routes {
        self.router.routes()
    }

    /// The access groups of the deployments behind a group.
    pub(crate) fn access_groups(group: &Group) -> Vec<String> {
        group
            .candidates
            .iter()
            .flat_map(|candidate| candidate.deployment.access_groups.iter().cloned())
            .collect()
    }

    /// The router's settings with what a team and a key say over them, the key last; `None` where both say
    /// nothing, or what they say is wrong.
    pub(crate) fn overlaid(&self, own: [Option<&Value>; 2]) -> Option<Arc<RouterSettings>> {
        let said = own.into_iter().flatten().filter(|value| !is_empty(value));
        let said: Vec<&Value> = said.collect();
        if said.is_empty() {
            return None;
        }
        let words: Vec<String> = said.iter().map(ToString::to_string).collect();
        let key = FixedState::with_seed(words.len() as u64).hash_one(&words);
        if let Some(known) = self.overlays.get(&key) {
            return known.clone();
        }
        let mut settings = (**self.routes().settings()).clone();
        for value in said {
            match laid_over(&settings, value) {
                Ok(next) => settings = next,
                Err(problems) => {
                    tracing::warn!(
                        ?problems,
                        "the `router_settings` of a key or team are wrong: they have no effect"
                    );
                }
            }
        }
        self.routes().watch_for(&settings);
        let settings = Some(Arc::new(settings));
        if self.overlays.len() < MOST_OVERLAYS {
            self.overlays.insert(key, settings.clone());
        }
        settings
    }

    /// The price book.
    pub(crate) fn book(&self) -> &Arc<PriceBook> {
        &self.book
    }

    /// What the price book knows of a provider's model.
    pub(crate) fn known(&self, provider: &str, model: &str) -> Option<Arc<ModelInfo>> {
        self.book.lookup(&ModelQuery::new(provider, model))
    }

    /// What a model costs that makes a picture of this size and quality.
    pub(crate) fn priced(&self, served: &Served, image: Image<'_>) -> Option<Arc<ModelInfo>> {
        let entry = self.entries.get(&served.deployment.id).and_then(|at| self.config.models.get(*at))?;
        let target = served.target.target();
        let query = ModelQuery::new(target.spec.id.as_str(), &target.model)
            .with_base_model(entry.deployment.base_model.as_deref())
            .with_image(Some(image));
        overlaid(entry, self.book.lookup(&query))
    }

    /// `model_info` of an entry as `/model/info` shows it: the operator's words over the price book's.
    pub(crate) fn info_of(&self, model: &Model) -> Map<String, Value> {
        let deployment = &model.deployment;
        let query = ModelQuery::new(deployment.target.spec.id.as_str(), &deployment.target.model)
            .with_base_model(deployment.base_model.as_deref());
        let mut info = self.book.lookup(&query).map(|known| known.to_litellm()).unwrap_or_default();
        info.extend((*deployment.model_info).clone());
        info
    }
}
