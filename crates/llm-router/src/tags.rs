//! Tag routing: requests with tags go to deployments that have them. LiteLLM surface §7.7.

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
}

/// The deployments that match: those with the wished tags, else the `default` ones, and for requests
/// without tags all if there are no default ones. `None` when a wish finds nobody.
pub(crate) fn matching(pool: Pool<'_>, wish: TagWish<'_>) -> Option<SmallVec<[u32; 16]>> {
    let keep = |pass: &dyn Fn(&Deployment) -> bool| -> SmallVec<[u32; 16]> {
        let passes = |(at, one): (u32, &Candidate)| pass(&one.deployment).then_some(at);
        pool.iter().filter_map(passes).collect()
    };
    let defaults = || keep(&|deployment| has(deployment, DEFAULT) && allowed(deployment, wish));
    if wish.tags.is_empty() {
        let defaults = defaults();
        return Some(if defaults.is_empty() { pool.open.into() } else { defaults });
    }
    let matching = keep(&|deployment| allowed(deployment, wish) && wanted(deployment, wish));
    let found = if matching.is_empty() { defaults() } else { matching };
    (!found.is_empty()).then_some(found)
}

fn has(deployment: &Deployment, tag: &str) -> bool {
    deployment.tags.iter().any(|own| own == tag)
}

/// Whether the `&` and `!` tags let a deployment pass.
fn allowed(deployment: &Deployment, wish: TagWish<'_>) -> bool {
    wish.tags.iter().all(|tag| match (tag.strip_prefix('&'), tag.strip_prefix('!')) {
        (Some(must), _) => has(deployment, must),
        (_, Some(never)) => !has(deployment, never),
        _ => true,
    })
}

/// Whether the plain tags match; a wish of `&` and `!` tags only is content.
fn wanted(deployment: &Deployment, wish: TagWish<'_>) -> bool {
    let mut plain = wish.tags.iter().filter(|tag| !tag.starts_with(['&', '!'])).peekable();
    if plain.peek().is_none() {
        return true;
    }
    if wish.any { plain.any(|tag| has(deployment, tag)) } else { plain.all(|tag| has(deployment, tag)) }
}

#[cfg(test)]
mod tests;
