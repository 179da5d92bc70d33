//! When deployments are kept for some teams (`access_windows`). LiteLLM surface §7.7.

use std::collections::HashMap;

use jiff::Timestamp;
use llm_types::DeploymentId;

use crate::config::{AccessWindow, Config};

/// The windows of all deployments that have some.
#[derive(Debug, Default)]
pub(crate) struct Windows(HashMap<DeploymentId, Box<[AccessWindow]>>);

impl Windows {
    /// Those of a configuration.
    pub(crate) fn of(config: &Config) -> Self {
        let some = config.models.iter().filter(|model| !model.windows.is_empty());
        Self(some.map(|model| (model.deployment.id.clone(), model.windows.clone())).collect())
    }

    /// Whether no deployment has any.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a deployment is kept for other teams than this one now.
    pub(crate) fn reserved(&self, id: &DeploymentId, team: Option<&str>, now: Timestamp) -> bool {
        let mut open = self.0.get(id).into_iter().flatten().filter(|window| window.is_open(now)).peekable();
        let ours =
            |window: &AccessWindow| team.is_some_and(|team| window.teams.iter().any(|one| one == team));
        open.peek().is_some() && !open.any(ours)
    }
}

impl AccessWindow {
    /// Whether the moment lies in it.
    fn is_open(&self, now: Timestamp) -> bool {
        let time = now.to_zoned(self.zone.clone()).time();
        if self.start < self.end {
            self.start <= time && time < self.end
        } else {
            self.start <= time || time < self.end
        }
    }
}

#[cfg(test)]
mod tests;
