//! What a caller changes of an operator's target for one call: its policy for parameters, its defaults.

use std::borrow::Cow;

use llm_providers::{ParamPolicy, Target};

/// The target as one call uses it. A caller can have more dropped or passed than the operator wants,
/// never less (`drop_params`, `additional_drop_params`, `allowed_openai_params`; surface §6.3).
pub(super) fn target<'t>(target: &'t Target, asked: &ParamPolicy) -> Cow<'t, Target> {
    if *asked == ParamPolicy::default() {
        return Cow::Borrowed(target);
    }
    let mut own = target.clone();
    own.policy.drop |= asked.drop;
    own.policy.always_drop.extend(asked.always_drop.iter().cloned());
    own.policy.allow.extend(asked.allow.iter().cloned());
    Cow::Owned(own)
}

/// The target without defaults that the provider would refuse from this caller.
pub(super) fn without<'t>(target: Cow<'t, Target>, refused: &[&str]) -> Cow<'t, Target> {
    if !refused.iter().any(|name| target.defaults.contains_key(*name)) {
        return target;
    }
    let mut own = target.into_owned();
    own.defaults.retain(|name, _| !refused.contains(&name.as_str()));
    Cow::Owned(own)
}

#[cfg(test)]
mod tests;
