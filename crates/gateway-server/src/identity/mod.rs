//! Who is calling and who pays: secrets, their hashes, the directory of virtual keys, their scopes.

mod bearer;
mod behalf;
mod budgeted;
mod directory;
mod key;
mod leases;
mod mails;
mod model_access;
mod network;
mod parts;
mod password;
mod retired;
mod route_access;
mod rules;
mod scopes;

pub(crate) use bearer::Bearer;
pub(crate) use directory::{Directory, KeyEntry, Link, unavailable};
pub(crate) use key::{KeyDigest, Presented, masked, new_id, new_secret, presented, same_text};
pub(crate) use leases::Leases;
pub(crate) use model_access::may_use_model;
pub use network::Network;
pub(crate) use network::client_address;
pub(crate) use parts::{For, Part, PartSpec, amount_and_period, parts_of_key, parts_of_scope};
pub use password::PasswordPolicy;
pub(crate) use password::{hash_password, is_password};
pub(crate) use retired::retire;
pub(crate) use route_access::route_allowed;
pub(crate) use rules::Rules;
pub(crate) use scopes::{Scope, Scopes};
