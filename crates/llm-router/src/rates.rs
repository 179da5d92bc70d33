//! What a deployment may be asked within a minute: requests, tokens, tokens of prompts and of answers.
//! LiteLLM surface §7.7, `enforce_model_rate_limits`.
//!
//! Choosing looks ([`reached`]), asking takes ([`take`]) by the same rule, so that calls at the same time
//! never go beyond a limit together. What was taken for tokens is replaced by what was used.

use std::fmt;

use crate::plan::Why;
use crate::{Ask, Candidate, Deployment, DeploymentState, Moment, RouterSettings};

/// Tokens of an answer that nobody limits.
const USUAL_ANSWER: u64 = 4_096;

/// Tokens set aside at a deployment for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    input: u64,
    output: u64,
    at: Moment,
}

/// Tokens a call may use: of its prompt and of its answer, 0 where these are not limited.
#[derive(Debug, Clone, Copy)]
struct Want {
    input: u64,
    output: u64,
}

impl Want {
    /// What a call wants of a deployment. An answer whose length nobody limits is never too long for it.
    fn of(ask: &Ask<'_>, one: &Deployment) -> Self {
        let usual = |limit: u64| one.max_output_tokens.unwrap_or(USUAL_ANSWER).min(limit);
        let output = |limit: u64| ask.output.unwrap_or_else(|| usual(limit)).max(1);
        Self { input: one.itpm.map_or(0, |_| ask.tokens_for(one).max(1)), output: one.otpm.map_or(0, output) }
    }
}

/// A call that is weighed against limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) ask: Ask<'a>,
    /// All limits hold (`enforce_model_rate_limits`), not only that of requests.
    pub(crate) enforced: bool,
    pub(crate) now: Moment,
}

/// A limit and what is used of it, the call counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reached {
    why: fn(u64) -> Why,
    kind: &'static str,
    limit: u64,
    usage: u64,
}

impl Reached {
    /// Why the deployment is left out.
    pub(crate) fn why(self) -> Why {
        (self.why)(self.limit)
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} limit={}, current usage={}", self.kind, self.limit, self.usage)
    }
}

/// The limit that keeps a call from a deployment.
pub(crate) fn reached(one: &Candidate, asked: &Asked<'_>) -> Option<Reached> {
    let Asked { ask, enforced, now } = asked;
    let (deployment, state) = (&one.deployment, &one.state);
    let over = |limit: Option<u64>, usage: u64, why, kind| {
        limit.filter(|limit| usage > *limit).map(|limit| Reached { why, kind, limit, usage })
    };
    let requests = state.requests_this_minute(*now).saturating_add(1);
    let reached = over(deployment.rpm, requests, Why::Requests, "RPM");
    if reached.is_some() || !enforced {
        return reached;
    }
    let tokens = state.tokens_this_minute(*now);
    let at = |limit: Option<u64>| limit.filter(|limit| tokens >= *limit);
    if let Some(limit) = at(deployment.tpm) {
        return Some(Reached { why: Why::Tokens, kind: "TPM", limit, usage: tokens });
    }
    if deployment.itpm.is_none() && deployment.otpm.is_none() {
        return None;
    }
    let want = Want::of(ask, deployment);
    let [input, output] = state.split_tokens_this_minute(*now);
    let input = over(deployment.itpm, input.saturating_add(want.input), Why::InputTokens, "ITPM");
    input.or_else(|| over(deployment.otpm, output.saturating_add(want.output), Why::OutputTokens, "OTPM"))
}

/// Counts a call that is about to be sent, and sets its tokens aside where those are limited.
///
/// # Errors
/// Nothing is counted where others were quicker and a limit is reached.
pub(crate) fn take(
    one: &Candidate,
    ask: &Ask<'_>,
    settings: &RouterSettings,
    now: Moment,
) -> Result<Option<Held>, TooLate> {
    let (deployment, measures) = (&one.deployment, &one.state.measures);
    if !settings.enforce_limits {
        measures.requests.add(1, now);
        return Ok(None);
    }
    if !measures.requests.take(1, deployment.rpm.unwrap_or(u64::MAX), now) {
        return Err(TooLate);
    }
    if deployment.itpm.is_none() && deployment.otpm.is_none() {
        return Ok(None);
    }
    let Want { input, output } = Want::of(ask, deployment);
    let held = Held { input, output, at: now };
    if !measures.input.take(input, deployment.itpm.unwrap_or(u64::MAX), now) {
        measures.requests.take_back(1, now);
        return Err(TooLate);
    }
    if !measures.output.take(output, deployment.otpm.unwrap_or(u64::MAX), now) {
        measures.input.take_back(input, now);
        measures.requests.take_back(1, now);
        return Err(TooLate);
    }
    Ok(Some(held))
}

/// A limit was reached between looking and asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLate;

impl Held {
    /// Gives all of it back: the call used nothing.
    pub(crate) fn give_back(self, state: &DeploymentState) {
        state.measures.input.take_back(self.input, self.at);
        state.measures.output.take_back(self.output, self.at);
    }

    /// Replaces it by what the call used.
    pub(crate) fn replace(self, state: &DeploymentState, input: u64, output: u64, now: Moment) {
        self.give_back(state);
        // What is used counts in the minute it was set aside in.
        if self.at.minute() == now.minute() {
            state.measures.input.add(input, now);
            state.measures.output.add(output, now);
        }
    }
}

#[cfg(test)]
mod tests;
