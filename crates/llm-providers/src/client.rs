//! Calling a model: the one place that signs, sends and decodes.
//!
//! ```no_run
//! # async fn run() -> llm_types::Result<()> {
//! use llm_providers::Client;
//! use llm_types::{ChatRequest, Message};
//!
//! let client = Client::from_env()?;
//! let reply = client.chat(ChatRequest::new("groq/llama-3.3-70b-versatile", [Message::user("Hello")])).await?;
//! println!("{}", reply.choices[0].message.text());
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "hyper")]
pub mod blocking;
mod builder;
mod call;
mod prepared;
mod stream;

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use llm_types::{ChatRequest, ChatResponse, Result, Transport};

pub use builder::ClientBuilder;
pub use call::{decode_error, whole};
pub use prepared::PreparedTarget;
pub use stream::EventStream;

use crate::catalog::{ModelQuery, PriceBook};
use crate::{Registry, dialects};

/// Calls models of any provider by names such as `groq/llama-3.3-70b-versatile`, `gpt-4o-mini` or
/// `mock/hello`. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    registry: Registry,
    settings: Arc<builder::Settings>,
    /// Targets that were asked for, by the caller's name of the model.
    targets: Arc<RwLock<HashMap<String, Arc<PreparedTarget>>>>,
}

impl Client {
    /// A client with the built-in providers, whose keys, base URLs and proxies come from the environment.
    ///
    /// # Errors
    /// As [`crate::TransportOptions::from_env`] and [`crate::HyperTransport::new`].
    #[cfg(feature = "hyper")]
    pub fn from_env() -> Result<Self> {
        Self::builder().keys_from_env().build()
    }

    /// A client with settings of your own.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The providers this client knows.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Asks for a whole answer. Files that the provider wants left with it before stay there.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::NotFound`] when no provider can be told from the model's name,
    /// [`llm_types::ErrorKind::Unauthenticated`] without a key, what the transport fails with, and what the
    /// provider answers.
    pub async fn chat(&self, mut request: ChatRequest) -> Result<ChatResponse> {
        request.stream = false;
        let target = self.target(&request.model)?;
        call::chat(&*self.transport, &target, request).await
    }

    /// Asks for an answer as a stream of events. It ends after [`llm_types::Event::Done`]; a stream that
    /// the provider cut ends with an error. Dropping it tells the provider to stop.
    ///
    /// # Errors
    /// As [`Client::chat`], for everything that shows before the stream begins.
    pub async fn chat_stream(&self, mut request: ChatRequest) -> Result<EventStream> {
        request.stream = true;
        request.options.include_usage.get_or_insert(true);
        let target = self.target(&request.model)?;
        call::chat_stream(&*self.transport, &target, request).await
    }

    /// The target a model's name stands for.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::NotFound`] when no provider can be told from the name.
    pub fn target(&self, model: &str) -> Result<Arc<PreparedTarget>> {
        let known =
            self.targets.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(model).cloned();
        if let Some(target) = known {
            return Ok(target);
        }
        let (provider, name) = self.registry.split_model(model)?;
        let target = self.settings.target(provider, name).routed().for_model(|ability| {
            let book = PriceBook::builtin();
            let known = book.lookup(&ModelQuery::new(provider.id.as_str(), name));
            known.is_some_and(|info| info.supports(ability) == Some(true))
        });
        let target = Arc::new(PreparedTarget::new(Arc::new(target)));
        let mut targets = self.targets.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(Arc::clone(targets.entry(model.to_owned()).or_insert(target)))
    }
}

/// The dialect a target speaks.
fn dialect_of(target: &PreparedTarget) -> &'static dyn crate::Dialect {
    dialects::dialect(target.target().spec.dialect)
}

#[cfg(all(test, feature = "hyper"))]
mod tests;
