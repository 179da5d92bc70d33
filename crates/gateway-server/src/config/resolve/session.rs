//! `provider_affinity_header` of a deployment.

use http::HeaderName;

use super::Section;

/// Headers that sign callers in or say how a request is carried: none of them can tell a session.
const CARRIERS: [&str; 18] = [
    "api-key",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-api-key",
    "x-goog-api-key",
];

/// `provider_affinity_header`: the header in which a provider is told the session of a call.
pub(super) fn header(section: &mut Section<'_, '_, '_>) -> Option<HeaderName> {
    const KEY: &str = "provider_affinity_header";
    let text = section.text(KEY)?;
    let name = HeaderName::try_from(text.trim()).ok();
    let name = name.filter(|name| !CARRIERS.contains(&name.as_str()));
    if name.is_none() {
        let expected = "expected the name of a header that neither signs in nor carries the request";
        section.error(KEY, format!("found `{text}`"), expected);
    }
    name
}
