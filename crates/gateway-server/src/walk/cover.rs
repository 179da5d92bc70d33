//! More is set aside when a call goes on to a deployment that is dearer than those it was admitted for, or to a
//! second one while the first may have worked for it: a budget holds whoever answers.

use llm_router::Attempt;
use llm_types::{Error, Money, Result, Retry, seldom};

use super::charge::Payers;
use super::funds::{self, Purse};
use super::sheet::Charged;
use super::{Call, Caller, limit};
use crate::clock::steady_ms;
use crate::limits::{Ask, Denial};

/// What the deployments of a call may cost together, and what is set aside for it.
#[derive(Debug, Default)]
pub(super) struct Cover {
    /// What is set aside at everybody who pays; `None` where nothing is.
    held: Option<Money>,
    /// How much of it was set aside after the call was admitted.
    added: Money,
    /// What those may cost that were asked; who failed without doing anything is not among them.
    asked: Money,
    /// It, to be given back.
    more: Vec<Charged>,
    ended: bool,
}

impl Cover {
    /// A call is admitted with so much set aside.
    pub(super) fn begin(&mut self, held: Money) {
        self.held = Some(held);
    }

    /// Counts a deployment that may cost so much; gives what is missing for it.
    fn add(&mut self, worst: Money) -> Money {
        let held = self.held.unwrap_or_default();
        self.asked += worst;
        let missing = self.asked.saturating_sub(held);
        self.held = Some(held + missing);
        missing
    }

    /// A deployment has cost nothing.
    pub(super) fn spare(&mut self, worst: Money) {
        self.asked = self.asked.saturating_sub(worst);
    }

    /// What was set aside after the call was admitted.
    pub(super) fn added(&self) -> Money {
        self.added
    }

    /// Takes over what was set aside.
    fn keep(&mut self, amount: Money, more: Charged) {
        self.added += amount;
        if self.ended { more.release() } else { self.more.push(more) }
    }

    /// Gives back what was set aside after the call was admitted: it has ended.
    pub(super) fn end(&mut self) {
        self.ended = true;
        self.more.drain(..).for_each(Charged::release);
    }
}

/// Sees that what a call may cost at one deployment more is set aside at everybody who pays; gives how much that
/// is. The first deployment is one of those the call was admitted for.
///
/// # Errors
/// [`llm_types::ErrorKind::BudgetExceeded`] where a budget does not hold it: another deployment may be cheaper.
/// [`llm_types::ErrorKind::Overloaded`] when the database does not answer or the ledger cannot be written.
pub(super) async fn extend(
    call: &Call,
    caller: &Caller,
    purse: &Purse,
    attempt: &Attempt<'_>,
    is_first: bool,
) -> Result<Money> {
    let Some(held) = purse.upstream.cover(|cover| cover.held) else { return Ok(Money::ZERO) };
    let worst = if is_first {
        held
    } else {
        let served = call.snapshot.served(attempt.deployment, &attempt.model, &call.core.shared.metrics)?;
        limit::worst_cost(call, &served)?
    };
    let missing = purse.upstream.cover(|cover| cover.add(worst));
    if missing > Money::ZERO {
        seldom(|| raise(call, caller, purse, Gap { worst, missing, held })).await?;
    }
    Ok(worst)
}

/// What a deployment may cost, how much of it is missing, and what was held before it was asked.
struct Gap {
    worst: Money,
    missing: Money,
    held: Money,
}

/// Sets aside what is missing, and tells the ledger of it.
async fn raise(call: &Call, caller: &Caller, purse: &Purse, gap: Gap) -> Result<()> {
    let Gap { worst, missing, held } = gap;
    match more(call, caller, missing, held).await {
        Ok(more) => {
            purse.upstream.cover(|cover| cover.keep(missing, more));
            funds::tell(call, purse).await
        }
        Err(error) => {
            purse.upstream.cover(|cover| {
                cover.held = cover.held.map(|held| held.saturating_sub(missing));
                cover.spare(worst);
            });
            Err(error)
        }
    }
}

/// Sets aside more at everybody who pays.
async fn more(call: &Call, caller: &Caller, missing: Money, held: Money) -> Result<Charged> {
    let payers = Payers::of(call, caller).without_rates();
    let ask = Ask { cost: missing, beside: Some(held), ..Ask::default() };
    for _ in 0..limit::LEASES {
        let now = steady_ms();
        match payers.reserve(ask, now) {
            Ok((more, _)) => return Ok(more),
            Err((Denial::Lease { wanted, max }, who)) => {
                who.lease(&call.core.shared, ask, (wanted, max)).await?;
            }
            Err((denial, who)) => {
                return Err(limit::refusal(call, denial, &who, now).with_retry(Retry::Elsewhere));
            }
        }
    }
    Err(limit::crowded())
}

/// A deployment whose attempt failed has cost nothing, unless its error says what it used.
pub(super) fn failed(purse: &Purse, worst: Money, error: &Error) {
    if error.usage().is_none() {
        purse.upstream.cover(|cover| cover.spare(worst));
    }
}
