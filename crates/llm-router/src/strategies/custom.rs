//! `custom`: the first that advice names, else what the program's own strategy picks, else `simple-shuffle`. LiteLLM
//! surface §7.2.

use fastrand::Rng;
use llm_types::DeploymentId;

use super::{Pool, shuffle};

pub(super) fn pick(pool: Pool<'_>, rng: &mut Rng) -> Option<u32> {
    advised(pool).or_else(|| own(pool, rng)).or_else(|| shuffle::pick(pool, rng))
}

/// The first that is named and may serve.
fn advised(pool: Pool<'_>) -> Option<u32> {
    let order = &pool.ask.advice?.order;
    let at = |id: &DeploymentId| pool.iter().find(|(_, one)| one.deployment.id == *id).map(|(at, _)| at);
    order.iter().find_map(at)
}

fn own(pool: Pool<'_>, rng: &mut Rng) -> Option<u32> {
    let strategy = pool.settings.own.strategy.as_ref()?;
    strategy.choose(pool, rng).filter(|at| pool.open.contains(at))
}
