//! Anthropic's beta features: the caller's list and the gateway's are one list.
//!
//! Vendor's page: <https://platform.claude.com/docs/en/api/beta-headers> (names parted by commas).

use http::{HeaderMap, HeaderName, HeaderValue};
use llm_types::ChatRequest;
use serde_json::{Map, Value};

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

/// Names the beta features that a caller asks for in the request itself, for dialects that have no header
/// for them.
pub(super) fn name_in(request: &mut ChatRequest, asked: [&HeaderMap; 2]) {
    let mut headers = HeaderMap::new();
    asked.iter().for_each(|asked| join(asked, &mut headers));
    let Some(names) = headers.get(&BETAS).and_then(|names| names.to_str().ok()) else { return };
    let extra = request.extra.0.entry("extra_headers").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(extra) = extra {
        extra.insert(BETAS.as_str().to_owned(), Value::from(names));
    }
}

#[cfg(test)]
mod tests;
