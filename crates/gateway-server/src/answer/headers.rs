//! The headers LiteLLM's users read on answers (surface §6.1).

use http::{HeaderName, HeaderValue};
use llm_router::Deployment;
use llm_types::{Cost, FemtoUsd, Money, Ratio};

use super::Head;
use crate::limits::{Limits, Remaining};

/// Header names, spelt once.
pub(crate) mod names {
    use http::HeaderName;

    pub(crate) const CALL_ID: HeaderName = HeaderName::from_static("x-litellm-call-id");
    /// Keys that share a model's rates equally.
    pub(crate) const ACTIVE_KEYS: HeaderName = HeaderName::from_static("x-ratelimit-current-active-projects");
    pub(crate) const PRIORITY: HeaderName = HeaderName::from_static("x-litellm-priority");
    pub(crate) const SATURATION: HeaderName = HeaderName::from_static("x-litellm-saturation");
    pub(crate) const MODEL_ID: HeaderName = HeaderName::from_static("x-litellm-model-id");
    pub(crate) const MODEL_NAME: HeaderName = HeaderName::from_static("x-litellm-model-name");
    pub(crate) const MODEL_GROUP: HeaderName = HeaderName::from_static("x-litellm-model-group");
    pub(crate) const API_BASE: HeaderName = HeaderName::from_static("x-litellm-model-api-base");
    pub(crate) const VERSION: HeaderName = HeaderName::from_static("x-litellm-version");
    pub(crate) const COST: HeaderName = HeaderName::from_static("x-litellm-response-cost");
    pub(crate) const COST_ORIGINAL: HeaderName = HeaderName::from_static("x-litellm-response-cost-original");
    pub(crate) const COST_DISCOUNT: HeaderName =
        HeaderName::from_static("x-litellm-response-cost-discount-amount");
    pub(crate) const COST_MARGIN: HeaderName =
        HeaderName::from_static("x-litellm-response-cost-margin-amount");
    pub(crate) const COST_MARGIN_PART: HeaderName =
        HeaderName::from_static("x-litellm-response-cost-margin-percent");
    pub(crate) const COST_INPUT: HeaderName = HeaderName::from_static("x-litellm-response-cost-input");
    pub(crate) const COST_OUTPUT: HeaderName = HeaderName::from_static("x-litellm-response-cost-output");
    pub(crate) const COST_CACHE_READ: HeaderName =
        HeaderName::from_static("x-litellm-response-cost-cache-read");
    pub(crate) const COST_CACHE_CREATION: HeaderName =
        HeaderName::from_static("x-litellm-response-cost-cache-creation");
    pub(crate) const COST_REASONING: HeaderName =
        HeaderName::from_static("x-litellm-response-cost-reasoning");
    pub(crate) const COST_TOOLS: HeaderName = HeaderName::from_static("x-litellm-response-cost-tool-usage");
    pub(crate) const KEY_SPEND: HeaderName = HeaderName::from_static("x-litellm-key-spend");
    pub(crate) const KEY_MAX_BUDGET: HeaderName = HeaderName::from_static("x-litellm-key-max-budget");
    pub(crate) const KEY_TPM: HeaderName = HeaderName::from_static("x-litellm-key-tpm-limit");
    pub(crate) const KEY_RPM: HeaderName = HeaderName::from_static("x-litellm-key-rpm-limit");
    pub(crate) const DURATION: HeaderName = HeaderName::from_static("x-litellm-response-duration-ms");
    pub(crate) const OVERHEAD: HeaderName = HeaderName::from_static("x-litellm-overhead-duration-ms");
    pub(crate) const RETRIES: HeaderName = HeaderName::from_static("x-litellm-attempted-retries");
    pub(crate) const FALLBACK_ERRORS: HeaderName = HeaderName::from_static("x-litellm-fallback-errors");
    pub(crate) const MAX_RETRIES: HeaderName = HeaderName::from_static("x-litellm-max-retries");
    pub(crate) const FALLBACKS: HeaderName = HeaderName::from_static("x-litellm-attempted-fallbacks");
    /// The model that was asked for, where its budget at the key is spent and another serves.
    pub(crate) const BUDGET_FALLBACK: HeaderName = HeaderName::from_static("x-gateway-budget-fallback-from");
    /// The budget that did not hold a fallback.
    pub(crate) const FALLBACK_UNPAID: HeaderName = HeaderName::from_static("x-gateway-fallback-unpaid");
    /// What the caller said and the provider was not told, by names.
    pub(crate) const LEFT_OUT: HeaderName = HeaderName::from_static("x-gateway-left-out");
    pub(crate) const LEFT_REQUESTS: HeaderName =
        HeaderName::from_static("x-ratelimit-api_key-remaining-requests");
    pub(crate) const LIMIT_REQUESTS: HeaderName =
        HeaderName::from_static("x-ratelimit-api_key-limit-requests");
    pub(crate) const LEFT_TOKENS: HeaderName =
        HeaderName::from_static("x-ratelimit-api_key-remaining-tokens");
    pub(crate) const LIMIT_TOKENS: HeaderName = HeaderName::from_static("x-ratelimit-api_key-limit-tokens");
    pub(crate) const LEFT_PARALLEL: HeaderName =
        HeaderName::from_static("x-ratelimit-api_key-remaining-max_parallel_requests");
    pub(crate) const LIMIT_PARALLEL: HeaderName =
        HeaderName::from_static("x-ratelimit-api_key-limit-max_parallel_requests");
    pub(crate) const LIMIT_TYPE: HeaderName = HeaderName::from_static("rate_limit_type");
    pub(crate) const RESET_AT: HeaderName = HeaderName::from_static("reset_at");
}

/// The headers that are the same for every answer of a deployment, made once per configuration.
#[derive(Debug, Clone)]
pub(crate) struct CallHeaders {
    model_id: HeaderValue,
    model_name: HeaderValue,
    model_group: HeaderValue,
    api_base: HeaderValue,
    version: HeaderValue,
}

impl CallHeaders {
    /// Those of a deployment.
    pub(crate) fn of(deployment: &Deployment) -> Self {
        Self {
            model_id: text(deployment.id.as_str()),
            model_name: text(&deployment.model),
            model_group: text(&deployment.group),
            api_base: text(deployment.target.base_url.split('?').next().unwrap_or_default()),
            version: HeaderValue::from_static(env!("CARGO_PKG_VERSION")),
        }
    }

    /// The deployment's group, if that is the one the call came through.
    pub(crate) fn group(&self, name: &str) -> HeaderValue {
        if self.model_group == name { self.model_group.clone() } else { text(name) }
    }

    /// The headers.
    pub(crate) fn lines(&self) -> [(HeaderName, HeaderValue); 4] {
        [
            (names::MODEL_ID, self.model_id.clone()),
            (names::MODEL_NAME, self.model_name.clone()),
            (names::API_BASE, self.api_base.clone()),
            (names::VERSION, self.version.clone()),
        ]
    }
}

/// What a call cost, and its parts: those of caches and reasoning where there are any, the others always
/// (surface §6.1). Reasoning is part of the output; input, caches, output and tools sum to the original.
pub(crate) fn costs(head: &mut Head, cost: &Cost, margin: Ratio) {
    let part = |amount: FemtoUsd| amount.round();
    head.usd(names::COST, cost.total);
    head.usd(names::COST_ORIGINAL, part(cost.original));
    head.usd(names::COST_DISCOUNT, part(cost.discount));
    head.usd(names::COST_MARGIN, part(cost.margin));
    // A fraction in billionths, written as an amount in nano-dollars is: 0.1.
    head.usd(names::COST_MARGIN_PART, Money(i64::try_from(margin.0).unwrap_or(i64::MAX)));
    head.usd(names::COST_INPUT, part(cost.input));
    head.usd(names::COST_OUTPUT, part(cost.output + cost.reasoning));
    head.usd(names::COST_TOOLS, part(cost.tools));
    for (name, amount) in [
        (names::COST_CACHE_READ, cost.cache_read),
        (names::COST_CACHE_CREATION, cost.cache_creation),
        (names::COST_REASONING, cost.reasoning),
    ] {
        if amount != FemtoUsd::ZERO {
            head.usd(name, part(amount));
        }
    }
}

/// A header value; bytes that may not stand in one are dropped.
pub(crate) fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| {
        let clean: String = value.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
        HeaderValue::from_str(&clean).unwrap_or(HeaderValue::from_static(""))
    })
}

/// The six names of headers about the rates of a kind of payer.
macro_rules! rate_names {
    ($word:literal) => {
        [
            const { HeaderName::from_static(concat!("x-ratelimit-", $word, "-remaining-requests")) },
            const { HeaderName::from_static(concat!("x-ratelimit-", $word, "-limit-requests")) },
            const { HeaderName::from_static(concat!("x-ratelimit-", $word, "-remaining-tokens")) },
            const { HeaderName::from_static(concat!("x-ratelimit-", $word, "-limit-tokens")) },
            const { HeaderName::from_static(concat!("x-ratelimit-", $word, "-remaining-max_parallel_requests")) },
            const { HeaderName::from_static(concat!("x-ratelimit-", $word, "-limit-max_parallel_requests")) },
        ]
    };
}

/// What is left of the rates of somebody beside the key; `word` is LiteLLM's for the kind (surface §4.9).
pub(crate) fn rests(head: &mut Head, word: &str, left: &Remaining) {
    let names = match word {
        "team" => rate_names!("team"),
        "user" => rate_names!("user"),
        "team_member" => rate_names!("team_member"),
        "end_user" => rate_names!("end_user"),
        "organization" => rate_names!("organization"),
        "organization_member" => rate_names!("organization_member"),
        "project" => rate_names!("project"),
        "tag" => rate_names!("tag"),
        "model_per_key" => rate_names!("model_per_key"),
        "model_per_team" => rate_names!("model_per_team"),
        "model_per_project" => rate_names!("model_per_project"),
        "model_per_project_itpm" => rate_names!("model_per_project_itpm"),
        "model_per_project_otpm" => rate_names!("model_per_project_otpm"),
        "model_per_user" => rate_names!("model_per_user"),
        "model_per_organization" => rate_names!("model_per_organization"),
        "model_per_end_user" => rate_names!("model_per_end_user"),
        "model_per_team_member" => rate_names!("model_per_team_member"),
        "model_per_tag" => rate_names!("model_per_tag"),
        "tag_per_key" => rate_names!("tag_per_key"),
        "tag_per_team" => rate_names!("tag_per_team"),
        "priority_model" => rate_names!("priority_model"),
        _ => return,
    };
    let [left_requests, requests, left_tokens, tokens, left_parallel, parallel] = names;
    let mut put = |pair: Option<(u64, u64)>, left_name: HeaderName, limit_name: HeaderName| {
        let Some((left, limit)) = pair else { return };
        head.count(left_name, left);
        head.count(limit_name, limit);
    };
    put(left.requests, left_requests, requests);
    put(left.tokens, left_tokens, tokens);
    put(left.parallel, left_parallel, parallel);
}

/// What is left of a key's limits.
pub(crate) fn limits(head: &mut Head, limits: &Limits, remaining: &Remaining) {
    let mut put = |pair: Option<(u64, u64)>, left_name: HeaderName, limit_name: HeaderName| {
        let Some((left, limit)) = pair else { return };
        head.count(left_name, left);
        head.count(limit_name, limit);
    };
    put(remaining.requests, names::LEFT_REQUESTS, names::LIMIT_REQUESTS);
    put(remaining.tokens, names::LEFT_TOKENS, names::LIMIT_TOKENS);
    put(remaining.parallel, names::LEFT_PARALLEL, names::LIMIT_PARALLEL);
    if let Some(max) = limits.max_budget {
        head.usd(names::KEY_MAX_BUDGET, max);
    }
    if let Some(tpm) = limits.tpm {
        head.count(names::KEY_TPM, tpm);
    }
    if let Some(rpm) = limits.rpm {
        head.count(names::KEY_RPM, rpm);
    }
}

#[cfg(test)]
mod tests;
