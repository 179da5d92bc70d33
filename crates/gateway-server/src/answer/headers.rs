//! The headers LiteLLM's users read on answers (surface §6.1).

use std::sync::Arc;

use bytes::BytesMut;
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
    model_group: HeaderValue,
    api_base: HeaderValue,
    version: HeaderValue,
}

impl CallHeaders {
    /// Those of a deployment.
    pub(crate) fn of(deployment: &Deployment) -> Self {
        Self {
            model_id: text(deployment.id.as_str()),
            model_name: text(&deployment.model),
            model_group: text(&deployment.group),
            api_base: text(deployment.target.base_url.split('?').next().unwrap_or_default()),
            version: HeaderValue::from_static(env!("CARGO_PKG_VERSION")),
        }
    }

    /// The deployment's group, if that is the one the call came through.
    pub(crate) fn group(&self, name: &str) -> HeaderValue {
        if self.model_group == name { self.model_group.clone() } else { text(name) }
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

/// Writes the numbers of one answer's headers into one buffer, so that all of them cost one allocation.
#[derive(Debug)]
pub(crate) struct Numbers(BytesMut);

impl Numbers {
    /// A buffer with room for the numbers of an ordinary answer.
    pub(crate) fn new() -> Self {
        Self(BytesMut::with_capacity(192))
    }

    /// A count.
    pub(crate) fn count(&mut self, count: u64) -> HeaderValue {
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        match usize::try_from(count).ok().and_then(|digit| DIGITS.get(digit)) {
            Some(digit) => HeaderValue::from_static(digit),
            None => {
                self.digits(count);
                self.taken()
            }
        }
    }

    /// USD as LiteLLM writes it: a plain decimal without trailing zeros.
    pub(crate) fn usd(&mut self, amount: Money) -> HeaderValue {
        if amount.0 < 0 {
            self.0.extend_from_slice(b"-");
        }
        self.digits(amount.0.unsigned_abs() / 1_000_000_000);
        let part = amount.0.unsigned_abs() % 1_000_000_000;
        if part > 0 {
            self.fraction(part, 9);
            let kept = self.0.iter().rposition(|digit| *digit != b'0').map_or(0, |at| at + 1);
            self.0.truncate(kept);
        }
        self.taken()
    }

    /// Microseconds as milliseconds with three digits.
    pub(crate) fn millis(&mut self, us: u64) -> HeaderValue {
        self.digits(us / 1_000);
        self.fraction(us % 1_000, 3);
        self.taken()
    }

    fn digits(&mut self, number: u64) {
        self.0.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    /// A point and `width` digits.
    fn fraction(&mut self, mut part: u64, width: usize) {
        let mut digits = [b'0'; 10];
        digits[0] = b'.';
        for digit in digits[1..=width].iter_mut().rev() {
            *digit = b'0' + u8::try_from(part % 10).unwrap_or(0);
            part /= 10;
        }
        self.0.extend_from_slice(&digits[..=width]);
    }

    fn taken(&mut self) -> HeaderValue {
        HeaderValue::from_maybe_shared(self.0.split().freeze()).unwrap_or(HeaderValue::from_static("0"))
    }
}

/// What is left of a key's limits.
pub(crate) fn limits(headers: &mut HeaderMap, numbers: &mut Numbers, limits: &Limits, remaining: &Remaining) {
    let mut put = |pair: Option<(u64, u64)>, left_name: HeaderName, limit_name: HeaderName| {
        let (left, limit) = pair?;
        headers.insert(left_name, numbers.count(left));
        let limit = numbers.count(limit);
        headers.insert(limit_name, limit.clone());
        Some(limit)
    };
    let requests = put(remaining.requests, names::LEFT_REQUESTS, names::LIMIT_REQUESTS);
    let tokens = put(remaining.tokens, names::LEFT_TOKENS, names::LIMIT_TOKENS);
    put(remaining.parallel, names::LEFT_PARALLEL, names::LIMIT_PARALLEL);
    if let Some(max) = limits.max_budget {
        headers.insert(names::KEY_MAX_BUDGET, numbers.usd(max));
    }
    if let Some(tpm) = tokens.or_else(|| limits.tpm.map(|tpm| numbers.count(tpm))) {
        headers.insert(names::KEY_TPM, tpm);
    }
    if let Some(rpm) = requests.or_else(|| limits.rpm.map(|rpm| numbers.count(rpm))) {
        headers.insert(names::KEY_RPM, rpm);
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
