//! The same client for programs without an async runtime.

use futures_util::StreamExt as _;
use llm_types::{ChatRequest, ChatResponse, Error, ErrorKind, Event, Result};
use tokio::runtime::{Builder, Runtime};

use super::EventStream;

/// A client whose calls block the calling thread. It owns a single-threaded runtime; use one client per
/// thread. Must not be used inside an async runtime.
#[derive(Debug)]
pub struct Client {
    inner: super::Client,
    runtime: Runtime,
}

impl Client {
    /// As [`super::Client::from_env`].
    ///
    /// # Errors
    /// As there, and [`ErrorKind::Internal`] when no runtime can be made.
    pub fn from_env() -> Result<Self> {
        Self::new(super::Client::from_env()?)
    }

    /// A blocking client around an asynchronous one.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when no runtime can be made.
    pub fn new(inner: super::Client) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| {
            Error::new(ErrorKind::Internal, format!("cannot start a runtime: {error}")).with_source(error)
        })?;
        Ok(Self { inner, runtime })
    }

    /// As [`super::Client::chat`].
    ///
    /// # Errors
    /// As there.
    pub fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        self.runtime.block_on(self.inner.chat(request))
    }

    /// As [`super::Client::chat_stream`], as an iterator.
    ///
    /// # Errors
    /// As there.
    pub fn chat_stream(&self, request: ChatRequest) -> Result<Events<'_>> {
        let stream = self.runtime.block_on(self.inner.chat_stream(request))?;
        Ok(Events { stream, runtime: &self.runtime })
    }
}

/// The events of an answer, each waited for when asked for.
#[derive(Debug)]
pub struct Events<'c> {
    stream: EventStream,
    runtime: &'c Runtime,
}

impl Iterator for Events<'_> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        self.runtime.block_on(self.stream.next())
    }
}
