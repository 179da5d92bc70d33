//! Budgets of deployments and providers: looked at before one is asked, paid when the call ends.

use std::fmt::Write as _;
use std::sync::Arc;

use gateway_db::ScopeId;
use llm_router::Deployment;
use llm_types::{DeploymentId, Error, ErrorKind, Money, Origin, Result, Retry, seldom};
use parking_lot::Mutex;

use super::charge::parts_beside;
use super::cover::Cover;
use super::whose::Who;
use super::{Call, Caller, limit};
use crate::clock::steady_ms;
use crate::identity::{Part, Scope};
use crate::limits::{Ask, Denial, Reserved, Settlement};
use crate::state::{Fund, Shared, Snapshot};

/// What is set aside at deployments that are asked for a call, and at their providers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Upstream(Arc<Mutex<Sheet>>);

#[derive(Debug, Default)]
struct Sheet {
    cover: Cover,
    asides: Vec<Aside>,
    /// Who has paid how much already.
    paid: Vec<(ScopeId, Money)>,
}

/// What is set aside at one account for what one deployment may do.
#[derive(Debug)]
struct Aside {
    deployment: DeploymentId,
    scope: Arc<Scope>,
    reserved: Reserved,
}

/// What one deployment has done for a call.
#[derive(Debug, Clone)]
pub(super) struct Due {
    pub(super) deployment: DeploymentId,
    pub(super) used: Settlement,
}

impl Upstream {
    /// Whether a deployment with a budget was asked.
    pub(super) fn is_asked(&self) -> bool {
        let sheet = self.0.lock();
        !sheet.asides.is_empty() || !sheet.paid.is_empty()
    }

    /// Charges every deployment, and its provider, what it has done itself, and gives back what is set aside
    /// beyond that; gives who has paid how much.
    pub(super) fn settle(&self, dues: &[Due]) -> Vec<(ScopeId, Money)> {
        let mut sheet = self.0.lock();
        let mut asked: Vec<DeploymentId> = Vec::new();
        for aside in &sheet.asides {
            if !asked.contains(&aside.deployment) {
                asked.push(aside.deployment.clone());
            }
        }
        for deployment in &asked {
            sheet.pay(deployment, sum_of(dues, deployment));
        }
        std::mem::take(&mut sheet.paid)
    }

    /// Charges a deployment that will do no more for the call, so that the rest of what is set aside for it is free
    /// for others of its provider.
    pub(super) fn pay(&self, due: &Due) {
        self.0.lock().pay(&due.deployment, Some(due.used));
    }

    /// Looks at what is set aside for the call.
    pub(super) fn cover<T>(&self, look: impl FnOnce(&mut Cover) -> T) -> T {
        look(&mut self.0.lock().cover)
    }

    /// Gives back what is set aside for a deployment that has done nothing.
    fn release(&self, deployment: &DeploymentId) {
        self.0.lock().pay(deployment, None);
    }

    /// The accounts at which something is set aside or paid.
    fn parts(&self) -> Vec<ScopeId> {
        let sheet = self.0.lock();
        let held = sheet.asides.iter().map(|aside| &aside.scope.id);
        let mut parts: Vec<ScopeId> = Vec::new();
        for part in held.chain(sheet.paid.iter().map(|(part, _)| part)) {
            if !parts.contains(part) {
                parts.push(part.clone());
            }
        }
        parts
    }
}

impl Sheet {
    /// Settles what is set aside for a deployment: once at each account, however often it was asked.
    fn pay(&mut self, deployment: &DeploymentId, due: Option<Settlement>) {
        let mut charged: Vec<ScopeId> = Vec::new();
        let paid = &mut self.paid;
        self.asides.retain(|aside| {
            if aside.deployment != *deployment {
                return true;
            }
            let id = &aside.scope.id;
            let due = due.filter(|_| !charged.contains(id));
            aside.scope.account.settle(aside.reserved, due.unwrap_or_default());
            if let Some(due) = due {
                charged.push(id.clone());
                match paid.iter_mut().find(|(other, _)| other == id) {
                    Some((_, cost)) => *cost += due.cost,
                    None => paid.push((id.clone(), due.cost)),
                }
            }
            false
        });
    }
}

/// What a deployment has done in all; nothing where it did nothing.
fn sum_of(dues: &[Due], deployment: &DeploymentId) -> Option<Settlement> {
    let own = dues.iter().filter(|due| due.deployment == *deployment).map(|due| due.used);
    own.reduce(|sum, one| Settlement { cost: sum.cost + one.cost, tokens: sum.tokens + one.tokens })
}

/// What deployments are asked with: what a call may cost at most, and how the ledger was told of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Purse {
    pub(super) upstream: Upstream,
    pub(super) ask: Ask,
    /// `None` where nothing is booked.
    pub(super) told: Option<Arc<Told>>,
}

/// What the ledger was told of a call before it was made.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) caller: Caller,
    pub(super) reserved: Money,
    /// Of the prompt and of the answer.
    pub(super) tokens: [u64; 2],
    pub(super) parts: Vec<ScopeId>,
}

/// Whether a deployment has nothing left to spend, as far as is known here.
pub(super) fn is_broke(call: &Call, deployment: &Deployment) -> bool {
    let now = steady_ms();
    spent(&call.snapshot, &call.core.shared, &deployment.id, now).next().is_some()
}

/// Why a deployment has nothing left to spend, where that is so.
pub(crate) fn why_broke(snapshot: &Snapshot, shared: &Shared, id: &DeploymentId) -> Option<String> {
    let spent = spent(snapshot, shared, id, steady_ms());
    let told: Vec<String> = spent.map(|(fund, spent, max)| exceeded(&fund.name, spent, max)).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// The budgets of a deployment that are spent: which, how much, of what.
fn spent<'a>(
    snapshot: &'a Snapshot,
    shared: &'a Shared,
    id: &DeploymentId,
    now: i64,
) -> impl Iterator<Item = (&'a Fund, Money, Money)> {
    let scopes = &shared.directory.scopes;
    let funds = snapshot.funds.deployments.get(id);
    funds.into_iter().flatten().filter_map(move |fund| {
        let max = fund.spec.limits.max_budget?;
        let account = scopes.cached(&fund.id)?;
        let spent = account.account.spent_of(max, now)?;
        Some((fund, spent, max))
    })
}

/// Sets aside what a call may cost at a deployment and its provider, and tells the ledger who pays now, so that
/// a call whose end is never known is booked there too.
///
/// # Errors
/// [`ErrorKind::RateLimited`] where a budget does not hold it, [`ErrorKind::Overloaded`] when the database does
/// not answer or the ledger cannot be written.
pub(super) async fn set_aside(
    call: &Call,
    purse: &Purse,
    deployment: &Deployment,
    worst: Money,
) -> Result<()> {
    match call.snapshot.funds.deployments.get(&deployment.id) {
        None => Ok(()),
        Some(funds) => seldom(|| fund(call, purse, (deployment, funds), worst)).await,
    }
}

async fn fund(
    call: &Call,
    purse: &Purse,
    (deployment, funds): (&Deployment, &[Fund]),
    worst: Money,
) -> Result<()> {
    let ask = Ask { cost: worst.max(purse.ask.cost), ..purse.ask };
    for fund in funds {
        let part = part_of(&call.core.shared, fund).await?;
        let reserved = match reserve(&call.core.shared, fund, &part, ask).await {
            Ok(reserved) => reserved,
            Err(refusal) => {
                purse.upstream.release(&deployment.id);
                return Err(refusal);
            }
        };
        let aside = Aside { deployment: deployment.id.clone(), scope: Arc::clone(&part.scope), reserved };
        purse.upstream.0.lock().asides.push(aside);
    }
    tell(call, purse).await
}

/// Tells the ledger what is set aside now, and where, so that a call whose end is never known is booked at it.
///
/// # Errors
/// [`ErrorKind::Overloaded`] when the ledger cannot be written.
pub(super) async fn tell(call: &Call, purse: &Purse) -> Result<()> {
    let Some(told) = &purse.told else { return Ok(()) };
    let parts: Vec<ScopeId> = told.parts.iter().cloned().chain(purse.upstream.parts()).collect();
    let more = purse.upstream.cover(|cover| cover.added());
    let turn = call.core.journal.queue(|out| limit::announce(call, told, (more, &parts), out));
    call.core.journal.written(turn).await
}

/// Gives back what is set aside for a deployment whose attempt failed, unless its error says what it used.
pub(super) fn failed(purse: &Purse, deployment: &Deployment, error: &Error) {
    if error.usage().is_none() {
        purse.upstream.release(&deployment.id);
    }
}

async fn reserve(shared: &Arc<Shared>, fund: &Fund, part: &Part, ask: Ask) -> Result<Reserved> {
    for _ in 0..limit::LEASES {
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
    Err(limit::crowded())
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
        for (fund, spent, max) in spent(&call.snapshot, &call.core.shared, &candidate.deployment.id, now) {
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

/// Whether the configuration has budgets that every call pays into, or those with tags of this one's.
pub(super) fn are_common(call: &Call) -> bool {
    let funds = &call.snapshot.funds;
    funds.gateway.is_some() || !(funds.tags.is_empty() || call.tags.is_empty())
}

/// The budgets of the configuration that every call pays into: the gateway's and its tags'.
///
/// # Errors
/// As [`set_aside`].
pub(super) async fn common(call: &Call) -> Result<Vec<(String, Part)>> {
    let funds = &call.snapshot.funds;
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
