//! How a vendor gives tokens for what the operator has, as its record says it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use llm_types::Secret;
use serde::{Deserialize, Serialize};

use super::{Pairs, Setting, Words};
use crate::signin::Exchanged;

/// One request that gives a token. In its headers and its form `{key}` stands for the operator's key,
/// `{client}` and `{secret}` for an application and its secret, `{basic}` for both as `Basic` sign-in wants
/// them (RFC 7617), `{scope}` for what is asked for, and in headers `{uuid}` for a random UUID.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Exchange {
    /// Who is asked, for messages.
    pub whom: Cow<'static, str>,
    /// Where; `{host}` stands for scheme, host and port of the base URL.
    pub url: Cow<'static, str>,
    /// Environment variables that say where instead, first set one wins.
    pub url_env: Words,
    /// Headers of the request.
    pub headers: Pairs,
    /// Its form.
    pub form: Pairs,
    /// What is asked for.
    pub scope: Setting,
    /// The application.
    pub client: Setting,
    /// The application's secret.
    pub secret: Setting,
    /// A token that needs no exchange.
    pub token: Setting,
    /// A key that needs none and goes behind a word of its own.
    pub worded: Setting,
    /// That word.
    pub word: Cow<'static, str>,
    /// Whether the operator's key is what is exchanged; else a key is sent as it is.
    pub of_key: bool,
}

impl Exchange {
    /// Nothing said.
    pub const NONE: Self = Self {
        whom: Cow::Borrowed(""),
        url: Cow::Borrowed(""),
        url_env: Cow::Borrowed(&[]),
        headers: Cow::Borrowed(&[]),
        form: Cow::Borrowed(&[]),
        scope: Setting::NONE,
        client: Setting::NONE,
        secret: Setting::NONE,
        token: Setting::NONE,
        worded: Setting::NONE,
        word: Cow::Borrowed(""),
        of_key: false,
    };

    /// The request at `url` with what the operator has.
    #[must_use]
    pub fn with(&self, url: String, has: &Has<'_>) -> Exchanged {
        let basic = STANDARD.encode(format!("{}:{}", has.client, has.secret));
        let filled = |pairs: &Pairs| {
            let fill = |text: &str| {
                let text = text.replace("{key}", has.key).replace("{client}", has.client);
                let text = text.replace("{secret}", has.secret).replace("{basic}", &basic);
                Secret::new(text.replace("{scope}", has.scope))
            };
            pairs.iter().map(|(name, text)| (name.to_string(), fill(text))).collect()
        };
        Exchanged {
            whom: self.whom.to_string(),
            url,
            headers: filled(&self.headers),
            form: filled(&self.form),
        }
    }
}

/// What an operator has for an [`Exchange`]; empty for what is not there.
#[derive(Clone, Copy, Default)]
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct Has<'h> {
    /// The key.
    pub key: &'h str,
    /// The application.
    pub client: &'h str,
    /// Its secret.
    pub secret: &'h str,
    /// What is asked for.
    pub scope: &'h str,
}
