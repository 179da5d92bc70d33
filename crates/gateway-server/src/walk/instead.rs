//! Another model in place of one whose budget at the key is spent (`budget_fallbacks`, LiteLLM surface §3.3).

use std::sync::OnceLock;

use llm_types::{ErrorKind, Result, seldom};

use super::limit::{self, Held, LetIn};
use super::{Call, Caller, attend, auto};
use crate::identity::{For, PartSpec};

/// Lets a call in, for the model it asks for or one that the key names in its place.
///
/// # Errors
/// As [`limit::limit`]: where no model in its place is paid for either, the refusal of the model that was asked for.
pub(super) async fn limit(call: &mut Call, caller: Caller) -> Result<LetIn> {
    if stand_ins(&caller).is_empty() {
        return limit::limit(call, caller).await.map_err(|held| held.error);
    }
    seldom(|| with_stand_ins(call, caller)).await
}

async fn with_stand_ins(call: &mut Call, caller: Caller) -> Result<LetIn> {
    let refused = match limit::limit(call, caller.clone()).await {
        Ok(let_in) => return Ok(let_in),
        Err(refused) => refused,
    };
    let Some(spent) = &refused.model else { return Err(refused.error) };
    let asked = call.routed.take().map_or_else(|| call.glance.model.clone(), |routed| routed.router);
    for model in named(&caller, &asked, spent) {
        replace(call, model, &asked);
        if !allows(call, &caller).await? {
            tracing::debug!(%model, %asked, "a model in place of one whose budget is spent is not for this key");
            continue;
        }
        auto::choose(call, &caller, auto::For::Answer).await?;
        match limit::limit(call, caller.clone()).await {
            Ok(let_in) => return Ok(let_in),
            // Its own budget is spent, too.
            Err(Held { model: Some(_), .. }) => {}
            Err(held) => return Err(held.error),
        }
    }
    replace(call, &asked, &asked);
    call.instead_of = None;
    Err(refused.error)
}

/// Whether the key and everybody who pays with it let the model pass that is asked for now.
async fn allows(call: &mut Call, caller: &Caller) -> Result<bool> {
    if !caller.may_use(&call.snapshot, &call.glance.model) {
        return Ok(false);
    }
    match attend::attend(call, caller).await {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Forbidden => Ok(false),
        Err(error) => Err(error),
    }
}

/// Asks for another model.
fn replace(call: &mut Call, model: &str, asked: &str) {
    model.clone_into(&mut call.glance.model);
    call.instead_of = Some(asked.to_owned());
    // What an auto router and the shares of a model said is about the model before.
    (call.routed, call.controls.params, call.controls.requested) = (None, None, None);
    call.priority = OnceLock::new();
}

fn stand_ins(caller: &Caller) -> &[(For, Vec<String>)] {
    match caller {
        Caller::Operator => &[],
        Caller::Key(entry) => &entry.stand_ins,
    }
}

/// The models in place of the one that was asked for, or of the one whose budget is spent: an auto router may have
/// named it.
fn named<'a>(caller: &'a Caller, asked: &str, spent: &PartSpec) -> &'a [String] {
    let of = |model: &str| stand_ins(caller).iter().find(|(of, _)| of.holds(model, &[]));
    let by_budget = || match &spent.of {
        For::Model(model) => of(model),
        For::All | For::Tag(_) => None,
    };
    of(asked).or_else(by_budget).map_or(&[], |(_, models)| models)
}
