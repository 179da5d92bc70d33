//! Who may serve a call now, and in which order: pure, with moment and random source passed in.
//!
//! LiteLLM surface §7.1, in its order: paused, ill and resting deployments are left out, those that
//! cannot take the request, those without its tags; the lowest level is kept; who already failed this
//! call is avoided; and the strategy picks.

mod narrow;

use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use smallvec::SmallVec;

use crate::strategies::{Pool, Strategy, StrategyArgs};
use crate::tags::TagWish;
use crate::{Ask, Cause, Group, Moment, RouterSettings};

use narrow::Narrowing;
pub use narrow::in_region;

/// Places of deployments in their group, in its order.
pub(crate) type Open = SmallVec<[u32; 16]>;

/// What a call rules out before the strategy picks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// Only this level; `None` keeps the lowest that can serve.
    pub level: Option<i64>,
    /// Places of deployments that must not serve.
    pub excluded: &'a [u32],
    /// Places of deployments that failed this call: avoided while others can serve.
    pub failed: &'a [u32],
    /// Places of deployments that should serve, the first that can: the call has been there before.
    pub wanted: &'a [u32],
    /// The tags of the request, where tag routing is on.
    pub tags: Option<TagWish<'a>>,
    /// What is known of the request.
    pub ask: Ask<'a>,
}

/// Why nobody can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Every deployment is paused.
    Paused,
    /// No deployment has the request's tags.
    Tags,
    /// All rest; the first is back after this time.
    Resting(Duration),
    /// The prompt is longer than any deployment takes, or none can answer in the way asked for.
    Unable,
    /// All that could serve are at their limits of this minute.
    Limits,
    /// All are kept for other teams at this time of the day.
    Reserved,
    /// No deployment is left: other levels and excluded ones only.
    Nobody,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused => f.write_str("every deployment is paused"),
            Self::Tags => f.write_str("no deployment has the tags of the request"),
            Self::Resting(left) => {
                write!(f, "all rest, the first for {} s more", left.as_millis().div_ceil(1_000))
            }
            Self::Unable => f.write_str("no deployment can take the request"),
            Self::Limits => f.write_str("all are at their limits of this minute"),
            Self::Reserved => f.write_str("all are kept for other teams now"),
            Self::Nobody => f.write_str("no deployment is left"),
        }
    }
}

/// Why a deployment does not serve a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Paused by the operator.
    Paused,
    /// It is an auto router: it names who serves, and is not called.
    Auto,
    /// The last probe found it ill.
    Ill,
    /// It rests for so much longer.
    Resting(Duration, Cause),
    /// It has nothing left to spend.
    Broke,
    /// It is not of the level that is tried.
    Level(i64),
    /// It failed this call before, or another is to serve.
    Excluded,
    /// The prompt is longer than it takes.
    TooLong {
        /// Tokens of the prompt.
        tokens: u64,
        /// The most it takes.
        limit: u64,
    },
    /// It is elsewhere.
    Region,
    /// It cannot answer by a JSON schema.
    Unstructured,
    /// It has reached its requests per minute.
    Requests(u64),
    /// It has reached its tokens per minute.
    Tokens(u64),
    /// It has reached its input tokens per minute, or would with this prompt.
    InputTokens(u64),
    /// It has reached its output tokens per minute, or might with this answer.
    OutputTokens(u64),
    /// It is kept for other teams at this time of the day.
    Reserved,
    /// It does not search the web.
    NoWebSearch,
    /// It does not have the request's tags.
    Tags,
    /// It failed this call; others can serve.
    FailedBefore,
    /// It has no place for another call; others have.
    Full,
    /// It is back from a rest, and a call that tries it is on its way.
    OnTrial,
    /// The caller has been at another one before.
    Elsewhere,
    /// A rule of the program's own leaves it out.
    Rule(String),
    /// Who was asked for advice named others, and nobody else is to serve.
    Unadvised,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused => f.write_str("paused by the operator (`blocked`)"),
            Self::Auto => f.write_str("an auto router, which is not called itself"),
            Self::Ill => f.write_str("found ill by the last health check"),
            Self::Resting(left, cause) => {
                let seconds = left.as_millis().div_ceil(1_000);
                let whose = match cause {
                    Cause::Itself => "after failures of its own",
                    Cause::Credential => "because its key was refused",
                    Cause::Outage => "because its provider's address is away",
                    Cause::Shared => "because another gateway found it failing",
                    Cause::Outlier => "because it fails more often or is slower than its group",
                };
                write!(f, "rests {seconds} s more {whose}")
            }
            Self::Broke => f.write_str("has spent its budget"),
            Self::Level(i64::MAX) => f.write_str("has no `order`, which comes last"),
            Self::Level(level) => write!(f, "of `order` {level}, which comes later"),
            Self::Excluded => f.write_str("excluded from this call"),
            Self::TooLong { tokens, limit } => {
                write!(f, "the prompt has {tokens} tokens, it takes {limit}")
            }
            Self::Region => f.write_str("not in the region the caller is bound to"),
            Self::Unstructured => f.write_str("cannot answer by a JSON schema"),
            Self::Requests(limit) => write!(f, "at its limit of {limit} requests this minute"),
            Self::Tokens(limit) => write!(f, "at its limit of {limit} tokens this minute"),
            Self::InputTokens(limit) => {
                write!(f, "at its limit of {limit} input tokens this minute, this prompt counted")
            }
            Self::OutputTokens(limit) => {
                write!(f, "at its limit of {limit} output tokens this minute, the longest answer counted")
            }
            Self::Reserved => f.write_str("kept for other teams now (`access_windows`)"),
            Self::NoWebSearch => f.write_str("does not search the web (`supports_web_search`)"),
            Self::Tags => f.write_str("does not have the tags of the request"),
            Self::FailedBefore => f.write_str("failed this call before"),
            Self::Full => f.write_str("at `max_parallel_requests`"),
            Self::OnTrial => f.write_str("back from a rest and being tried by another call"),
            Self::Elsewhere => f.write_str("another one has served this session or prompt before"),
            Self::Rule(name) => write!(f, "left out by the rule `{name}`"),
            Self::Unadvised => f.write_str("not named by who is asked (`routing_webhook`)"),
        }
    }
}

/// Looks on while a group is narrowed down.
pub trait Witness {
    /// Is told of each deployment that is left out, by its place.
    fn left_out(&mut self, at: u32, why: impl FnOnce() -> Why);
}

/// Nobody looks on.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Witness for Nobody {
    fn left_out(&mut self, _: u32, _: impl FnOnce() -> Why) {}
}

/// The deployments that may serve a call, best first, picked one by one as they are needed.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    group: &'a Group,
    settings: &'a RouterSettings,
    strategy: Strategy,
    args: &'a StrategyArgs,
    ask: Ask<'a>,
    now: Moment,
    open: Open,
}

impl Plan<'_> {
    /// The next deployment, by its place in the group; each comes once. `None` when nobody is left, or
    /// all are at limits of the strategy.
    pub fn pick(&mut self, rng: &mut Rng) -> Option<u32> {
        let picked = match *self.open {
            [] => return None,
            // Every strategy without limits picks the only one.
            [only] if !self.strategy.limits => only,
            _ => (self.strategy.pick)(self.pool(), rng)?,
        };
        self.open.retain(|at| *at != picked);
        Some(picked)
    }

    /// Who is left, as strategies see them.
    pub(crate) fn pool(&self) -> Pool<'_> {
        let Self { group, settings, args, ask, now, .. } = *self;
        Pool { group, open: &self.open, settings, args, ask, now }
    }

    /// Whether the strategy leaves deployments out that are at their limits.
    pub(crate) const fn has_limits(&self) -> bool {
        self.strategy.limits
    }

    /// Those that are left, by their places.
    #[must_use]
    pub fn open(&self) -> &[u32] {
        &self.open
    }

    /// How many are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether nobody is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

/// Plans a call on a group.
///
/// # Errors
/// Why nobody can serve.
pub fn plan<'a>(
    group: &'a Group,
    filter: Filter<'a>,
    settings: &'a RouterSettings,
    now: Moment,
) -> Result<Plan<'a>, Refusal> {
    watched(group, filter, settings, now, &mut Nobody)
}

/// The same, with a witness of who is left out and why.
///
/// # Errors
/// Why nobody can serve.
pub fn watched<'a>(
    group: &'a Group,
    filter: Filter<'a>,
    settings: &'a RouterSettings,
    now: Moment,
    witness: &mut impl Witness,
) -> Result<Plan<'a>, Refusal> {
    let mut narrowing = Narrowing::new(group, filter, settings, now, witness);
    narrowing.able()?;
    narrowing.tagged()?;
    narrowing.ruled()?;
    narrowing.lowest_level();
    narrowing.preferred();
    let open = narrowing.open;
    let (strategy, args) = settings.strategy_of(&group.name);
    Ok(Plan { group, settings, strategy, args, ask: filter.ask, now, open })
}

/// How many deployments could serve right now, up to `enough`: retries are instant while there are
/// others. LiteLLM surface §7.3.
#[must_use]
pub fn healthy(group: &Group, now: Moment, enough: usize) -> usize {
    group.candidates.iter().filter(|one| !one.blocked && !one.state.rests(now)).take(enough).count()
}

#[cfg(test)]
mod tests;
