//! Streams: a provider's frames into events, and events into frames for a caller.
//!
//! Vendor's page: API reference, `ConverseStreamOutput`.

mod decode;
mod encode;

use std::borrow::Cow;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;

/// The type of the failure a frame's name stands for; `None` for an event.
pub(super) fn is_failure(name: &[u8]) -> Option<Cow<'_, str>> {
    let kind = [&b"exception:"[..], b"error:"].iter().find_map(|kind| name.strip_prefix(*kind));
    // Some gateways send exceptions as events.
    let kind = kind.or_else(|| name.ends_with(b"Exception").then_some(name))?;
    Some(String::from_utf8_lossy(kind))
}

#[cfg(test)]
mod tests;
