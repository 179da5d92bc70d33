//! Who is calling: secrets, their hashes, and the directory of virtual keys.

mod directory;
mod key;
mod model_access;
mod route_access;

pub(crate) use directory::{Directory, KeyEntry};
pub(crate) use key::{KeyDigest, Presented, masked, new_secret, presented};
pub(crate) use model_access::may_use_model;
pub(crate) use route_access::route_allowed;
