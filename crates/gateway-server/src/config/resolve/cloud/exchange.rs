//! Sign-in by a service that gives tokens: what the operator has for it.

use http::Uri;
use llm_providers::cloud::{Exchange, Has};
use llm_providers::signin::Source;
use llm_types::Secret;

use super::{Base, Said, env, setting};
use crate::config::resolve::Section;

/// What signs in: a token at hand, the key where it is what is exchanged, an application where there is no
/// key.
pub(super) fn said(
    section: &mut Section<'_, '_, '_>,
    exchange: &Exchange,
    key: Option<&Secret>,
    base: &Base<'_>,
) -> Said {
    let own_key = section.gives("api_key");
    if !own_key && let Some(token) = setting(section, &exchange.token) {
        return Said::Source(Source::Token(Secret::new(token)));
    }
    if let Some(key) = setting(section, &exchange.worded).filter(|_| !own_key) {
        return Said::Source(Source::Worded(exchange.word.to_string(), Secret::new(key)));
    }
    let client = setting(section, &exchange.client);
    let secret = setting(section, &exchange.secret);
    let scope = setting(section, &exchange.scope).unwrap_or_else(|| exchange.scope.default.to_string());
    let has = match (key, client.as_deref().zip(secret.as_deref())) {
        (Some(key), _) if exchange.of_key => {
            Has { key: key.reveal().trim(), scope: &scope, ..Has::default() }
        }
        (None, Some((client, secret))) if !exchange.of_key => {
            Has { client, secret, scope: &scope, ..Has::default() }
        }
        _ => return Said::Nothing,
    };
    let elsewhere = env(section, exchange.url_env.iter().map(AsRef::as_ref));
    let url = elsewhere.unwrap_or_else(|| exchange.url.replace("{host}", &origin(base.url)));
    Said::Source(Source::Exchange(exchange.with(url, &has)))
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> String {
    let uri: Option<Uri> = url.parse().ok();
    let parts = uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.authority()?)));
    parts.map_or_else(String::new, |(scheme, host)| format!("{scheme}://{host}"))
}
