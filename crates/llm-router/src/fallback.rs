//! Where a call goes after its group failed for good. LiteLLM surface §7.4.

use std::slice;
use std::sync::Arc;

use llm_types::{Error, ErrorKind, Origin};
use serde_json::{Map, Value};
use smallvec::SmallVec;

use crate::{Controls, ErrorClass, FallbackMap, FallbackTarget, Fallbacks, Group, Route, RouterSettings};

/// Places of deployments in their group.
pub(crate) type Spots = SmallVec<[u32; 4]>;

/// What a group failed with.
#[derive(Debug)]
pub(crate) struct Fault<'r> {
    /// The error to show: the first a deployment gave, else the router's own.
    pub(crate) error: Error,
    /// The group; `None` when the name leads nowhere.
    pub(crate) route: Option<Route<'r>>,
    /// The level that was tried last.
    pub(crate) level: i64,
    /// The deployments that failed.
    pub(crate) failed: Spots,
    /// A decision of ours: no other group may get around it.
    pub(crate) last_word: bool,
    /// The request parameters it was tried with, where a fallback set some.
    pub(crate) params: Params<'r>,
}

/// Request parameters that a fallback sets.
pub(crate) type Params<'r> = Option<&'r Arc<Map<String, Value>>>;

/// The next thing to try.
#[derive(Debug)]
pub(crate) enum Step<'r> {
    /// The next level of the same group.
    Level(Route<'r>, i64),
    /// The same group without the deployments that failed.
    Failover(Route<'r>, Spots),
    /// Another group.
    Other(&'r FallbackTarget),
}

/// What is left to try for one group that failed.
#[derive(Debug)]
pub(crate) struct Frame<'r> {
    lists: Lists<'r>,
    fault: Fault<'r>,
    failover: bool,
    /// The groups still to try, once the group itself has nothing left.
    targets: Option<slice::Iter<'r, FallbackTarget>>,
    /// Other groups may be tried.
    may_leave: bool,
}

impl<'r> Frame<'r> {
    pub(crate) fn new(lists: Lists<'r>, fault: Fault<'r>, may_leave: bool) -> Self {
        let settings = lists.settings;
        let shuffles =
            |route: &Route<'_>| settings.strategy_of(&route.group.name).0 == crate::Strategy::default();
        let failover = settings.weighted_failover && fault.route.as_ref().is_some_and(shuffles);
        Self { lists, fault, failover, targets: None, may_leave }
    }

    /// The next step: higher levels, weighted failover, then other groups.
    pub(crate) fn next_step(&mut self) -> Option<Step<'r>> {
        if self.fault.last_word {
            return None;
        }
        if self.targets.is_none()
            && let Some(inside) = self.inside()
        {
            return Some(inside);
        }
        if !self.may_leave {
            return None;
        }
        let Self { lists, fault, targets, .. } = self;
        let targets = targets.get_or_insert_with(|| {
            let names = fault.names();
            let group = fault.route.as_ref().map(|route| &**route.group);
            lists.targets(&fault.error, names, group).iter()
        });
        targets.next().map(Step::Other)
    }

    /// The parameters the group was tried with.
    pub(crate) fn params(&self) -> Params<'r> {
        self.fault.params
    }

    fn inside(&self) -> Option<Step<'r>> {
        let route = self.fault.route.as_ref()?;
        if let Some(level) = route.group.levels.iter().find(|level| **level > self.fault.level) {
            return Some(Step::Level(route.clone(), *level));
        }
        let failed = self.fault.failed.len();
        let some_left = failed > 0 && failed < route.group.candidates.len();
        (self.failover && some_left).then(|| Step::Failover(route.clone(), self.fault.failed.clone()))
    }

    /// Takes note of a level that failed too: its error decides where to go next.
    pub(crate) fn level_failed(&mut self, level: i64, later: Fault<'r>) {
        self.fault.level = self.fault.level.max(level);
        self.add(later);
    }

    /// Takes note of a failover that failed too; one that reached nobody new was the last.
    pub(crate) fn failover_failed(&mut self, later: Fault<'r>) {
        let before = self.fault.failed.len();
        self.add(later);
        self.failover = self.fault.failed.len() > before;
    }

    fn add(&mut self, later: Fault<'r>) {
        if later.failed.is_empty() {
            return;
        }
        self.fault.failed.extend(later.failed);
        self.fault.failed.sort_unstable();
        self.fault.failed.dedup();
        self.fault.last_word = later.last_word;
        self.fault.error = later.error;
    }
}

impl<'r> Fault<'r> {
    fn names(&self) -> [&'r str; 2] {
        match &self.route {
            Some(route) => [route.name, &route.group.name],
            None => [""; 2],
        }
    }
}

/// Whether an error is the gateway's own decision about the call, such as a guardrail or a budget:
/// neither a retry nor another group may get around it.
pub(crate) fn is_last_word(error: &Error) -> bool {
    let decided = matches!(
        error.kind(),
        ErrorKind::BadRequest
            | ErrorKind::TooLarge
            | ErrorKind::Forbidden
            | ErrorKind::BudgetExceeded
            | ErrorKind::ContentFiltered
    );
    decided && error.origin() == Origin::Gateway
}

/// Which lists apply to a call: the caller's, else the configured ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lists<'r> {
    pub(crate) controls: &'r Controls,
    pub(crate) settings: &'r RouterSettings,
}

impl<'r> Lists<'r> {
    /// The groups to try after `error`: the caller's plain list; else the list for the error's class
    /// where one is configured at all; else the general one, then `*`, then `default_fallbacks`.
    pub(crate) fn targets(
        self,
        error: &Error,
        names: [&str; 2],
        group: Option<&Group>,
    ) -> &'r [FallbackTarget] {
        if let Some(Fallbacks::List(list)) = &self.controls.fallbacks {
            return list;
        }
        self.special_targets(ErrorClass::of(error), names, group)
            .unwrap_or_else(|| self.general(names, group))
    }

    /// The groups to try after an error of a class that has lists of its own.
    pub(crate) fn special_targets(
        self,
        class: ErrorClass,
        names: [&str; 2],
        group: Option<&Group>,
    ) -> Option<&'r [FallbackTarget]> {
        Some(match self.special(class)? {
            Source::List(list) => list,
            Source::Map(map) => self.lookup(map, names, group).unwrap_or_default(),
        })
    }

    /// Whether the error's class has lists of its own, so that retries in the group are pointless.
    pub(crate) fn has_special(self, class: ErrorClass) -> bool {
        self.special(class).is_some()
    }

    pub(crate) fn general(self, names: [&str; 2], group: Option<&Group>) -> &'r [FallbackTarget] {
        let map = match &self.controls.fallbacks {
            Some(Fallbacks::List(list)) => return list,
            Some(Fallbacks::Map(map)) => map,
            None => &self.settings.fallbacks,
        };
        self.lookup(map, names, group).unwrap_or(&self.settings.default_fallbacks)
    }

    /// The entry of the group that failed; else that of the auto router which named it; else the one for all.
    fn lookup(
        self,
        map: &'r FallbackMap,
        names: [&str; 2],
        group: Option<&Group>,
    ) -> Option<&'r [FallbackTarget]> {
        let requested = || self.controls.requested.as_deref().and_then(|name| map.of(name));
        lookup(map, names, group).or_else(requested).or_else(|| map.of("*"))
    }

    fn special(self, class: ErrorClass) -> Option<Source<'r>> {
        let (asked, configured) = match class {
            ErrorClass::ContextWindow => {
                (&self.controls.context_window_fallbacks, &self.settings.context_window_fallbacks)
            }
            ErrorClass::ContentPolicy => {
                (&self.controls.content_policy_fallbacks, &self.settings.content_policy_fallbacks)
            }
            _ => return None,
        };
        match asked {
            Some(Fallbacks::List(list)) => Some(Source::List(list)),
            Some(Fallbacks::Map(map)) => Some(Source::Map(map)),
            None => (!configured.is_empty()).then_some(Source::Map(configured)),
        }
    }
}

enum Source<'r> {
    List(&'r [FallbackTarget]),
    Map(&'r FallbackMap),
}

/// The entry of the first name that has one: by the name itself, without or with a provider of the
/// group before it.
fn lookup<'r>(map: &'r FallbackMap, names: [&str; 2], group: Option<&Group>) -> Option<&'r [FallbackTarget]> {
    if map.is_empty() {
        return None;
    }
    let exact = names.iter().find_map(|name| map.of(name));
    let related = || {
        let mut related = map.iter().filter(|(key, _)| names.iter().any(|name| same_model(name, key, group)));
        related.next().map(|(_, targets)| targets)
    };
    exact.or_else(related)
}

/// Whether two names differ only by a provider of the group before one of them.
fn same_model(name: &str, key: &str, group: Option<&Group>) -> bool {
    let Some(group) = group else { return false };
    group.candidates.iter().any(|candidate| {
        let provider = candidate.deployment.target.spec.id.as_str();
        let bare = |text: &str, other: &str| {
            text.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')) == Some(other)
        };
        bare(name, key) || bare(key, name)
    })
}

#[cfg(test)]
mod tests;
