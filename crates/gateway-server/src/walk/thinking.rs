//! Thoughts told as text between `<think>` and `</think>` in streams of chats
//! (`merge_reasoning_content_in_choices`): for clients that know no field of their own for them.

use std::collections::HashSet;

use bytes::BytesMut;
use llm_providers::dialect::StreamEncoder;
use llm_types::Event;

/// Writes thoughts as text.
#[derive(Debug)]
pub(super) struct Told {
    encoder: Box<dyn StreamEncoder>,
    /// The answers that are thinking.
    open: HashSet<u32>,
}

impl Told {
    pub(super) fn new(encoder: Box<dyn StreamEncoder>) -> Self {
        Self { encoder, open: HashSet::new() }
    }

    fn text(&mut self, choice: u32, text: String, out: &mut BytesMut) {
        self.encoder.push(&Event::Text { choice, text }, out);
    }
}

impl StreamEncoder for Told {
    fn push(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Reasoning { choice, text } if self.open.insert(*choice) => {
                self.text(*choice, format!("<think>{text}"), out);
            }
            Event::Reasoning { choice, text } => self.text(*choice, text.clone(), out),
            Event::Text { choice, text } if self.open.remove(choice) => {
                self.text(*choice, format!("</think>{text}"), out);
            }
            Event::ToolStart { choice, .. }
            | Event::Refusal { choice, .. }
            | Event::Finish { choice, .. } => {
                if self.open.remove(choice) {
                    self.text(*choice, "</think>".to_owned(), out);
                }
                self.encoder.push(event, out);
            }
            // A signature belongs to thoughts, which are none any more.
            Event::Signature { choice, .. } if self.open.contains(choice) => {}
            _ => self.encoder.push(event, out),
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        self.encoder.finish(out);
    }
}

#[cfg(test)]
mod tests;
