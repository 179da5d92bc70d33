//! A stream of events out of a stream of bytes.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use llm_types::{Body, ChatResponse, Error, ErrorKind, Event, ProviderId, Result};

use crate::framing::Frames;
use crate::{Dialect, StreamDecoder};

/// The events of an answer. Ends after [`Event::Done`]; a stream that was cut, or that the provider
/// reported to have failed, ends with an error. Dropping it tells the provider to stop.
pub struct EventStream {
    body: Body,
    frames: Frames,
    decoder: Box<dyn StreamDecoder>,
    provider: ProviderId,
    ready: VecDeque<Event>,
    scratch: Vec<Event>,
    state: State,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    /// More bytes may come.
    Open,
    /// What is ready is all there is; then this error, unless the provider said that it is done.
    Ended(Option<Error>),
    /// Everything was handed out.
    Over,
}

impl EventStream {
    /// Decodes a streamed answer.
    pub(super) fn new(dialect: &dyn Dialect, body: Body, provider: ProviderId) -> Self {
        Self {
            body,
            frames: Frames::new(dialect.framing()),
            decoder: dialect.stream_decoder(),
            provider,
            ready: VecDeque::new(),
            scratch: Vec::new(),
            state: State::Open,
        }
    }

    /// The stream that tells a whole reply.
    pub(super) fn of_whole(dialect: &dyn Dialect, reply: ChatResponse, provider: ProviderId) -> Self {
        let stream = Self::new(dialect, Body::Full(bytes::Bytes::new()), provider);
        Self { ready: reply.into_events().into(), ..stream }
    }

    /// Decodes every whole frame that has arrived.
    fn decode(&mut self) -> Result<()> {
        while let Some(frame) = self.frames.next_frame()? {
            self.decoder.push(&frame, &mut self.scratch)?;
            self.ready.extend(self.scratch.drain(..));
        }
        Ok(())
    }

    /// The body has ended by itself.
    fn finish(&mut self) -> Result<()> {
        if let Some(frame) = self.frames.finish()? {
            self.decoder.push(&frame, &mut self.scratch)?;
        }
        self.decoder.finish(&mut self.scratch);
        self.ready.extend(self.scratch.drain(..));
        Ok(())
    }

    fn cut() -> Error {
        Error::new(ErrorKind::BadUpstream, "provider's stream ended in the middle of the answer")
    }
}

impl Stream for EventStream {
    type Item = Result<Event>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match this.ready.pop_front() {
                Some(Event::Error(error)) => {
                    this.state = State::Over;
                    this.ready.clear();
                    return Poll::Ready(Some(Err(error.with_provider(this.provider.clone()))));
                }
                Some(event) => {
                    if event == Event::Done {
                        this.state = State::Over;
                        this.ready.clear();
                    }
                    return Poll::Ready(Some(Ok(event)));
                }
                None => {}
            }
            match &mut this.state {
                State::Over => return Poll::Ready(None),
                State::Ended(error) => {
                    let error = error.take().unwrap_or_else(Self::cut).with_provider(this.provider.clone());
                    this.state = State::Over;
                    return Poll::Ready(Some(Err(error)));
                }
                State::Open => {}
            }
            let outcome = match ready!(Pin::new(&mut this.body).poll_next(cx)) {
                Some(Ok(bytes)) => {
                    this.frames.push(bytes);
                    this.decode()
                }
                Some(Err(error)) => Err(error),
                None => this.finish().map(|()| this.state = State::Ended(None)),
            };
            if let Err(error) = outcome {
                this.state = State::Ended(Some(error));
            }
        }
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("provider", &self.provider)
            .field("decoder", &self.decoder)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
