//! Sign-in by a user's key pair.

use http::Uri;
use llm_providers::signin::Source;
use llm_providers::signin::snowflake::KeyPair;
use llm_types::Secret;

use super::{Base, Said, env, pem, text};
use crate::config::resolve::Section;

/// What the entry says, and the environment where it does not. A key of the entry's own comes first, a key of the
/// environment last.
pub(super) fn said(section: &mut Section<'_, '_, '_>, key: Option<&Secret>, base: &Base<'_>) -> Said {
    let asked = ["snowflake_user", "snowflake_private_key", "snowflake_private_key_file"];
    let in_entry = asked.iter().any(|param| section.gives(param));
    if section.gives("api_key") || (key.is_some() && !in_entry) {
        return Said::Nothing;
    }
    let (word, file) = (
        ("snowflake_private_key", "SNOWFLAKE_PRIVATE_KEY"),
        ("snowflake_private_key_file", "SNOWFLAKE_PRIVATE_KEY_FILE"),
    );
    let Ok(key) = pem(section, word, file) else { return Said::Wrong };
    let user = text(section, "snowflake_user", "SNOWFLAKE_USER");
    let account = text(section, "snowflake_account", "SNOWFLAKE_ACCOUNT_ID").or_else(|| account_in(base.url));
    match (user, key, account) {
        (None, None, _) => Said::Nothing,
        (Some(user), Some(key), Some(account)) => {
            Said::Source(Source::KeyPair(KeyPair { account, user, key }))
        }
        (user, key, _) => {
            let (param, variable) = match (user, key) {
                (None, _) => ("snowflake_user", "SNOWFLAKE_USER"),
                (_, None) => ("snowflake_private_key_file", "SNOWFLAKE_PRIVATE_KEY_FILE"),
                _ => ("snowflake_account", "SNOWFLAKE_ACCOUNT_ID"),
            };
            // A user's name alone in the environment may be there for other programs.
            if !in_entry && env(section, ["SNOWFLAKE_PRIVATE_KEY", "SNOWFLAKE_PRIVATE_KEY_FILE"]).is_none() {
                return Said::Nothing;
            }
            let expected = format!("expected `{param}` (or `{variable}`)");
            section.error(param, "found a user's key pair, and not all of it", expected);
            Said::Wrong
        }
    }
}

/// The account in a URL of Snowflake's.
fn account_in(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    Some(uri.host()?.strip_suffix(".snowflakecomputing.com")?.to_owned())
}
