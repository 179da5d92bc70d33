//! A provider's frames into events: in the form of Chat Completions to its reader.

use llm_types::{Event, Result};

use super::convert;
use crate::dialect::{Frame, StreamDecoder};

/// Reads a stream of this dialect.
#[derive(Debug)]
pub(super) struct Decoder {
    chat: Box<dyn StreamDecoder>,
}

impl Decoder {
    pub(super) fn new(chat: Box<dyn StreamDecoder>) -> Self {
        Self { chat }
    }
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()> {
        let data = convert::frame(&frame.data).into_owned().into();
        self.chat.push(&Frame { event: frame.event.clone(), data }, out)
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        self.chat.finish(out);
    }
}
