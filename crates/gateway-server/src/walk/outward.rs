//! Headers that go to a provider beside those of its dialect.

use http::{HeaderMap, HeaderValue};
use llm_providers::DialectId;

use super::{Call, betas};
use crate::state::Served;

/// Headers of the caller that are meant for the provider: Anthropic's beta features and version always,
/// others where the operator allows it.
pub(super) fn forward_headers(call: &Call, served: &Served, headers: &mut HeaderMap) {
    let same_dialect = served.dialect_for(call.dialect).id() == call.dialect.id();
    let config = &call.snapshot.config;
    let general = &config.general;
    let theirs = general.forward_client_headers || config.calls.passes_headers(&served.deployment.group);
    for (name, value) in &call.head.headers {
        let text = name.as_str();
        let forwarded = match text {
            "anthropic-version" => same_dialect,
            "openai-organization" => general.forward_openai_organization,
            _ if general.key_header.as_ref() == Some(name) => false,
            _ => theirs && text.starts_with("x-") && !is_ours(text),
        };
        if forwarded {
            headers.insert(name, value.clone());
        }
    }
    call.extras.add_headers(served.target.target(), headers);
    if let Some(name) = &served.session_header
        && let Some(session) = call.session().and_then(|session| HeaderValue::from_str(session).ok())
    {
        headers.insert(name, session);
    }
    if served.dialect_for(call.dialect).id() == DialectId::Anthropic {
        betas::join(&call.head.headers, headers);
        betas::join(call.extras.headers(), headers);
    }
}

/// Headers that carry the caller's key or speak to the gateway, whatever the operator allows.
fn is_ours(name: &str) -> bool {
    name.starts_with("x-litellm-")
        || name.starts_with("x-amz-")
        || name.starts_with("x-forwarded-")
        || name.starts_with("x-stainless-")
        || matches!(name, "x-api-key" | "x-goog-api-key")
}
