//! What only some of a vendor's models take.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Amendment, Quirks};
use crate::cloud::{Words, looks_like};

/// Parameters that some of a vendor's models take, or do not. All conditions must hold; an empty one always
/// does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelRule {
    /// How the models' names look: `a*b` begins with `a` and holds `b` somewhere behind it; `!a*` does not
    /// begin with `a`.
    pub models: Words,
    /// What the price book or the operator's `model_info` says they can (`reasoning`, `function_calling`).
    pub can: Cow<'static, str>,
    /// What nobody says they can.
    pub cannot: Cow<'static, str>,
    /// Parameters they take although the vendor's others do not.
    pub takes: Words,
    /// Parameters they do not take although the vendor's others do.
    pub lacks: Words,
    /// Parameters they are sent without, whoever sets them: they have one value for these and refuse others.
    pub ignores: Words,
    /// What is said otherwise to them, beside what is to all.
    pub amend: Cow<'static, [Amendment]>,
}

impl ModelRule {
    /// Every model, nothing said.
    pub const ANY: Self = Self {
        models: Cow::Borrowed(&[]),
        can: Cow::Borrowed(""),
        cannot: Cow::Borrowed(""),
        takes: Cow::Borrowed(&[]),
        lacks: Cow::Borrowed(&[]),
        ignores: Cow::Borrowed(&[]),
        amend: Cow::Borrowed(&[]),
    };

    fn fits(&self, model: &str, can: &dyn Fn(&str) -> bool) -> bool {
        (self.models.is_empty() || self.models.iter().any(|look| looks_like(model, look)))
            && (self.can.is_empty() || can(&self.can))
            && (self.cannot.is_empty() || !can(&self.cannot))
    }
}

impl Quirks {
    /// Whether anything depends on the model.
    #[must_use]
    pub fn differ_by_model(&self) -> bool {
        !self.models.is_empty() || !self.model_paths.is_empty()
    }

    /// What stands in the URL for a model, and the rest of its name; `None` where the name says nothing of it.
    pub(crate) fn model_path(&self, model: &str) -> Option<(String, String)> {
        self.model_paths.iter().find_map(|(start, path)| {
            let (word, rest) = model.strip_prefix(&**start)?.split_once('/')?;
            Some((path.replacen("{}", word, 1), rest.to_owned()))
        })
    }

    /// The differences as they are for one model, where they are other than the vendor's: its rules are
    /// applied, and none are left.
    #[must_use]
    pub fn of_model(&self, model: &str, can: impl Fn(&str) -> bool) -> Option<Self> {
        if !self.differ_by_model() {
            return None;
        }
        let mut quirks = Self { models: Cow::Borrowed(&[]), model_paths: Cow::Borrowed(&[]), ..self.clone() };
        for rule in self.models.iter().filter(|rule| rule.fits(model, &can)) {
            for param in rule.takes.iter() {
                quirks.unsupported.to_mut().retain(|listed| listed != param);
                if !quirks.supported.is_empty() && !quirks.supported.contains(param) {
                    quirks.supported.to_mut().push(param.clone());
                }
            }
            for param in rule.lacks.iter().filter(|param| self.takes(param)) {
                quirks.unsupported.to_mut().push(param.clone());
            }
            if !rule.ignores.is_empty() {
                quirks.ignored.to_mut().extend(rule.ignores.iter().cloned());
            }
            if !rule.amend.is_empty() {
                quirks.amend.to_mut().extend(rule.amend.iter().cloned());
            }
        }
        Some(quirks)
    }
}

#[cfg(test)]
mod tests;
