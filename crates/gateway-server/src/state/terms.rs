//! What counts for every call of a deployment beside its model's price: the operator's discount and margin,
//! and which of the vendor's hosts answers.

use http::Uri;
use llm_providers::Target;
use llm_providers::catalog::Adjustments;
use llm_types::{Adjustment, CostContext, Host, Reach};
use serde_json::Value;

/// The terms of a deployment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Terms {
    adjustment: Adjustment,
    host: Host,
    /// What its own parameters ask for.
    reach: Reach,
}

impl Terms {
    /// Those of a target.
    pub(crate) fn of(target: &Target, adjustments: &Adjustments) -> Self {
        let asks = |name: &str| target.defaults.get(name).is_some_and(|value| *value != Value::Null);
        Self {
            adjustment: adjustments.of(target.spec.id.as_str()),
            host: host_of(&target.base_url),
            reach: reach_of(asks),
        }
    }

    /// Those of a vendor, where nothing else is known of the deployment.
    pub(crate) fn of_vendor(provider: &str, adjustments: &Adjustments) -> Self {
        Self { adjustment: adjustments.of(provider), ..Self::default() }
    }

    /// What a call is charged by, as far as the deployment says it.
    pub(crate) fn context(&self) -> CostContext<'static> {
        CostContext { adjustment: self.adjustment, host: self.host, ..CostContext::default() }
    }

    /// How dear a call that reaches so far can become.
    pub(crate) fn reach(&self, asked: Reach) -> Reach {
        Reach { tiers: self.reach.tiers || asked.tiers, factors: self.reach.factors || asked.factors }
    }

    /// The part that the margin adds, in billionths.
    pub(crate) fn margin(&self) -> llm_types::Ratio {
        self.adjustment.margin
    }
}

/// How dear a request can become that says what `says` tells: by a service tier, by its speed or by where its
/// data is to stay. The vendors' names: OpenAI `service_tier`, Gemini `serviceTier`, Anthropic `speed` and
/// `inference_geo`.
pub(crate) fn reach_of(says: impl Fn(&str) -> bool) -> Reach {
    Reach {
        tiers: says("service_tier") || says("serviceTier"),
        factors: says("speed") || says("inference_geo"),
    }
}

/// Vendors charge more for hosts that process in one region: OpenAI's `eu.api.openai.com` and
/// `us.api.openai.com`, and Vertex AI's of a location other than `global` (surface §9.1).
fn host_of(base_url: &str) -> Host {
    let uri: Uri = base_url.parse().unwrap_or_default();
    match uri.host().unwrap_or_default() {
        "eu.api.openai.com" => Host::Eu,
        "us.api.openai.com" => Host::Us,
        host if host.ends_with("-aiplatform.googleapis.com") => Host::Regional,
        host if host.starts_with("aiplatform.") && host.ends_with(".rep.googleapis.com") => Host::Regional,
        _ => Host::Global,
    }
}

#[cfg(test)]
mod tests;
