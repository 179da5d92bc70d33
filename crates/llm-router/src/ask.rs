//! What a choice may want to know of the request.

use std::fmt;

use crate::{Advice, Deployment};

/// Counts the tokens of the prompt as a deployment's model does. Called only when somebody needs the
/// number; whoever gives it should remember it.
pub type CountTokens<'a> = &'a (dyn Fn(&Deployment) -> u64 + Sync);

/// Whether a deployment is kept for others at the moment.
pub type Reserved<'a> = &'a (dyn Fn(&Deployment) -> bool + Sync);

/// What a choice may want to know of the request.
#[derive(Clone, Copy, Default)]
pub struct Ask<'a> {
    /// The answer is streamed.
    pub stream: bool,
    /// Counts the prompt's tokens; without it they count as 0.
    pub tokens: Option<CountTokens<'a>>,
    /// Its prompt has no more tokens than this, whoever counts them: where that is enough to know, nobody
    /// counts. 0 when nothing is known.
    pub at_most: u64,
    /// The most tokens its answer may have, where the caller says so.
    pub output: Option<u64>,
    /// It wants an answer of a JSON schema.
    pub structured: bool,
    /// It wants the web to be searched.
    pub web_search: bool,
    /// The service tier it asks for.
    pub tier: Option<&'a str>,
    /// Which deployments are kept for others at the moment (`access_windows`); `None` is none.
    pub reserved: Option<Reserved<'a>>,
    /// The caller's `User-Agent`, for `tag_regex`.
    pub user_agent: Option<&'a str>,
    /// The one region that may serve it, such as `eu`.
    pub region: Option<&'a str>,
    /// What was said of the deployments of the group, for the strategy `custom`.
    pub advice: Option<&'a Advice>,
    /// `metadata.lar1`, for the strategy of that name.
    pub lar1: Option<Lar1<'a>>,
}

/// What a request says of how hard it is (`metadata.lar1`). LiteLLM surface §7.2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lar1<'a> {
    /// From 0 to 1.
    pub confidence: f64,
    /// Such as `UNVERIFIED`.
    pub evidence: &'a str,
    /// Such as `MEM`.
    pub time: &'a str,
}

impl Ask<'_> {
    /// The tokens of the prompt for a deployment.
    #[must_use]
    pub fn tokens_for(&self, deployment: &Deployment) -> u64 {
        self.tokens.map_or(0, |count| count(deployment))
    }

    /// The tokens of the prompt for a deployment, where they are more than `limit`.
    #[must_use]
    pub fn tokens_beyond(&self, limit: u64, deployment: &Deployment) -> Option<u64> {
        if self.at_most > 0 && self.at_most <= limit {
            return None;
        }
        Some(self.tokens_for(deployment)).filter(|tokens| *tokens > limit)
    }
}

impl fmt::Debug for Ask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask")
            .field("stream", &self.stream)
            .field("structured", &self.structured)
            .field("web_search", &self.web_search)
            .field("tier", &self.tier)
            .field("user_agent", &self.user_agent)
            .field("region", &self.region)
            .field("lar1", &self.lar1)
            .finish_non_exhaustive()
    }
}
