//! Parts of the wire and the canonical parts they stand for; used by requests, replies and streams.

mod read;
mod write;

pub(super) use read::{bad_reply, joined, part, parts};
pub(super) use write::{
    KEPT, Wanted, call, file_data, inline_data, media, part as write_part, takes_url, wanted,
};

#[cfg(test)]
mod tests;
