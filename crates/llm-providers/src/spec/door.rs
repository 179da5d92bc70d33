//! Doors: further protocols that a vendor speaks, beside the one its record is about.
//!
//! A caller of such a protocol is forwarded through the door, so that its bytes arrive as they are.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Auth, DialectId, ProviderSpec, Quirks};
use crate::Target;
use crate::cloud::{CloudSpec, Shell, Words, looks_like};

/// A further protocol of a vendor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Door {
    /// The protocol.
    pub dialect: DialectId,
    /// An end of the base URL that does not lead there (`/v1`), and is taken off.
    #[serde(default)]
    pub without: Cow<'static, str>,
    /// What stands there instead, unless it does already (`/anthropic`).
    #[serde(default)]
    pub with: Cow<'static, str>,
    /// How to sign in there; as elsewhere where nothing is said.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// The models behind it, by how their names look; empty is every model.
    #[serde(default)]
    pub models: Words,
    /// Whether it is for calls that ask for a search of the web (`web_search_options`), whatever their protocol:
    /// the vendor searches there only.
    #[serde(default)]
    pub searches: bool,
    /// How requests are wrapped there.
    #[serde(default)]
    pub shell: Shell,
    /// Named differences from the protocol.
    #[serde(default)]
    pub quirks: Quirks,
}

impl Door {
    /// A door for every model that leads where the base URL does, with the same key.
    pub const OPEN: Self = Self {
        dialect: DialectId::OpenaiChat,
        without: Cow::Borrowed(""),
        with: Cow::Borrowed(""),
        auth: None,
        models: Cow::Borrowed(&[]),
        searches: false,
        shell: Shell::NONE,
        quirks: Quirks::NONE,
    };

    /// Whether a model is behind it.
    #[must_use]
    pub fn leads_to(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|look| looks_like(model, look))
    }

    fn base(&self, base: &str) -> String {
        let base = self.dialect.without_own_path(base);
        if !self.with.is_empty() && base.ends_with(&*self.with) {
            return base.to_owned();
        }
        let base = base.strip_suffix(&*self.without).unwrap_or(base);
        format!("{base}{}", self.with)
    }
}

impl Target {
    /// The same model behind a door. What the vendor's record says of its usual protocol does not count there.
    #[must_use]
    pub fn through(&self, door: &Door) -> Self {
        let spec = ProviderSpec {
            dialect: door.dialect,
            auth: door.auth.clone().unwrap_or_else(|| self.spec.auth.clone()),
            quirks: Quirks {
                responses: door.dialect == DialectId::OpenaiResponses,
                headers: self.spec.quirks.headers.clone(),
                tells_initiator: self.spec.quirks.tells_initiator,
                ..door.quirks.clone()
            },
            cloud: CloudSpec { shell: door.shell.clone(), ..self.spec.cloud.clone() },
            ..(*self.spec).clone()
        };
        Self { spec: Arc::new(spec), base_url: door.base(&self.base_url), ..self.clone() }
    }
}

#[cfg(test)]
mod tests;
