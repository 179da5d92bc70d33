//! Which models a key may use (surface §4.5).

/// Whether a list of models lets `requested` pass. `groups` are the access groups of the deployments
/// behind it; `provider` is the provider a bare name belongs to, where that is known.
pub(crate) fn may_use_model(
    allowed: &[String],
    requested: &str,
    groups: &[String],
    provider: Option<&str>,
) -> bool {
    allowed.is_empty() || allowed.iter().any(|entry| entry_allows(entry, requested, groups, provider))
}

fn entry_allows(entry: &str, requested: &str, groups: &[String], provider: Option<&str>) -> bool {
    match entry {
        "*" | "all-proxy-models" | "all-team-models" => true,
        "no-default-models" => false,
        exact if exact == requested => true,
        pattern if pattern.contains('*') => {
            matches_pattern(pattern, requested)
                || provider.is_some_and(|provider| {
                    !requested.contains('/')
                        && pattern.strip_suffix("/*").is_some_and(|prefix| prefix == provider)
                })
        }
        group => groups.iter().any(|have| have == group),
    }
}

/// Whether `text` matches a pattern in which `*` stands for any text.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests;
