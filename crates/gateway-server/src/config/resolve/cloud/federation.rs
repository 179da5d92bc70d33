//! Sign-in at Anthropic by workload identity federation. Which credential counts before which is LiteLLM's order, and
//! that of Anthropic's own clients: keys first, wherever they stand.

mod identity;
mod issuer;

use http::Uri;
use llm_providers::signin::Source;
use llm_providers::signin::anthropic::{Federation, PATH};

use super::{Base, Said, env, text};
use crate::config::resolve::Section;

pub(crate) use issuer::issuer;

/// Where identity tokens come from, in words.
pub(crate) const SOURCE: &str = "anthropic_identity_source";
/// The word there for tokens that the gateway signs itself.
pub(crate) const INTERNAL_ISSUER: &str = "internal_issuer";
const SOURCE_VARIABLE: &str = "ANTHROPIC_IDENTITY_SOURCE";
/// What turns federation off for a deployment.
const OFF: &str = "anthropic_disable_workload_identity_federation";
const RULE: (&str, &str) = ("anthropic_federation_rule_id", "ANTHROPIC_FEDERATION_RULE_ID");
const ORGANIZATION: (&str, &str) = ("anthropic_organization_id", "ANTHROPIC_ORGANIZATION_ID");
/// Hosts beside Anthropic's own that may be sent identity tokens, and the tokens that these buy.
const HOSTS: &str = "LITELLM_ANTHROPIC_WIF_ALLOWED_HOSTS";
/// Anthropic's own host.
const HOST: &str = "api.anthropic.com";

/// What signs in where there is no key.
pub(super) fn surrounding(section: &mut Section<'_, '_, '_>, base: &Base<'_>) -> Said {
    if section.is_on(OFF) {
        return Said::Nothing;
    }
    match federation(section, base) {
        Ok(Some(federation)) => Said::Source(Source::Anthropic(Box::new(federation))),
        Ok(None) => Said::Nothing,
        Err(Reported) => Said::Wrong,
    }
}

/// Warns of an entry whose federation does nothing, for a key counts before it.
pub(super) fn unused(section: &mut Section<'_, '_, '_>) {
    if section.gives(RULE.0) && !section.is_on(OFF) {
        let (path, at) = (section.path_of(RULE.0), section.at(RULE.0));
        let instead = "every call signs in with the key: no token is exchanged";
        section.cx.warning(&path, &at, "found workload identity federation beside a key", instead);
    }
}

/// Something is wrong, and has been reported.
struct Reported;

fn federation(section: &mut Section<'_, '_, '_>, base: &Base<'_>) -> Result<Option<Federation>, Reported> {
    let kind = identity::kind(section)?;
    let rule = text(section, RULE.0, RULE.1);
    let organization = text(section, ORGANIZATION.0, ORGANIZATION.1);
    let (Some(rule), Some(organization)) = (&rule, &organization) else {
        return match kind.asked_for(section) {
            Some(by) => Err(incomplete(section, &by, rule.is_none())),
            None => Ok(None),
        };
    };
    let identity = identity::resolve(section, kind)?;
    let url = exchange(section, base)?;
    Ok(Some(Federation {
        url,
        rule: rule.clone(),
        organization: organization.clone(),
        account: text(section, "anthropic_service_account_id", "ANTHROPIC_SERVICE_ACCOUNT_ID"),
        workspace: text(section, "anthropic_federation_workspace_id", "ANTHROPIC_FEDERATION_WORKSPACE_ID"),
        identity,
    }))
}

fn incomplete(section: &mut Section<'_, '_, '_>, by: &str, no_rule: bool) -> Reported {
    let (param, variable) = if no_rule { RULE } else { ORGANIZATION };
    let expected = format!(
        "expected `{param}` (or `{variable}`), as the federation rule's page in the Claude Console has it"
    );
    section.error(param, format!("found nothing, though `{by}` asks for federation"), expected);
    Reported
}

/// Where identity tokens are exchanged. Identity tokens, and the tokens they buy, go to hosts that the operator's
/// environment trusts, whoever may write deployments.
fn exchange(section: &mut Section<'_, '_, '_>, base: &Base<'_>) -> Result<String, Reported> {
    let url = base.url.trim_end_matches('/');
    let trusted = env(section, [HOSTS]).unwrap_or_default();
    let Some(place) = Authority::asked(url) else {
        // What is wrong with the base URL was reported where it was read.
        return Err(Reported);
    };
    let own = Authority { host: HOST.to_owned(), port: None };
    let others =
        trusted.split(',').map(str::trim).filter(|entry| !entry.is_empty()).filter_map(Authority::of);
    if !std::iter::once(own).chain(others).any(|trusted| trusted.covers(&place)) {
        let found = format!("found the host `{}`, which federation does not trust", place.host);
        let expected = format!("expected `{HOST}`, or a host that `{HOSTS}` lists in the environment");
        section.error("api_base", found, expected);
        return Err(Reported);
    }
    if !is_safe(url) {
        let found = "found a URL without TLS, to which no identity token is sent";
        section.error("api_base", found, "expected `https://`");
        return Err(Reported);
    }
    Ok(format!("{}{PATH}", api(url)))
}

/// The URL of the API: operators may give that of one of its endpoints.
fn api(url: &str) -> &str {
    let mut url = url.trim_end_matches('/');
    while let Some(shorter) = ["/v1/messages", "/v1"].iter().find_map(|end| url.strip_suffix(end)) {
        url = shorter.trim_end_matches('/');
    }
    url
}

/// Whether a secret may be sent there: over TLS, or inside this machine.
fn is_safe(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    uri.is_some_and(|uri| match uri.scheme_str() {
        Some("https") => uri.host().is_some(),
        Some("http") => uri.host().is_some_and(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host)),
        _ => false,
    })
}

/// A host, and its port where one is named.
#[derive(Debug, PartialEq)]
struct Authority {
    host: String,
    port: Option<u16>,
}

impl Authority {
    /// That of a URL, or of `host:port`; the port as far as it is named.
    fn of(text: &str) -> Option<Self> {
        let whole = if text.contains("://") { text.to_owned() } else { format!("any://{text}") };
        let uri: Uri = whole.parse().ok()?;
        let (host, port) = (uri.host()?, uri.port_u16());
        // What stands behind the host and is no port names nothing that could be trusted.
        let bare = uri.authority()?.as_str().ends_with(host);
        (bare || port.is_some()).then(|| Self { host: host.to_ascii_lowercase(), port })
    }

    /// That of a URL that is asked: without a port it is the scheme's.
    fn asked(url: &str) -> Option<Self> {
        let place = Self::of(url)?;
        let usual = if url.starts_with("http://") { 80 } else { 443 };
        Some(Self { port: place.port.or(Some(usual)), ..place })
    }

    /// Whether this entry of a list means that place.
    fn covers(&self, place: &Self) -> bool {
        self.host == place.host && (self.port.is_none() || self.port == place.port)
    }
}

#[cfg(test)]
mod tests;
