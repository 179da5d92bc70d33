//! Anthropic's beta features: the caller's list and the gateway's are one list.
//!
//! Vendor's page: <https://platform.claude.com/docs/en/api/beta-headers> (names parted by commas).

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header that names beta features.
pub(super) const BETAS: HeaderName = HeaderName::from_static("anthropic-beta");

/// Adds the beta features that a caller names to those already there, each once.
pub(super) fn join(asked: &HeaderMap, headers: &mut HeaderMap) {
    if !asked.contains_key(&BETAS) {
        return;
    }
    let mut names: Vec<&[u8]> = Vec::new();
    for value in headers.get_all(&BETAS).iter().chain(asked.get_all(&BETAS)) {
        let listed = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        for name in listed.filter(|name| !name.is_empty()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if let Ok(list) = HeaderValue::from_bytes(&names.join(&b',')) {
        headers.insert(BETAS, list);
    }
}

#[cfg(test)]
mod tests;
