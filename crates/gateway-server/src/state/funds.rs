//! Budgets and rates that the configuration sets: of the gateway, of providers, deployments and tags.

use std::collections::HashMap;

use gateway_db::ScopeId;
use llm_types::DeploymentId;

use crate::config::{Allowance, Config};
use crate::identity::{For, PartSpec};
use crate::limits::Limits;

/// One budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fund {
    /// Under which name it is kept.
    pub(crate) owner: String,
    /// How much, for how long.
    pub(crate) spec: PartSpec,
    /// Its account.
    pub(crate) id: ScopeId,
    /// How messages name it.
    pub(crate) name: String,
}

/// All that the configuration sets. Most set nothing.
#[derive(Debug, Default)]
pub(crate) struct Funds {
    /// What the whole gateway may spend.
    pub(crate) gateway: Option<Fund>,
    /// What may be spent on calls with a tag.
    pub(crate) tags: HashMap<String, Fund>,
    /// What may be spent at a deployment: its own budget and its provider's.
    pub(crate) deployments: HashMap<DeploymentId, Vec<Fund>>,
    /// What one key may ask of a model a minute: requests, tokens.
    pub(crate) key_rates: HashMap<String, (Option<u64>, Option<u64>)>,
}

/// Under which name the budget of a provider is kept.
pub(crate) fn fund_of_provider(provider: &str) -> String {
    format!("provider:{provider}")
}

impl Fund {
    fn new(owner: String, allowance: &Allowance, name: String) -> Self {
        let limits = Limits { max_budget: Some(allowance.max), ..Limits::default() };
        let spec = PartSpec { of: For::All, period: allowance.period.clone(), limits, counts: None };
        let id = spec.id(&owner);
        Self { owner, spec, id, name }
    }
}

impl Funds {
    /// Those of a configuration.
    pub(crate) fn of(config: &Config) -> Self {
        let mut funds = Self::default();
        let budgets = &config.budgets;
        if let Some(max) = config.budgets.global {
            let allowance = Allowance { max, period: budgets.global_period.clone() };
            funds.gateway = Some(Fund::new("gateway".to_owned(), &allowance, String::new()));
        }
        for (tag, allowance) in &budgets.tags {
            let fund = Fund::new(format!("tag-budget:{tag}"), allowance, format!("tag='{tag}'"));
            funds.tags.insert(tag.clone(), fund);
        }
        for model in &config.models {
            let deployment = &model.deployment;
            let (id, provider) = (&deployment.id, deployment.target.spec.id.as_str());
            let mut own = Vec::new();
            if let Some((_, allowance)) = budgets.providers.iter().find(|(name, _)| name == provider) {
                let name = format!("provider {provider}");
                own.push(Fund::new(fund_of_provider(provider), allowance, name));
            }
            if let Some(allowance) = &model.budget {
                let (group, asked) = (&deployment.group, &deployment.model);
                let name =
                    format!("deployment model_name: {group}, litellm_params.model: {asked}, model_id: {id}");
                own.push(Fund::new(format!("deployment:{id}"), allowance, name));
            }
            if !own.is_empty() {
                funds.deployments.insert(id.clone(), own);
            }
            if model.per_key_limits != (None, None) {
                funds.key_rates.entry(deployment.group.to_string()).or_insert(model.per_key_limits);
            }
        }
        funds
    }

    /// Every budget.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Fund> {
        self.gateway.iter().chain(self.tags.values()).chain(self.deployments.values().flatten())
    }
}
