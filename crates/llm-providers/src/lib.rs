//! Call any LLM provider from Rust.
//!
//! A *dialect* is a protocol and is code ([`dialects`]); a *provider* is a vendor and is a record
//! ([`ProviderSpec`]). Translation is pure and synchronous; I/O stays in one place.

pub mod auth;
pub mod catalog;
pub mod claims;
pub mod client;
pub mod cloud;
pub mod deposit;
pub mod dialect;
pub mod dialects;
pub mod error_table;
mod fields;
pub mod framing;
mod json;
pub mod left_out;
pub mod media;
#[cfg(feature = "hyper")]
pub mod mock;
pub mod operations;
pub mod providers;
mod registry;
pub mod scan;
pub mod signin;
mod spec;
mod target;
pub mod tokens;
#[cfg(feature = "hyper")]
pub mod transport;
mod uuid;
mod write;

pub use client::{Client, EventStream, PreparedTarget};
pub use cloud::{Cloud, CloudSpec};
pub use deposit::Deposit;
pub use dialect::{
    Dialect, Encoded, Framing, InvokedTools, ReplyContext, ReplyFacts, StreamDecoder, StreamEncoder,
};
pub use registry::{Provider, Registry, bare_owner, provider_of_bare_model};
pub use spec::{Amendment, Auth, DialectId, Door, ModelRule, PARAMS, Prefill, ProviderSpec, Quirks};
pub use target::{ParamPolicy, Target};
#[cfg(feature = "hyper")]
pub use transport::{HyperTransport, TransportOptions};
