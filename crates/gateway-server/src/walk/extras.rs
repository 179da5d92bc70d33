//! What a caller adds to the request its provider gets: headers (`extra_headers`, `headers`) and body
//! members (`extra_body`). LiteLLM surface §6.3.
//!
//! Neither may sign in, frame the message, or change what the gateway reckons with; such names are
//! refused. What the operator says of a header stands.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use llm_providers::{Auth, Target, scan};
use llm_types::{Error, Result};
use serde_json::{Map, Value};

use super::betas::BETAS;

/// Headers that sign in or name who pays.
const SIGN_IN: [&str; 14] = [
    "api-key",
    "authorization",
    "cookie",
    "ocp-apim-subscription-key",
    "openai-organization",
    "openai-project",
    "proxy-authenticate",
    "proxy-authorization",
    "set-cookie",
    "www-authenticate",
    "x-api-key",
    "x-auth-token",
    "x-goog-api-key",
    "xi-api-key",
];

/// Headers by which two parties agree where a message goes, where it ends and how it is packed.
const FRAMING: [&str; 15] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Starts of names that speak to clouds' sign-in or to the gateway.
const STARTS: [&str; 5] = ["x-amz-", "x-goog-", "x-ms-", "x-litellm-", "x-forwarded-"];

/// Body members that decide what is asked of whom, and so what is set aside for it.
const RECKONED: [&str; 14] = [
    "contents",
    "generationConfig",
    "generation_config",
    "input",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "model",
    "n",
    "stream",
    "stream_options",
    "system",
    "systemInstruction",
    "system_instruction",
];

/// What a caller adds.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    headers: HeaderMap,
    members: Map<String, Value>,
}

impl Extras {
    /// Reads headers.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] naming a header that may not be set or is none.
    pub(super) fn read_headers(&mut self, given: Value, key_header: Option<&HeaderName>) -> Result<()> {
        for (name, value) in object("extra_headers", given)? {
            let param = format!("extra_headers.{name}");
            let no_header =
                || Error::bad_param(&param, format!("`{param}`: expected a header's name and text"));
            let name = HeaderName::try_from(name.as_str()).map_err(|_| no_header())?;
            let text = value.as_str().ok_or_else(no_header)?;
            let mut value = HeaderValue::try_from(text).map_err(|_| no_header())?;
            if is_reserved(name.as_str()) || key_header == Some(&name) {
                return Err(Error::bad_param(
                    &param,
                    format!("`{param}` may not be set by callers; leave it out"),
                ));
            }
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        Ok(())
    }

    /// Reads body members.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] naming a member that must stand in the request itself.
    pub(super) fn read_members(&mut self, given: Value) -> Result<()> {
        let members = object("extra_body", given)?;
        if let Some(name) = members.keys().find(|name| RECKONED.contains(&name.as_str())) {
            let param = format!("extra_body.{name}");
            let message = format!("`{param}` may not be set; give `{name}` in the request itself");
            return Err(Error::bad_param(param, message));
        }
        self.members = members;
        Ok(())
    }

    /// The body with the members.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] when the body is no JSON object.
    pub(super) fn body(&self, body: Bytes) -> Result<Bytes> {
        if self.members.is_empty() {
            return Ok(body);
        }
        Ok(scan::merge(&body, &self.members)?)
    }

    /// The body members as they were given, for dialects that place them themselves.
    pub(super) fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// Adds the headers. Those of the target's sign-in and those its operator sets stay as they are.
    pub(super) fn add_headers(&self, target: &Target, headers: &mut HeaderMap) {
        let signs_in = |name: &HeaderName| matches!(&target.spec.auth, Auth::Header(own) if name == &**own);
        for (name, value) in &self.headers {
            if name != BETAS && !signs_in(name) && !target.headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
    }

    /// The headers as they were given, for lists that are joined.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// Whether a header is none that callers can set.
fn is_reserved(name: &str) -> bool {
    SIGN_IN.contains(&name) || FRAMING.contains(&name) || STARTS.iter().any(|start| name.starts_with(start))
}

fn object(name: &str, given: Value) -> Result<Map<String, Value>> {
    match given {
        Value::Object(members) => Ok(members),
        Value::Null => Ok(Map::new()),
        _ => Err(Error::bad_param(name, format!("`{name}`: expected an object"))),
    }
}

#[cfg(test)]
mod tests;
