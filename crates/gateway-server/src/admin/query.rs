//! Query strings of management routes.

use std::borrow::Cow;

use gateway_db::{KeySort, SortOrder};
use http::StatusCode;
use llm_types::ErrorKind;

use super::lax;
use super::refusal::Refusal;

/// The value of a parameter, unescaped; `+` is a space.
pub(super) fn param(query: Option<&str>, name: &str) -> Option<String> {
    query?.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescaped(key) == name).then(|| unescaped(value).into_owned())
    })
}

/// Every value of a parameter that may be said several times.
pub(super) fn params(query: Option<&str>, name: &str) -> Vec<String> {
    let pairs = query.into_iter().flat_map(|query| query.split('&')).filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| unescaped(key) == name).map(|(_, value)| unescaped(value).into_owned()).collect()
}

/// The names of all parameters.
pub(super) fn names(query: Option<&str>) -> Vec<String> {
    let pairs = query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty());
    pairs.map(|pair| unescaped(pair.split_once('=').map_or(pair, |(name, _)| name)).into_owned()).collect()
}

/// Refuses parameters that nobody looks at: a filter that is overlooked shows too much.
pub(super) fn only(query: Option<&str>, allowed: &[&str]) -> Result<(), Refusal> {
    let unknown: Vec<String> =
        names(query).into_iter().filter(|name| !allowed.contains(&name.as_str())).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let words = format!("Unrecognized query parameter(s): {}.", unknown.join(", "));
    Err(Refusal::problem(StatusCode::BAD_REQUEST, "unknown-query-parameter", &words, allowed))
}

/// The query with a parameter, whatever it was before.
pub(super) fn with(query: Option<&str>, name: &str, value: &str) -> String {
    let others = query.unwrap_or_default().split('&').filter(|pair| {
        let key = pair.split_once('=').map_or(*pair, |(key, _)| key);
        !pair.is_empty() && unescaped(key) != name
    });
    let own = format!("{name}={}", escaped(value));
    others.chain([own.as_str()]).collect::<Vec<_>>().join("&")
}

/// Text as part of a query: everything but letters, digits and `-._~` escaped.
pub(super) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}

/// Whether a parameter says yes.
pub(super) fn flag(query: Option<&str>, name: &str) -> bool {
    param(query, name).is_some_and(|value| lax::word(&value) == Some(true))
}

/// What a list of keys is ordered by (`sort_by`).
pub(super) fn sort(query: Option<&str>) -> Result<KeySort, Refusal> {
    let Some(word) = param(query, "sort_by").filter(|word| !word.is_empty()) else {
        return Ok(KeySort::default());
    };
    Ok(match word.as_str() {
        "created_at" => KeySort::CreatedAt,
        "updated_at" => KeySort::UpdatedAt,
        "key_alias" => KeySort::Alias,
        "spend" => KeySort::Spend,
        "max_budget" => KeySort::MaxBudget,
        "expires" => KeySort::ExpiresAt,
        "last_active" => KeySort::LastActive,
        "user_id" => KeySort::UserId,
        "team_id" => KeySort::TeamId,
        _ => return Err(unknown_word("sort_by", &word)),
    })
}

/// Which way a list goes (`sort_order`).
pub(super) fn order(query: Option<&str>) -> Result<SortOrder, Refusal> {
    match param(query, "sort_order").as_deref() {
        None | Some("" | "desc") => Ok(SortOrder::Descending),
        Some("asc") => Ok(SortOrder::Ascending),
        Some(word) => Err(unknown_word("sort_order", word)),
    }
}

fn unknown_word(name: &str, found: &str) -> Refusal {
    Refusal::about(
        ErrorKind::BadRequest,
        "bad_request_error",
        name,
        format!(
            "`{name}` is `{}`, which is not one of its values",
            found.chars().take(40).collect::<String>()
        ),
    )
}

fn unescaped(text: &str) -> Cow<'_, str> {
    let spaced = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    match spaced {
        Cow::Borrowed(text) => crate::routes::decoded(text),
        Cow::Owned(text) => Cow::Owned(crate::routes::decoded(&text).into_owned()),
    }
}

#[cfg(test)]
mod tests;
