//! Whole replies, both ways, and what an answer rests on.

mod grounding;
mod logprobs;
mod read;
mod write;

pub(super) use grounding::{citations, grounding_json};
pub(super) use logprobs::{from_openai, to_openai};
pub(super) use read::{blocked, decode, searches};
pub(super) use write::{candidate_extra, encode, head, or};

#[cfg(test)]
mod tests;
