//! What callers may bring along for a deployment: a key of theirs, an address of theirs
//! (`configurable_clientside_auth_params`).

use regex_lite::Regex;

/// What callers may bring.
#[derive(Debug, Clone, Default)]
pub struct ClientSide {
    /// A key (`api_key`).
    pub key: bool,
    /// Any address (`api_base`, `base_url`).
    pub base: bool,
    /// Addresses that match (`{api_base: …}`).
    pub bases: Vec<BasePattern>,
}

/// Addresses that callers may name.
#[derive(Debug, Clone)]
pub struct BasePattern {
    text: String,
    whole: Regex,
}

impl BasePattern {
    /// Reads an address, or a regular expression that has to match all of one.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn new(text: &str) -> Result<Self, String> {
        let whole = Regex::new(&format!("^(?:{text})$")).map_err(|error| error.to_string())?;
        Ok(Self { text: text.trim_end_matches('/').to_owned(), whole })
    }

    fn holds(&self, base: &str) -> bool {
        let below = |of: &str| base.strip_prefix(of).is_some_and(|rest| rest.starts_with('/'));
        base == self.text || self.whole.is_match(base) || self.text.strip_suffix("/*").is_some_and(below)
    }
}

impl ClientSide {
    /// Whether callers may bring what they bring.
    pub(crate) fn allows(&self, brings_key: bool, base: Option<&str>) -> bool {
        let placed = base.is_none_or(|base| self.base || self.bases.iter().any(|one| one.holds(base)));
        (self.key || !brings_key) && placed
    }

    /// Whether they may bring anything.
    pub(crate) fn any(&self) -> bool {
        self.key || self.base || !self.bases.is_empty()
    }
}

#[cfg(test)]
mod tests;
