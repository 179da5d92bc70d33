//! The headers LiteLLM's users read on answers (surface §6.1).

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use llm_router::Deployment;
use llm_types::Money;

use crate::limits::{Limits, Remaining};

/// Header names, spelt once.
pub(crate) mod names {
    use http::HeaderName;

    pub(crate) const CALL_ID: HeaderName = HeaderName::from_static("x-litellm-call-id");
    pub(crate) const MODEL_ID: HeaderName = HeaderName::from_static("x-litellm-model-id");
    pub(crate) const MODEL_NAME: HeaderName = HeaderName::from_static("x-litellm-model-name");
    pub(crate) const MODEL_GROUP: HeaderName = HeaderName::from_static("x-litellm-model-group");
    pub(crate) const API_BASE: HeaderName = HeaderName::from_static("x-litellm-model-api-base");
    pub(crate) const VERSION: HeaderName = HeaderName::from_static("x-litellm-version");
    pub(crate) const COST: HeaderName = HeaderName::from_static("x-litellm-response-cost");
    pub(crate) const KEY_SPEND: HeaderName = HeaderName::from_static("x-litellm-key-spend");
    pub(crate) const KEY_MAX_BUDGET: HeaderName = HeaderName::from_static("x-litellm-key-max-budget");
    pub(crate) const KEY_TPM: HeaderName = HeaderName::from_static("x-litellm-key-tpm-limit");
    pub(crate) const KEY_RPM: HeaderName = HeaderName::from_static("x-litellm-key-rpm-limit");
    pub(crate) const DURATION: HeaderName = HeaderName::from_static("x-litellm-response-duration-ms");
    pub(crate) const OVERHEAD: HeaderName = HeaderName::from_static("x-litellm-overhead-duration-ms");
    pub(crate) const RETRIES: HeaderName = HeaderName::from_static("x-litellm-attempted-retries");
    pub(crate) const MAX_RETRIES: HeaderName = HeaderName::from_static("x-litellm-max-retries");
    pub(crate) const FALLBACKS: HeaderName = HeaderName::from_static("x-litellm-attempted-fallbacks");
    pub(crate) const LEFT_REQUESTS: HeaderName =
        HeaderName::from_static("x-ratelimit-api_key-remaining-requests");
    pub(crate) const LIMIT_REQUESTS: HeaderName =
        HeaderName::from_static("x-ratelimit-api_key-limit-requests");
    pub(crate) const LEFT_TOKENS: HeaderName =
        HeaderName::from_static("x-ratelimit-api_key-remaining-tokens");
    pub(crate) const LIMIT_TOKENS: HeaderName = HeaderName::from_static("x-ratelimit-api_key-limit-tokens");
    pub(crate) const LEFT_PARALLEL: HeaderName =
        HeaderName::from_static("x-ratelimit-api_key-remaining-max_parallel_requests");
    pub(crate) const LIMIT_PARALLEL: HeaderName =
        HeaderName::from_static("x-ratelimit-api_key-limit-max_parallel_requests");
    pub(crate) const LIMIT_TYPE: HeaderName = HeaderName::from_static("rate_limit_type");
    pub(crate) const RESET_AT: HeaderName = HeaderName::from_static("reset_at");
}

/// The headers that are the same for every answer of a deployment, made once per configuration.
#[derive(Debug, Clone)]
pub(crate) struct CallHeaders {
    model_id: HeaderValue,
    model_name: HeaderValue,
    api_base: HeaderValue,
    version: HeaderValue,
}

impl CallHeaders {
    /// Those of a deployment.
    pub(crate) fn of(deployment: &Deployment) -> Self {
        Self {
            model_id: text(deployment.id.as_str()),
            model_name: text(&deployment.model),
            api_base: text(deployment.target.base_url.split('?').next().unwrap_or_default()),
            version: HeaderValue::from_static(env!("CARGO_PKG_VERSION")),
        }
    }

    /// Writes them.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(names::MODEL_ID, self.model_id.clone());
        headers.insert(names::MODEL_NAME, self.model_name.clone());
        headers.insert(names::API_BASE, self.api_base.clone());
        headers.insert(names::VERSION, self.version.clone());
    }
}

/// A header value; bytes that may not stand in one are dropped.
pub(crate) fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| {
        let clean: String = value.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
        HeaderValue::from_str(&clean).unwrap_or(HeaderValue::from_static(""))
    })
}

/// USD as LiteLLM writes it: a plain decimal without trailing zeros.
pub(crate) fn usd(amount: Money) -> HeaderValue {
    let sign = if amount.0 < 0 { "-" } else { "" };
    let whole = amount.0.unsigned_abs() / 1_000_000_000;
    let part = amount.0.unsigned_abs() % 1_000_000_000;
    if part == 0 {
        return text(&format!("{sign}{whole}"));
    }
    let digits = format!("{part:09}");
    text(&format!("{sign}{whole}.{}", digits.trim_end_matches('0')))
}

/// Microseconds as milliseconds with three digits.
pub(crate) fn millis(us: u64) -> HeaderValue {
    let mut out = [0; 24];
    let mut buffer = itoa::Buffer::new();
    let whole = buffer.format(us / 1_000).as_bytes();
    let at = whole.len();
    out[..at].copy_from_slice(whole);
    let part = us % 1_000;
    out[at] = b'.';
    for (index, divisor) in [100, 10, 1].into_iter().enumerate() {
        out[at + 1 + index] = b'0' + u8::try_from(part / divisor % 10).unwrap_or(0);
    }
    HeaderValue::from_bytes(&out[..at + 4]).unwrap_or(HeaderValue::from_static("0"))
}

/// What is left of a key's limits.
pub(crate) fn limits(headers: &mut HeaderMap, limits: &Limits, remaining: &Remaining) {
    let mut put = |pair: Option<(u64, u64)>, left_name: HeaderName, limit_name: HeaderName| {
        if let Some((left, limit)) = pair {
            headers.insert(left_name, HeaderValue::from(left));
            headers.insert(limit_name, HeaderValue::from(limit));
        }
    };
    put(remaining.requests, names::LEFT_REQUESTS, names::LIMIT_REQUESTS);
    put(remaining.tokens, names::LEFT_TOKENS, names::LIMIT_TOKENS);
    put(remaining.parallel, names::LEFT_PARALLEL, names::LIMIT_PARALLEL);
    if let Some(max) = limits.max_budget {
        headers.insert(names::KEY_MAX_BUDGET, usd(max));
    }
    if let Some(tpm) = limits.tpm {
        headers.insert(names::KEY_TPM, HeaderValue::from(tpm));
    }
    if let Some(rpm) = limits.rpm {
        headers.insert(names::KEY_RPM, HeaderValue::from(rpm));
    }
}

/// Names of provider headers with `llm_provider-` in front, remembered so that they are made once.
#[derive(Debug, Default)]
pub(crate) struct ProviderNames(dashmap::DashMap<HeaderName, Arc<HeaderName>>);

impl ProviderNames {
    /// How many names are remembered; providers that invent names do not grow the table for ever.
    const MOST: usize = 512;

    /// Copies every provider header under its prefixed name.
    pub(crate) fn copy(&self, from: &HeaderMap, to: &mut HeaderMap) {
        for (name, value) in from {
            let known = self.0.get(name).map(|known| Arc::clone(&known));
            let prefixed = known.or_else(|| self.remember(name));
            if let Some(prefixed) = prefixed {
                to.append((*prefixed).clone(), value.clone());
            }
        }
    }

    fn remember(&self, name: &HeaderName) -> Option<Arc<HeaderName>> {
        let prefixed = Arc::new(HeaderName::try_from(format!("llm_provider-{name}")).ok()?);
        if self.0.len() < Self::MOST {
            self.0.insert(name.clone(), Arc::clone(&prefixed));
        }
        Some(prefixed)
    }
}

#[cfg(test)]
mod tests;
