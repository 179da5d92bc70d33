//! All routes of one configuration, immutable: which deployments answer to which name.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::affinity::Affinity;
use crate::hedge::{self, Budget};
use crate::peers::Known;
use crate::wildcard::{Captures, Pattern};
use crate::{Candidate, Counters, Deployment, DeploymentState, Group, Peers, RouterSettings};

/// Says which provider a bare model name belongs to, by its slug, so that `gpt-4o` finds `openai/*`:
/// [`llm_providers::bare_owner`].
pub type InferProvider = fn(&str) -> Option<Cow<'static, str>>;

/// The routes of one configuration. LiteLLM surface §2.2.
#[derive(Debug)]
pub struct Routes {
    settings: Arc<RouterSettings>,
    deployments: Vec<Arc<Deployment>>,
    /// Groups, aliases and deployment ids: everything that is called by its exact name.
    exact: HashMap<Arc<str>, Named, RandomState>,
    patterns: Vec<Wildcard>,
    teams: HashMap<String, TeamRoutes>,
    catch_all: Option<Wildcard>,
    by_model: HashMap<Arc<str>, Arc<Group>>,
    listed: Vec<Arc<str>>,
    affinity: Arc<Affinity>,
    hedges: Arc<Budget>,
    /// What happened to each deployment.
    states: Vec<Arc<DeploymentState>>,
    infer: Option<InferProvider>,
}

#[derive(Debug)]
enum Named {
    Group(Arc<Group>),
    /// An alias of a name that is no group itself but may match a pattern.
    Alias(Arc<str>),
}

#[derive(Debug)]
struct Wildcard {
    pattern: Pattern,
    group: Arc<Group>,
}

/// The deployments a team owns, by the names the team calls them.
#[derive(Debug, Default)]
struct TeamRoutes {
    exact: HashMap<Arc<str>, Arc<Group>>,
    patterns: Vec<Wildcard>,
}

/// Where a name leads.
#[derive(Debug, Clone)]
pub struct Route<'r> {
    /// The name that was asked for; answers and headers keep it, also when it is an alias.
    pub name: &'r str,
    /// The deployments.
    pub group: &'r Arc<Group>,
    /// What the stars of the group's pattern stood for.
    pub captures: Option<Captures<'r>>,
}

impl<'r> Route<'r> {
    /// Whether two routes lead to the same models.
    pub(crate) fn leads_where(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.group, other.group) && self.captures == other.captures
    }

    /// The model to ask a deployment of this route for, in its provider's words.
    #[must_use]
    pub fn model(&self, deployment: &'r Deployment) -> Cow<'r, str> {
        let Some(captures) = &self.captures else {
            return Cow::Borrowed(&deployment.target.model);
        };
        if !deployment.model.contains('*') {
            return Cow::Borrowed(&deployment.target.model);
        }
        let full = captures.substitute(&deployment.model);
        let provider = deployment.target.spec.id.as_str();
        match full.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')) {
            Some(model) => Cow::Owned(model.to_owned()),
            None => Cow::Owned(full),
        }
    }
}

impl Routes {
    /// Builds the routes. `counters` outlive them and are found again by deployment id.
    #[must_use]
    pub fn new(
        deployments: Vec<Deployment>,
        settings: RouterSettings,
        counters: &Counters,
        infer: Option<InferProvider>,
    ) -> Self {
        let deployments: Vec<Arc<Deployment>> = deployments.into_iter().map(Arc::new).collect();
        let mut build = Build::new(&deployments, &settings, counters);
        build.add_aliases(&settings);
        build.add_ids();
        Self {
            exact: build.exact,
            patterns: build.patterns,
            teams: build.teams,
            catch_all: build.catch_all,
            by_model: build.by_model,
            listed: build.listed,
            settings: Arc::new(settings),
            affinity: Arc::clone(counters.affinity()),
            hedges: Arc::clone(counters.hedges()),
            states: deployments.iter().map(|one| counters.of(&one.id)).collect(),
            deployments,
            infer,
        }
    }

    /// How many second tries there may be.
    pub(crate) fn hedges(&self) -> &Budget {
        &self.hedges
    }

    /// Where callers have been before.
    pub(crate) fn affinity(&self) -> &Affinity {
        &self.affinity
    }

    /// The settings the routes were built with.
    #[must_use]
    pub fn settings(&self) -> &Arc<RouterSettings> {
        &self.settings
    }

    /// Keeps from now on what other settings than the routes' own want to know of deployments, for keys, teams and
    /// calls that bring some. Once for the same settings is enough.
    pub fn watch_for(&self, settings: &RouterSettings) {
        for (deployment, state) in self.deployments.iter().zip(&self.states) {
            let (strategy, args) = settings.strategy_of(&deployment.group);
            if strategy.lists {
                state.keep_latencies(args.latencies);
            }
        }
    }

    /// Every deployment, in the order of the configuration.
    #[must_use]
    pub fn deployments(&self) -> &[Arc<Deployment>] {
        &self.deployments
    }

    /// The names `/v1/models` shows: aliases, groups, then patterns as written. What teams own is left
    /// out: see [`Routes::team_names`].
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.listed
    }

    /// The public names a team has for the deployments it owns, in the order of the configuration.
    #[must_use]
    pub fn team_names(&self, team: &str) -> Vec<&str> {
        let owned = self.deployments.iter().filter(|one| one.team_id.as_deref() == Some(team));
        let public = owned.map(|one| one.team_public_model_name.as_deref().unwrap_or(&one.group));
        let mut names: Vec<&str> = Vec::new();
        for name in public {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Finds the deployments a name leads to, in the order of LiteLLM surface §2.2: what the caller's
    /// team owns, exact names (ids, aliases, groups), patterns, the team's patterns, `*`, a
    /// deployment's own model. Allocates only for patterns.
    #[must_use]
    pub fn resolve<'r>(&'r self, name: &'r str, team: Option<&str>) -> Option<Route<'r>> {
        let route = |group| Route { name, group, captures: None };
        let team = team.and_then(|team| self.teams.get(team));
        if let Some(group) = team.and_then(|team| team.exact.get(name)) {
            return Some(route(group));
        }
        match self.exact.get(name) {
            Some(Named::Group(group)) => Some(route(group)),
            Some(Named::Alias(target)) => {
                let found = self.resolve_pattern(target, team)?;
                Some(Route { name, ..found })
            }
            None => self.resolve_pattern(name, team),
        }
    }

    fn resolve_pattern<'r>(&'r self, name: &'r str, team: Option<&'r TeamRoutes>) -> Option<Route<'r>> {
        let qualified = match self.infer {
            Some(infer) if !name.contains('/') => infer(name).map(|provider| format!("{provider}/{name}")),
            _ => None,
        };
        let find = |wildcards: &'r [Wildcard]| {
            let first = |text: Cow<'r, str>| {
                wildcards.iter().find_map(|one| Some((&one.group, one.pattern.matches(text.clone())?)))
            };
            first(Cow::Borrowed(name)).or_else(|| first(Cow::Owned(qualified.clone()?)))
        };
        let found = find(&self.patterns)
            .or_else(|| team.and_then(|team| find(&team.patterns)))
            .or_else(|| find(self.catch_all.as_slice()));
        match found {
            Some((group, captures)) => Some(Route { name, group, captures: Some(captures) }),
            None => self.by_model.get(name).map(|group| Route { name, group, captures: None }),
        }
    }
}

/// The tables under construction.
struct Build {
    exact: HashMap<Arc<str>, Named, RandomState>,
    patterns: Vec<Wildcard>,
    teams: HashMap<String, TeamRoutes>,
    catch_all: Option<Wildcard>,
    by_model: HashMap<Arc<str>, Arc<Group>>,
    listed: Vec<Arc<str>>,
    candidates: Vec<Candidate>,
}

type Bundles = IndexMap<Arc<str>, Vec<Candidate>>;

impl Build {
    fn new(deployments: &[Arc<Deployment>], settings: &RouterSettings, counters: &Counters) -> Self {
        let mut groups = Bundles::new();
        let mut teams: IndexMap<String, Bundles> = IndexMap::new();
        let mut models = Bundles::new();
        let mut candidates = Vec::with_capacity(deployments.len());
        let known = |one: &Arc<Deployment>| (Arc::clone(one), counters.of(&one.id));
        let all: Vec<Known> = deployments.iter().map(known).collect();
        let peers = Peers::of_all(&all);
        for ((deployment, state), peers) in all.iter().zip(peers) {
            let (strategy, args) = settings.strategy_of(&deployment.group);
            if settings.hedging.is_some() {
                state.keep_latencies(hedge::KEPT);
            } else if strategy.lists {
                state.keep_latencies(args.latencies);
            }
            let parallel = settings.default_max_parallel_requests;
            let candidate = Candidate::new(Arc::clone(deployment), Arc::clone(state), parallel).among(peers);
            let add = |bundles: &mut Bundles, name: &Arc<str>| {
                bundles.entry(Arc::clone(name)).or_default().push(candidate.clone());
            };
            // What a team owns is only in the team's tables, so that no other name leads to it.
            if let Some(team) = &deployment.team_id {
                let bundles = teams.entry(team.clone()).or_default();
                if let Some(name) = &deployment.team_public_model_name {
                    add(bundles, &name.as_str().into());
                }
                add(bundles, &deployment.group);
                add(bundles, &deployment.id.0);
                continue;
            }
            add(&mut groups, &deployment.group);
            add(&mut models, &deployment.model);
            candidates.push(candidate);
        }
        let mut build = Self {
            exact: HashMap::default(),
            patterns: Vec::new(),
            teams: teams.into_iter().map(|(team, bundles)| (team, TeamRoutes::new(bundles))).collect(),
            catch_all: None,
            by_model: models.into_iter().map(|(name, all)| (Arc::clone(&name), bundle(name, all))).collect(),
            listed: Vec::new(),
            candidates,
        };
        build.add_groups(groups);
        build.add_routing_groups(settings);
        build
    }

    /// The name of a routing group stands for all its groups, unless a group has it; with priorities its
    /// groups are levels.
    fn add_routing_groups(&mut self, settings: &RouterSettings) {
        for routing in &settings.routing_groups {
            let name: Arc<str> = routing.name.as_str().into();
            if self.exact.contains_key(&name) {
                continue;
            }
            let mut all = Vec::new();
            for model in &routing.models {
                let Some(Named::Group(group)) = self.exact.get(model.as_str()) else { continue };
                let level = routing.priorities.get(model).copied();
                all.extend(group.candidates.iter().cloned().map(|one| match level {
                    Some(level) => Candidate { level, ..one },
                    None => one,
                }));
            }
            if !all.is_empty() {
                self.exact.insert(Arc::clone(&name), Named::Group(bundle(name, all)));
            }
        }
    }

    fn add_groups(&mut self, groups: Bundles) {
        let mut shown = Vec::new();
        for (name, all) in groups {
            let group = bundle(Arc::clone(&name), all);
            shown.push((name.contains('*'), Arc::clone(&name)));
            match &*name {
                "*" => self.catch_all = Some(Wildcard { pattern: Pattern::new("*"), group }),
                text if text.contains('*') => {
                    self.patterns.push(Wildcard { pattern: Pattern::new(text), group });
                }
                _ => {
                    self.exact.insert(name, Named::Group(group));
                }
            }
        }
        self.patterns.sort_by_key(|wildcard| Pattern::rank(&wildcard.group.name));
        shown.sort_by_key(|(wildcard, _)| *wildcard);
        self.listed = shown.into_iter().map(|(_, name)| name).collect();
    }

    /// Aliases win over groups of the same name and lead to groups, not to other aliases.
    fn add_aliases(&mut self, settings: &RouterSettings) {
        let mut shown = Vec::new();
        let mut named = Vec::new();
        for (name, alias) in &settings.aliases {
            let name: Arc<str> = name.as_str().into();
            let target = match self.exact.get(alias.model.as_str()) {
                Some(Named::Group(group)) => Named::Group(Arc::clone(group)),
                _ => Named::Alias(alias.model.as_str().into()),
            };
            if !alias.hidden && !self.listed.contains(&name) {
                shown.push(Arc::clone(&name));
            }
            named.push((name, target));
        }
        self.exact.extend(named);
        shown.append(&mut self.listed);
        self.listed = shown;
    }

    /// Every deployment can be called by its id, where no group has that name.
    fn add_ids(&mut self) {
        for candidate in &self.candidates {
            let id = &candidate.deployment.id.0;
            if !matches!(self.exact.get(id), Some(Named::Group(_))) {
                let group = bundle(Arc::clone(id), vec![candidate.clone()]);
                self.exact.insert(Arc::clone(id), Named::Group(group));
            }
        }
    }
}

impl TeamRoutes {
    fn new(bundles: Bundles) -> Self {
        let mut routes = Self::default();
        for (name, all) in bundles {
            let group = bundle(Arc::clone(&name), all);
            if name.contains('*') {
                routes.patterns.push(Wildcard { pattern: Pattern::new(&name), group });
            } else {
                routes.exact.insert(name, group);
            }
        }
        routes.patterns.sort_by_key(|wildcard| Pattern::rank(&wildcard.group.name));
        routes
    }
}

fn bundle(name: Arc<str>, candidates: Vec<Candidate>) -> Arc<Group> {
    Arc::new(Group::new(name, candidates))
}

#[cfg(test)]
mod tests;
