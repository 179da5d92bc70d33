//! Tag routing: requests with tags go to deployments that have them. LiteLLM surface §7.7.

use regex_lite::Regex;
use smallvec::SmallVec;

use crate::strategies::Pool;
use crate::{Candidate, Deployment};

/// The tag of deployments that serve requests without a match of their own.
const DEFAULT: &str = "default";

/// What a request asks of the deployments' tags: `&x` must be there, `!x` must not, `x` should.
#[derive(Debug, Clone, Copy)]
pub struct TagWish<'a> {
    /// The request's tags.
    pub tags: &'a [String],
    /// One common tag is enough; otherwise a deployment must have all.
    pub any: bool,
    /// Only tags that begin so count, without it (`tag_routing_prefix`).
    pub prefix: &'a str,
    /// The caller's `User-Agent`, which patterns of deployments may fit.
    pub user_agent: Option<&'a str>,
}

impl<'a> TagWish<'a> {
    /// The tags that choose deployments.
    fn routing(self) -> impl Iterator<Item = &'a str> {
        let tags = self.tags.iter().map(String::as_str);
        tags.filter(move |tag| tag.trim_start_matches(['&', '!']).starts_with(self.prefix))
    }
}

/// A pattern of `User-Agent: …` that stands for a tag of its deployment (`tag_regex`).
#[derive(Debug, Clone)]
pub struct TagPattern(Regex);

impl TagPattern {
    /// Reads a regular expression; it is looked for anywhere in `User-Agent: <the caller's>`.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn new(text: &str) -> Result<Self, String> {
        Regex::new(text).map(Self).map_err(|error| error.to_string())
    }

    fn fits(&self, user_agent: &str) -> bool {
        self.0.is_match(&format!("User-Agent: {user_agent}"))
    }
}

/// The deployments that match: those with the wished tags or a pattern that fits the caller, else the
/// `default` ones, and for requests without tags all if there are no default ones. `None` when a wish
/// finds nobody.
pub(crate) fn matching(pool: Pool<'_>, wish: TagWish<'_>) -> Option<SmallVec<[u32; 16]>> {
    let keep = |pass: &dyn Fn(&Deployment) -> bool| -> SmallVec<[u32; 16]> {
        let passes = |(at, one): (u32, &Candidate)| pass(&one.deployment).then_some(at);
        pool.iter().filter_map(passes).collect()
    };
    let fitting = match wish.user_agent {
        Some(agent) => keep(&|one| allowed(one, wish) && one.tag_patterns.iter().any(|tag| tag.fits(agent))),
        None => SmallVec::new(),
    };
    let defaults = || keep(&|deployment| has(deployment, DEFAULT, "") && allowed(deployment, wish));
    if wish.routing().next().is_none() {
        if !fitting.is_empty() {
            return Some(fitting);
        }
        let defaults = defaults();
        return Some(if defaults.is_empty() { pool.open.into() } else { defaults });
    }
    let matching = keep(&|deployment| allowed(deployment, wish) && wanted(deployment, wish));
    let found = [matching, fitting].into_iter().find(|found| !found.is_empty()).unwrap_or_else(defaults);
    (!found.is_empty()).then_some(found)
}

/// Whether a deployment has a tag, written with or without the prefix of routing tags.
fn has(deployment: &Deployment, tag: &str, prefix: &str) -> bool {
    let bare = tag.strip_prefix(prefix).unwrap_or(tag);
    deployment.tags.iter().any(|own| own == tag || own == bare)
}

/// Whether the `&` and `!` tags let a deployment pass.
fn allowed(deployment: &Deployment, wish: TagWish<'_>) -> bool {
    wish.routing().all(|tag| match (tag.strip_prefix('&'), tag.strip_prefix('!')) {
        (Some(must), _) => has(deployment, must, wish.prefix),
        (_, Some(never)) => !has(deployment, never, wish.prefix),
        _ => true,
    })
}

/// Whether the plain tags match; a wish of `&` and `!` tags only is content.
fn wanted(deployment: &Deployment, wish: TagWish<'_>) -> bool {
    let mut plain = wish.routing().filter(|tag| !tag.starts_with(['&', '!'])).peekable();
    if plain.peek().is_none() {
        return true;
    }
    let mut have = plain.map(|tag| has(deployment, tag, wish.prefix));
    if wish.any { have.any(|has| has) } else { have.all(|has| has) }
}

#[cfg(test)]
mod tests;
