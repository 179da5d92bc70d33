//! The room of limits: money, tokens and a place are set aside before a call is made.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use gateway_db::{Intent, JsonMap, Owner, ScopeId, ScopeKind};
use llm_types::{Error, ErrorKind, Money, Origin, Result, seldom};
use serde_json::{Value, json};

use super::charge::Payers;
use super::funds::Told;
use super::operation::Worst;
use super::settle::Tail;
use super::sheet::{Charged, Rests};
use super::whose::Who;
use super::{Call, Caller, funds, operation, rules};
use crate::clock::steady_ms;
use crate::config::TokenCount;
use crate::identity::PartSpec;
use crate::journal::Turn;
use crate::limits::{Ask, Denial, Limits};
use crate::state::{Admitted, Served, Shared};

/// The name under which calls of the operator are booked (surface §4.2).
pub(crate) const MASTER: &str = "litellm_proxy_master_key";

/// Bytes of prompt per token in reservations: few, so that an estimate is rarely below the truth.
pub(super) const RESERVED_BYTES_PER_TOKEN: u64 = 3;

/// What a call is expected to use at most.
#[derive(Debug, Clone, Copy, Default)]
struct Estimate {
    input_tokens: u64,
    output_tokens: u64,
    /// Of the answer what is expected, which may be less than what is possible.
    expected: u64,
    ask: Ask,
}

/// A call that is let in: what is set aside for it, and the turn of the journal that announces it.
pub(super) type LetIn = (Box<Tail>, Option<Turn>);

/// Why a call is not let in.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) error: Error,
    /// The part of the key's that is spent, where that is a budget for one model.
    pub(super) model: Option<Arc<PartSpec>>,
}

impl From<Error> for Held {
    fn from(error: Error) -> Self {
        Self { error, model: None }
    }
}

/// Sets aside what the call may use and announces it to the ledger, unless the operator books nothing.
///
/// # Errors
/// The denial of the first limit that is reached, in LiteLLM's words.
pub(super) async fn limit(call: &Call, caller: Caller) -> std::result::Result<LetIn, Held> {
    let general = &call.snapshot.config.general;
    let booked = !general.disable_spend_updates;
    call.core.shared.store.admit(general.on_outage)?;
    if booked {
        call.core.journal.usable()?;
    }
    let mut payers = Payers::of(call, &caller);
    // Where nothing is booked and nobody is limited there is nothing to set aside.
    let asked = booked || !payers.is_empty() || call.snapshot.config.calls.refuse_unpriced;
    let estimate = if asked { estimate(call, &caller)? } else { Estimate::default() };
    let place = Place::take(call)?;
    payers.tokens = [estimate.input_tokens, estimate.expected];
    if let Some((_, limits)) = &mut payers.key {
        limits.parallel = limits.parallel.or(general.max_parallel_per_key);
    }
    let (charged, rests) = match payers.is_empty() {
        true => Default::default(),
        false => reserve(call, &mut payers, estimate.ask).await?,
    };
    // Made only now: a tail that is dropped settles, and a denied call has nothing to settle.
    let mut tail = Tail::new(call, caller, place);
    tail.charged = charged;
    tail.rests = rests;
    tail.purse.ask = estimate.ask;
    if !general.disable_budget_reservation {
        tail.purse.upstream.cover(|cover| cover.begin(estimate.ask.cost));
    }
    let announced = booked.then(|| {
        let told = Told {
            caller: tail.caller.clone(),
            reserved: tail.charged.at_key().map_or(estimate.ask.cost, |reserved| reserved.cost),
            tokens: [estimate.input_tokens, estimate.output_tokens],
            parts: tail.charged.parts.clone(),
        };
        let turn = call.core.journal.queue(|out| announce(call, &told, (Money::ZERO, &told.parts), out));
        tail.purse.told = Some(Arc::new(told));
        turn
    });
    tail.announced = booked;
    Ok((tail, announced))
}

/// How often one call asks for more of shared budgets: for each of its payers, and again where others were
/// quicker.
pub(super) const LEASES: usize = 32;

/// Sets aside what the call may use; where replicas share a budget, more of it is asked for first.
async fn reserve(
    call: &Call,
    payers: &mut Payers<'_>,
    ask: Ask,
) -> std::result::Result<(Charged, Rests), Held> {
    let shared = &call.core.shared;
    let closed = shared.quotas.is_away() && call.snapshot.config.general.refuse_without_rates;
    if closed && !payers.rated().is_empty() {
        return Err(unkept().into());
    }
    for _ in 0..LEASES {
        let now = steady_ms();
        let whole = call.snapshot.config.general.whole_reservations;
        let ask = Ask { shared: shared.quotas.is_on(), whole, ..ask };
        match payers.reserve(ask, now) {
            Ok(reserved) => return Ok(reserved),
            Err((denial @ (Denial::Lease { .. } | Denial::Quota), who)) => {
                seldom(|| ask_for_more(call, payers, ask, (denial, who))).await?;
            }
            Err((denial, who)) => {
                if let Some((slower, (_, limits))) =
                    throttled(call, payers, &denial, &who).zip(payers.key.as_mut())
                {
                    *limits = slower;
                    continue;
                }
                let model = who.model_of_key().filter(|_| matches!(denial, Denial::Budget { .. }));
                return Err(Held { error: refusal(call, denial, &who, now), model });
            }
        }
    }
    Err(crowded().into())
}

/// What a key may use whose budget is spent and that goes on more slowly (`throttle_on_budget_exceeded`): a part of its
/// rates. One without rates is refused.
fn throttled(call: &Call, payers: &Payers<'_>, denial: &Denial, who: &Who) -> Option<Limits> {
    let (entry, limits) = payers.key.as_ref()?;
    let part = call.snapshot.config.budgets.throttle?;
    if !matches!((denial, who), (Denial::Budget { .. }, Who::Key(_)))
        || (limits.rpm, limits.tpm) == (None, None)
    {
        return None;
    }
    let settings = &entry.record.settings;
    let said = |map: &JsonMap| map.get(THROTTLES) == Some(&Value::Bool(true));
    let of = |limit: u64| part_of(limit, part).max(1);
    let (rpm, tpm) = (limits.rpm.map(of), limits.tpm.map(of));
    (said(&settings.extra) || said(&settings.metadata)).then_some(Limits {
        max_budget: None,
        rpm,
        tpm,
        ..*limits
    })
}

/// Where keys say that they go on more slowly.
const THROTTLES: &str = "throttle_on_budget_exceeded";

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "rates are far below 2^53, and the part is between 0 and 1"
)]
fn part_of(limit: u64, part: f64) -> u64 {
    (limit as f64 * part) as u64
}

/// Asks for more of what replicas share.
async fn ask_for_more(
    call: &Call,
    payers: &Payers<'_>,
    ask: Ask,
    (denial, who): (Denial, Who),
) -> Result<()> {
    let shared = &call.core.shared;
    if let Denial::Lease { wanted, max } = denial {
        return who.lease(shared, ask, (wanted, max)).await;
    }
    let (keeper, rated) = (Arc::clone(shared), payers.rated());
    let asking = shared.control.spawn(async move {
        keeper.quotas.ask(&keeper, rated, ask).await;
    });
    asking.await.map_err(|gone| {
        Error::new(ErrorKind::Internal, "the question for a share of rates was interrupted").with_source(gone)
    })
}

/// Others were quicker, again and again.
pub(super) fn crowded() -> Error {
    Error::new(ErrorKind::Overloaded, "too many calls share what is left of a budget: try again")
        .with_origin(Origin::Gateway)
}

/// The refusal of a call whose rates cannot be kept with other gateways.
fn unkept() -> Error {
    let message =
        "rate limits cannot be checked while Redis is away (`fail_closed_rate_limit_enforcement`): try again";
    Error::new(ErrorKind::Overloaded, message).with_origin(Origin::Gateway)
}

pub(super) fn refusal(call: &Call, denial: Denial, who: &Who, now: i64) -> Error {
    if let (Who::Fund(tag, _), Denial::Budget { spent, reserved, max }) = (who, &denial)
        && !tag.is_empty()
    {
        let (spent, max) = ((*spent + *reserved).as_usd(), max.as_usd());
        return funds::crossed(&format!(
            "Exceeded budget for {tag}, tag_spend={spent}, tag_budget_limit={max}"
        ));
    }
    let error = denial.into_error(&who.limited(), now);
    if error.kind() == ErrorKind::BudgetExceeded {
        return error.with_status(call.snapshot.config.budgets.refusal_status);
    }
    error
}

/// A place among the calls in flight of the whole instance; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place {
    shared: Arc<Shared>,
    /// Its turn, where calls are let in by turns.
    _turn: Option<Arc<Admitted>>,
}

impl Place {
    /// Takes a place, if there is one (`global_max_parallel_requests`).
    fn take(call: &Call) -> Result<Self> {
        let before = call.core.shared.metrics.in_flight.fetch_add(1, Relaxed);
        let place = Self { shared: Arc::clone(&call.core.shared), _turn: call.admitted.clone() };
        match call.snapshot.config.general.max_parallel {
            Some(limit) if before >= u64::from(limit) => Err(Error::new(
                ErrorKind::RateLimited,
                format!("Max parallel request limit reached: {limit} for this instance"),
            )
            .with_origin(Origin::Gateway)
            .with_code("max_parallel_requests")
            .with_vendor_type("throttling_error")),
            _ => Ok(place),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.metrics.in_flight.fetch_sub(1, Relaxed);
    }
}

/// The dearest deployment of the group decides what is set aside.
fn estimate(call: &Call, caller: &Caller) -> Result<Estimate> {
    let glance = &call.glance;
    let input_tokens = glance.prompt_bytes.div_ceil(RESERVED_BYTES_PER_TOKEN);
    let Some(route) = call.snapshot.routes().resolve(&glance.model, caller.team()) else {
        return Ok(Estimate::default());
    };
    // What is expected counts for rates; of money the most is set aside.
    let expected = if glance.max_tokens.is_none() { rules::answer_of(call, caller) } else { None };
    let expected = expected.map(|tokens| tokens.saturating_mul(glance.n.max(1)));
    let general = &call.snapshot.config.general;
    let mut best = Estimate { input_tokens, ..Estimate::default() };
    let (mut priced, mut free) = (false, true);
    let units = call.asked.as_deref().map(|asked| operation::worst(asked, glance)).transpose()?;
    for candidate in &route.group.candidates {
        let model = route.model(&candidate.deployment);
        let served = call.snapshot.served(&candidate.deployment, &model, &call.core.shared.metrics)?;
        let (used, worst, known) = worst_at(call, &served, units.as_ref());
        let (input_tokens, output_tokens) = used;
        if best.output_tokens == 0 || worst > best.ask.cost {
            let expected = expected.unwrap_or(output_tokens);
            let tokens = counted(general.token_limit_counts, input_tokens, expected);
            let cost = if general.disable_budget_reservation { Money::ZERO } else { worst };
            best = Estimate {
                input_tokens,
                output_tokens,
                expected,
                ask: Ask { cost, tokens, ..Ask::default() },
            };
        }
        priced |= known;
        free &= known && worst == Money::ZERO;
    }
    best.ask.free = free && priced;
    if !priced && call.snapshot.config.calls.refuse_unpriced {
        return Err(unpriced(&glance.model));
    }
    Ok(best)
}

/// What a call uses at most at one deployment: tokens of the prompt and the answer, money, and whether its price
/// is known.
fn worst_at(call: &Call, served: &Served, units: Option<&Worst<'_>>) -> ((u64, u64), Money, bool) {
    let glance = &call.glance;
    let input_tokens = glance.prompt_bytes.div_ceil(RESERVED_BYTES_PER_TOKEN);
    if let Some(units) = units {
        return units.of(call, served, input_tokens);
    }
    let output_tokens = served.answer_cap(glance.max_tokens).saturating_mul(glance.n.max(1));
    let known = served.info.as_ref().is_some_and(|info| info.price.is_known());
    ((input_tokens, output_tokens), served.worst_case(input_tokens, output_tokens, call.reach()), known)
}

/// The most a call can cost at one deployment.
///
/// # Errors
/// As [`operation::worst`].
pub(super) fn worst_cost(call: &Call, served: &Served) -> Result<Money> {
    let units = call.asked.as_deref().map(|asked| operation::worst(asked, &call.glance)).transpose()?;
    Ok(worst_at(call, served, units.as_ref()).1)
}

/// The tokens that a limit per minute counts (`token_rate_limit_type`).
pub(super) fn counted(what: TokenCount, input_tokens: u64, output_tokens: u64) -> u64 {
    match what {
        TokenCount::Total => input_tokens.saturating_add(output_tokens),
        TokenCount::Input => input_tokens,
        TokenCount::Output => output_tokens,
    }
}

fn unpriced(model: &str) -> Error {
    let shown: String = model.chars().take(200).collect();
    Error::new(
        ErrorKind::Forbidden,
        format!(
            "model `{shown}` has no price and `block_requests_for_models_without_pricing` is set: give it one"
        ),
    )
    .with_vendor_type("model_cost_map_missing")
    .with_param("model")
}

/// Parts as the ledger has them, those that pay for a share of a call with what they pay; empty where there are
/// none.
pub(super) fn parts_told(parts: &[ScopeId], paid: &[(ScopeId, Money)]) -> String {
    if parts.is_empty() && paid.is_empty() {
        return String::new();
    }
    let whole = parts.iter().map(|part| match part.kind {
        ScopeKind::Part => json!([&*part.id, &*part.member]),
        _ => json!([part.as_owner(), ""]),
    });
    let shares = paid.iter().map(|(part, cost)| json!([&*part.id, &*part.member, cost.0]));
    Value::from_iter(whole.chain(shares)).to_string()
}

/// Appends to the ledger what a call may cost whom; said again with more, the last word counts.
pub(super) fn announce(call: &Call, told: &Told, (more, parts): (Money, &[ScopeId]), out: &mut Vec<u8>) {
    let parts = parts_told(parts, &[]);
    let intent = Intent {
        id: call.id,
        started_ms: call.started_ms,
        reserved: told.reserved + more,
        reserved_input_tokens: told.tokens[0],
        reserved_output_tokens: told.tokens[1],
        owner: Owner { parts: &parts, ..owner(&told.caller, call.counted_end_user()) },
        model_group: &call.glance.model,
        call_type: call.call_type,
        stream: call.glance.stream,
    };
    intent.encode(out);
}

/// Whom a call is charged to.
pub(crate) fn owner<'a>(caller: &'a Caller, end_user: Option<&'a str>) -> Owner<'a> {
    let end_user = end_user.unwrap_or_default();
    match caller {
        Caller::Operator => Owner { key: MASTER, user_id: "default_user_id", end_user, ..Owner::default() },
        Caller::Key(entry) => {
            let settings = &entry.record.settings;
            let text = |value: &'a Option<String>| value.as_deref().unwrap_or_default();
            Owner {
                key: entry.record.hash.as_str(),
                user_id: text(&settings.user_id),
                team_id: text(&settings.team_id),
                organization_id: entry.organization().unwrap_or_default(),
                end_user,
                project_id: text(&settings.project_id),
                parts: "",
            }
        }
    }
}
