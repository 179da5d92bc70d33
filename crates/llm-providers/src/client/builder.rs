//! Settings of a client.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use llm_types::{Result, Secret, Timeouts, Transport};
use serde_json::Map;

use super::Client;
use crate::{ParamPolicy, Provider, ProviderSpec, Registry, Target};

/// What calls of a client have in common.
#[derive(Debug, Default)]
pub(super) struct Settings {
    env: HashMap<String, String>,
    keys: HashMap<String, Secret>,
    base_urls: HashMap<String, String>,
    policy: ParamPolicy,
    timeouts: Timeouts,
}

impl Settings {
    /// The target of a model. A key from the environment goes only to the provider it is for: if the base
    /// URL was set by hand, the key must be too.
    pub(super) fn target(&self, provider: &Provider, model: &str) -> Target {
        let slug = provider.id.as_str();
        let first_set =
            |names: &[_]| names.iter().find_map(|name: &std::borrow::Cow<'_, str>| self.env.get(&**name));
        let given = self.base_urls.get(slug);
        let base_url = given.or_else(|| first_set(&provider.base_url_env)).map(String::as_str);
        let key = self.keys.get(slug).cloned().or_else(|| {
            let may_borrow = given.is_none();
            first_set(&provider.key_env).filter(|_| may_borrow).map(|key| Secret::new(key.clone()))
        });
        Target {
            spec: Arc::clone(provider),
            model: model.to_owned(),
            base_url: self.filled(&provider.full_base_url(base_url)),
            key,
            headers: HeaderMap::new(),
            defaults: Map::new(),
            policy: self.policy.clone(),
            timeouts: self.timeouts,
            cloud: None,
        }
    }
}

impl Settings {
    /// A base URL with its account; what cannot be filled is told by the first call.
    fn filled(&self, base_url: &str) -> String {
        let filled = ProviderSpec::filled(base_url, |name| self.env.get(name).cloned());
        filled.unwrap_or_else(|_| base_url.to_owned())
    }
}

/// Puts a [`Client`] together.
#[derive(Debug)]
pub struct ClientBuilder {
    transport: Option<Arc<dyn Transport>>,
    registry: Registry,
    settings: Settings,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        let timeouts = Timeouts {
            connect: Some(Duration::from_secs(10)),
            first_byte: Some(Duration::from_secs(600)),
            read: Some(Duration::from_secs(300)),
            total: None,
        };
        Self {
            transport: None,
            registry: Registry::built_in(),
            settings: Settings { timeouts, ..Settings::default() },
        }
    }
}

impl ClientBuilder {
    /// Takes keys and base URLs from the variables that the providers' records name.
    #[must_use]
    pub fn keys_from_env(self) -> Self {
        self.keys_from(std::env::vars())
    }

    /// As [`ClientBuilder::keys_from_env`] with other variables.
    #[must_use]
    pub fn keys_from(mut self, vars: impl IntoIterator<Item = (String, String)>) -> Self {
        let set = vars.into_iter().filter(|(_, value)| !value.trim().is_empty());
        self.settings.env.extend(set);
        self
    }

    /// The key of a provider.
    #[must_use]
    pub fn key(mut self, slug: impl Into<String>, key: impl Into<Secret>) -> Self {
        self.settings.keys.insert(slug.into(), key.into());
        self
    }

    /// Where a provider is. Its key must then be given too, if it needs one: keys of the environment are
    /// not sent to other hosts.
    #[must_use]
    pub fn base_url(mut self, slug: impl Into<String>, url: impl Into<String>) -> Self {
        self.settings.base_urls.insert(slug.into(), url.into());
        self
    }

    /// Other providers than the built-in ones.
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// What to do with parameters that a provider cannot express. Unless told otherwise they are refused.
    #[must_use]
    pub fn params(mut self, policy: ParamPolicy) -> Self {
        self.settings.policy = policy;
        self
    }

    /// How long to wait. Unless told otherwise: 10 s for a connection, 10 minutes for the first byte,
    /// 5 minutes between two pieces.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.settings.timeouts = timeouts;
        self
    }

    /// A transport of your own.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Internal`] when no transport was given and none can be made of the
    /// environment's proxies and certificates.
    pub fn build(self) -> Result<Client> {
        let transport = match self.transport {
            Some(transport) => transport,
            None => own_transport()?,
        };
        Ok(Client {
            transport,
            registry: self.registry,
            settings: Arc::new(self.settings),
            targets: Arc::default(),
        })
    }
}

#[cfg(feature = "hyper")]
fn own_transport() -> Result<Arc<dyn Transport>> {
    Ok(Arc::new(crate::HyperTransport::new(crate::TransportOptions::from_env()?)?))
}

#[cfg(not(feature = "hyper"))]
fn own_transport() -> Result<Arc<dyn Transport>> {
    let message = "this build has no transport: give one with `transport`, or build with feature `hyper`";
    Err(llm_types::Error::new(llm_types::ErrorKind::Internal, message))
}
