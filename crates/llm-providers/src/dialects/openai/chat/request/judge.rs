//! What becomes of a parameter at a target: by the operator's policy, the vendor's record and, for
//! OpenAI's own models, the rules of their family. LiteLLM surface §6.3.

use std::borrow::Cow;

use llm_types::Error;

use super::super::models::{Rules, SAMPLING, Sampling};
use crate::Target;

/// The most texts in `stop`: "up to 4 sequences", says the API reference. Further ones are left out, as
/// LiteLLM does.
pub(crate) const MAX_STOPS: usize = 4;

/// What becomes of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Send,
    /// It is left out, and the caller is told.
    Drop,
    /// It is left out, and nothing is lost by that.
    Idle,
    Refuse,
}

/// What a parameter says, as far as its fate depends on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Said<'v> {
    Number(f64),
    Word(&'v str),
    Other,
}

/// Judges the parameters of one request.
#[derive(Debug)]
pub(crate) struct Judge<'t> {
    target: &'t Target,
    rules: Option<&'static Rules>,
    /// The `reasoning_effort` that will be sent.
    effort: Option<Cow<'t, str>>,
    /// Whether the request gives both `max_tokens` and `max_completion_tokens`.
    both_caps: bool,
}

impl<'t> Judge<'t> {
    pub(crate) fn new(target: &'t Target, effort: Option<Cow<'t, str>>, both_caps: bool) -> Self {
        Self { target, rules: rules_of(target), effort, both_caps }
    }

    /// What becomes of a parameter.
    pub(crate) fn fate(&self, name: &str, said: Said<'_>) -> Fate {
        let policy = &self.target.policy;
        let named = |list: &[String]| list.iter().any(|listed| listed == name);
        // Of two caps for one name the newer's value counts.
        let doubled = name == "max_tokens" && self.both_caps && self.one_cap();
        let ignored = || self.target.spec.quirks.ignored.iter().any(|listed| listed == name);
        if doubled {
            Fate::Idle
        } else if named(&policy.always_drop) || (ignored() && !named(&policy.allow)) {
            Fate::Drop
        } else if self.takes(name, said) || named(&policy.allow) {
            Fate::Send
        } else if Self::is_idle(name, said) {
            Fate::Idle
        } else if policy.drop || name == "user" {
            Fate::Drop // `user` is never refused, as LiteLLM does.
        } else {
            Fate::Refuse
        }
    }

    fn takes(&self, name: &str, said: Said<'_>) -> bool {
        // The choice among functions goes where they go.
        let listed_as = if name == "function_call" { "functions" } else { name };
        let known = self.target.spec.quirks.takes(listed_as) || self.is_owners_user(name);
        known && self.rules.is_none_or(|rules| self.family_takes(rules, name, said))
    }

    /// `user` goes to OpenAI's own models wherever they are served.
    fn is_owners_user(&self, name: &str) -> bool {
        name == "user" && crate::bare_owner(&self.target.model) == Some("openai")
    }

    /// Whether a parameter the target does not take asks for nothing: one answer is what it gives anyway.
    fn is_idle(name: &str, said: Said<'_>) -> bool {
        name == "n" && said == Said::Number(1.0)
    }

    fn family_takes(&self, rules: &Rules, name: &str, said: Said<'_>) -> bool {
        match (name, said) {
            ("reasoning_effort", Said::Word(word)) if rules.efforts_refused.contains(&word) => false,
            ("temperature", Said::Number(value)) => self.samples(rules) || (value - 1.0).abs() < f64::EPSILON,
            (name, _) if SAMPLING.contains(&name) => self.samples(rules),
            (name, _) => !rules.unsupported.contains(&name),
        }
    }

    fn samples(&self, rules: &Rules) -> bool {
        let sent = |word: &&str| !rules.efforts_refused.contains(word);
        rules.samples(self.effort.as_deref().filter(sent))
    }

    /// The name the target knows a parameter by.
    pub(crate) fn name_of<'n>(&self, name: &'n str) -> &'n str {
        match name {
            "max_tokens" if self.rules.is_some_and(|rules| rules.completion_cap) => "max_completion_tokens",
            "max_completion_tokens" if self.older_cap() => "max_tokens",
            other => self.target.spec.quirks.name_of(other),
        }
    }

    /// Whether nothing is known of the model's family.
    pub(crate) fn is_new(&self) -> bool {
        self.rules.is_none()
    }

    /// Whether the target takes `max_tokens` and no other cap.
    pub(crate) fn older_cap(&self) -> bool {
        let quirks = &self.target.spec.quirks;
        quirks.takes("max_tokens") && !quirks.takes("max_completion_tokens")
    }

    /// Whether the target knows one name only of `max_tokens` and `max_completion_tokens`.
    pub(crate) fn one_cap(&self) -> bool {
        self.target.spec.quirks.max_completion_tokens_as_max_tokens
            || self.rules.is_some_and(|rules| rules.completion_cap)
    }

    /// Whether the model is one of OpenAI's own: what other vendors of the dialect have beside its words,
    /// those models refuse.
    pub(crate) fn is_openais(&self) -> bool {
        self.rules.is_some()
    }

    /// Whether system messages are to be said by the user.
    pub(crate) fn system_as_user(&self) -> bool {
        self.rules.is_some_and(|rules| rules.system_as_user)
    }

    /// Whether the model can reason; `None` when nothing is known of it.
    pub(crate) fn reasons(&self) -> Option<bool> {
        self.rules.map(|rules| rules.sampling != Sampling::Free)
    }

    /// Whether the models take this value of `reasoning_effort`.
    pub(crate) fn takes_effort(&self, word: &str) -> bool {
        self.takes("reasoning_effort", Said::Word(word))
    }

    /// The error of a parameter that cannot be sent.
    pub(crate) fn refusal(&self, name: &str, said: Said<'_>) -> Error {
        let (provider, model) = (&self.target.spec.id, &self.target.model);
        let what = match (name, said) {
            ("temperature", Said::Number(value)) => {
                format!("`temperature: {value}` (only 1 is taken while the model reasons)")
            }
            ("reasoning_effort", Said::Word(word)) => format!("`reasoning_effort: {word}`"),
            _ => format!("the parameter `{name}`"),
        };
        Error::unsupported(
            name,
            format!(
                "`{provider}` does not support {what} for model `{model}`; leave it out, or set `drop_params: true` to have it dropped"
            ),
        )
    }
}

/// The rules of the target's model, if it is one of OpenAI's own.
pub(crate) fn rules_of(target: &Target) -> Option<&'static Rules> {
    match target.spec.quirks.openai_families {
        false => None,
        true if target.cloud.is_some() => Rules::of_deployment(target.family()),
        true => Rules::of(target.family()),
    }
}

/// One name for the two that mean the same.
pub(crate) fn canonical(name: &str) -> &str {
    match name {
        "max_tokens" => "max_completion_tokens",
        other => other,
    }
}

#[cfg(test)]
mod tests;
