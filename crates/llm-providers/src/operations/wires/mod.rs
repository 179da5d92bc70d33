//! The wires: one file for each family of vendors that write alike.

pub(super) mod aws_transcribe;
pub(super) mod chat_image;
pub(super) mod cohere;
pub(super) mod fal;
pub(super) mod foundry;
pub(super) mod google;
pub(super) mod google_audio;
pub(super) mod google_image;
pub(super) mod grpc;
pub(super) mod invoke;
pub(super) mod invoke_image;
pub(super) mod messages_image;
pub(super) mod openai;
pub(super) mod parts;
pub(super) mod polled;
pub(super) mod protobuf;
pub(super) mod rank;
pub(super) mod riva;
pub(super) mod sound;
pub(super) mod speak;
pub(super) mod ssml;
pub(super) mod stable;
pub(super) mod texts;
pub(super) mod transcribe;
pub(super) mod voice;
pub(super) mod voyage;

#[cfg(test)]
mod tests;
