//! Calls beside chat: embeddings, images, speech, transcription, moderation, reranking.
//!
//! An *operation* is a kind of call, in OpenAI's words (Cohere's for reranking). A *wire* is the protocol of
//! one operation, code, pure and synchronous ([`Wire`]). Which vendor speaks which wire where is a table
//! ([`Entry`], in `table/`); vendors that users add themselves get OpenAI's wires.
//!
//! Where caller and vendor speak OpenAI's form, bytes are forwarded with the model's name patched; else the
//! request is written anew and the reply translated.

mod asked;
pub(crate) mod audio;
mod flow;
mod form;
mod judge;
mod reply;
mod table;
mod wire;
mod wires;

pub use asked::{Asked, Job, speaks_to_rooms};
pub use audio::{audio_ms, length_ms};
pub use flow::flow;
pub use form::{Field, Form, FormScan, FormWriter};
#[cfg(test)]
pub(crate) use judge::OURS;
pub use judge::settle;
pub(crate) use reply::pixels;
pub use reply::{encode as encode_reply, facts, told, unread};
pub use table::{Entry, entries, entry, has_nameless};
pub use wire::{Payload, Place, Received, Sending, Step, Taking, Wire};
#[cfg(feature = "hyper")]
pub(crate) use wires::parts::packed;

#[cfg(test)]
mod tests;
