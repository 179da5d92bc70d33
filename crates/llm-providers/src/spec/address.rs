//! Where a vendor is: base URLs with accounts in them.

use super::ProviderSpec;

impl ProviderSpec {
    /// A base URL with the variables it names (`{CLOUDFLARE_ACCOUNT_ID}`) replaced by their values.
    ///
    /// # Errors
    /// The name of a variable that has no value.
    pub fn filled(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, &str> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, name, after)) = variable(rest) {
            filled.push_str(before);
            filled.push_str(value(name).ok_or(name)?.trim());
            rest = after;
        }
        Ok(filled + rest)
    }

    /// Variables of which one must be set, because every URL of the vendor names a project; none elsewhere.
    #[must_use]
    pub fn project_env(&self) -> &[std::borrow::Cow<'static, str>] {
        if self.cloud.shell.path.contains("{project}") { &self.cloud.project.env } else { &[] }
    }

    /// The variables that the record's own base URL names.
    pub fn account_env(&self) -> impl Iterator<Item = &str> {
        let mut rest = &*self.base_url;
        std::iter::from_fn(move || {
            let (_, name, after) = variable(rest)?;
            rest = after;
            Some(name)
        })
    }
}

/// The first variable of a text: what stands before it, its name, what stands behind it. Only names in
/// capitals are variables; `{region}` is none.
fn variable(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(at, _)| {
        let (name, after) = text[at + 1..].split_once('}')?;
        let is_variable = name.starts_with(|first: char| first.is_ascii_uppercase());
        is_variable.then_some((&text[..at], name, after))
    })
}

#[cfg(test)]
mod tests;
