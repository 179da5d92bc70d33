//! Sign-in: puts a key where the provider's record wants it.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use llm_types::{Error, ErrorKind, Origin, Result, Secret};

use crate::{Auth, ProviderSpec};

/// How one target signs in, checked once: applying it cannot fail. Secret values are marked sensitive,
/// so that neither `Debug` nor HTTP/2's header compression shows them.
#[derive(Debug, Clone, PartialEq)]
pub enum SignIn {
    /// Nothing to add.
    None,
    /// A header to set.
    Header(HeaderName, HeaderValue),
    /// A query parameter to add, percent-encoded.
    Query(Secret),
}

impl SignIn {
    /// Prepares sign-in with a key.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] when the provider needs a key and there is none, or when the key
    /// holds characters that a header cannot carry (a line break from a file, for one).
    pub fn new(spec: &ProviderSpec, key: Option<&Secret>) -> Result<Self> {
        let key = key.map(|key| key.reveal().as_str()).filter(|key| !key.is_empty());
        let key = match spec.quirks.token_kind_header.is_empty() {
            true => key,
            // LiteLLM's mark of a programmatic access token.
            false => key.map(|key| key.strip_prefix("pat/").unwrap_or(key)),
        };
        if let Some(token) = key.filter(|key| is_token(spec, key)) {
            return Ok(Self::Header(header::AUTHORIZATION, secret_value(spec, &format!("Bearer {token}"))?));
        }
        match (&spec.auth, key) {
            (Auth::None, None) => Ok(Self::None),
            (Auth::BearerOr(word), None) => {
                Ok(Self::Header(header::AUTHORIZATION, secret_value(spec, &format!("Bearer {word}"))?))
            }
            (_, None) => Err(missing_key(spec)),
            (Auth::Bearer | Auth::BearerOr(_) | Auth::None, Some(key)) => {
                Ok(Self::Header(header::AUTHORIZATION, secret_value(spec, &format!("Bearer {key}"))?))
            }
            (Auth::Scheme(word), Some(key)) => {
                Ok(Self::Header(header::AUTHORIZATION, secret_value(spec, &format!("{word} {key}"))?))
            }
            (Auth::Header(name), Some(key)) => {
                let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                    let message = format!("provider `{}`: `{name}` is not a header name", spec.id);
                    Error::new(ErrorKind::Internal, message)
                })?;
                Ok(Self::Header(name, secret_value(spec, key)?))
            }
            (Auth::Query(name), Some(key)) => {
                let mut pair = String::new();
                percent_encode(name, &mut pair);
                pair.push('=');
                percent_encode(key, &mut pair);
                Ok(Self::Query(Secret::new(pair)))
            }
        }
    }

    /// Sets the header, if sign-in is by header. Replaces one of the same name.
    pub fn apply(&self, headers: &mut HeaderMap) {
        if let Self::Header(name, value) = self {
            headers.insert(name.clone(), value.clone());
        }
    }

    /// The query parameter, if sign-in is by query: `name=value`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        match self {
            Self::Query(pair) => Some(pair.reveal()),
            _ => None,
        }
    }
}

/// Whether a key is a token of somebody's, by what the vendor's tokens begin with.
pub(crate) fn is_token(spec: &ProviderSpec, key: &str) -> bool {
    let prefix = &*spec.quirks.token_prefix;
    !prefix.is_empty() && key.starts_with(prefix)
}

fn missing_key(spec: &ProviderSpec) -> Error {
    let from = match spec.key_env.first() {
        Some(name) => format!("set `{name}` or give `api_key`"),
        None => "give `api_key`".to_owned(),
    };
    gateway_fault(format!("provider `{}` needs a key: {from}", spec.id))
}

fn secret_value(spec: &ProviderSpec, text: &str) -> Result<HeaderValue> {
    let legal = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let value = HeaderValue::from_str(text).ok().filter(|_| legal).ok_or_else(|| {
        let message =
            "holds a character that no header may carry: look for a line break or a typographic quote";
        gateway_fault(format!("the key of provider `{}` {message}", spec.id))
    });
    value.map(|mut value| {
        value.set_sensitive(true);
        value
    })
}

fn gateway_fault(message: String) -> Error {
    Error::new(ErrorKind::Unauthenticated, message).with_origin(Origin::Gateway)
}

/// Encodes everything but RFC 3986's unreserved characters.
fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(
                    char::from_digit(digit.into(), 16).expect("four bits are one digit").to_ascii_uppercase(),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
