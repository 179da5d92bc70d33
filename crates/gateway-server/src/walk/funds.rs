//! Budgets of deployments and providers: looked at before one is asked, paid when the call ends.

use std::fmt::Write as _;
use std::sync::Arc;

use llm_router::Deployment;
use llm_types::{DeploymentId, Error, ErrorKind, Money, Origin, Result, Retry};
use parking_lot::Mutex;

use super::charge::parts_beside;
use super::whose::Who;
use super::{Call, Tail};
use crate::clock::steady_ms;
use crate::identity::{Part, Scope};
use crate::limits::{Ask, Denial, Reserved, Settlement};
use crate::state::{Fund, Shared};

/// What is set aside at deployments that were asked, and at their providers.
#[derive(Debug, Default)]
pub(crate) struct Upstream(Mutex<Vec<(DeploymentId, Arc<Scope>, Reserved)>>);

impl Upstream {
    /// Charges the one that answered and gives back what is set aside elsewhere; gives who has paid.
    pub(super) fn settle(&self, asked: Option<&DeploymentId>, used: Settlement) -> Vec<Arc<Scope>> {
        let mut paid: Vec<Arc<Scope>> = Vec::new();
        for (id, scope, reserved) in self.0.lock().drain(..) {
            let again = paid.iter().any(|earlier| Arc::ptr_eq(earlier, &scope));
            if asked == Some(&id) && !again {
                scope.account.settle(reserved, used);
                paid.push(scope);
            } else {
                scope.account.settle(reserved, Settlement::default());
            }
        }
        paid
    }
}

/// Whether a deployment has nothing left to spend, as far as is known here.
pub(super) fn is_broke(call: &Call, deployment: &Deployment) -> bool {
    let now = steady_ms();
    spent(call, &deployment.id, now).next().is_some()
}

/// The budgets of a deployment that are spent: which, how much, of what.
fn spent<'a>(call: &'a Call, id: &DeploymentId, now: i64) -> impl Iterator<Item = (&'a Fund, Money, Money)> {
    let scopes = &call.core.shared.directory.scopes;
    let funds = call.snapshot.funds.deployments.get(id);
    funds.into_iter().flatten().filter_map(move |fund| {
        let max = fund.spec.limits.max_budget?;
        let account = scopes.cached(&fund.id)?;
        let spent = account.account.spent_of(max, now)?;
        Some((fund, spent, max))
    })
}

/// Sets aside what a call may cost at a deployment and its provider.
///
/// # Errors
/// [`ErrorKind::RateLimited`] where a budget does not hold it, [`ErrorKind::Overloaded`] when the database does
/// not answer.
pub(super) async fn set_aside(call: &Call, tail: &Tail, deployment: &Deployment) -> Result<()> {
    let Some(funds) = call.snapshot.funds.deployments.get(&deployment.id) else { return Ok(()) };
    for fund in funds {
        let part = part_of(&call.core.shared, fund).await?;
        let reserved = reserve(&call.core.shared, fund, &part, tail.ask).await?;
        tail.upstream.0.lock().push((deployment.id.clone(), Arc::clone(&part.scope), reserved));
    }
    Ok(())
}

async fn reserve(shared: &Arc<Shared>, fund: &Fund, part: &Part, ask: Ask) -> Result<Reserved> {
    for _ in 0..super::limit::LEASES {
        match part.scope.account.reserve(&part.spec.limits, ask, steady_ms()) {
            Ok((reserved, _)) => return Ok(reserved),
            Err(Denial::Lease { wanted, max }) => {
                Who::Fund(fund.name.clone(), part.clone()).lease(shared, ask, (wanted, max)).await?;
            }
            Err(Denial::Budget { spent, reserved, max }) => {
                return Err(crossed(&exceeded(&fund.name, spent + reserved, max)));
            }
            Err(_) => break,
        }
    }
    Err(Error::new(ErrorKind::Overloaded, "too many calls share what is left of a budget: try again")
        .with_origin(Origin::Gateway))
}

/// The account of a budget that the configuration sets.
pub(super) async fn part_of(shared: &Arc<Shared>, fund: &Fund) -> Result<Part> {
    let scopes = &shared.directory.scopes;
    if let Some(scope) = scopes.cached(&fund.id) {
        return Ok(Part { spec: Arc::new(fund.spec.clone()), scope });
    }
    let (keeper, fund) = (Arc::clone(shared), fund.clone());
    let lookup = async move { keeper.directory.scopes.part(&fund.owner, fund.spec).await };
    crate::store::ask(shared, "the lookup of a budget of the configuration", lookup).await
}

/// Why a call found no deployment, where budgets are why.
pub(super) fn refusal(call: &Call, team: Option<&str>) -> Option<Error> {
    if call.snapshot.funds.deployments.is_empty() {
        return None;
    }
    let route = call.snapshot.routes().resolve(&call.glance.model, team)?;
    let now = steady_ms();
    let mut told = String::new();
    for candidate in &route.group.candidates {
        for (fund, spent, max) in spent(call, &candidate.deployment.id, now) {
            // Writing to a `String` cannot fail.
            let _ = writeln!(told, "{}", exceeded(&fund.name, spent, max));
        }
    }
    (!told.is_empty()).then(|| crossed(told.trim_end()))
}

fn exceeded(name: &str, spent: Money, max: Money) -> String {
    format!("Exceeded budget for {name}: {} >= {}", spent.as_usd(), max.as_usd())
}

/// LiteLLM's words where budgets leave no deployment.
pub(super) fn crossed(what: &str) -> Error {
    Error::new(ErrorKind::RateLimited, format!("No deployments available - crossed budget: {what}"))
        .with_origin(Origin::Gateway)
        .with_retry(Retry::Elsewhere)
        .with_vendor_type("throttling_error")
}

/// The budgets of the configuration that every call pays into: the gateway's and its tags'.
///
/// # Errors
/// As [`set_aside`].
pub(super) async fn common(call: &Call) -> Result<Vec<(String, Part)>> {
    let funds = &call.snapshot.funds;
    if funds.gateway.is_none() && (funds.tags.is_empty() || call.tags.is_empty()) {
        return Ok(Vec::new());
    }
    let mut parts: Vec<(String, Part)> = Vec::new();
    let tagged = call.tags.iter().filter_map(|tag| funds.tags.get(tag));
    for fund in funds.gateway.iter().chain(tagged) {
        let part = part_of(&call.core.shared, fund).await?;
        if parts_beside(&parts, &part) {
            parts.push((fund.name.clone(), part));
        }
    }
    Ok(parts)
}
