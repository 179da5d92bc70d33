//! Rounds of health checks that gateways share: one of them probes, the others hear what it found
//! (`use_shared_health_check`).

use std::collections::HashMap;
use std::time::Duration;

use llm_types::{DeploymentId, Result};
use redis::Pipeline;
use serde_json::{Value, json};

use crate::config::Redis;
use crate::health::Finding;
use crate::state::Shared;

/// Whose turn it is, for as long as a round takes.
const TURN: &str = "gateway:health:turn";
/// What was found, by deployment.
const FOUND: &str = "gateway:health:found";

/// Whether the round that is due is this gateway's to probe: the first that asks after the last round is over.
///
/// # Errors
/// The connection's.
pub(crate) async fn is_ours(shared: &Shared, redis: &Redis, interval: Duration) -> Result<bool> {
    // A little less than the interval, so that who probed last comes in time for its next round.
    let hold = u64::try_from(interval.as_millis() * 19 / 20).unwrap_or(u64::MAX).max(1);
    let mut ask = Pipeline::new();
    ask.cmd("SET").arg(TURN).arg("taken").arg("NX").arg("PX").arg(hold);
    let (taken,): (Option<String>,) = shared.redis.line(redis).await?.ask(&ask).await?;
    Ok(taken.is_some())
}

/// Tells the others what this gateway found, for as long as it counts.
///
/// # Errors
/// The connection's.
pub(crate) async fn tell(
    shared: &Shared,
    redis: &Redis,
    found: &[(DeploymentId, Finding)],
    believed: Duration,
) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let mut all = Pipeline::new();
    for (id, finding) in found {
        let Finding { at_ms, error, status } = finding;
        let told = json!({ "at_ms": at_ms, "error": error, "status": status });
        all.hset(FOUND, id.as_str(), told.to_string()).ignore();
    }
    let seconds = i64::try_from(believed.as_secs()).unwrap_or(i64::MAX).saturating_add(1);
    all.expire(FOUND, seconds).ignore();
    shared.redis.line(redis).await?.ask(&all).await
}

/// What another gateway found.
///
/// # Errors
/// The connection's.
pub(crate) async fn heard(shared: &Shared, redis: &Redis) -> Result<Vec<(DeploymentId, Finding)>> {
    let mut ask = Pipeline::new();
    ask.hgetall(FOUND);
    let (found,): (HashMap<String, String>,) = shared.redis.line(redis).await?.ask(&ask).await?;
    Ok(found.into_iter().filter_map(|(id, told)| Some((id.into(), read(&told)?))).collect())
}

/// A finding as it was told; nothing where it is of another form.
fn read(told: &str) -> Option<Finding> {
    let told: Value = serde_json::from_str(told).ok()?;
    Some(Finding {
        at_ms: told["at_ms"].as_i64()?,
        error: told["error"].as_str().map(str::to_owned),
        status: told["status"].as_u64().and_then(|status| u16::try_from(status).ok()),
    })
}
