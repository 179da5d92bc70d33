//! How long an attempt may take. LiteLLM surface §7.6.

use std::time::Duration;

use crate::{Deployment, Request, RouterSettings};

/// The times that hold for one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// For a whole answer; `None` for streams, which may take as long as they flow.
    pub(crate) whole: Option<Duration>,
    /// To the first byte of a stream.
    pub(crate) first_byte: Option<Duration>,
    /// The caller set the limit that applies: when it passes, the deployment is not to blame.
    pub(crate) by_caller: bool,
}

impl Limits {
    /// The request's limit, else the deployment's for the service tier, else the deployment's, else the
    /// router's; streams ask for their own kind first.
    pub(crate) fn of(request: &Request<'_>, deployment: &Deployment, settings: &RouterSettings) -> Self {
        let asked = request.controls;
        let of_tier = |stream| request.ask.tier.and_then(|tier| deployment.tier_timeout(tier, stream));
        let whole = asked.timeout.or_else(|| of_tier(false)).or(deployment.timeout).or(settings.timeout);
        if !request.stream {
            return Self { whole, first_byte: None, by_caller: asked.timeout.is_some() };
        }
        let own = of_tier(true).or(deployment.stream_timeout).or(settings.stream_timeout);
        let first_byte = asked.stream_timeout.or(own).or(whole);
        let by_caller = asked.stream_timeout.is_some() || (own.is_none() && asked.timeout.is_some());
        Self { whole: None, first_byte, by_caller }
    }

    /// The one of the two that is set.
    pub(crate) fn any(&self) -> Option<Duration> {
        self.first_byte.or(self.whole)
    }
}

#[cfg(test)]
mod tests;
