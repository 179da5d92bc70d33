//! One place to send requests to: a provider, a model, and how this operator wants it used.

use std::sync::Arc;

use http::HeaderMap;
use llm_types::{Secret, Timeouts};
use serde_json::{Map, Value};

use crate::{Cloud, ProviderSpec};

/// What to do with parameters the other side cannot express. LiteLLM surface §6.3.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParamPolicy {
    /// Drop what the provider cannot express instead of refusing (`drop_params`).
    pub drop: bool,
    /// Always drop these, by OpenAI name (`additional_drop_params`).
    pub always_drop: Vec<String>,
    /// Pass these although the record says the provider does not know them (`allowed_openai_params`).
    pub allow: Vec<String>,
}

/// A provider, a model and an operator's settings for both.
#[derive(Debug, Clone)]
pub struct Target {
    /// The vendor's record.
    pub spec: Arc<ProviderSpec>,
    /// The model in the provider's own words (no provider prefix).
    pub model: String,
    /// Where requests go, without a trailing slash.
    pub base_url: String,
    /// The key to sign in with.
    pub key: Option<Secret>,
    /// Headers to add (`extra_headers`), never sign-in.
    pub headers: HeaderMap,
    /// Body fields to add unless the caller sets them (`extra_body` and default parameters).
    pub defaults: Map<String, Value>,
    /// Parameters the provider cannot express.
    pub policy: ParamPolicy,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// What only targets in clouds have: region, project, API version, credentials.
    pub cloud: Option<Cloud>,
}

impl Target {
    /// A model of a provider where its record says it is, with no key and no settings.
    #[must_use]
    pub fn bare(spec: Arc<ProviderSpec>, model: &str) -> Self {
        Self {
            base_url: spec.full_base_url(None),
            spec,
            model: model.to_owned(),
            key: None,
            headers: HeaderMap::new(),
            defaults: Map::new(),
            policy: ParamPolicy::default(),
            timeouts: Timeouts::default(),
            cloud: None,
        }
    }

    /// The target with its record's rules for its model applied. `can` tells an ability of the model
    /// (`reasoning`, `function_calling`) as the price book or the operator states it. A target whose model is
    /// a pattern (`*`) stays as it is.
    #[must_use]
    pub fn for_model(mut self, can: impl Fn(&str) -> bool) -> Self {
        if self.model.contains('*') {
            return self;
        }
        if let Some((path, rest)) = self.spec.quirks.model_path(&self.model) {
            self.base_url.push_str(&path);
            self.model = rest;
        }
        if let Some(quirks) = self.spec.quirks.of_model(&self.model, can) {
            self.spec = Arc::new(ProviderSpec { quirks, ..(*self.spec).clone() });
        }
        self
    }
}
