//! Whether a conversation stays where its prompt is warm. LiteLLM surface §7.8, cache-aware routing.
//!
//! A model of the tier, or of a higher one, that has the beginning of the prompt in its cache may be cheaper than the
//! model that is picked, which would have to read all of it anew. Only what the provider said of its cache counts.

use super::Complexity;
use crate::Routes;
use crate::auto::{Decision, Said, Tier, Warmth};

/// Causes that are the operator's own word on where a prompt goes.
const FIXED: [&str; 2] = ["keyword_rule", "housekeeping"];

type Place<'a> = (&'a Routes, Option<&'a str>);

impl Complexity {
    /// The decision, or the group where the prompt is warm if the call costs less there.
    pub(super) fn where_warm(&self, place: Place<'_>, said: &Said<'_>, decision: Decision) -> Decision {
        let (Some(expected), Some(tier)) = (self.cache_aware, decision.tier) else { return decision };
        if said.warm.is_empty() || FIXED.contains(&decision.cause) {
            return decision;
        }
        let output = said.most_output.map_or(expected, |most| most.min(expected));
        let Some(usual) = cost(place, said, &decision.model, output) else { return decision };
        let higher = Tier::ALL.into_iter().filter(|other| *other >= tier);
        let choices = higher.flat_map(|tier| self.tiers[tier as usize].iter().map(move |one| (tier, one)));
        let warm = choices.filter(|(_, one)| {
            let is_warm = said.warm.iter().any(|warmth| warmth.model == one.model);
            is_warm && one.model != decision.model && self.takes(place, said, &one.model)
        });
        let priced = warm.filter_map(|(tier, one)| Some((tier, one, cost(place, said, &one.model, output)?)));
        let Some((there, choice, least)) = priced.min_by(|a, b| a.2.total_cmp(&b.2)) else { return decision };
        if least >= usual {
            return decision;
        }
        let mut signals = decision.signals;
        signals.push(format!("cache_aware_from:{tier}:{}", decision.model));
        signals.push(format!("cache_aware_cost:{least:.6}<{usual:.6}"));
        Decision {
            model: choice.model.clone(),
            params: choice.params.clone(),
            tier: Some(there),
            cause: "cache_aware_routing",
            signals,
            ..decision
        }
    }
}

/// What a call costs at a group, in USD: what is warm there is read, what is warm elsewhere would be written, the rest
/// is read as usual. `None` where the group has no price.
#[expect(clippy::cast_precision_loss, reason = "prompts are far below 2^52 tokens")]
fn cost((routes, team): Place<'_>, said: &Said<'_>, model: &str, output: u64) -> Option<f64> {
    let route = routes.resolve(model, team)?;
    let deployment = &route.group.candidates.first()?.deployment;
    let (input, answer) = (deployment.token_price.0?, deployment.token_price.1?);
    let (read, write) = deployment.cache_price;
    let all = said.signs.tokens;
    let warm = |of: &mut dyn Iterator<Item = &Warmth>| of.map(|one| one.tokens.min(all)).max().unwrap_or(0);
    let here = warm(&mut said.warm.iter().filter(|one| *one.model == *model));
    let beginning = warm(&mut said.warm.iter());
    let sum = |tokens: u64, price: f64| tokens as f64 * price;
    Some(
        sum(here, read.unwrap_or(input))
            + sum(beginning - here, write.unwrap_or(input))
            + sum(all - beginning, input)
            + sum(output, answer),
    )
}
