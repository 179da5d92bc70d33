//! Whose turn a call takes where calls wait for a place at a deployment (`router_settings.tenant_fairness`).

use std::hash::{Hash, Hasher};

use gateway_db::JsonMap;
use llm_router::{Fairness, Tenant};
use serde_json::Value;

use super::limit::RESERVED_BYTES_PER_TOKEN;
use super::{Call, Caller};

/// The member of metadata that says how much a tenant weighs; a usual one weighs 1.
const WEIGHT: &str = "fairness_weight";
/// The most and the least that a tenant weighs.
const WEIGHTS: (f64, f64) = (0.001, 1_000.0);
/// Tokens of an answer whose length the call does not limit.
const ANSWER_TOKENS: u64 = 1_024;

/// Names the tenant of a call for the router. Costs one comparison where tenants are not told apart.
pub(super) fn name_tenant(call: &mut Call, caller: &Caller) {
    let Some(by) = call.snapshot.routes().settings().tenants else { return };
    let glance = &call.glance;
    let answer = glance.max_tokens.unwrap_or(ANSWER_TOKENS).saturating_mul(glance.n.max(1));
    let tokens = glance.prompt_bytes.div_ceil(RESERVED_BYTES_PER_TOKEN).saturating_add(answer);
    let (id, weight) = match caller {
        Caller::Operator => (0, 1_000),
        Caller::Key(entry) => match entry.team().filter(|_| by == Fairness::Team) {
            Some(team) => {
                let view = team.view();
                (hashed(&team.id), weight(view.record.as_ref().map(|record| &record.settings.metadata)))
            }
            None => (hashed(&entry.record.hash), weight(Some(&entry.record.settings.metadata))),
        },
    };
    call.controls.tenant = Some(Tenant { id, tokens, weight });
}

fn hashed(what: &impl Hash) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// Thousandths of a usual tenant.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn weight(metadata: Option<&JsonMap>) -> u32 {
    let said = metadata.and_then(|metadata| metadata.get(WEIGHT)).and_then(Value::as_f64);
    (said.unwrap_or(1.0).clamp(WEIGHTS.0, WEIGHTS.1) * 1_000.0) as u32
}

#[cfg(test)]
mod tests;
